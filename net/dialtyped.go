package net

import (
	"context"
	"net/netip"

	stdnet "net"

	"golang.org/x/sys/unix"
)

// DialTCP connects to raddr, from laddr if that is valid, and gives up when ctx
// is done.
func (d *Dialer) DialTCP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*TCPConn, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	return d.dialTypedTCP(ctx, network, TCPAddrFromAddrPort(laddr), TCPAddrFromAddrPort(raddr))
}

// DialUDP makes a socket that sends to and receives from raddr alone, from laddr if
// that is valid. It does not park.
func (d *Dialer) DialUDP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*UDPConn, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	return d.dialTypedUDP(ctx, network, UDPAddrFromAddrPort(laddr), UDPAddrFromAddrPort(raddr))
}

// DialIP makes a raw socket that sends to and receives from raddr alone, from laddr
// if that is valid. It parks at most while the system's table of protocols is read.
func (d *Dialer) DialIP(ctx context.Context, network string, laddr, raddr netip.Addr) (*IPConn, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	return d.dialTypedIP(ctx, network, ipAddrFromAddr(laddr), ipAddrFromAddr(raddr))
}

func ipAddrFromAddr(a netip.Addr) *IPAddr { return &IPAddr{IP: a.AsSlice(), Zone: a.Zone()} }

// DialUnix connects to raddr, from laddr if that is not nil, and gives up when
// ctx is done. On the network "unixgram" one of the two may be nil.
func (d *Dialer) DialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	c, err := d.dialUnix(ctx, network, laddr, raddr)
	if err != nil {
		return nil, typedError(network, laddr, raddr, err)
	}
	return c, nil
}

// DialTCP connects to raddr, from laddr if that is not nil. Without an IP in
// raddr that is this machine.
func DialTCP(network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	var d Dialer
	return d.dialTypedTCP(context.Background(), network, laddr, raddr)
}

// DialUDP makes a socket that sends to and receives from raddr alone, from laddr if
// that is not nil. It does not park.
func DialUDP(network string, laddr, raddr *UDPAddr) (*UDPConn, error) {
	var d Dialer
	return d.dialTypedUDP(context.Background(), network, laddr, raddr)
}

// DialIP makes a raw socket that sends to and receives from raddr alone, from
// laddr if that is not nil. It parks at most while the system's table of protocols
// is read.
func DialIP(network string, laddr, raddr *IPAddr) (*IPConn, error) {
	var d Dialer
	return d.dialTypedIP(context.Background(), network, laddr, raddr)
}

// DialUnix connects to raddr, from laddr if that is not nil. On the network
// "unixgram" one of the two may be nil.
func DialUnix(network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	var d Dialer
	return d.DialUnix(context.Background(), network, laddr, raddr)
}

func (d *Dialer) dialTypedTCP(ctx context.Context, network string, laddr, raddr *TCPAddr) (c *TCPConn, err error) {
	switch {
	case !isTCP(network):
		err = UnknownNetworkError(network)
	case raddr == nil:
		err = errMissingAddress
	default:
		c, err = d.dialTCP(ctx, network, laddr, raddr)
	}
	if err != nil {
		return nil, typedError(network, laddr, raddr, err)
	}
	return c, nil
}

func (d *Dialer) dialTypedUDP(ctx context.Context, network string, laddr, raddr *UDPAddr) (c *UDPConn, err error) {
	switch {
	case !isUDP(network):
		err = UnknownNetworkError(network)
	case raddr == nil:
		err = errMissingAddress
	default:
		c, err = d.dialUDP(ctx, network, laddr, raddr)
	}
	if err != nil {
		return nil, typedError(network, laddr, raddr, err)
	}
	return c, nil
}

func (d *Dialer) dialTypedIP(ctx context.Context, network string, laddr, raddr *IPAddr) (c *IPConn, err error) {
	if raddr == nil {
		err = errMissingAddress
	} else {
		c, err = d.dialIP(ctx, network, laddr, raddr)
	}
	if err != nil {
		return nil, typedError(network, laddr, raddr, err)
	}
	return c, nil
}

func typedError[T any, A interface {
	*T
	Addr
}](network string, laddr, raddr A, err error) error {
	return &OpError{Op: "dial", Net: network, Source: opAddr(laddr), Addr: opAddr(raddr), Err: err}
}

// opAddr returns a as an Addr that is nil if a is.
func opAddr[T any, A interface {
	*T
	Addr
}](a A) Addr {
	if a == nil {
		return nil
	}
	return a
}

func (d *Dialer) dialUDP(ctx context.Context, network string, laddr, raddr *UDPAddr) (*UDPConn, error) {
	return openUDP(ctx, endpoint{network: network, laddr: opAddr(laddr), raddr: raddr, control: d.control(ctx)})
}

func (d *Dialer) dialIP(ctx context.Context, network string, laddr, raddr *IPAddr) (*IPConn, error) {
	return openIP(ctx, network, endpoint{laddr: opAddr(laddr), raddr: raddr, control: d.control(ctx)})
}

// dialUnix dials any unix network. With an own address and none to dial to, a
// datagram socket is one that listens.
func (d *Dialer) dialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	sotype, ok := unixTypes[network]
	if !ok {
		return nil, UnknownNetworkError(network)
	}
	e := endpoint{network: network, sotype: sotype, control: d.control(ctx)}
	if laddr != nil && laddr.Name != "" {
		e.laddr = laddr
	}
	if raddr != nil && raddr.Name != "" {
		e.raddr = raddr
	}
	if e.raddr == nil && (sotype != unix.SOCK_DGRAM || e.laddr == nil) {
		return nil, errMissingAddress
	}
	c := &UnixConn{connected: e.raddr != nil}
	if _, err := c.open(ctx, &e); err != nil {
		return nil, err
	}
	return c, nil
}

var (
	_ stdnet.Conn       = (*TCPConn)(nil)
	_ stdnet.Conn       = (*UnixConn)(nil)
	_ stdnet.PacketConn = (*UnixConn)(nil)
	_ stdnet.Conn       = (*UDPConn)(nil)
	_ stdnet.PacketConn = (*UDPConn)(nil)
	_ stdnet.Conn       = (*IPConn)(nil)
	_ stdnet.PacketConn = (*IPConn)(nil)
)
