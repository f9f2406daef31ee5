package net_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// exchange sends a datagram each way by every form, and tells what came.
func exchange(t *testing.T, server, client udpConn) (told []string) {
	t.Helper()
	buf, oob := make([]byte, 64), make([]byte, 64)
	send(t, client, "one")
	n, addr, err := server.ReadFrom(buf)
	told = append(told, tell("ReadFrom", string(buf[:n]), addr, err))
	n, err = server.WriteTo([]byte("1"), addr)
	told = append(told, tell("WriteTo", n, err, got(t, client)))

	send(t, client, "two")
	n, udp, err := server.ReadFromUDP(buf)
	told = append(told, tell("ReadFromUDP", string(buf[:n]), udp, len(udp.IP), err))
	n, err = server.WriteToUDP([]byte("22"), udp)
	told = append(told, tell("WriteToUDP", n, err, got(t, client)))

	send(t, client, "three")
	n, ap, err := server.ReadFromUDPAddrPort(buf)
	told = append(told, tell("ReadFromUDPAddrPort", string(buf[:n]), ap.Addr(), err))
	n, err = server.WriteToUDPAddrPort([]byte("333"), ap)
	told = append(told, tell("WriteToUDPAddrPort", n, err, got(t, client)))
	// An IPv4 address in its other form.
	n, err = server.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
	told = append(told, tell("WriteToUDPAddrPort", n, err, got(t, client)))

	send(t, client, "four")
	n, oobn, flags, udp, err := server.ReadMsgUDP(buf, oob)
	told = append(told, tell("ReadMsgUDP", string(buf[:n]), oobn, flags, udp, err))
	n, oobn, err = server.WriteMsgUDP([]byte("4444"), nil, udp)
	told = append(told, tell("WriteMsgUDP", n, oobn, err, got(t, client)))

	n, oobn, err = client.WriteMsgUDP([]byte("five"), nil, nil)
	told = append(told, tell("WriteMsgUDP, connected", n, oobn, err))
	n, oobn, flags, ap, err = server.ReadMsgUDPAddrPort(buf, oob)
	told = append(told, tell("ReadMsgUDPAddrPort", string(buf[:n]), oobn, flags, ap.Addr(), err))
	n, oobn, err = server.WriteMsgUDPAddrPort([]byte("55555"), nil, ap)
	told = append(told, tell("WriteMsgUDPAddrPort", n, oobn, err, got(t, client)))
	n, oobn, err = client.WriteMsgUDPAddrPort([]byte("six"), nil, netip.AddrPort{})
	told = append(told, tell("WriteMsgUDPAddrPort, connected", n, oobn, err, got(t, server)))

	// A connected socket is told its peer too.
	n, err = server.WriteTo([]byte("7"), addr)
	told = append(told, tell("WriteTo", n, err))
	n, addr, err = client.ReadFrom(buf)
	return append(told, tell("ReadFrom, connected", string(buf[:n]), addr, err))
}

// TestUDPExchange: each form of sending and receiving, on each kind of address: the
// families, and both at once.
func TestUDPExchange(t *testing.T) {
	for _, c := range []struct {
		network, listen, dial string // a host each
	}{
		{"udp", "127.0.0.1", "127.0.0.1"},
		{"udp4", "127.0.0.1", "127.0.0.1"},
		{"udp4", "", "127.0.0.1"},
		{"udp4", "0.0.0.0", "127.0.0.1"},
		{"udp", "::1", "::1"},
		{"udp6", "::1", "::1"},
		{"udp6", "::", "::1"},
		{"udp", "", "127.0.0.1"}, // both families
		{"udp", "", "::1"},
		{"udp", "0.0.0.0", "::1"},
		{"udp", "::", "127.0.0.1"},
		{"udp", "localhost", "localhost"},
		{"udp", "::ffff:127.0.0.1", "127.0.0.1"},
		{"udp", "::1%lo", "::1%lo"},
		{"udp6", "::1%1", "::1"},
	} {
		t.Run(c.network+" "+c.listen+" "+c.dial, func(t *testing.T) {
			samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
				pc, err := p.listen(stdnet.ListenConfig{}, c.network, stdnet.JoinHostPort(c.listen, "0"))
				if err != nil {
					return append(told, tell("listen", err))
				}
				server := must(pc.(udpConn), nil)(t)
				told = append(told, tell("server", server.LocalAddr(), server.RemoteAddr()))
				port := server.LocalAddr().(*stdnet.UDPAddr).Port
				conn, err := n.Dial(c.network, stdnet.JoinHostPort(c.dial, fmt.Sprint(port)))
				if err != nil {
					return append(told, tell("dial", err))
				}
				client := must(conn.(udpConn), nil)(t)
				told = append(told, tell("client", client.LocalAddr(), client.RemoteAddr()))
				return append(told, exchange(t, server, client)...)
			})
		})
	}
}

