package net_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// resolver is what the resolvers of both packages have in common.
type resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupIPAddr(ctx context.Context, host string) ([]stdnet.IPAddr, error)
	LookupIP(ctx context.Context, network, host string) ([]stdnet.IP, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupPort(ctx context.Context, network, service string) (int, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*stdnet.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*stdnet.MX, error)
	LookupNS(ctx context.Context, name string) ([]*stdnet.NS, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

func resolverOf(n implementation, s *nameServer) resolver {
	if n.name == "std" {
		return s.std()
	}
	return s.resolver()
}

// hostRecords are those of the names that most tests ask for.
func hostRecords() map[string][]string {
	return map[string][]string{
		"a both.test.":                {"127.0.0.1", "127.0.0.2"},
		"aaaa both.test.":             {"::1"},
		"a four.test.":                {"127.0.0.4"},
		"aaaa six.test.":              {"::1"},
		"txt both.test.":              {"hello", "world"},
		"mx both.test.":               {"mail.test.", "bad name.test."},
		"mx good.test.":               {"mail.test."},
		"ns both.test.":               {"ns1.test.", "ns2.test."},
		"srv _x._tcp.test.":           {"srv.test."},
		"ptr 9.0.0.127.in-addr.arpa.": {"nine.test."},
	}
}

// TestLookups asks for everything that can be asked, what exists and what not, of
// both resolvers: answers and errors are the same.
func TestLookups(t *testing.T) {
	s := serveNames(t, hostRecords())
	same(t, func(t *testing.T, n implementation) (told []string) {
		r := resolverOf(n, s)
		ctx := t.Context()
		for _, host := range []string{"both.test", "four.test", "six.test", "nosuch.test", "", "127.0.0.1", "::1", "fe80::1%lo", "bad name", "localhost"} {
			addrs, err := r.LookupHost(ctx, host)
			told = append(told, tell("host "+host, addrs, err))
			ips, err := r.LookupIPAddr(ctx, host)
			told = append(told, tell("ipaddr "+host, ips, err))
			for _, network := range []string{"ip", "ip4", "ip6", "tcp", "ip:icmp", "ip4:nosuch", "nosuch", ""} {
				ips, err := r.LookupIP(ctx, network, host)
				told = append(told, tell("ip "+network+" "+host, ips, err))
				addrs, err := r.LookupNetIP(ctx, network, host)
				told = append(told, tell("netip "+network+" "+host, addrs, err))
			}
		}
		for _, name := range []string{"both.test", "good.test", "nosuch.test", "", "bad name"} {
			mx, err := r.LookupMX(ctx, name)
			told = append(told, tell("mx "+name, len(mx), err))
			for _, m := range mx {
				told = append(told, tell("mx", *m))
			}
			ns, err := r.LookupNS(ctx, name)
			told = append(told, tell("ns "+name, len(ns), err))
			for _, n := range ns {
				told = append(told, tell("ns", *n))
			}
			txt, err := r.LookupTXT(ctx, name)
			told = append(told, tell("txt "+name, txt, err))
			cname, err := r.LookupCNAME(ctx, name)
			told = append(told, tell("cname "+name, cname, err))
			cname, srv, err := r.LookupSRV(ctx, "", "", name)
			told = append(told, tell("srv "+name, cname, len(srv), err))
		}
		cname, srv, err := r.LookupSRV(ctx, "x", "tcp", "test")
		told = append(told, tell("srv", cname, *srv[0], err))
		for _, addr := range []string{"127.0.0.9", "127.0.0.8", "no address"} {
			names, err := r.LookupAddr(ctx, addr)
			told = append(told, tell("addr "+addr, names, err))
		}
		for _, service := range []string{"", "0", "80", "-1", "+80", "65536", "99999999999999999999", "http", "nosuchservice", "8x", "--1"} {
			for _, network := range []string{"tcp", "udp6", "ip", "", "nosuch"} {
				port, err := r.LookupPort(ctx, network, service)
				told = append(told, tell("port "+network+" "+service, port, err))
			}
		}
		return told
	})
}

// TestLookupNil: a nil Resolver is one without options.
func TestLookupNil(t *testing.T) {
	var r *net.Resolver
	if addrs, err := r.LookupHost(t.Context(), "localhost"); len(addrs) == 0 || err != nil {
		t.Errorf("%v, %v", addrs, err)
	}
}

// TestResolveAddr is about the functions that resolve an address.
func TestResolveAddr(t *testing.T) {
	for _, network := range []string{"", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "ip", "ip4", "ip6", "ip4:icmp", "ip:1", "ip4:nosuch", "tcp:1", "unix", "nosuch"} {
		for _, address := range []string{"127.0.0.1:80", "[::1]:http", ":80", "", "localhost:1", "localhost", "127.0.0.1", "::1", "[fe80::1%lo]:80", "1.2.3.4:nosuch", "::", "[::]:1", "0.0.0.0:"} {
			for _, c := range []struct {
				what     string
				std, our func() (stdnet.Addr, error)
			}{
				{"tcp", func() (stdnet.Addr, error) { return stdnet.ResolveTCPAddr(network, address) }, func() (stdnet.Addr, error) { return net.ResolveTCPAddr(network, address) }},
				{"udp", func() (stdnet.Addr, error) { return stdnet.ResolveUDPAddr(network, address) }, func() (stdnet.Addr, error) { return net.ResolveUDPAddr(network, address) }},
				{"ip", func() (stdnet.Addr, error) { return stdnet.ResolveIPAddr(network, address) }, func() (stdnet.Addr, error) { return net.ResolveIPAddr(network, address) }},
				{"unix", func() (stdnet.Addr, error) { return stdnet.ResolveUnixAddr(network, address) }, func() (stdnet.Addr, error) { return net.ResolveUnixAddr(network, address) }},
			} {
				wantAddr, wantErr := c.std()
				addr, err := c.our()
				if want, got := fmt.Sprintf("%#v %s", wantAddr, describe(wantErr)), fmt.Sprintf("%#v %s", addr, describe(err)); !sameAddr(wantAddr, addr) || describe(wantErr) != describe(err) {
					t.Errorf("%s %q %q:\n\tgot  %s\n\twant %s", c.what, network, address, got, want)
				}
			}
		}
	}
}

// sameAddr compares two addresses that may be nil pointers.
func sameAddr(a, b stdnet.Addr) bool {
	return fmt.Sprintf("%T %v", a, a) == fmt.Sprintf("%T %v", b, b)
}
