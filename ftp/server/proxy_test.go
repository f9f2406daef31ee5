package server_test

import (
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// trusted makes a server trust a proxy at 127.0.0.5.
func trusted(c *server.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.5/32")}
}

// proxied connects by way of the proxy, in the name of another address.
func (f *fixture) proxied(client, reached string) *client {
	f.t.Helper()
	c := newClient(f.t, dialFrom(f.t, "127.0.0.5", f.addr))
	c.raw(fmt.Sprintf("PROXY TCP4 %s %s 4000 21\r\n", client, reached))
	return c
}

// The client that a trusted proxy names is the session's in all: what PASV tells,
// where data comes from and goes to, and what is counted.
func TestProxy(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, trusted, func(c *server.Config) { c.MaxSessionsPerIP, c.BanAfter = 2, 2 })
		f.write("f", "hers")
		c := f.proxied("127.0.0.77", "127.0.0.88")
		c.raw("USER " + testUser + "\r\nPASS " + testPassword + "\r\n") // in the same segment, maybe
		c.expect(220)
		c.expect(331)
		c.expect(230)
		if got := c.told(); got != "127.0.0.88" {
			t.Errorf("PASV told %s", got)
		}
		c.cmd(504, "PORT 127,0,0,5,20,20")
		c.cmd(200, "PORT 127,0,0,77,20,20")
		addr := fmt.Sprintf("127.0.0.1:%d", c.port())
		stranger := dialFrom(t, "127.0.0.5", addr)
		d := dialFrom(t, "127.0.0.77", addr)
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "hers" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		if b, _ := io.ReadAll(stranger); len(b) > 0 {
			t.Errorf("the proxy got %q", b)
		}
		if got := c.cmd(211, "STAT").Text(); !strings.Contains(got, "127.0.0.77") {
			t.Errorf("STAT: %s", got)
		}

		second := f.proxied("127.0.0.77", "127.0.0.88")
		second.expect(220)
		third := f.proxied("127.0.0.77", "127.0.0.88")
		third.expect(421)
		third.expectClosed()
		other := f.proxied("127.0.0.78", "127.0.0.88")
		other.expect(220)
		for _, code := range []int{530, 530} {
			second.cmd(331, "USER x")
			second.send("PASS x")
			if r, err := second.reply(); err != nil || int(r.Code) != code {
				t.Errorf("%v, %v", r, err)
			}
		}
		second.close()
		banned := f.proxied("127.0.0.77", "127.0.0.88")
		banned.expect(421)
		banned.expectClosed()
		other.cmd(200, "NOOP")
		c.close()
		other.close()
		eventually(t, "the end of all sessions", func() bool { return f.srv.Sessions() == 0 })
	})
}

// A trusted proxy must send a header, soon; "unknown" leaves its own address.
func TestProxyHeaderMissing(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, trusted, func(c *server.Config) { c.LoginTimeout = time.Second })
		for _, sent := range []string{"USER alice\r\nPASS x\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 x\r\n", "PROXY TC"} {
			c := newClient(t, dialFrom(t, "127.0.0.5", f.addr))
			c.raw(sent)
			c.expectClosed()
		}
		for _, sent := range []string{"PROXY UNKNOWN\r\n", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"} {
			c := newClient(t, dialFrom(t, "127.0.0.5", f.addr))
			c.raw(sent)
			c.expect(220)
		}
	})
}

// By way of a proxy in front of an IPv4 server comes a client of IPv6.
func TestProxyOtherFamily(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		if l, err := stdnet.Listen("tcp6", "[::1]:0"); err != nil {
			t.Skipf("SKIP: no IPv6 here: %v", err)
		} else {
			l.Close()
		}
		f := start(t, e, trusted)
		f.write("f", "six")
		c := newClient(t, dialFrom(t, "127.0.0.5", f.addr))
		c.raw("PROXY TCP6 ::1 ::1 4000 21\r\n")
		c.expect(220)
		c.cmd(331, "USER "+testUser)
		c.cmd(230, "PASS "+testPassword)
		c.cmd(200, "TYPE I")
		c.cmd(522, "PASV")
		c.cmd(522, "EPSV 1")
		d := dialData(t, fmt.Sprintf("[::1]:%d", c.port()))
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "six" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
	})
}