// TestUDPOtherFamily: a socket of one family and an address of the other.
func TestUDPOtherFamily(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		v4 := must(p.listenUDP("udp4", nil))(t)
		v6 := must(p.listenUDP("udp6", &stdnet.UDPAddr{IP: stdnet.IPv6loopback}))(t)
		for _, a := range []string{"127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9", "[fe80::1%nosuch]:9", "[fe80::1%lo]:9"} {
			ap := netip.MustParseAddrPort(a)
			udp := stdnet.UDPAddrFromAddrPort(ap)
			for _, c := range []udpConn{v4, v6} {
				_, err := c.WriteToUDP([]byte("x"), udp)
				told = append(told, tell("WriteToUDP "+a, err))
				_, err = c.WriteToUDPAddrPort([]byte("x"), ap)
				told = append(told, tell("WriteToUDPAddrPort "+a, err))
				_, _, err = c.WriteMsgUDP([]byte("x"), nil, udp)
				told = append(told, tell("WriteMsgUDP "+a, err))
				_, _, err = c.WriteMsgUDPAddrPort([]byte("x"), nil, ap)
				told = append(told, tell("WriteMsgUDPAddrPort "+a, err))
			}
		}
		for _, udp := range []*stdnet.UDPAddr{
			{}, {Port: 9}, {IP: stdnet.IPv4zero, Port: 9}, {IP: loopback, Port: -1}, {IP: loopback, Port: 65536},
			{IP: stdnet.IP{1, 2, 3}, Port: 9},
		} {
			for _, c := range []udpConn{v4, v6} {
				_, err := c.WriteToUDP([]byte("x"), udp)
				told = append(told, tell("WriteToUDP", err))
			}
		}
		return told
	})
}

// TestUDPConnectedOrNot: what a connected socket may not do, and one that is not.
func TestUDPConnectedOrNot(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		addr := server.LocalAddr().(*stdnet.UDPAddr)
		x := []byte("x")
		all := func(what string, c udpConn, addr *stdnet.UDPAddr) {
			_, err := c.WriteToUDP(x, addr)
			told = append(told, tell(what+" WriteToUDP", err))
			if addr != nil {
				_, err = c.WriteTo(x, addr)
				told = append(told, tell(what+" WriteTo", err))
			}
			_, err = c.WriteToUDPAddrPort(x, addr.AddrPort())
			told = append(told, tell(what+" WriteToUDPAddrPort", err))
			_, _, err = c.WriteMsgUDP(x, nil, addr)
			told = append(told, tell(what+" WriteMsgUDP", err))
			_, _, err = c.WriteMsgUDPAddrPort(x, nil, addr.AddrPort())
			told = append(told, tell(what+" WriteMsgUDPAddrPort", err))
		}
		all("connected", client, addr)
		all("connected, to none", client, nil)
		all("to none", server, nil)
		_, err := server.Write(x)
		told = append(told, tell("Write", err))
		for _, a := range []stdnet.Addr{nil, &stdnet.TCPAddr{IP: loopback, Port: 9}, &stdnet.IPAddr{IP: loopback}, (*stdnet.UDPAddr)(nil)} {
			_, err = server.WriteTo(x, a)
			told = append(told, tell(fmt.Sprintf("WriteTo %T", a), err))
			_, err = client.WriteTo(x, a)
			told = append(told, tell(fmt.Sprintf("connected WriteTo %T", a), err))
		}
		// A connected socket hears nobody else.
		other := must(p.listenUDP("udp", &stdnet.UDPAddr{IP: loopback}))(t)
		if _, err := other.WriteTo([]byte("stranger"), client.LocalAddr()); err != nil {
			t.Error(err)
		}
		if _, err := server.WriteTo([]byte("friend"), client.LocalAddr()); err != nil {
			t.Error(err)
		}
		return append(told, tell("heard", got(t, client)))
	})
}

