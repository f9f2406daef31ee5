package net

import (
	"context"
	"strings"
	"time"

	stdnet "net"
)

// PacketConn is the standard library's own.
type PacketConn = stdnet.PacketConn

// ErrWriteToConnected is the standard library's own: a connected socket has one
// destination, and its messages no other.
var ErrWriteToConnected = stdnet.ErrWriteToConnected

// isPackets reports whether network is one of messages.
func isPackets(network string) bool {
	kind, _, _ := strings.Cut(network, ":")
	return isUDP(network) || isIP(kind) || network == "unixgram" || network == "unixpacket"
}

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
	if !isPackets(network) && network != "unix" && !isTCP(network) {
		return nil, &OpError{Op: "listen", Net: network, Err: UnknownNetworkError(network)}
	}
	addrs, err := resolvePackets(ctx, network, address, true)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Err: err}
	}
	laddr := addrs[0]
	for _, a := range addrs {
		if ipOf(a).To4() != nil {
			laddr = a
			break
		}
	}
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

// dialPacket dials a network of messages, trying each address of a name.
func (d *Dialer) dialPacket(ctx context.Context, network, address string, deadline time.Time) (Conn, error) {
	fail := func(err error) (Conn, error) {
		return nil, &OpError{Op: "dial", Net: network, Err: err}
	}
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	if address == "" {
		return fail(errMissingAddress)
	}
	addrs, err := resolvePackets(ctx, network, address, false)
	if err == nil {
		addrs, err = d.reachablePackets(addrs)
	}
	if err != nil {
		return fail(err)
	}
	var first error
	for _, raddr := range addrs {
		if ctx.Err() != nil {
			err = contextError(ctx.Err())
		} else {
			var c Conn
			if c, err = d.dialOne(ctx, network, raddr); err == nil {
				return c, nil
			}
		}
		if first == nil {
			first = &OpError{Op: "dial", Net: network, Source: d.LocalAddr, Addr: raddr, Err: err}
		}
	}
	return nil, first
}

func (d *Dialer) dialOne(ctx context.Context, network string, raddr Addr) (c Conn, err error) {
	switch raddr := raddr.(type) {
	case *UDPAddr:
		laddr, _ := d.LocalAddr.(*UDPAddr)
		c, err = d.dialUDP(ctx, network, laddr, raddr)
	case *IPAddr:
		laddr, _ := d.LocalAddr.(*IPAddr)
		c, err = d.dialIP(ctx, network, laddr, raddr)
	case *UnixAddr:
		laddr, _ := d.LocalAddr.(*UnixAddr)
		c, err = d.dialUnixPackets(ctx, network, laddr, raddr)
	}
	return c, err
}

// reachablePackets is reachable for networks of messages.
func (d *Dialer) reachablePackets(addrs []Addr) ([]Addr, error) {
	if d.LocalAddr == nil {
		return addrs, nil
	}
	local := ipOf(d.LocalAddr)
	var list []Addr
	for _, a := range addrs {
		if a.Network() != d.LocalAddr.Network() {
			return nil, mismatch(d.LocalAddr)
		}
		ip := ipOf(a)
		if isWildcard(local) || isWildcard(ip) || (local.To4() == nil) == (ip.To4() == nil) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: d.LocalAddr.String()}
	}
	return list, nil
}

// resolvePackets returns the addresses of address, at least one.
func resolvePackets(ctx context.Context, network, address string, listening bool) ([]Addr, error) {
	var list []Addr
	switch {
	case strings.HasPrefix(network, "unix"):
		return []Addr{&UnixAddr{Name: address, Net: network}}, nil
	case isTCP(network):
		addrs, err := resolveTCP(ctx, network, address, listening)
		for _, a := range addrs {
			list = append(list, a)
		}
		return list, err
	case isUDP(network):
		addrs, err := resolveUDP(ctx, network, address, listening)
		for _, a := range addrs {
			list = append(list, a)
		}
		return list, err
	}
	kind, _, err := parseIPNetwork(network)
	if err != nil {
		return nil, err
	}
	addrs, err := resolveIP(ctx, kind, address)
	for _, a := range addrs {
		list = append(list, a)
	}
	return list, err
}
