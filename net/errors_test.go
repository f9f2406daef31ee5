package net_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// TestListenErrors and the other tests of this file compare errors with the
// standard library's: text, types, fields, sentinels.
func TestListenErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		taken, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		dir := shortTempDir(t)
		named, err := n.Listen("unix", dir+"/s")
		if err != nil {
			t.Fatal(err)
		}
		defer named.Close()
		for _, c := range [][2]string{
			{"tcp", taken.Addr().String()},
			{"tcp4", taken.Addr().String()},
			{"tcp", "192.0.2.1:0"}, // not an own address
			{"tcp", "127.0.0.1"},
			{"tcp", "127.0.0.1:1:1"},
			{"tcp", "127.0.0.1:99999"},
			{"tcp", "127.0.0.1:-1"},
			{"tcp", "127.0.0.1:nosuchservice"},
			{"tcp", "[::1"},
			{"tcp", "::1:80"},
			{"tcp4", "[::1]:0"},
			{"tcp6", "127.0.0.1:0"},
			{"nosuchnet", "127.0.0.1:0"},
			{"udp", "127.0.0.1:0"},
			{"tcp:1", "127.0.0.1:0"},
			{"ip", "127.0.0.1"},
			{"tcp", "bad name:0"},
			{"", "127.0.0.1:0"},
			{"unix", dir + "/s"},
			{"unix", dir + "/no/such/dir"},
			{"unix", dir + "/" + string(make([]byte, 200))},
		} {
			l, err := n.Listen(c[0], c[1])
			if err == nil {
				_ = l.Close()
			}
			told = append(told, tell("listen", err))
		}
		return told
	})
}

// refused is an address where nobody listens, and nobody can: its port is bound.
func refused(t *testing.T) string {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(s) })
	return bindLoopback(t, s)
}

// bindLoopback binds socket s to a free port, and returns its address.
func bindLoopback(t *testing.T, s int) string {
	t.Helper()
	if err := syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(s)
	if err != nil {
		t.Fatal(err)
	}
	a := stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}
	return a.String()
}

// TestDialErrors: D84 and what else can fail.
func TestDialErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		nobody := refused(t)
		dir := shortTempDir(t)
		tcpAddr := &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 1)}
		for _, c := range []struct {
			network, address string
			d                dialer
		}{
			{"tcp", nobody, dialer{}},
			{"tcp4", nobody, dialer{}},
			{"tcp", nobody, dialer{local: tcpAddr}},
			{"tcp", nobody, dialer{timeout: time.Hour}},
			{"tcp", nobody, dialer{timeout: -1}},
			{"tcp", nobody, dialer{deadline: time.Unix(1, 0)}},
			{"tcp", nobody, dialer{local: &stdnet.TCPAddr{IP: stdnet.IPv4(192, 0, 2, 1)}}},
			{"tcp", nobody, dialer{local: &stdnet.UnixAddr{Name: "x", Net: "unix"}}},
			{"tcp", nobody, dialer{local: &stdnet.TCPAddr{IP: stdnet.IPv6loopback}}},
			{"tcp", ":" + portOf(t, nobody), dialer{}},
			{"tcp", "0.0.0.0:" + portOf(t, nobody), dialer{}},
			{"tcp4", ":" + portOf(t, nobody), dialer{}},
			{"tcp", "[::ffff:127.0.0.1]:" + portOf(t, nobody), dialer{}},
			{"tcp", nobody, dialer{local: &stdnet.TCPAddr{}}},
			{"tcp", nobody, dialer{local: &stdnet.TCPAddr{IP: stdnet.IPv6unspecified}}},
			{"tcp", nobody, dialer{local: &stdnet.UDPAddr{IP: stdnet.IPv4(127, 0, 0, 1)}}},
			{"tcp", nobody, dialer{fallbackDelay: -1}},
			{"tcp", nobody, dialer{multipath: true}},
			{"tcp:1", nobody, dialer{}},
			{"ip", "127.0.0.1", dialer{}},
			{"ip4:nosuch", "127.0.0.1", dialer{}},
			{"unix:1", "/nosuch", dialer{}},
			{"tcp", "bad name:1", dialer{}},
			{"tcp", "", dialer{}},
			{"tcp", "127.0.0.1", dialer{}},
			{"tcp", "127.0.0.1:1:1", dialer{}},
			{"tcp", "127.0.0.1:99999", dialer{}},
			{"tcp", "127.0.0.1:nosuchservice", dialer{}},
			{"tcp", "[::1]", dialer{}},
			{"tcp", "[::1", dialer{}},
			{"tcp4", "[::1]:1", dialer{}},
			{"tcp6", "127.0.0.1:1", dialer{}},
			{"nosuchnet", "127.0.0.1:1", dialer{}},
			{"nosuchnet", "127.0.0.1:1", dialer{local: tcpAddr}},
			{"unix", dir + "/nosuchfile", dialer{}},
			{"unix", dir, dialer{}},
			{"unix", "", dialer{}},
			{"unix", dir + "/nosuchfile", dialer{timeout: -1}},
			{"unix", dir + "/nosuchfile", dialer{local: tcpAddr}},
		} {
			conn, err := n.dial(context.Background(), c.d, c.network, c.address)
			if err == nil {
				_ = conn.Close()
			}
			// Ours is this in every case, std's in some.
			told = append(told, strings.Replace(tell("dial", err), " is os.ErrDeadlineExceeded", "", 1))
		}
		return told
	})
}