// TestUDPSizes: datagrams without a byte, cut short, and too long.
func TestUDPSizes(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		buf := make([]byte, 64)
		small := make([]byte, 4)
		send(t, client, "")
		m, err := server.Read(buf)
		told = append(told, tell("empty: Read", m, err))
		send(t, client, "")
		m, addr, err := server.ReadFrom(buf)
		told = append(told, tell("empty: ReadFrom", m, addr, err))
		send(t, client, "")
		m, oobn, flags, udp, err := server.ReadMsgUDP(buf, nil)
		told = append(told, tell("empty: ReadMsgUDP", m, oobn, flags, udp, err))
		m, err = server.WriteToUDP(nil, udp)
		told = append(told, tell("empty: WriteToUDP", m, err, got(t, client)))
		m, oobn, err = server.WriteMsgUDP(nil, nil, udp)
		told = append(told, tell("empty: WriteMsgUDP", m, oobn, err, got(t, client)))

		send(t, client, "too long")
		m, err = server.Read(small)
		told = append(told, tell("cut: Read", string(small[:m]), err))
		send(t, client, "too long")
		m, addr, err = server.ReadFrom(small)
		told = append(told, tell("cut: ReadFrom", string(small[:m]), addr, err))
		send(t, client, "too long")
		m, _, flags, _, err = server.ReadMsgUDP(small, nil)
		told = append(told, tell("cut: ReadMsgUDP", string(small[:m]), flags, err))
		send(t, client, "too long")
		m, _, flags, _, err = server.ReadMsgUDP(nil, nil)
		told = append(told, tell("cut to nothing: ReadMsgUDP", m, flags, err))
		send(t, client, "too long")
		m, _, err = server.ReadFrom(nil)
		told = append(told, tell("cut to nothing: ReadFrom", m, err))
		// Read of nothing does not even look.
		send(t, client, "left")
		m, err = server.Read(nil)
		told = append(told, tell("Read of nothing", m, err, got(t, server)))

		for _, size := range []int{65507, 65508, 1 << 20} {
			long := pattern(size)
			m, err = client.Write(long)
			told = append(told, tell(fmt.Sprint("long: Write ", size), m, err))
			if err == nil {
				all := make([]byte, 1<<16)
				m, err = server.Read(all)
				if !bytes.Equal(all[:m], long) {
					t.Errorf("Read %d bytes, %v", m, err)
				}
			}
			m, err = server.WriteTo(long, client.LocalAddr())
			told = append(told, tell(fmt.Sprint("long: WriteTo ", size), m, err))
			m, _, err = server.WriteMsgUDP(long, nil, client.LocalAddr().(*stdnet.UDPAddr))
			told = append(told, tell(fmt.Sprint("long: WriteMsgUDP ", size), m, err))
		}
		// More control data than the kernel has memory for: ENOBUFS.
		m, oobn, err = client.WriteMsgUDP([]byte("x"), make([]byte, 1<<24), nil)
		return append(told, tell("too much control data", m, oobn, err))
	})
}

// TestUDPControlData: control data in both directions, and cut short.
func TestUDPControlData(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		raw, err := server.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var optErr error
		if err := raw.Control(func(fd uintptr) {
			optErr = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
		}); err != nil || optErr != nil {
			t.Fatal(err, optErr)
		}
		buf := make([]byte, 64)
		for _, room := range []int{128, 8, 0} {
			send(t, client, "text")
			oob := make([]byte, room)
			m, oobn, flags, _, err := server.ReadMsgUDP(buf, oob)
			told = append(told, tell(fmt.Sprint("room for ", room), m, oobn, flags, oob[:oobn], err))
		}
		// With IP_PKTINFO the sender chooses its own address.
		oob := make([]byte, syscall.CmsgSpace(syscall.SizeofInet4Pktinfo))
		oob[0] = byte(syscall.CmsgLen(syscall.SizeofInet4Pktinfo))
		oob[12] = syscall.IP_PKTINFO
		copy(oob[syscall.CmsgLen(0)+4:], []byte{127, 0, 0, 9})
		other := must(p.listenUDP("udp4", &stdnet.UDPAddr{IP: loopback}))(t)
		sender := must(p.listenUDP("udp4", nil))(t)
		m, oobn, err := sender.WriteMsgUDP([]byte("text"), oob, other.LocalAddr().(*stdnet.UDPAddr))
		told = append(told, tell("send", m, oobn, err))
		m, from, err := other.ReadFromUDP(buf)
		return append(told, tell("from", m, from, err))
	})
}

