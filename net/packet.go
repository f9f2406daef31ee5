package net

import (
	"context"
	"syscall"
)

// ListenPacket makes a socket for messages on a "udp", "udp4", "udp6" or
// "unixgram" address, or for raw messages of an IP protocol: "ip", "ip4" or "ip6"
// followed by a colon and its name or number. An address without a host means all,
// and port 0 any.
func ListenPacket(network, address string) (PacketConn, error) {
	var lc ListenConfig
	return lc.ListenPacket(context.Background(), network, address)
}

// ListenPacket is ListenPacket so configured. The context bounds the lookup of a
// host's name.
func (lc *ListenConfig) ListenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	addrs, err := DefaultResolver.resolveAddrList(ctx, "listen", network, address, nil)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Err: err}
	}
	laddr := addrs.first(true)
	var c PacketConn
	switch a := laddr.(type) {
	case *UDPAddr:
		c, err = lc.listenUDP(ctx, network, a)
	case *IPAddr:
		c, err = lc.listenIP(ctx, network, a)
	case *UnixAddr:
		c, err = lc.listenUnixgram(ctx, network, a)
	default:
		err = &AddrError{Err: "unexpected address type", Addr: address}
	}
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	return c, nil
}

// messageError completes the error of an operation that received a message.
// Unlike opError it wraps io.EOF too, as the standard library does.
func (c *conn) messageError(call string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: "read", Net: c.origin.network, Source: c.origin.laddr, Addr: c.remote(), Err: callError(call, err)}
}

// writeError completes the error of an operation that sent a message to addr.
func (c *conn) writeError(call string, addr Addr, err error) error {
	return &OpError{Op: "write", Net: c.origin.network, Source: c.origin.laddr, Addr: addr, Err: callError(call, err)}
}

// notMine is the error of a message to an address of another network. The errno
// is of no system call, and stands bare.
func (c *conn) notMine(addr Addr, errno syscall.Errno) error {
	return &OpError{Op: "write", Net: c.origin.network, Source: c.origin.laddr, Addr: addr, Err: errno}
}