// TestTypedErrors is about the functions for one network.
func TestTypedErrors(t *testing.T) {
	none, port := netip.AddrPort{}, netip.MustParseAddrPort("127.0.0.1:1")
	addr, unix := &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 1)}, &stdnet.UnixAddr{Name: "/nosuch/file", Net: "unix"}
	for _, c := range []struct {
		name string
		std  func() error
		ours func() error
	}{
		{"DialTCP nil", func() error { _, err := stdnet.DialTCP("tcp", nil, nil); return err }, func() error { _, err := net.DialTCP("tcp", nil, nil); return err }},
		{"DialTCP nil from", func() error { _, err := stdnet.DialTCP("tcp", addr, nil); return err }, func() error { _, err := net.DialTCP("tcp", addr, nil); return err }},
		{"DialTCP udp", func() error { _, err := stdnet.DialTCP("udp", addr, addr); return err }, func() error { _, err := net.DialTCP("udp", addr, addr); return err }},
		{"DialTCP udp nil", func() error { _, err := stdnet.DialTCP("udp", nil, nil); return err }, func() error { _, err := net.DialTCP("udp", nil, nil); return err }},
		{"DialTCP tcp6", func() error { _, err := stdnet.DialTCP("tcp6", addr, addr); return err }, func() error { _, err := net.DialTCP("tcp6", addr, addr); return err }},
		{"DialTCP port 0", func() error { _, err := stdnet.DialTCP("tcp", nil, addr); return err }, func() error { _, err := net.DialTCP("tcp", nil, addr); return err }},
		{"Dialer.DialTCP", func() error {
			_, err := new(stdnet.Dialer).DialTCP(t.Context(), "tcp", none, port)
			return err
		}, func() error {
			_, err := new(net.Dialer).DialTCP(t.Context(), "tcp", none, port)
			return err
		}},
		{"Dialer.DialTCP udp", func() error {
			_, err := new(stdnet.Dialer).DialTCP(t.Context(), "udp", port, port)
			return err
		}, func() error {
			_, err := new(net.Dialer).DialTCP(t.Context(), "udp", port, port)
			return err
		}},
		{"Dialer.DialUnix", func() error {
			_, err := new(stdnet.Dialer).DialUnix(t.Context(), "unix", nil, unix)
			return err
		}, func() error {
			_, err := new(net.Dialer).DialUnix(t.Context(), "unix", nil, unix)
			return err
		}},
		{"Dialer.DialUnix no name", func() error {
			_, err := new(stdnet.Dialer).DialUnix(t.Context(), "unix", unix, new(stdnet.UnixAddr))
			return err
		}, func() error {
			_, err := new(net.Dialer).DialUnix(t.Context(), "unix", unix, new(net.UnixAddr))
			return err
		}},
		{"ListenTCP udp", func() error { _, err := stdnet.ListenTCP("udp", addr); return err }, func() error { _, err := net.ListenTCP("udp", addr); return err }},
		{"ListenTCP udp nil", func() error { _, err := stdnet.ListenTCP("udp", nil); return err }, func() error { _, err := net.ListenTCP("udp", nil); return err }},
		{"DialUnix nil", func() error { _, err := stdnet.DialUnix("unix", nil, nil); return err }, func() error { _, err := net.DialUnix("unix", nil, nil); return err }},
		{"DialUnix tcp", func() error { _, err := stdnet.DialUnix("tcp", nil, unix); return err }, func() error { _, err := net.DialUnix("tcp", nil, unix); return err }},
		{"DialUnix", func() error { _, err := stdnet.DialUnix("unix", nil, unix); return err }, func() error { _, err := net.DialUnix("unix", nil, unix); return err }},
		{"DialUnix from", func() error { _, err := stdnet.DialUnix("unix", unix, unix); return err }, func() error { _, err := net.DialUnix("unix", unix, unix); return err }},
		{"ListenUnix nil", func() error { _, err := stdnet.ListenUnix("unix", nil); return err }, func() error { _, err := net.ListenUnix("unix", nil); return err }},
		{"ListenUnix tcp", func() error { _, err := stdnet.ListenUnix("tcp", unix); return err }, func() error { _, err := net.ListenUnix("tcp", unix); return err }},
		{"ListenUnix", func() error { _, err := stdnet.ListenUnix("unix", unix); return err }, func() error { _, err := net.ListenUnix("unix", unix); return err }},
	} {
		if got, want := tell(c.name, c.ours()), tell(c.name, c.std()); got != want {
			t.Errorf("\n\tgot  %s\n\twant %s", got, want)
		}
	}
}