// TestUDPRefused: a refused datagram fails the next read or write of a connected
// socket, once, whoever it is; also one that waits already.
func TestUDPRefused(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		c := p.refusedUDP(t)
		buf := make([]byte, 8)
		reads := map[string]func() error{
			"Read":       func() error { _, err := c.Read(buf); return err },
			"ReadFrom":   func() error { _, _, err := c.ReadFrom(buf); return err },
			"ReadMsgUDP": func() error { _, _, _, _, err := c.ReadMsgUDP(buf, nil); return err },
		}
		for _, name := range []string{"Read", "ReadFrom", "ReadMsgUDP"} {
			send(t, c, "x")
			told = append(told, tell(name+" after", reads[name]()))
			send(t, c, "x")
			_, err := c.Write([]byte("x"))
			told = append(told, tell("write after", err))

			var waited error
			join := n.start(func() { waited = reads[name]() })
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			send(t, c, "x")
			join()
			told = append(told, tell(name+" before", waited))
			if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Error(err)
			}
			told = append(told, tell(name+" then", reads[name]()))
			if err := c.SetReadDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
			_, err = c.Write([]byte("x"))
			told = append(told, tell("write then", err))
			told = append(told, tell("taken", reads[name]()))
		}
		return told
	})
}

// TestUDPDeadlines: deadlines in the past, and ones that come.
func TestUDPDeadlines(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		buf := make([]byte, 8)
		reads := func(what string) {
			_, err := server.Read(buf)
			told = append(told, tell(what+" Read", err))
			_, addr, err := server.ReadFrom(buf)
			told = append(told, tell(what+" ReadFrom", addr, err))
			_, ap, err := server.ReadFromUDPAddrPort(buf)
			told = append(told, tell(what+" ReadFromUDPAddrPort", ap, err))
			_, _, _, udp, err := server.ReadMsgUDP(buf, nil)
			told = append(told, tell(what+" ReadMsgUDP", udp, err))
			_, _, _, ap, err = server.ReadMsgUDPAddrPort(buf, nil)
			told = append(told, tell(what+" ReadMsgUDPAddrPort", ap, err))
		}
		if err := server.SetDeadline(past); err != nil {
			t.Error(err)
		}
		send(t, client, "there") // but too late
		reads("past")
		_, err := server.WriteTo([]byte("x"), client.LocalAddr())
		told = append(told, tell("past WriteTo", err))
		_, _, err = server.WriteMsgUDP([]byte("x"), nil, client.LocalAddr().(*stdnet.UDPAddr))
		told = append(told, tell("past WriteMsgUDP", err))
		if err := server.SetDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		told = append(told, tell("none", got(t, server)))
		if err := server.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		reads("comes")
		// One set from elsewhere ends a wait.
		if err := server.SetReadDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		var waited error
		join := n.start(func() { _, _, waited = server.ReadFrom(buf) })
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		if err := server.SetReadDeadline(past); err != nil {
			t.Error(err)
		}
		join()
		return append(told, tell("set meanwhile", waited))
	})
}

