package server_test

import (
	"context"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

func TestPASV(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "x")
		c := f.login()
		first, err := ftp.Parse227(c.cmd(227, "PASV").Text()) // C027
		if err != nil || first.Addr().String() != "127.0.0.1" {
			t.Fatalf("%v, %v", first, err)
		}
		second, err := ftp.Parse227(c.cmd(227, "PASV").Text())
		if err != nil || second == first {
			t.Fatalf("%v, %v", second, err)
		}
		if d, err := stdnet.Dial("tcp", first.String()); err == nil { // C029
			d.Close()
			t.Error("the replaced port is still open")
		}
		d := dialData(t, second.String())
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "x" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		if d, err := stdnet.Dial("tcp", second.String()); err == nil {
			d.Close()
			t.Error("the used port is still open")
		}
		c.cmd(425, "RETR f") // C028
		third, err := ftp.Parse227(c.cmd(227, "PASV").Text())
		if err != nil {
			t.Fatal(err)
		}
		c.cmd(226, "ABOR")
		if d, err := stdnet.Dial("tcp", third.String()); err == nil {
			d.Close()
			t.Error("the aborted port is still open")
		}
		// FIELD B10: many of them leave one.
		for range 200 {
			c.cmd(229, "EPSV")
		}
	})
}

func TestEPSV(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		c := start(t, e).login()
		c.steps([]step{
			{229, "EPSV 1", "C160"}, {522, "EPSV 2", "C161"}, {522, "EPSV 9", "C162"}, {501, "EPSV x", ""},
		})
		if got := c.cmd(522, "EPSV 2").Text(); !strings.HasSuffix(got, "(1)") {
			t.Errorf("EPSV 2: %q", got)
		}
		if got := c.cmd(229, "EPSV").Text(); !strings.Contains(got, "(|||") { // C159
			t.Errorf("EPSV: %q", got)
		}
		c.steps([]step{
			{200, "EPSV ALL", "C163"}, {503, "PASV", "C164"}, {503, "PORT 127,0,0,1,20,20", "C164"},
			{503, "EPRT |1|127.0.0.1|5000|", "C164"}, {229, "EPSV", ""},
		})
	})
}

func TestPortArguments(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		start(t, e).login().steps([]step{
			{200, "PORT 127,0,0,1,20,20", "C021"},
			{504, "PORT 127,0,0,2,20,20", "C022"},
			{504, "PORT 169,254,169,254,20,20", "FIELD B3"},
			{504, "PORT 127,0,0,1,3,255", "C023"},
			{501, "PORT 1,2,3,4,5", "C024"},
			{501, "PORT 256,0,0,1,1,1", "C025"},
			{501, "PORT -1,0,0,1,4,1", "C026"},
			{200, "EPRT |1|127.0.0.1|5000|", "C165"},
			{522, "EPRT |2|::1|5000|", "C166"},
			{522, "EPRT |3|x|1|", "C167"},
			{504, "EPRT |1|127.0.0.2|5000|", "C168"},
			{504, "EPRT |1|127.0.0.1|80|", ""},
			{501, "EPRT |1|1.2.3.4|99999|", "C169"},
			{501, "EPRT xyz", "C170"},
			{200, "EPRT !1!127.0.0.1!5000!", "C171"},
		})
	})
}

func TestActive(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "hello")
		c := f.login()
		l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addr := l.Addr().(*stdnet.TCPAddr).AddrPort()
		for _, line := range []string{
			"PORT " + string(ftp.AppendPORT(nil, addr)),
			"EPRT " + string(ftp.AppendEPRT(nil, addr)),
		} {
			c.cmd(200, line)
			c.cmd(150, "RETR f")
			d, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if got := d.RemoteAddr().(*stdnet.TCPAddr).IP.String(); got != "127.0.0.1" { // C142
				t.Errorf("connected from %s", got)
			}
			if b, err := io.ReadAll(d); err != nil || string(b) != "hello" {
				t.Errorf("%q, %v", b, err)
			}
			d.Close()
			c.expect(226)
			c.cmd(425, "RETR f")
		}
		l.Close() // nobody listens any more
		c.cmd(200, "PORT "+string(ftp.AppendPORT(nil, addr)))
		c.cmd(150, "RETR f")
		c.expect(425)
		c.cmd(200, "NOOP")
	})
}

func TestIPv6(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		if l, err := stdnet.Listen("tcp6", "[::1]:0"); err != nil {
			t.Skipf("SKIP: no IPv6 here: %v", err)
		} else {
			l.Close()
		}
		f := startOn(t, e, "[::1]:0")
		f.write("f", "six")
		c := f.login()
		c.steps([]step{
			{522, "PASV", "C030"}, {522, "EPSV 1", ""}, {229, "EPSV 2", ""}, {504, "PORT 127,0,0,1,20,20", ""},
			{522, "EPRT |1|127.0.0.1|5000|", ""},
		})
		if got := c.get("RETR f"); got != "six" {
			t.Errorf("got %q", got)
		}
		l, err := stdnet.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c.cmd(200, "EPRT "+string(ftp.AppendEPRT(nil, l.Addr().(*stdnet.TCPAddr).AddrPort()))) // C166
		c.cmd(150, "RETR f")
		d, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if b, err := io.ReadAll(d); err != nil || string(b) != "six" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
	})
}