// TestZeroValues: calls on connections and listeners that were never made fail.
func TestZeroValues(t *testing.T) {
	var c net.TCPConn
	var u net.UnixConn
	var l net.TCPListener
	var ul net.UnixListener
	buf := make([]byte, 1)
	_, readErr := c.Read(buf)
	_, writeErr := c.Write(buf)
	_, acceptErr := l.Accept()
	_, unixErr := ul.Accept()
	_, readFromErr := c.ReadFrom(nil)
	_, writeToErr := c.WriteTo(nil)
	_, fileErr := u.File()
	_, rawErr := u.SyscallConn()
	for i, err := range []error{
		readErr, writeErr, acceptErr, unixErr, readFromErr, writeToErr, fileErr, rawErr,
		c.Close(), c.CloseRead(), c.CloseWrite(), c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Time{}),
		c.SetWriteDeadline(time.Time{}), c.SetReadBuffer(1), c.SetWriteBuffer(1), c.SetLinger(0), c.SetNoDelay(true),
		c.SetKeepAlive(true), c.SetKeepAlivePeriod(0), c.SetKeepAliveConfig(net.KeepAliveConfig{}),
		u.Close(), l.Close(), ul.Close(), l.SetDeadline(time.Time{}), ul.SetDeadline(time.Time{}),
	} {
		if err != syscall.EINVAL {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if c.LocalAddr() != nil || c.RemoteAddr() != nil {
		t.Error("addresses")
	}
}

// TestConnErrors is about connections that are closed, on either side, or past
// their deadline.
func TestConnErrors(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		same(t, func(t *testing.T, n implementation) (told []string) {
			buf := make([]byte, 8)
			all := func(what string, c stdnet.Conn) {
				h := c.(halves)
				_, readErr := c.Read(buf)
				_, writeErr := c.Write(buf)
				_, fileErr := h.File()
				told = append(told, tell(what+" read", readErr), tell(what+" write", writeErr), tell(what+" file", fileErr))
				for name, set := range map[string]func() error{
					"SetDeadline":      func() error { return c.SetDeadline(time.Time{}) },
					"SetReadDeadline":  func() error { return c.SetReadDeadline(time.Time{}) },
					"SetWriteDeadline": func() error { return c.SetWriteDeadline(time.Time{}) },
				} {
					if got, want := unified(describe(set())), unified(describe(c.SetDeadline(time.Time{}))); got != want {
						t.Errorf("%s: %s, not %s", name, got, want)
					}
				}
				told = append(told,
					tell(what+" deadline", c.SetDeadline(time.Time{})),
					tell(what+" read buffer", h.SetReadBuffer(4096)),
					tell(what+" write buffer", h.SetWriteBuffer(4096)),
					tell(what+" close write", h.CloseWrite()),
					tell(what+" close read", h.CloseRead()))
				raw, err := h.SyscallConn()
				told = append(told, tell(what+" raw", err))
				if err == nil {
					told = append(told,
						tell(what+" control", raw.Control(func(uintptr) {})),
						tell(what+" raw read", raw.Read(func(uintptr) bool { return true })),
						tell(what+" raw write", raw.Write(func(uintptr) bool { return true })))
				}
				if c, ok := c.(tcp); ok {
					told = append(told,
						tell(what+" linger", c.SetLinger(-1)),
						tell(what+" no delay", c.SetNoDelay(true)),
						tell(what+" keep alive", c.SetKeepAlive(true)),
						tell(what+" keep alive period", c.SetKeepAlivePeriod(time.Second)),
						tell(what+" keep alive config", c.SetKeepAliveConfig(stdnet.KeepAliveConfig{Enable: true})))
					_, err := c.ReadFrom(onlyReader{&infinite{}})
					told = append(told, tell(what+" read from", err))
					_, err = c.WriteTo(io.Discard)
					told = append(told, tell(what+" write to", err))
				}
			}

			a, b := n.connected(t, network)
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			all("closed", a)
			told = append(told, tell("close again", a.Close()))
			_, err := b.Read(buf)
			told = append(told, tell("peer closed: read", err))

			a, _ = n.connected(t, network)
			if err := a.SetDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			_, err = a.Read(buf)
			told = append(told, tell("deadline: read", err))
			_, err = a.Write(buf)
			told = append(told, tell("deadline: write", err))

			// A peer that is gone: writes fail with EPIPE, at the latest after
			// what is underway has met the closed socket.
			a, b = n.connected(t, network)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			for err = nil; err == nil; {
				_, err = a.Write(buf)
			}
			if errors.Is(err, syscall.ECONNRESET) { // the reset came in between
				_, err = a.Write(buf)
			}
			told = append(told, tell("peer gone: write", err))
			told = append(told, tell("peer gone: close write", a.(halves).CloseWrite()))

			if network == "tcp" {
				a, b = n.connected(t, network)
				reset(t, b)
				_, err = a.Read(buf)
				told = append(told, tell("reset: read", err))
				_, err = a.Read(buf)
				told = append(told, tell("reset: read again", err))
				_, err = a.Write(buf)
				told = append(told, tell("reset: write", err))
				told = append(told, tell("reset: close write", a.(halves).CloseWrite()))
			}
			return told
		})
	}
}

// infinite is a reader without an end.
type infinite struct{}

func (*infinite) Read(p []byte) (int, error) { return len(p), nil }

type onlyReader struct{ io.Reader }

// TestListenerErrors is about listeners that are closed or past their deadline.
func TestListenerErrors(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		same(t, func(t *testing.T, n implementation) (told []string) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = shortTempDir(t) + "/s"
			}
			l, err := n.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			d := l.(interface{ SetDeadline(time.Time) error })
			if err := d.SetDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			_, err = l.Accept()
			told = append(told, tell("deadline: accept", err))
			if err := d.SetDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			_, err = l.Accept()
			told = append(told, tell("closed: accept", err),
				tell("closed: close", l.Close()),
				tell("closed: deadline", d.SetDeadline(time.Time{})))
			_, err = l.(interface {
				SyscallConn() (syscall.RawConn, error)
			}).SyscallConn()
			told = append(told, tell("closed: raw", err))
			if l.Addr() == nil {
				t.Error("no address after Close")
			}
			return told
		})
	}
}