// TestUDPClosed: a close from elsewhere ends those who wait, and every call after
// it fails.
func TestUDPClosed(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		for _, connected := range []bool{false, true} {
			server, client := p.udpPair(t)
			c := server
			if connected {
				c = client
			}
			buf := make([]byte, 8)
			errs := make([]error, 3)
			joins := make([]func(), 3)
			for i, read := range []func() error{ // one waits for a datagram, the others for their turn
				func() error { _, err := c.Read(buf); return err },
				func() error { _, _, err := c.ReadFrom(buf); return err },
				func() error { _, _, _, _, err := c.ReadMsgUDP(buf, nil); return err },
			} {
				joins[i] = n.start(func() { errs[i] = read() })
			}
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
				waiting(t, n.rt, "turn", 2)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			for i, join := range joins {
				join()
				told = append(told, tell("waiting", errs[i]))
			}
			_, err := c.Read(buf)
			told = append(told, tell("Read", err))
			_, addr, err := c.ReadFrom(buf)
			told = append(told, tell("ReadFrom", addr, err))
			_, _, _, udp, err := c.ReadMsgUDP(buf, nil)
			told = append(told, tell("ReadMsgUDP", udp, err))
			_, err = c.Write(buf)
			told = append(told, tell("Write", err))
			_, err = c.WriteTo(buf, &stdnet.UDPAddr{IP: loopback, Port: 9})
			told = append(told, tell("WriteTo", err))
			_, _, err = c.WriteMsgUDP(buf, nil, nil)
			told = append(told, tell("WriteMsgUDP", err))
			_, err = c.File()
			told = append(told, tell("File", err),
				tell("SetDeadline", c.SetDeadline(time.Time{})),
				tell("SetReadBuffer", c.SetReadBuffer(4096)),
				tell("SetWriteBuffer", c.SetWriteBuffer(4096)),
				tell("Close", c.Close()),
				tell("addresses", c.LocalAddr(), c.RemoteAddr()))
			raw, err := c.SyscallConn()
			told = append(told, tell("SyscallConn", err))
			told = append(told, tell("Control", raw.Control(func(uintptr) {})),
				tell("raw Read", raw.Read(func(uintptr) bool { return true })))
		}
		return told
	})
}

// TestUDPOpenErrors: sockets that can't be made.
func TestUDPOpenErrors(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		taken := must(p.listenUDP("udp", &stdnet.UDPAddr{IP: loopback}))(t)
		address := taken.LocalAddr().(*stdnet.UDPAddr)
		for _, c := range [][2]string{
			{"udp", address.String()}, {"udp4", address.String()}, {"udp6", address.String()},
			{"udp", "[::]:" + fmt.Sprint(address.Port)}, {"udp", ":" + fmt.Sprint(address.Port)},
			{"udp", "192.0.2.1:0"}, {"udp", "127.0.0.1"}, {"udp", "127.0.0.1:99999"}, {"udp", "127.0.0.1:nosuchservice"},
			{"udp", "[::1"}, {"udp4", "[::1]:0"}, {"udp5", "127.0.0.1:0"}, {"", "127.0.0.1:0"}, {"udp:17", "127.0.0.1:0"},
			{"tcp", "127.0.0.1:0"}, {"ip", "127.0.0.1"}, {"ip4", ""},
			{"ip4:nosuch", "127.0.0.1"}, {"udp", "[fe80::1%nosuch]:0"},
		} {
			pc, err := p.listen(stdnet.ListenConfig{}, c[0], c[1])
			if err == nil {
				_ = pc.Close()
			}
			told = append(told, tell("listen "+c[0], err))
		}
		for _, c := range []struct {
			network, address string
			d                dialer
		}{
			{"udp", "", dialer{}}, {"udp", "127.0.0.1", dialer{}}, {"udp4", "[::1]:9", dialer{}}, {"udp6", "127.0.0.1:9", dialer{}},
			{"udp5", "127.0.0.1:9", dialer{}}, {"ip", "127.0.0.1", dialer{}}, {"ip4:nosuch", "127.0.0.1", dialer{}},
			{"udp", address.String(), dialer{local: address}},
			{"udp", address.String(), dialer{local: &stdnet.TCPAddr{IP: loopback}}},
			{"udp", address.String(), dialer{local: &stdnet.UDPAddr{IP: stdnet.IPv6loopback}}},
			{"udp", address.String(), dialer{timeout: -1}},
			{"udp", address.String(), dialer{deadline: past}},
			{"udp", address.String(), dialer{control: func(string, string, syscall.RawConn) error { return os.ErrInvalid }}},
			{"udp", "[fe80::1]:9", dialer{}},
		} {
			conn, err := n.dial(t.Context(), c.d, c.network, c.address)
			if err == nil {
				_ = conn.Close()
			}
			// Ours is this in every case, std's in some.
			told = append(told, strings.ReplaceAll(tell("dial "+c.network, err), " is os.ErrDeadlineExceeded", ""))
		}
		for _, network := range []string{"udp", "udp6", "tcp", "udp5", ""} {
			for _, a := range []*stdnet.UDPAddr{nil, address} {
				_, err := p.dialUDP(network, a, nil)
				told = append(told, tell("DialUDP "+network, err))
				_, err = p.listenMulticast(network, nil, a)
				told = append(told, tell("ListenMulticastUDP "+network, err))
				c, err := p.listenUDP(network, a)
				if err == nil {
					_ = c.Close()
				}
				told = append(told, tell("ListenUDP "+network, err))
			}
			c, err := p.dialUDP(network, address, address)
			if err == nil {
				_ = c.Close()
			}
			told = append(told, tell("DialUDP "+network, err))
		}
		for _, c := range [][2]string{{"udp", "127.0.0.1:domain"}, {"", ":53"}, {"udp6", "[::1%lo]:0"}, {"tcp", ":53"}, {"udp4", "[::1]:0"}, {"udp", "[::]:1"}} {
			a, err := p.resolveUDP(c[0], c[1])
			told = append(told, tell("ResolveUDPAddr "+c[1], err))
			if err == nil {
				told = append(told, tell("ResolveUDPAddr "+c[1], a, a.Port, len(a.IP)))
			}
		}
		return told
	})
}

