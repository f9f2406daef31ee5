package net

import (
	"context"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

func isUDP(network string) bool {
	return network == "udp" || network == "udp4" || network == "udp6"
}

// UDPConn is a UDP socket. Read and Write are for one that is connected, made by
// Dial; the methods with an address for one that listens. Each receives or sends
// one datagram, and parks until there is one, or room for one. What does not fit
// into the buffer of a reader is lost.
type UDPConn struct {
	conn
	family    int
	connected bool
}

// ListenUDP makes a socket on laddr that sends to and receives from anyone; a nil
// one, or port 0, means any. Without an IP it has all addresses of the machine, of
// both families for the network "udp". It does not park.
func ListenUDP(network string, laddr *UDPAddr) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, &OpError{Op: "listen", Net: network, Addr: opAddr(laddr), Err: UnknownNetworkError(network)}
	}
	if laddr == nil {
		laddr = new(UDPAddr)
	}
	var lc ListenConfig
	c, err := lc.listenUDP(context.Background(), network, laddr)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	return c, nil
}

func (lc *ListenConfig) listenUDP(ctx context.Context, network string, laddr *UDPAddr) (*UDPConn, error) {
	return openUDP(ctx, endpoint{network: network, laddr: laddr, listens: true, reusePort: lc.ReusePort, control: lc.Control})
}

func openUDP(ctx context.Context, e endpoint) (*UDPConn, error) {
	e.sotype = unix.SOCK_DGRAM
	c := &UDPConn{connected: e.raddr != nil}
	var err error
	if c.family, err = c.open(ctx, &e); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadFromUDP receives a datagram, and returns its length and sender.
func (c *UDPConn) ReadFromUDP(b []byte) (int, *UDPAddr, error) {
	// Small enough to be inlined, so that a caller that does not keep the
	// address has it on its stack.
	return c.readFromUDP(b, new(UDPAddr))
}

func (c *UDPConn) readFromUDP(b []byte, addr *UDPAddr) (int, *UDPAddr, error) {
	n, ap, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	*addr = UDPAddr{IP: ap.Addr().AsSlice(), Port: int(ap.Port()), Zone: ap.Addr().Zone()}
	return n, addr, nil
}

// ReadFrom is ReadFromUDP in the form of a PacketConn.
func (c *UDPConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.readFromUDP(b, new(UDPAddr))
	return n, opAddr(addr), err
}

// ReadFromUDPAddrPort is ReadFromUDP without an allocation. A socket for both
// families has IPv4 senders in their IPv6 form, ::ffff:1.2.3.4.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (n int, addr netip.AddrPort, err error) {
	if !c.ok() {
		return 0, netip.AddrPort{}, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	if n, err = c.fd.ReadFrom(b, &from); err != nil {
		return n, netip.AddrPort{}, c.messageError("recvfrom", err)
	}
	return n, addrPortOf(c.family, &from), nil
}

// ReadMsgUDP receives a datagram into b and its control data into oob, and returns
// how many bytes of each, the flags of recvmsg(2), and the sender.
func (c *UDPConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *UDPAddr, err error) {
	n, oobn, flags, ap, err := c.ReadMsgUDPAddrPort(b, oob)
	if ap.IsValid() {
		addr = UDPAddrFromAddrPort(ap)
	}
	return n, oobn, flags, addr, err
}

// ReadMsgUDPAddrPort is ReadMsgUDP without an allocation.
func (c *UDPConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	if !c.ok() {
		return 0, 0, 0, netip.AddrPort{}, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	n, oobn, flags, err = c.fd.ReadMsg(b, oob, 0, &from)
	return n, oobn, flags, addrPortOf(c.family, &from), c.messageError("recvmsg", err)
}

// WriteToUDP sends b as one datagram to addr.
func (c *UDPConn) WriteToUDP(b []byte, addr *UDPAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size, err := c.destination(&to, addr)
	if err == nil {
		var n int
		if n, err = c.fd.WriteTo(b, &to, size); err == nil {
			return n, nil
		}
	}
	return 0, c.writeError("sendto", opAddr(addr), err)
}

// destination sets to to the destination of a datagram.
func (c *UDPConn) destination(to *unix.RawSockaddrAny, addr *UDPAddr) (uint32, error) {
	switch {
	case c.connected:
		return 0, ErrWriteToConnected
	case addr == nil:
		return 0, errMissingAddress
	}
	return putIP(to, c.family, addr.IP, addr.Port, addr.Zone)
}

// destinationAddrPort is destination of a compact address.
func (c *UDPConn) destinationAddrPort(to *unix.RawSockaddrAny, addr netip.AddrPort) (uint32, error) {
	switch {
	case c.connected:
		return 0, ErrWriteToConnected
	case !addr.IsValid():
		return 0, errMissingAddress
	}
	return putAddrPort(to, c.family, addr)
}

// WriteTo is WriteToUDP in the form of a PacketConn. The address must be a
// *UDPAddr.
func (c *UDPConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*UDPAddr)
	if !ok {
		return 0, c.notMine(addr, syscall.EINVAL)
	}
	return c.WriteToUDP(b, a)
}

// WriteToUDPAddrPort is WriteToUDP without an allocation.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size, err := c.destinationAddrPort(&to, addr)
	if err == nil {
		var n int
		if n, err = c.fd.WriteTo(b, &to, size); err == nil {
			return n, nil
		}
	}
	return 0, c.writeError("sendto", addrPortUDPAddr{addr}, err)
}

// addrPortUDPAddr is a compact address as an Addr.
type addrPortUDPAddr struct{ netip.AddrPort }

func (addrPortUDPAddr) Network() string { return "udp" }

// WriteMsgUDP sends b with control data oob as one datagram to addr, which must be
// nil if the socket is connected. It returns how many bytes of each were sent.
func (c *UDPConn) WriteMsgUDP(b, oob []byte, addr *UDPAddr) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size := uint32(0)
	if !c.connected || addr != nil {
		size, err = c.destination(&to, addr)
	}
	if err == nil {
		n, err = c.fd.WriteMsg(b, oob, &to, size)
	}
	if err != nil {
		return 0, 0, c.writeError("sendmsg", opAddr(addr), err)
	}
	return n, len(oob), nil
}

// WriteMsgUDPAddrPort is WriteMsgUDP without an allocation. The zero AddrPort is
// that of a connected socket.
func (c *UDPConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size := uint32(0)
	if !c.connected || addr.IsValid() {
		size, err = c.destinationAddrPort(&to, addr)
	}
	if err == nil {
		n, err = c.fd.WriteMsg(b, oob, &to, size)
	}
	if err != nil {
		return 0, 0, c.writeError("sendmsg", addrPortUDPAddr{addr}, err)
	}
	return n, len(oob), nil
}
