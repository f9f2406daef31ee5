package net_test

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// packetConn is what the sockets for messages of both packages share.
type packetConn interface {
	stdnet.Conn
	stdnet.PacketConn
	syscall.Conn
	File() (*os.File, error)
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

type udpConn interface {
	packetConn
	ReadFromUDP([]byte) (int, *stdnet.UDPAddr, error)
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *stdnet.UDPAddr, err error)
	ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error)
	WriteToUDP([]byte, *stdnet.UDPAddr) (int, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	WriteMsgUDP(b, oob []byte, addr *stdnet.UDPAddr) (n, oobn int, err error)
	WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error)
}

type unixConn interface {
	packetConn
	CloseRead() error
	CloseWrite() error
	ReadFromUnix([]byte) (int, *stdnet.UnixAddr, error)
	ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *stdnet.UnixAddr, err error)
	WriteToUnix([]byte, *stdnet.UnixAddr) (int, error)
	WriteMsgUnix(b, oob []byte, addr *stdnet.UnixAddr) (n, oobn int, err error)
}

type ipConn interface {
	packetConn
	ReadFromIP([]byte) (int, *stdnet.IPAddr, error)
	ReadMsgIP(b, oob []byte) (n, oobn, flags int, addr *stdnet.IPAddr, err error)
	WriteToIP([]byte, *stdnet.IPAddr) (int, error)
	WriteMsgIP(b, oob []byte, addr *stdnet.IPAddr) (n, oobn int, err error)
}

// packets are the functions of one of the packages.
type packets struct {
	listen           func(lc stdnet.ListenConfig, network, address string) (stdnet.PacketConn, error)
	resolveUDP       func(network, address string) (*stdnet.UDPAddr, error)
	resolveIP        func(network, address string) (*stdnet.IPAddr, error)
	listenUDP        func(network string, laddr *stdnet.UDPAddr) (udpConn, error)
	listenMulticast  func(network string, ifi *stdnet.Interface, gaddr *stdnet.UDPAddr) (udpConn, error)
	dialUDP          func(network string, laddr, raddr *stdnet.UDPAddr) (udpConn, error)
	listenUnixgram   func(network string, laddr *stdnet.UnixAddr) (unixConn, error)
	dialUnix         func(network string, laddr, raddr *stdnet.UnixAddr) (unixConn, error)
	listenUnixPacket func(laddr *stdnet.UnixAddr) (stdnet.Listener, error)
	listenIP         func(network string, laddr *stdnet.IPAddr) (ipConn, error)
	dialIP           func(network string, laddr, raddr *stdnet.IPAddr) (ipConn, error)
}

// orNil returns c as an I that is nil if there is an error.
func orNil[I any, C any](c C, err error) (I, error) {
	if err != nil {
		var none I
		return none, err
	}
	return any(c).(I), nil
}

var stdPackets = packets{
	listen: func(lc stdnet.ListenConfig, network, address string) (stdnet.PacketConn, error) {
		return lc.ListenPacket(context.Background(), network, address)
	},
	resolveUDP: stdnet.ResolveUDPAddr,
	resolveIP:  stdnet.ResolveIPAddr,
	listenUDP: func(network string, laddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](stdnet.ListenUDP(network, laddr))
	},
	listenMulticast: func(network string, ifi *stdnet.Interface, gaddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](stdnet.ListenMulticastUDP(network, ifi, gaddr))
	},
	dialUDP: func(network string, laddr, raddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](stdnet.DialUDP(network, laddr, raddr))
	},
	listenUnixgram: func(network string, laddr *stdnet.UnixAddr) (unixConn, error) {
		return orNil[unixConn](stdnet.ListenUnixgram(network, laddr))
	},
	dialUnix: func(network string, laddr, raddr *stdnet.UnixAddr) (unixConn, error) {
		return orNil[unixConn](stdnet.DialUnix(network, laddr, raddr))
	},
	listenUnixPacket: func(laddr *stdnet.UnixAddr) (stdnet.Listener, error) {
		return orNil[stdnet.Listener](stdnet.ListenUnix("unixpacket", laddr))
	},
	listenIP: func(network string, laddr *stdnet.IPAddr) (ipConn, error) {
		return orNil[ipConn](stdnet.ListenIP(network, laddr))
	},
	dialIP: func(network string, laddr, raddr *stdnet.IPAddr) (ipConn, error) {
		return orNil[ipConn](stdnet.DialIP(network, laddr, raddr))
	},
}