// TestUDPControl: Control is called with the socket before it has its address.
func TestUDPControl(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		control := func(network, address string, c syscall.RawConn) error {
			told = append(told, tell("control", network, address))
			return c.Control(func(fd uintptr) {
				kind, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE)
				broadcast, _ := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST)
				reuse, _ := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR)
				told = append(told, tell("socket", kind, broadcast, reuse, err))
			})
		}
		dir := shortTempDir(t)
		for _, c := range [][2]string{
			{"udp", "127.0.0.1:0"}, {"udp", ":0"}, {"udp4", ":0"}, {"udp", "[::1]:0"}, {"udp", "224.0.0.9:0"},
			{"udp", "[ff02::9]:0"}, {"unixgram", dir + "/s"},
		} {
			c, err := p.listen(stdnet.ListenConfig{Control: control}, c[0], c[1])
			told = append(told, tell("listen", err))
			if err == nil {
				told = append(told, tell("at", c.LocalAddr()))
				_ = c.Close()
			}
		}
		for _, c := range [][2]string{{"udp", "127.0.0.1:9"}, {"udp6", "[::1]:9"}, {"unixgram", dir + "/s"}} {
			c, err := n.dial(t.Context(), dialer{control: control}, c[0], c[1])
			told = append(told, tell("dial", err))
			if err == nil {
				_ = c.Close()
			}
		}
		return told
	})
}

// TestUDPMany: many send, many receive, on one socket; each datagram arrives, at one
// of them.
func TestUDPMany(t *testing.T) {
	eachPackets(t, func(t *testing.T, n implementation) {
		p := ourPackets
		if n.name == "std" {
			p = stdPackets
		}
		server, client := p.udpPair(t)
		const parties, each = 4, 25
		received := make(chan string, parties*each)
		var joins []func()
		for range parties {
			joins = append(joins, n.start(func() {
				buf := make([]byte, 64)
				for range each {
					m, _, err := server.ReadFromUDPAddrPort(buf)
					if err != nil {
						t.Error(err)
						return
					}
					received <- string(buf[:m])
				}
			}))
		}
		for i := range parties {
			joins = append(joins, n.start(func() {
				for j := range each {
					send(t, client, fmt.Sprint(i, " ", j))
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		seen := map[string]bool{}
		for range parties * each {
			seen[<-received] = true
		}
		if len(seen) != parties*each {
			t.Errorf("%d datagrams of %d", len(seen), parties*each)
		}
	})
}

// TestUDPAllocations: the forms with a compact address allocate nothing, from tasks
// and goroutines, also when they wait.
func TestUDPAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ours(t, func(t *testing.T, n implementation) {
		server := must(net.ListenUDP("udp", &net.UDPAddr{IP: loopback}))(t)
		client := must(net.ListenUDP("udp", &net.UDPAddr{IP: loopback}))(t)
		to := server.LocalAddr().(*net.UDPAddr).AddrPort()
		buf, oob := make([]byte, 64), make([]byte, 64)
		ms := []net.Message{{Buffers: [][]byte{buf}, Addr: to}, {Buffers: [][]byte{buf}, Addr: to}}
		exchange := func() {
			if _, err := client.WriteToUDPAddrPort(buf, to); err != nil {
				t.Error(err)
			}
			if _, _, err := server.ReadFromUDPAddrPort(buf); err != nil {
				t.Error(err)
			}
			if _, _, err := client.WriteMsgUDPAddrPort(buf, nil, to); err != nil {
				t.Error(err)
			}
			if _, _, _, _, err := server.ReadMsgUDPAddrPort(buf, oob); err != nil {
				t.Error(err)
			}
			if n, err := client.WriteBatch(ms, 0); n != 2 || err != nil {
				t.Error(n, err)
			}
			if n, err := server.ReadBatch(ms, 0); n != 2 || err != nil {
				t.Error(n, err)
			}
			ms[0].Addr, ms[1].Addr = to, to
		}
		// The count is the whole process's: what is left of another test may add to
		// one try, but not to each.
		least := testing.AllocsPerRun(100, exchange)
		for try := 1; try < 10 && least != 0; try++ {
			least = min(least, testing.AllocsPerRun(100, exchange))
		}
		if least != 0 {
			t.Errorf("%v allocations", least)
		}
	})
}

// TestUDPFile: File and SyscallConn.
func TestUDPFile(t *testing.T) {
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		server, client := p.udpPair(t)
		for _, c := range []udpConn{server, client} {
			f, err := c.File()
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("name", f.Name()))
			again := must(stdnet.FilePacketConn(f))(t)
			told = append(told, tell("again", again.LocalAddr()))
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			told = append(told, tell("buffers", c.SetReadBuffer(1<<14), c.SetWriteBuffer(1<<14)))
		}
		raw, err := server.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 8)
		m := 0
		join := n.start(func() {
			if err := raw.Read(func(fd uintptr) bool {
				var err error
				m, err = syscall.Read(int(fd), buf)
				return err != syscall.EAGAIN
			}); err != nil {
				t.Error(err)
			}
		})
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		send(t, client, "raw")
		join()
		return append(told, tell("raw Read", string(buf[:m])))
	})
}

