package net_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

func (n implementation) filePacketConn(f *os.File) (stdnet.PacketConn, error) {
	if n.name == "std" {
		return stdnet.FilePacketConn(f)
	}
	return net.FilePacketConn(f)
}

// TestFilePacketConn: what a passed socket for messages becomes, with its addresses,
// and that it works.
func TestFilePacketConn(t *testing.T) {
	for name, domain := range map[string][2]int{
		"udp":        {syscall.AF_INET, syscall.SOCK_DGRAM},
		"udp6":       {syscall.AF_INET6, syscall.SOCK_DGRAM},
		"unixgram":   {syscall.AF_UNIX, syscall.SOCK_DGRAM},
		"unixpacket": {syscall.AF_UNIX, syscall.SOCK_SEQPACKET},
		"stream":     {syscall.AF_UNIX, syscall.SOCK_STREAM},
		"tcp":        {syscall.AF_INET, syscall.SOCK_STREAM},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, func(t *testing.T, n implementation) (told []string) {
				a, b := passedPair(t, domain[0], domain[1])
				c, err := n.filePacketConn(a)
				told = append(told, tell("made", describeFile(err)))
				if err != nil {
					return told
				}
				defer c.Close()
				told = append(told, fmt.Sprintf("%T", c)[len("*net."):], tell("own", c.LocalAddr().Network()))
				if r := c.(stdnet.Conn).RemoteAddr(); r != nil {
					told = append(told, tell("peer", r.Network()))
				}
				if _, err := syscall.Write(int(b.Fd()), []byte("hello")); err != nil {
					t.Fatal(err)
				}
				buf := make([]byte, 16)
				m, _, err := c.ReadFrom(buf)
				told = append(told, tell("read", string(buf[:m]), err))
				m, err = c.(stdnet.Conn).Write([]byte("back"))
				told = append(told, tell("written", m, err))
				_, err = c.WriteTo([]byte("x"), &stdnet.UDPAddr{IP: loopback, Port: 1})
				return append(told, tell("elsewhere", err != nil))
			})
		})
	}
}

// passedPair returns two sockets that are connected to each other.
func passedPair(t *testing.T, family, kind int) (a, b *os.File) {
	t.Helper()
	var fds [2]int
	var err error
	if family == syscall.AF_UNIX {
		fds, err = syscall.Socketpair(family, kind|syscall.SOCK_CLOEXEC, 0)
	} else {
		for i := range fds {
			if fds[i], err = syscall.Socket(family, kind|syscall.SOCK_CLOEXEC, 0); err != nil {
				t.Fatal(err)
			}
			var own syscall.Sockaddr = &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
			if family == syscall.AF_INET6 {
				own = &syscall.SockaddrInet6{Addr: [16]byte{15: 1}}
			}
			if err = syscall.Bind(fds[i], own); err != nil {
				t.Skip(err)
			}
		}
		for i := range fds {
			if kind != syscall.SOCK_DGRAM {
				break
			}
			peer, _ := syscall.Getsockname(fds[1-i])
			if err = syscall.Connect(fds[i], peer); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// TestFileListenerOfPackets: a listener for sequences of packets from a file.
func TestFileListenerOfPackets(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		name := shortTempDir(t) + "/s"
		first, err := n.Listen("unixpacket", name)
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		f, err := first.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		l, err := n.fileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		told = append(told, tell("address", l.Addr().Network(), l.Addr()))
		a, err := n.Dial("unixpacket", name)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		send(t, a, "one")
		send(t, a, "two")
		return append(told, tell("packets", got(t, b), got(t, b)))
	})
}

// TestDialerOfMessages: the methods of Dialer for one network of messages.
func TestDialerOfMessages(t *testing.T) {
	to := netip.MustParseAddrPort("127.0.0.1:9")
	for _, c := range []struct {
		network string
		from    netip.AddrPort
		to      netip.AddrPort
	}{
		{"udp", netip.AddrPort{}, to},
		{"udp", netip.MustParseAddrPort("127.0.0.1:0"), to},
		{"udp6", netip.AddrPort{}, to},
		{"udp", netip.AddrPort{}, netip.AddrPort{}},
		{"tcp", netip.AddrPort{}, to},
	} {
		describeConn := func(c stdnet.Conn, err error) string {
			if err != nil {
				return tell("error", err)
			}
			defer c.Close()
			return tell("conn", c.RemoteAddr(), c.LocalAddr().(*stdnet.UDPAddr).IP)
		}
		std, stdErr := new(stdnet.Dialer).DialUDP(context.Background(), c.network, c.from, c.to)
		want := describeConn(std, stdErr)
		our, ourErr := new(net.Dialer).DialUDP(context.Background(), c.network, c.from, c.to)
		if got := describeConn(our, ourErr); got != want {
			t.Errorf("DialUDP(%v): %s\n\tstd: %s", c, got, want)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_, stdErr = new(stdnet.Dialer).DialIP(ended, c.network, c.from.Addr(), c.to.Addr())
		_, ourErr = new(net.Dialer).DialIP(ended, c.network, c.from.Addr(), c.to.Addr())
		if got, want := tell("error", ourErr), tell("error", stdErr); got != want {
			t.Errorf("DialIP(%v): %s\n\tstd: %s", c, got, want)
		}
	}
}
