package net_test

import (
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

func (n implementation) fileConn(f *os.File) (stdnet.Conn, error) {
	if n.name == "std" {
		return stdnet.FileConn(f)
	}
	return net.FileConn(f)
}

func (n implementation) fileListener(f *os.File) (stdnet.Listener, error) {
	if n.name == "std" {
		return stdnet.FileListener(f)
	}
	return net.FileListener(f)
}

// TestFileConn: a connection from a file, with the addresses, options and life of
// its own; what it does not affect is the file.
func TestFileConn(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			a, b := n.connected(t, network)
			f, err := a.(halves).File()
			if err != nil {
				t.Fatal(err)
			}
			_ = a.Close()
			c, err := n.fileConn(f)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("addresses", c.LocalAddr(), c.RemoteAddr()))
			if network == "tcp" {
				told = append(told, options(t, "options", c))
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			join := n.start(func() {
				p := make([]byte, 4)
				m, err := io.ReadFull(c, p)
				told = append(told, tell("read", m, string(p), err))
			})
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1) // so it parks
			}
			if _, err := b.Write([]byte("text")); err != nil {
				t.Error(err)
			}
			join()
			if _, err := c.Write([]byte("back")); err != nil {
				t.Error(err)
			}
			p := make([]byte, 4)
			if _, err := io.ReadFull(b, p); err != nil || string(p) != "back" {
				t.Errorf("%q, %v", p, err)
			}
			_, err = c.Read(nil)
			told = append(told, tell("close", c.Close(), err))
			_, err = c.Read(p)
			return append(told, tell("closed", err))
		})
	}
}

// TestFileListener: a listener from a file. Its Close leaves a unix socket's file.
func TestFileListener(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = shortTempDir(t) + "/s"
			}
			first, err := n.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			f, err := first.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			if u, ok := first.(interface{ SetUnlinkOnClose(bool) }); ok {
				u.SetUnlinkOnClose(false)
			}
			_ = first.Close()
			l, err := n.fileListener(f)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			told = append(told, tell("address", l.Addr()))
			a, err := n.Dial(network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("accepted", b.LocalAddr(), a.RemoteAddr()))
			if network == "tcp" {
				told = append(told, options(t, "options", b))
			}
			_, _ = a.Close(), b.Close()
			told = append(told, tell("close", l.Close()))
			if network == "unix" {
				_, err := os.Lstat(address)
				told = append(told, tell("file", err))
			}
			_, err = l.Accept()
			return append(told, tell("closed", err))
		})
	}
}

// TestFileErrors: files that are no sockets of the kind, and the descriptors that
// are left, none.
func TestFileErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		regular, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer regular.Close()
		closed, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		_ = closed.Close()
		udp, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer udp.Close()
		datagram, err := udp.(*stdnet.UDPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		defer datagram.Close()
		s, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		netlink := os.NewFile(uintptr(s), "netlink")
		defer netlink.Close()
		for name, f := range map[string]*os.File{"regular": regular, "closed": closed, "datagram": datagram, "netlink": netlink} {
			_, err := n.fileListener(f)
			told = append(told, tell("listener "+name, describeFile(err)))
			if f != datagram {
				_, err = n.fileConn(f)
				told = append(told, tell("conn "+name, describeFile(err)))
			}
		}
		slices.Sort(told)
		return told
	})
}

// describeFile is describe for the type of a file's address, which is private.
func describeFile(err error) string {
	return strings.ReplaceAll(describe(err), "net.fileAddr", "fileAddr")
}
