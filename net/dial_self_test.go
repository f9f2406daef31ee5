package net_test

import (
	"net/netip"
	"syscall"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestDialSelf: a socket that the kernel connects to itself is not given out,
// unless that happens again and again, or the own port was asked for.
func TestDialSelf(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, times := range []int{1, 2, 1000} {
			// The kernel's choice of a port, times times, is the one dialed.
			calls := 0
			conn, err := n.dial(t.Context(), dialer{control: func(_, address string, raw syscall.RawConn) error {
				if calls++; calls > times {
					return nil
				}
				a, err := net.ResolveTCPAddr("tcp", address)
				if err != nil {
					return err
				}
				if controlErr := raw.Control(func(fd uintptr) {
					err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
					if err == nil {
						err = syscall.Bind(int(fd), &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte{127, 0, 0, 1}})
					}
				}); controlErr != nil {
					return controlErr
				}
				return err
			}}, "tcp", reusable(t))
			told = append(told, tell("self", times, calls, err))
			if err == nil {
				if conn.LocalAddr().String() != conn.RemoteAddr().String() {
					t.Errorf("connected to %v", conn.RemoteAddr())
				}
				_ = conn.Close()
			}
		}
		return told
	})
}

// TestDialAgain: a port that the kernel chose and that is taken is no error, unless
// that happens again and again, or it was asked for.
func TestDialAgain(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, times := range []int{1, 2, 3} {
			for _, local := range []stdnet.Addr{nil, &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 5)}, &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 5), Port: 1}} {
				calls := 0
				conn, err := n.dial(t.Context(), dialer{local: local, control: func(string, string, syscall.RawConn) error {
					if calls++; calls > times {
						return nil
					}
					return syscall.EADDRNOTAVAIL
				}}, "tcp", l.Addr().String())
				told = append(told, tell("again", times, calls, err))
				if err == nil {
					_ = conn.Close()
				}
			}
		}
		return told
	})
}

// reusable is refused, with a port that others may bind too.
func reusable(t *testing.T) string {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(s) })
	if err := syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	return bindLoopback(t, s)
}

// TestDialTyped: the Dialer's methods for one network connect, from an address of
// one's own too.
func TestDialTyped(t *testing.T) {
	for _, rt := range []*runtime.Runtime{nil, runtimetest.New(t, 1)} {
		n := implementation{"ours", rt, listenOurs, dialOurs}
		join := n.start(func() {
			l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			var d net.Dialer
			local := netip.MustParseAddrPort("127.0.0.2:0")
			c, err := d.DialTCP(t.Context(), "tcp4", local, l.Addr().(*net.TCPAddr).AddrPort())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if a := c.LocalAddr().(*net.TCPAddr); !a.IP.Equal(net.IPv4(127, 0, 0, 2)) {
				t.Errorf("from %v", a)
			}
			u, err := net.ListenUnix("unix", &net.UnixAddr{Name: "", Net: "unix"}) // the kernel chooses
			if err != nil {
				t.Error(err)
				return
			}
			defer u.Close()
			uc, err := d.DialUnix(t.Context(), "unix", nil, u.Addr().(*net.UnixAddr))
			if err != nil {
				t.Error(err)
				return
			}
			_ = uc.Close()
		})
		join()
	}
}

// TestDialNilContext: as in the standard library that is a mistake of the caller's.
func TestDialNilContext(t *testing.T) {
	defer func() {
		if r := recover(); r != "net: nil context" {
			t.Errorf("panic %v", r)
		}
	}()
	_, _ = new(net.Dialer).DialContext(nil, "tcp", "127.0.0.1:1") //lint:ignore SA1012 it is what is tested
}
