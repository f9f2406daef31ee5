package net

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	stdnet "net"
)

// Resolver looks up names and numbers, with the standard library's resolver, which
// runs on goroutines: the task that asks parks. The zero Resolver is ready for use.
// Set its fields before the first use, and do not copy it after.
//
// Who asks what is being looked up already joins that lookup. An answer is kept for
// CacheTTL: the standard library does not tell how long the name server says that
// it is valid, so that is short, enough for a burst of connections to one name. At
// most 1024 answers are kept. Errors, also that a name does not exist, are not.
//
// The end of the context, a kill of the task or an enclosing runtime.WithTimeout
// end a call at once, with a *DNSError that wraps the reason. A lookup for which
// nobody waits any more is canceled.
type Resolver struct {
	// PreferGo, StrictErrors and Dial are as in the standard library's Resolver.
	// Dial is called on a goroutine.
	PreferGo     bool
	StrictErrors bool
	Dial         func(ctx context.Context, network, address string) (Conn, error)

	// CacheTTL is how long answers are kept: 0 means DefaultCacheTTL, a negative
	// one not at all.
	CacheTTL time.Duration

	lookups lookups
}

// DefaultCacheTTL is how long a Resolver keeps answers unless told otherwise.
const DefaultCacheTTL = 5 * time.Second

// DefaultResolver is what the package's Lookup and Resolve functions use, Listen,
// and each Dialer without a Resolver.
var DefaultResolver = &Resolver{}

// nilResolver stands for a nil *Resolver, which the standard library allows.
var nilResolver Resolver

// ttl is how long to keep answers.
func (r *Resolver) ttl() time.Duration {
	if r == nil || r.CacheTTL == 0 {
		return DefaultCacheTTL
	}
	return r.CacheTTL
}

// lookup asks for the answer of that kind to name. Answers are shared, so each
// caller gets a clone.
func lookup[T any](ctx context.Context, r *Resolver, kind, name string, clone func(T) T, ask func(context.Context, *stdnet.Resolver) (T, error)) (T, error) {
	value, _, err := lookupFor(ctx, r, r.ttl(), kind, name, clone, ask)
	return value, err
}

// lookupFor is lookup with a time to keep the answer. It tells whether others share
// the answer.
func lookupFor[T any](ctx context.Context, r *Resolver, ttl time.Duration, kind, name string, clone func(T) T, ask func(context.Context, *stdnet.Resolver) (T, error)) (T, bool, error) {
	if r == nil {
		r = &nilResolver
	}
	std := &stdnet.Resolver{PreferGo: r.PreferGo, StrictErrors: r.StrictErrors, Dial: r.Dial}
	answer, shared, err := r.lookups.do(ctx, lookupKey{kind, name}, ttl, func(ctx context.Context) (any, error) {
		return ask(ctx, std)
	})
	value, _ := answer.(T) // with some errors too
	return clone(value), shared, err
}

// LookupHost returns the addresses of a host.
func (r *Resolver) LookupHost(ctx context.Context, host string) (addrs []string, err error) {
	if host == "" {
		return nil, noSuchHost(host)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	return lookup(ctx, r, "host", host, slices.Clone, func(ctx context.Context, std *stdnet.Resolver) ([]string, error) {
		return std.LookupHost(ctx, host)
	})
}

// LookupIPAddr returns the addresses of a host.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) ([]IPAddr, error) {
	return r.lookupIPAddr(ctx, 0, host)
}

// LookupIP returns the addresses of a host that are of the network: "ip", "ip4" or
// "ip6".
func (r *Resolver) LookupIP(ctx context.Context, network, host string) ([]IP, error) {
	base, _, err := parseNetwork(network, false)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(base, "ip") {
		return nil, UnknownNetworkError(network)
	}
	if host == "" {
		return nil, noSuchHost(host)
	}
	addrs, err := r.internetAddrList(ctx, base, host)
	if err != nil {
		return nil, err
	}
	ips := make([]IP, len(addrs))
	for i, a := range addrs {
		ips[i] = ipOf(a)
	}
	return ips, nil
}

// LookupNetIP is LookupIP with addresses of package netip.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	ips, err := r.LookupIP(ctx, network, host)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, len(ips))
	for i, ip := range ips {
		addrs[i], _ = netip.AddrFromSlice(ip)
	}
	return addrs, nil
}

// lookupIPAddr returns the addresses of a host, of a family '4' or '6' if that is
// not 0; a literal is returned whatever its family.
func (r *Resolver) lookupIPAddr(ctx context.Context, family byte, host string) ([]IPAddr, error) {
	if host == "" {
		return nil, noSuchHost(host)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []IPAddr{{IP: IP(ip.AsSlice()).To16(), Zone: ip.Zone()}}, nil
	}
	trace := traceOf(ctx)
	trace.lookupStart(host)
	addrs, shared, err := r.askIPAddr(ctx, family, host)
	trace.lookupDone(addrs, shared, err)
	return addrs, err
}

func (r *Resolver) askIPAddr(ctx context.Context, family byte, host string) (addrs []IPAddr, shared bool, err error) {
	if family == 0 {
		return lookupFor(ctx, r, r.ttl(), "ip", host, cloneIPAddrs, func(ctx context.Context, std *stdnet.Resolver) ([]IPAddr, error) {
			return std.LookupIPAddr(ctx, host)
		})
	}
	network := "ip" + string(rune(family))
	return lookupFor(ctx, r, r.ttl(), network, host, cloneIPAddrs, func(ctx context.Context, std *stdnet.Resolver) ([]IPAddr, error) {
		ips, err := std.LookupIP(ctx, network, host)
		if slices.ContainsFunc(ips, IP.IsLinkLocalUnicast) {
			return std.LookupIPAddr(ctx, host) // which has the zones that LookupIP leaves out
		}
		addrs := make([]IPAddr, len(ips))
		for i, ip := range ips {
			addrs[i].IP = ip
		}
		return addrs, err
	})
}