var ourPackets = packets{
	listen: func(lc stdnet.ListenConfig, network, address string) (stdnet.PacketConn, error) {
		our := net.ListenConfig{Control: lc.Control}
		return our.ListenPacket(context.Background(), network, address)
	},
	resolveUDP: net.ResolveUDPAddr,
	resolveIP:  net.ResolveIPAddr,
	listenUDP: func(network string, laddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](net.ListenUDP(network, laddr))
	},
	listenMulticast: func(network string, ifi *stdnet.Interface, gaddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](net.ListenMulticastUDP(network, ifi, gaddr))
	},
	dialUDP: func(network string, laddr, raddr *stdnet.UDPAddr) (udpConn, error) {
		return orNil[udpConn](net.DialUDP(network, laddr, raddr))
	},
	listenUnixgram: func(network string, laddr *stdnet.UnixAddr) (unixConn, error) {
		return orNil[unixConn](net.ListenUnixgram(network, laddr))
	},
	dialUnix: func(network string, laddr, raddr *stdnet.UnixAddr) (unixConn, error) {
		return orNil[unixConn](net.DialUnix(network, laddr, raddr))
	},
	listenUnixPacket: func(laddr *stdnet.UnixAddr) (stdnet.Listener, error) {
		return orNil[stdnet.Listener](net.ListenUnix("unixpacket", laddr))
	},
	listenIP: func(network string, laddr *stdnet.IPAddr) (ipConn, error) {
		return orNil[ipConn](net.ListenIP(network, laddr))
	},
	dialIP: func(network string, laddr, raddr *stdnet.IPAddr) (ipConn, error) {
		return orNil[ipConn](net.DialIP(network, laddr, raddr))
	},
}

// eachPackets is each, with tasks of one worker as well as of two.
func eachPackets(t *testing.T, body func(t *testing.T, n implementation)) {
	t.Helper()
	each(t, body)
	t.Run("task of one worker", func(t *testing.T) {
		rt := runtimetest.New(t, 1)
		runtimetest.RunOn(t, rt, func() {
			body(t, implementation{"task", rt, listenOurs, dialOurs})
		})
	})
}

// samePackets is same for messages.
func samePackets(t *testing.T, scenario func(t *testing.T, n implementation, p packets) []string) {
	t.Helper()
	sameIn(t, eachPackets, func(t *testing.T, n implementation) []string {
		if n.name == "std" {
			return scenario(t, n, stdPackets)
		}
		return scenario(t, n, ourPackets)
	})
}

// must returns c, which is closed with the test.
func must[C interface{ Close() error }](c C, err error) func(t *testing.T) C {
	return func(t *testing.T) C {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

var loopback = stdnet.IPv4(127, 0, 0, 1)

// udpPair returns a socket that listens on loopback and one connected to it.
func (p packets) udpPair(t *testing.T) (server, client udpConn) {
	t.Helper()
	server = must(p.listenUDP("udp", &stdnet.UDPAddr{IP: loopback}))(t)
	client = must(p.dialUDP("udp", nil, server.LocalAddr().(*stdnet.UDPAddr)))(t)
	return server, client
}

// refusedUDP returns a socket connected to a port where each datagram is refused.
func (p packets) refusedUDP(t *testing.T) udpConn {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(s) })
	// Connected to itself, it keeps the port and takes datagrams of its own only.
	address := bindLoopback(t, s)
	own, err := syscall.Getsockname(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(s, own); err != nil {
		t.Fatal(err)
	}
	raddr, err := stdnet.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return must(p.dialUDP("udp", nil, raddr))(t)
}

// send sends text, which must be taken.
func send(t *testing.T, c stdnet.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
}

// got receives a message.
func got(t *testing.T, c stdnet.Conn) string {
	t.Helper()
	buf := make([]byte, 64)
	n, err := c.Read(buf)
	if err != nil {
		t.Errorf("Read: %v", err)
	}
	return string(buf[:n])
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)
