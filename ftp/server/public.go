package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	stdnet "net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A PublicNetwork is an exception to Config.PublicHost, for clients of one
// network or those who reached the server by one of its own.
type PublicNetwork struct {
	// Clients are the addresses of clients and Local the addresses they connected
	// to that it is for. The zero Prefix means all.
	Clients, Local netip.Prefix

	// Host is what they are told, as Config.PublicHost. "" is the address the
	// client has connected to.
	Host string
}

func (n *PublicNetwork) contains(client, local netip.Addr) bool {
	return within(n.Clients, client) && within(n.Local, local)
}

func within(p netip.Prefix, a netip.Addr) bool {
	return p == netip.Prefix{} || p.Contains(a.WithZone(""))
}

// checkPublicHost refuses what can be no host that PASV tells of.
func checkPublicHost(host string) error {
	if host == "" {
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		switch a = a.Unmap(); {
		case !a.Is4():
			return fmt.Errorf("%s is not IPv4, which is all that PASV can tell of", host)
		case a.IsUnspecified() || a.IsMulticast():
			return fmt.Errorf("%s is not an address to connect to", host)
		}
		return nil
	}
	if len(host) > 253 || strings.ContainsAny(host, ":/@[]%") || strings.ContainsFunc(host, isBlank) ||
		strings.Trim(host, "0123456789.") == "" {
		return fmt.Errorf("%q is neither an IPv4 address nor a host's name", host)
	}
	return nil
}

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f }

const (
	// lookupPatience bounds one look-up of a name.
	lookupPatience = 5 * time.Second
	// lookupRetry is how long a failure to look up a name stands.
	lookupRetry = 5 * time.Second
)

// publicHosts answers which address PASV tells of.
type publicHosts struct {
	srv   *Server
	names map[string]*publicName // immutable: the names of the configuration
}

// A publicName is a name with the address it had lately.
type publicName struct {
	asking gate // one asks, and the others have the answer

	// mu guards. It is held for a few instructions only.
	mu    sync.Mutex
	addr  netip.Addr
	err   error // of the last look-up
	until time.Time
}

func newPublicHosts(srv *Server) *publicHosts {
	p := &publicHosts{srv: srv, names: make(map[string]*publicName)}
	add := func(host string) {
		if _, err := netip.ParseAddr(host); err != nil && host != "" {
			p.names[host] = &publicName{asking: gate{free: 1}}
		}
	}
	add(srv.cfg.PublicHost)
	for _, n := range srv.cfg.PublicNetworks {
		add(n.Host)
	}
	return p
}

// host returns the host that a client is told, "" for the address it has
// connected to.
func (p *publicHosts) host(client, local netip.Addr) string {
	for i := range p.srv.cfg.PublicNetworks {
		if n := &p.srv.cfg.PublicNetworks[i]; n.contains(client, local) {
			return n.Host
		}
	}
	return p.srv.cfg.PublicHost
}

// addr returns the address that a client of the address local is told. It may
// wait for a name to be looked up; an address that was good is told until there
// is a newer one.
func (p *publicHosts) addr(client, local netip.Addr) (netip.Addr, error) {
	host := p.host(client, local)
	if host == "" {
		return local, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	name := p.names[host]
	a, err, fresh := name.known()
	if fresh {
		return a, err
	}
	if !a.IsValid() {
		name.asking.enter()
	} else if !name.asking.tryEnter() {
		return a, nil
	}
	defer name.asking.leave()
	if a, err, fresh = name.known(); fresh {
		return a, err
	}
	return name.learn(p.srv, host)
}

func (n *publicName) known() (a netip.Addr, err error, fresh bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.addr.IsValid() {
		return n.addr, nil, time.Now().Before(n.until)
	}
	return n.addr, n.err, time.Now().Before(n.until)
}

// learn looks the name up.
func (n *publicName) learn(srv *Server, host string) (netip.Addr, error) {
	a, err := await(srv.cfg.Engine, func() (netip.Addr, error) {
		ctx, cancel := context.WithTimeout(srv.ctx, lookupPatience)
		defer cancel()
		return srv.cfg.LookupHost(ctx, host)
	})
	if err == nil {
		if a = a.Unmap(); !a.Is4() {
			err = errors.New("no IPv4 address")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err = err; err == nil {
		n.addr, n.until = a, time.Now().Add(srv.cfg.PublicRefresh)
		return a, nil
	}
	n.until = time.Now().Add(lookupRetry)
	srv.log.Warn("public host not found", slog.String("host", host), slog.String("error", escaped(err.Error())))
	if n.addr.IsValid() {
		return n.addr, nil
	}
	return netip.Addr{}, err
}

// lookupIPv4 is what Config.LookupHost is by default.
func lookupIPv4(ctx context.Context, host string) (netip.Addr, error) {
	ips, err := stdnet.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.Addr{}, err
	}
	return ips[0], nil
}