func cloneIPAddrs(addrs []IPAddr) []IPAddr {
	addrs = slices.Clone(addrs)
	for i := range addrs {
		addrs[i].IP = slices.Clone(addrs[i].IP)
	}
	return addrs
}

// LookupPort returns the number of a service, or of a port.
func (r *Resolver) LookupPort(ctx context.Context, network, service string) (port int, err error) {
	number := strings.TrimLeft(service, "+-")
	if len(service)-len(number) <= 1 && strings.Trim(number, "0123456789") == "" {
		return stdnet.DefaultResolver.LookupPort(ctx, network, service) // asks nobody
	}
	return lookup(ctx, r, "port "+network, service, same, func(ctx context.Context, std *stdnet.Resolver) (int, error) {
		return std.LookupPort(ctx, network, service)
	})
}

// LookupCNAME returns the canonical name of a host.
func (r *Resolver) LookupCNAME(ctx context.Context, host string) (string, error) {
	return lookup(ctx, r, "cname", host, same, func(ctx context.Context, std *stdnet.Resolver) (string, error) {
		return std.LookupCNAME(ctx, host)
	})
}

// LookupSRV returns the servers of a service, by priority, and in an order at
// random by weight among those of one. So that the order is not the same for all,
// answers are not kept. Without service and proto name is looked up as it is.
func (r *Resolver) LookupSRV(ctx context.Context, service, proto, name string) (string, []*SRV, error) {
	type servers struct {
		cname string
		addrs []*SRV
	}
	found, _, err := lookupFor(ctx, r, 0, "srv "+service+" "+proto, name,
		func(s servers) servers { return servers{s.cname, clonePointers(s.addrs)} },
		func(ctx context.Context, std *stdnet.Resolver) (s servers, err error) {
			s.cname, s.addrs, err = std.LookupSRV(ctx, service, proto, name)
			return s, err
		})
	return found.cname, found.addrs, err
}

// LookupMX returns the mail servers of a domain, by preference.
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*MX, error) {
	return lookup(ctx, r, "mx", name, clonePointers, func(ctx context.Context, std *stdnet.Resolver) ([]*MX, error) {
		return std.LookupMX(ctx, name)
	})
}

// LookupNS returns the name servers of a domain.
func (r *Resolver) LookupNS(ctx context.Context, name string) ([]*NS, error) {
	return lookup(ctx, r, "ns", name, clonePointers, func(ctx context.Context, std *stdnet.Resolver) ([]*NS, error) {
		return std.LookupNS(ctx, name)
	})
}

// LookupTXT returns the text records of a domain.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return lookup(ctx, r, "txt", name, slices.Clone, func(ctx context.Context, std *stdnet.Resolver) ([]string, error) {
		return std.LookupTXT(ctx, name)
	})
}

// LookupAddr returns the names of an address.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return lookup(ctx, r, "addr", addr, slices.Clone, func(ctx context.Context, std *stdnet.Resolver) ([]string, error) {
		return std.LookupAddr(ctx, addr)
	})
}

// same is the clone of what needs none.
func same[T any](v T) T { return v }

func clonePointers[T any](list []*T) []*T {
	list = slices.Clone(list)
	for i, p := range list {
		v := *p
		list[i] = &v
	}
	return list
}

func noSuchHost(host string) error {
	return &DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// LookupHost looks up with DefaultResolver; see Resolver.LookupHost.
func LookupHost(host string) (addrs []string, err error) {
	return DefaultResolver.LookupHost(context.Background(), host)
}

// LookupIP looks up with DefaultResolver; see Resolver.LookupIP.
func LookupIP(host string) ([]IP, error) {
	addrs, err := DefaultResolver.LookupIPAddr(context.Background(), host)
	if err != nil {
		return nil, err
	}
	ips := make([]IP, len(addrs))
	for i, a := range addrs {
		ips[i] = a.IP
	}
	return ips, nil
}

// LookupPort looks up with DefaultResolver; see Resolver.LookupPort.
func LookupPort(network, service string) (port int, err error) {
	return DefaultResolver.LookupPort(context.Background(), network, service)
}

// LookupCNAME looks up with DefaultResolver; see Resolver.LookupCNAME.
func LookupCNAME(host string) (cname string, err error) {
	return DefaultResolver.LookupCNAME(context.Background(), host)
}

// LookupSRV looks up with DefaultResolver; see Resolver.LookupSRV.
func LookupSRV(service, proto, name string) (cname string, addrs []*SRV, err error) {
	return DefaultResolver.LookupSRV(context.Background(), service, proto, name)
}

// LookupMX looks up with DefaultResolver; see Resolver.LookupMX.
func LookupMX(name string) ([]*MX, error) {
	return DefaultResolver.LookupMX(context.Background(), name)
}

// LookupNS looks up with DefaultResolver; see Resolver.LookupNS.
func LookupNS(name string) ([]*NS, error) {
	return DefaultResolver.LookupNS(context.Background(), name)
}

// LookupTXT looks up with DefaultResolver; see Resolver.LookupTXT.
func LookupTXT(name string) ([]string, error) {
	return DefaultResolver.LookupTXT(context.Background(), name)
}

// LookupAddr looks up with DefaultResolver; see Resolver.LookupAddr.
func LookupAddr(addr string) (names []string, err error) {
	return DefaultResolver.LookupAddr(context.Background(), addr)
}