// TestUDPOthersTurn: two tasks that send to each other without end leave the worker's
// other tasks, timers and connections their turn.
func TestUDPOthersTurn(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		server, client := ourPackets.udpPair(t)
		echo := runtime.Spawn(func() { echoOne(server) })
		ask := runtime.Spawn(func() {
			buf := make([]byte, 8)
			for {
				if _, err := client.Write(buf); err != nil {
					return
				}
				if _, err := client.Read(buf); err != nil {
					return
				}
			}
		})
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, b := n.connected(t, "tcp")
		for range 20 {
			runtime.Sleep(time.Millisecond)
			read := runtime.Spawn(func() { _ = got(t, b) })
			runtime.Yield()
			send(t, a, "text")
			_ = read.Join()
		}
		_, _ = server.Close(), client.Close()
		_, _ = echo.Join(), ask.Join()
	})
}

// TestUDPMulticast: datagrams to a group reach each of those that listen.
func TestUDPMulticast(t *testing.T) {
	lo, err := stdnet.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo")
	}
	samePackets(t, func(t *testing.T, n implementation, p packets) (told []string) {
		group := &stdnet.UDPAddr{IP: stdnet.IPv4(224, 0, 0, 254)}
		a, err := p.listenMulticast("udp4", lo, group)
		if err != nil {
			return append(told, tell("listen", err))
		}
		defer a.Close()
		told = append(told, tell("at", a.LocalAddr()))
		group.Port = a.LocalAddr().(*stdnet.UDPAddr).Port
		b := must(p.listenMulticast("udp4", lo, group))(t)
		sender := must(p.listenUDP("udp4", &stdnet.UDPAddr{IP: loopback}))(t)
		raw, err := sender.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var optErr error
		if err := raw.Control(func(fd uintptr) {
			optErr = syscall.SetsockoptIPMreqn(int(fd), syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, &syscall.IPMreqn{Ifindex: int32(lo.Index)})
		}); err != nil || optErr != nil {
			t.Fatal(err, optErr)
		}
		m, err := sender.WriteTo([]byte("all"), group)
		told = append(told, tell("send", m, err))
		if err == nil {
			told = append(told, tell("received", got(t, a), got(t, b)))
		}
		_, err = p.listenMulticast("udp", lo, &stdnet.UDPAddr{IP: loopback})
		told = append(told, tell("no group", err))
		_, err = p.listenMulticast("udp", &stdnet.Interface{Index: 1 << 20}, group)
		told = append(told, tell("no interface", err))
		for _, ip := range []string{"ff02::fe", "::1"} {
			c, err := p.listenMulticast("udp6", lo, &stdnet.UDPAddr{IP: stdnet.ParseIP(ip)})
			told = append(told, tell(ip, err))
			if err == nil {
				told = append(told, tell("at", c.LocalAddr()))
				_ = c.Close()
			}
		}
		return told
	})
}

