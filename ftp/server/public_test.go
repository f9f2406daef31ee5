package server_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// told returns the address that PASV tells of.
func (c *client) told() string {
	c.t.Helper()
	at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
	if err != nil {
		c.t.Fatal(err)
	}
	return at.Addr().String()
}

// Complaints 6 and 7: by client network, by the address reached, else for all.
func TestPublicNetworks(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := startOn(t, e, "0.0.0.0:0", func(c *server.Config) {
			c.PublicHost = "198.51.100.1"
			c.PublicNetworks = []server.PublicNetwork{
				{Clients: netip.MustParsePrefix("127.0.0.20/32"), Host: "192.0.2.1"},
				{Clients: netip.MustParsePrefix("127.0.0.0/24"), Local: netip.MustParsePrefix("127.0.0.3/32")},
				{Local: netip.MustParsePrefix("127.0.0.4/32"), Host: "192.0.2.2"},
			}
		})
		_, port, _ := strings.Cut(f.addr, ":")
		if strings.HasPrefix(f.addr, "[") {
			port = f.addr[strings.LastIndexByte(f.addr, ':')+1:]
		}
		for _, tc := range []struct{ from, to, told string }{
			{"127.0.0.1", "127.0.0.1", "198.51.100.1"},
			{"127.0.0.20", "127.0.0.1", "192.0.2.1"},
			{"127.0.0.20", "127.0.0.3", "192.0.2.1"},
			{"127.0.0.1", "127.0.0.3", "127.0.0.3"},
			{"127.0.0.1", "127.0.0.4", "192.0.2.2"},
			{"127.0.1.1", "127.0.0.3", "198.51.100.1"},
		} {
			f.addr = tc.to + ":" + port
			if got := f.loginFrom(tc.from).told(); got != tc.told {
				t.Errorf("%s to %s: told %s, want %s", tc.from, tc.to, got, tc.told)
			}
		}
	})
}

// A name is looked up again, once for all who ask, and an address that was good
// outlives a failure. A look-up that hangs holds up who asks and nobody else.
func TestPublicName(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		var lookups atomic.Int32
		var answer atomic.Value // what the resolver says
		hang := make(chan struct{})
		answer.Store("203.0.113.1")
		f := start(t, e, func(c *server.Config) {
			c.PublicHost, c.PublicRefresh = "ftp.example", time.Hour
			c.LookupHost = func(_ context.Context, host string) (netip.Addr, error) {
				if host != "ftp.example" {
					t.Errorf("asked for %s", host)
				}
				lookups.Add(1)
				<-hang
				return netip.ParseAddr(answer.Load().(string))
			}
		})
		a, b, beside := f.login(), f.login(), f.login()
		a.send("PASV")
		eventually(t, "a look-up", func() bool { return lookups.Load() == 1 })
		b.send("PASV")
		beside.cmd(229, "EPSV")
		close(hang)
		for _, c := range []*client{a, b} {
			if got := c.expect(227).Text(); !strings.Contains(got, "203,0,113,1,") {
				t.Errorf("told %s", got)
			}
		}
		answer.Store("203.0.113.2")
		if got := a.told(); got != "203.0.113.1" || lookups.Load() != 1 {
			t.Errorf("told %s after %d look-ups", got, lookups.Load())
		}
	})
}

func TestPublicNameChanges(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		answers := make(chan string, 3)
		f := start(t, e, func(c *server.Config) {
			c.PublicHost, c.PublicRefresh = "ftp.example", time.Nanosecond
			c.LookupHost = func(context.Context, string) (netip.Addr, error) {
				if a := <-answers; a != "" {
					return netip.ParseAddr(a)
				}
				return netip.Addr{}, errors.New("no such host")
			}
		})
		c := f.login()
		for _, a := range []string{"203.0.113.1", "203.0.113.2", ""} {
			answers <- a
			want := a
			if a == "" {
				want = "203.0.113.2"
			}
			if got := c.told(); got != want {
				t.Errorf("told %s, want %s", got, want)
			}
		}
		// The failure stands for a while.
		if got := c.told(); got != "203.0.113.2" {
			t.Errorf("told %s", got)
		}
		if !strings.Contains(f.log.String(), "public host not found") {
			t.Error("the operator is not told")
		}
	})
}

// Without an address there is a clear refusal, quick from the second time on, and
// EPSV still works.
func TestPublicNameUnknown(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		var lookups atomic.Int32
		f := start(t, e, func(c *server.Config) {
			c.PublicHost = "ftp.example"
			c.LookupHost = func(context.Context, string) (netip.Addr, error) {
				lookups.Add(1)
				return netip.IPv6Loopback(), nil // of no use
			}
		})
		f.write("f", "x")
		c := f.login()
		for range 3 {
			c.cmd(425, "PASV")
		}
		if n := lookups.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
		if got := c.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}
