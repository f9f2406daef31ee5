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

func (n implementation) filePacketConn(f *os.File) (stdnet.PacketConn, error) {
	if n.name == "std" {
		return stdnet.FilePacketConn(f)
	}
	return net.FilePacketConn(f)
}

// TestFilePacketConn: sockets of each kind for messages, and a stream, from a file,
// by both functions.
func TestFilePacketConn(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		name := shortTempDir(t) + "/s"
		gramServer := must(p.listenUnixgram("unixgram", gram(name)))(t)
		gramClient := must(p.dialUnix("unixgram", nil, gram(name)))(t)
		a, b := n.connected(t, "unixpacket")
		c, d := n.connected(t, "unix")
		e, _ := n.connected(t, "tcp")
		for _, s := range []struct {
			name       string
			conn, peer stdnet.Conn
		}{
			{"udp", server, nil}, {"connected udp", client, server},
			{"unixgram", gramServer, nil}, {"connected unixgram", gramClient, gramServer},
			{"unixpacket", a, b}, {"unix", c, d}, {"tcp", e, nil},
		} {
			f, err := s.conn.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			conn, err := n.fileConn(f)
			told = append(told, tell(s.name+": conn", describeFile(err)))
			if err == nil {
				told = append(told, tell(s.name, conn.LocalAddr(), conn.RemoteAddr()))
				if s.peer != nil {
					send(t, conn, "by Write")
					told = append(told, tell("received", got(t, s.peer)))
				}
				_ = conn.Close()
			}
			packet, err := n.filePacketConn(f)
			told = append(told, tell(s.name+": packet conn", describeFile(err)))
			if err == nil {
				told = append(told, tell(s.name, packet.LocalAddr()))
				if err := packet.SetReadDeadline(past); err != nil {
					t.Error(err)
				}
				_, _, err = packet.ReadFrom(make([]byte, 8))
				told = append(told, tell(s.name+": deadline", err))
				// A destination, which a socket from a file may have though it is
				// connected.
				_, err = packet.WriteTo([]byte("x"), packet.LocalAddr())
				told = append(told, tell(s.name+": WriteTo", err))
				_ = packet.Close()
			}
			l, err := n.fileListener(f)
			if err == nil { // which never accepts, if it does not listen
				_ = l.Close()
			}
			if _, ok := s.conn.(*net.UnixConn); ok && strings.HasSuffix(s.name, "unixgram") {
				if err == nil {
					t.Errorf("%s: a listener", s.name) // here std has one
				}
			} else if !strings.HasSuffix(s.name, "unixgram") {
				told = append(told, tell(s.name+": listener", describeFile(err)))
			}
			_ = f.Close()
		}
		return told
	})
}

// TestFileListener: a listener from a file. Its Close leaves a unix socket's file.
func TestFileListener(t *testing.T) {
	for _, network := range append(networks, "unixpacket") {
		same(t, func(t *testing.T, n implementation) (told []string) {
			address := "127.0.0.1:0"
			if network != "tcp" {
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
			if network != "tcp" {
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
