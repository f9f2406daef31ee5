package net

import (
	"context"
	"net/netip"
	"strconv"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
)

// ResolveTCPAddr returns an address of host:port. A name is looked up on the
// offload pool.
func ResolveTCPAddr(network, address string) (*TCPAddr, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	case "":
		network = "tcp"
	default:
		return nil, UnknownNetworkError(network)
	}
	addrs, err := resolveTCP(context.Background(), network, address, true)
	if err != nil {
		return nil, err
	}
	return preferIPv4(addrs), nil
}

// resolveTCP returns the addresses of host:port, at least one, that network
// allows. Without a host that is every own address when listening, and this
// machine when dialing.
func resolveTCP(ctx context.Context, network, address string, listening bool) ([]*TCPAddr, error) {
	if address == "" && !listening {
		return nil, errMissingAddress
	}
	var host, service string
	if address != "" {
		var err error
		if host, service, err = SplitHostPort(address); err != nil {
			return nil, err
		}
	}
	port, err := lookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		switch {
		case listening:
			return []*TCPAddr{{Port: port}}, nil
		case network == "tcp6":
			return []*TCPAddr{{IP: stdnet.IPv6loopback, Port: port}}, nil
		}
		return []*TCPAddr{{IP: stdnet.IPv4(127, 0, 0, 1), Port: port}}, nil
	}
	ips, err := lookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	var addrs []*TCPAddr
	for _, ip := range ips {
		if network == "tcp4" && !ip.Unmap().Is4() || network == "tcp6" && ip.Unmap().Is4() {
			continue
		}
		addrs = append(addrs, &TCPAddr{IP: ip.Unmap().AsSlice(), Port: port, Zone: ip.Zone()})
	}
	if len(addrs) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

// lookupPort returns the number of a port or service.
func lookupPort(ctx context.Context, network, service string) (int, error) {
	if service == "" {
		return 0, nil
	}
	if n, err := strconv.Atoi(service); err == nil {
		if n < 0 || n > 65535 {
			return 0, &AddrError{Err: "invalid port", Addr: service}
		}
		return n, nil
	}
	return runtime.Await(func() (int, error) {
		return stdnet.DefaultResolver.LookupPort(ctx, network, service)
	})
}

// lookupHost returns the addresses of a name or literal.
func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return runtime.Await(func() ([]netip.Addr, error) {
		return stdnet.DefaultResolver.LookupNetIP(ctx, "ip", host)
	})
}