// TestPacketLeaks: a thousand sockets of each kind are opened, used and closed, and
// no descriptor is left.
func TestPacketLeaks(t *testing.T) {
	rt := runtimetest.New(t, 2)
	runtimetest.RunOn(t, rt, func() {
		dir := shortTempDir(t)
		buf := make([]byte, 8)
		round := func(i int) {
			server, client := ourPackets.udpPair(t)
			if i%2 == 0 {
				send(t, client, "x")
				if _, _, err := server.ReadFrom(buf); err != nil {
					t.Error(err)
				}
			}
			if i%3 == 0 {
				_ = client.SetReadDeadline(time.Now().Add(100 * time.Microsecond))
				if _, err := client.Read(buf); err == nil {
					t.Error("read something")
				}
			}
			name := fmt.Sprintf("%s/%d", dir, i)
			gram, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: name, Net: "unixpacket"}); err == nil {
				t.Error("connected to a socket of another type")
			}
			if _, err := net.ListenUDP("udp", server.LocalAddr().(*net.UDPAddr)); err == nil {
				t.Error("one port twice")
			}
			for _, c := range []interface{ Close() error }{server, client, gram} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		for i := range 10 {
			round(i)
		}
		before := runtimetest.Descriptors()
		for i := range 1000 {
			round(10 + i)
		}
		if now := runtimetest.Descriptors(); now > before {
			t.Errorf("%d descriptors, was %d", now, before)
		}
	})
}

// TestPacketZeroValues: calls on sockets that were never made fail.
func TestPacketZeroValues(t *testing.T) {
	var u net.UDPConn
	var x net.UnixConn
	var ip net.IPConn
	buf := make([]byte, 1)
	for i, call := range []func() error{
		func() error { _, err := u.Read(buf); return err },
		func() error { _, _, err := u.ReadFrom(buf); return err },
		func() error { _, _, err := u.ReadFromUDP(buf); return err },
		func() error { _, _, err := u.ReadFromUDPAddrPort(buf); return err },
		func() error { _, _, _, _, err := u.ReadMsgUDP(buf, nil); return err },
		func() error { _, _, _, _, err := u.ReadMsgUDPAddrPort(buf, nil); return err },
		func() error { _, err := u.ReadBatch(nil, 0); return err },
		func() error { _, err := u.WriteBatch(nil, 0); return err },
		func() error { _, err := u.WriteTo(buf, nil); return err },
		func() error { _, err := u.WriteToUDP(buf, nil); return err },
		func() error { _, err := u.WriteToUDPAddrPort(buf, netip.AddrPort{}); return err },
		func() error { _, _, err := u.WriteMsgUDP(buf, nil, nil); return err },
		func() error { _, _, err := u.WriteMsgUDPAddrPort(buf, nil, netip.AddrPort{}); return err },
		func() error { _, err := u.SyscallConn(); return err },
		func() error { _, err := u.File(); return err },
		func() error { return u.Close() },
		func() error { _, _, err := x.ReadFrom(buf); return err },
		func() error { _, _, err := x.ReadFromUnix(buf); return err },
		func() error { _, _, _, _, err := x.ReadMsgUnix(buf, nil); return err },
		func() error { _, err := x.WriteTo(buf, nil); return err },
		func() error { _, err := x.WriteToUnix(buf, nil); return err },
		func() error { _, _, err := x.WriteMsgUnix(buf, nil, nil); return err },
		func() error { return x.CloseRead() },
		func() error { return x.CloseWrite() },
		func() error { _, _, err := ip.ReadFrom(buf); return err },
		func() error { _, _, err := ip.ReadFromIP(buf); return err },
		func() error { _, _, _, _, err := ip.ReadMsgIP(buf, nil); return err },
		func() error { _, err := ip.WriteTo(buf, nil); return err },
		func() error { _, err := ip.WriteToIP(buf, nil); return err },
		func() error { _, _, err := ip.WriteMsgIP(buf, nil, nil); return err },
		func() error { return ip.SetReadBuffer(1) },
	} {
		if err := call(); err != syscall.EINVAL {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if u.LocalAddr() != nil || ip.RemoteAddr() != nil {
		t.Error("addresses")
	}
}
