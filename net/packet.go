package net

import (
	"context"
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
