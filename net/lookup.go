package net

import (
	"context"
	"strings"
)

// addrList is the addresses that a host and port, or a path, stand for, in the
// order in which to dial them.
type addrList []Addr

// resolveAddrList returns the addresses, at least one, that address stands for
// in a dial or listen. Those to dial can be dialed from local, if that is not
// nil.
func (r *Resolver) resolveAddrList(ctx context.Context, op, network, address string, local Addr) (addrList, error) {
	base, _, err := parseNetwork(network, true)
	if err != nil {
		return nil, err
	}
	if op == "dial" && address == "" {
		return nil, errMissingAddress
	}
	switch base {
	case "unix", "unixgram", "unixpacket":
		addrs := addrList{&UnixAddr{Name: address, Net: base}}
		if op == "dial" && local != nil && local.Network() != base {
			return nil, mismatch(local)
		}
		return addrs, nil
	}
	addrs, err := r.internetAddrList(ctx, base, address)
	if err != nil || op != "dial" || local == nil {
		return addrs, err
	}
	return addrs.reachableFrom(local)
}

// parseNetwork takes a network apart: an IP network has a protocol after a colon,
// which it must have where needsProtocol.
func parseNetwork(network string, needsProtocol bool) (base string, protocol int, err error) {
	base, name, colon := strings.Cut(network, ":")
	switch base {
	case "ip", "ip4", "ip6":
		if !colon && !needsProtocol {
			return base, 0, nil
		}
		if colon {
			protocol, err = protocolNumber(name)
			return base, protocol, err
		}
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "unixgram", "unixpacket":
		if !colon {
			return base, 0, nil
		}
	}
	return "", 0, UnknownNetworkError(network)
}

// internetAddrList returns the addresses of a host with a port, or without one in
// an IP network. Without a host that is one without an IP.
func (r *Resolver) internetAddrList(ctx context.Context, network, address string) (addrList, error) {
	host, port := address, 0
	if !strings.HasPrefix(network, "ip") && address != "" {
		var service string
		var err error
		if host, service, err = SplitHostPort(address); err != nil {
			return nil, err
		}
		if port, err = r.LookupPort(ctx, network, service); err != nil {
			return nil, err
		}
	}
	addrOf := func(ip IPAddr) Addr {
		switch network[0] {
		case 't':
			return &TCPAddr{IP: ip.IP, Port: port, Zone: ip.Zone}
		case 'u':
			return &UDPAddr{IP: ip.IP, Port: port, Zone: ip.Zone}
		}
		return &ip
	}
	if host == "" {
		return addrList{addrOf(IPAddr{})}, nil
	}
	family := byte(0)
	if last := network[len(network)-1]; last == '4' || last == '6' {
		family = last
	}
	ips, err := r.lookupIPAddr(ctx, family, host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 1 && ips[0].IP.Equal(IPv6unspecified) {
		// A machine may be able to listen there, and not to connect (go.dev/issue/18806).
		ips = append(ips, IPAddr{IP: IPv4zero})
	}
	var addrs addrList
	for _, ip := range ips {
		if is4 := ip.IP.To4() != nil; family == 0 || is4 == (family == '4') {
			addrs = append(addrs, addrOf(ip))
		}
	}
	if len(addrs) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

// reachableFrom returns those of addrs that can be dialed from local, at least
// one.
func (addrs addrList) reachableFrom(local Addr) (addrList, error) {
	own := ipOf(local)
	var list addrList
	for _, a := range addrs {
		if a.Network() != local.Network() {
			return nil, mismatch(local)
		}
		ip := ipOf(a)
		if isWildcard(own) || isWildcard(ip) || (own.To4() == nil) == (ip.To4() == nil) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: local.String()}
	}
	return list, nil
}

func mismatch(local Addr) error {
	return &AddrError{Err: "mismatched local address type", Addr: local.String()}
}

// ipOf returns the IP of an address, nil for none.
func ipOf(a Addr) IP {
	switch a := a.(type) {
	case *TCPAddr:
		if a != nil {
			return a.IP
		}
	case *UDPAddr:
		if a != nil {
			return a.IP
		}
	case *IPAddr:
		if a != nil {
			return a.IP
		}
	}
	return nil
}

func isIPv4(a Addr) bool { return ipOf(a).To4() != nil }

// partition returns the addresses of the first one's family, and the others.
func (addrs addrList) partition() (first, others addrList) {
	for _, a := range addrs {
		if isIPv4(a) == isIPv4(addrs[0]) {
			first = append(first, a)
		} else {
			others = append(others, a)
		}
	}
	return first, others
}

// first returns the first address that is IPv4, or is not, as asked, or else the
// first one.
func (addrs addrList) first(ipv4 bool) Addr {
	for _, a := range addrs {
		if isIPv4(a) == ipv4 {
			return a
		}
	}
	return addrs[0]
}

// forResolve returns the one of addrs to give as that of address: IPv4, unless it
// was written as an IPv6 literal.
func (addrs addrList) forResolve(network, address string) Addr {
	switch network {
	case "ip":
		return addrs.first(!strings.Contains(address, ":"))
	case "tcp", "udp":
		return addrs.first(!strings.Contains(address, "["))
	}
	return addrs.first(true)
}

// ResolveTCPAddr returns an address of host:port. It parks while a name is looked
// up, with DefaultResolver.
func ResolveTCPAddr(network, address string) (*TCPAddr, error) {
	a, err := resolveAddr("tcp", network, address)
	if err != nil {
		return nil, err
	}
	return a.(*TCPAddr), nil
}

// ResolveUDPAddr returns an address of host:port. It parks while a name is looked
// up, with DefaultResolver.
func ResolveUDPAddr(network, address string) (*UDPAddr, error) {
	a, err := resolveAddr("udp", network, address)
	if err != nil {
		return nil, err
	}
	return a.(*UDPAddr), nil
}

// ResolveIPAddr returns an address of a host. It parks while a name is looked
// up, with DefaultResolver. The network may have a protocol: "ip4:icmp".
func ResolveIPAddr(network, address string) (*IPAddr, error) {
	if network == "" {
		network = "ip"
	}
	base, _, err := parseNetwork(network, false)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(base, "ip") {
		return nil, UnknownNetworkError(network)
	}
	addrs, err := DefaultResolver.internetAddrList(context.Background(), base, address)
	if err != nil {
		return nil, err
	}
	return addrs.forResolve(network, address).(*IPAddr), nil
}

func resolveAddr(kind, network, address string) (Addr, error) {
	switch network {
	case "": // means any
		network = kind
	case kind, kind + "4", kind + "6":
	default:
		return nil, UnknownNetworkError(network)
	}
	addrs, err := DefaultResolver.internetAddrList(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return addrs.forResolve(network, address), nil
}