// An IPv4 client of a listener for both families is one.
func TestMappedIPv4(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := startOn(t, e, ":0")
		f.addr = strings.Replace(f.addr, "[::]", "127.0.0.1", 1)
		f.write("f", "x")
		c := f.login()
		at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
		if err != nil || at.Addr() != netip.MustParseAddr("127.0.0.1") {
			t.Fatalf("%v, %v", at, err)
		}
		d := dialData(t, at.String())
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "x" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		c.cmd(200, "PORT 127,0,0,1,20,20")
	})
}

// C176: who connects from elsewhere gets nothing and spoils nothing.
func TestPassiveSteal(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "mine")
		c := f.login()
		addr := c.passive()
		thief := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 2)}}
		var thieves []stdnet.Conn
		for range 3 {
			d, err := thief.Dial("tcp", addr)
			if err != nil {
				t.Skipf("SKIP: no second loopback address: %v", err)
			}
			defer d.Close()
			thieves = append(thieves, d)
		}
		d := dialData(t, addr)
		c.cmd(150, "RETR f")
		if b, err := io.ReadAll(d); err != nil || string(b) != "mine" {
			t.Errorf("%q, %v", b, err)
		}
		c.expect(226)
		for _, d := range thieves {
			if b, _ := io.ReadAll(d); len(b) > 0 {
				t.Errorf("another address got %q", b)
			}
		}
	})
}

// C055: a client that never connects keeps its session, and waits not long.
func TestNoDataConnection(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.DataTimeout = 200 * time.Millisecond })
		f.write("f", "x")
		c := f.login()
		c.cmd(229, "EPSV")
		c.cmd(150, "RETR f")
		c.expect(425)
		c.cmd(229, "EPSV")
		c.cmd(150, "STOR g")
		c.expect(425)
		if got := fmt.Sprint(f.names()); got != "[f]" {
			t.Errorf("left %s", got)
		}
		if got := c.get("RETR f"); got != "x" {
			t.Errorf("got %q", got)
		}
	})
}

func TestPublicHost(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.PublicHost = "192.0.2.7" })
		c := f.login()
		at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
		if err != nil || at.Addr().String() != "192.0.2.7" {
			t.Errorf("%v, %v", at, err)
		}
	})
}

func TestConfig(t *testing.T) {
	for _, tc := range []struct {
		field  string
		change func(*server.Config)
	}{
		{"Auth", func(c *server.Config) { c.Auth = nil }},
		{"Root", func(c *server.Config) { c.Root = nil }},
		{"PassivePorts", func(c *server.Config) { c.PassivePorts = server.PortRange{Lo: 10, Hi: 9} }},
		{"PassivePorts", func(c *server.Config) { c.PassivePorts = server.PortRange{Hi: 9} }},
		{"PublicHost", func(c *server.Config) { c.PublicHost = "::1" }},
		{"PublicHost", func(c *server.Config) { c.PublicHost = "0.0.0.0" }},
		{"PublicHost", func(c *server.Config) { c.PublicHost = "1.2.3" }},
		{"PublicHost", func(c *server.Config) { c.PublicHost = "ftp://x" }},
		{"PublicNetworks", func(c *server.Config) { c.PublicNetworks = []server.PublicNetwork{{Host: "a b"}} }},
		{"SharedPorts", func(c *server.Config) { c.SharedPorts = true }},
		{"SharedPorts", func(c *server.Config) {
			c.SharedPorts, c.PassivePorts = true, server.PortRange{Lo: 1024, Hi: 60000}
		}},
		{"SharedPorts", func(c *server.Config) {
			c.SharedPorts, c.PassivePorts = true, server.PortRange{Lo: 2000, Hi: 2001}
			c.FXP = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		}},
	} {
		var cfg server.Config
		twoUsers(&cfg)
		tc.change(&cfg)
		_, err := server.New(cfg)
		if e, ok := err.(*server.ConfigError); !ok || e.Field != tc.field {
			t.Errorf("%v, not an error of %s", err, tc.field)
		}
	}
	for s, want := range map[string]string{
		"2000-3000": "2000-3000", "5-5": "5-5", "0-0": "", "3-2": "", "-": "", "1": "", "1-65536": "", "-1-5": "", "": "",
	} {
		r, err := server.ParsePortRange(s)
		if (err == nil) != (want != "") || err == nil && r.String() != want {
			t.Errorf("ParsePortRange(%q) = %v, %v", s, r, err)
		}
	}
}

// A port in use is a clear error, at once.
func TestListenAndServeInUse(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		var cfg server.Config
		twoUsers(&cfg)
		cfg.Engine = e
		srv, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = srv.ListenAndServe(f.addr)
		if err == nil || os.IsTimeout(err) || !strings.Contains(err.Error(), f.addr) {
			t.Errorf("%v", err)
		}
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
