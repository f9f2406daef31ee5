package conformance

import (
	"fmt"
	"io"
	stdnet "net"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// How data connections come about: PASV, EPSV, PORT, EPRT.
func init() {
	is("C021", 200, "PORT 127,0,0,1,20,20")
	is("C022", 504, "PORT 127,0,0,2,20,20")
	is("C023", 504, "PORT 127,0,0,1,3,255")
	is("C024", 501)
	is("C025", 501)
	is("C026", 501)
	runs("C027", func(f *fixture) {
		if _, err := ftp.Parse227(f.login().cmd(227, "PASV").Text()); err != nil {
			f.Error(err)
		}
	})
	runs("C028", func(f *fixture) {
		c := f.login()
		seen := map[string]bool{}
		for range 3 {
			at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
			if err != nil || at.Addr().String() != "127.0.0.1" || seen[at.String()] {
				f.Fatalf("%v, %v", at, err)
			}
			seen[at.String()] = true
			d := f.dialData(at.String())
			c.cmd(150, "RETR file")
			if got := f.receive(d); got != fifty {
				f.Errorf("%q", got)
			}
			c.expect(226)
			c.cmd(425, "RETR file") // one PASV, one transfer
		}
	})
	runs("C029", func(f *fixture) {
		c := f.login()
		first, second := c.passive(), c.passive()
		if d, err := stdnet.Dial("tcp", first); err == nil {
			d.Close()
			f.Error("the replaced port is still open")
		}
		f.dialData(second)
		c.cmd(226, "ABOR")
	})
	runs("C030", func(f *fixture) {
		v6 := startOn(f.T, f.engine, f.check, "[::1]:0")
		c := v6.login()
		f.decide(c.cmd(522, "PASV").Code)
		if got := c.get("RETR file"); got != fifty { // by EPSV
			f.Errorf("%q", got)
		}
		c.cmd(522, "EPSV 1")
	})
	is("C054", 425)
	runs("C055", func(f *fixture) {
		c := f.login()
		c.steps("229 EPSV", "150 RETR file")
		c.expect(425)
		if got := c.get("NLST empty"); got != "" {
			f.Errorf("%q", got)
		}
	}, func(c *server.Config) { c.DataTimeout = 100 * time.Millisecond })
	runs("C142", func(f *fixture) {
		c := f.login()
		l, err := stdnet.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			f.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*stdnet.TCPAddr).Port
		c.cmd(200, fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port))
		c.cmd(150, "RETR file")
		d, err := l.Accept()
		if err != nil {
			f.Fatal(err)
		}
		if got := d.RemoteAddr().(*stdnet.TCPAddr).IP.String(); got != "127.0.0.1" {
			f.Errorf("from %s", got)
		}
		if got := f.receive(d); got != fifty {
			f.Errorf("%q", got)
		}
		c.expect(226)
	})
	runs("C159", func(f *fixture) {
		if got := f.login().cmd(229, "EPSV").Text(); !strings.Contains(got, "(|||") {
			f.Errorf("%q", got)
		}
	})
	is("C160", 229)
	runs("C161", func(f *fixture) {
		r := f.begin().cmd(522, "EPSV 2")
		if !strings.HasSuffix(r.Text(), "(1)") {
			f.Errorf("%q", r.Text())
		}
		f.decide(r.Code)
	})
	is("C162", 522)
	is("C163", 200)
	runs("C164", func(f *fixture) {
		c := f.login()
		c.cmd(200, "EPSV ALL")
		for _, line := range []string{"PASV", "PORT 127,0,0,1,20,20", "EPRT |1|127.0.0.1|5000|"} {
			f.decide(c.cmd(503, line).Code)
		}
		c.cmd(229, "EPSV")
	})
	is("C165", 200, "EPRT |1|127.0.0.1|5000|")
	is("C166", 522, "EPRT |2|::1|5000|")
	is("C167", 522)
	is("C168", 504, "EPRT |1|127.0.0.2|5000|")
	is("C169", 501)
	is("C170", 501)
	is("C171", 200, "EPRT !1!127.0.0.1!5000!")
	is("C172", 502, "502 LPSV", "LPRT 4,4,127,0,0,1,2,20,20")
	runs("C175", func(f *fixture) {
		c := f.login()
		sequential, last := 0, 0
		for range 20 {
			at, err := ftp.Parse227(c.cmd(227, "PASV").Text())
			if err != nil {
				f.Fatal(err)
			}
			if int(at.Port()) == last+1 {
				sequential++
			}
			last = int(at.Port())
		}
		if sequential > 10 {
			f.Errorf("%d of 20 ports follow the one before", sequential)
		}
	})
	runs("C176", func(f *fixture) {
		c := f.login()
		addr := c.passive()
		c.cmd(150, "RETR file")
		other := stdnet.Dialer{LocalAddr: &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 2)}}
		thief, err := other.Dial("tcp", addr)
		if err != nil {
			f.Skipf("SKIP: no second loopback address: %v", err)
		}
		defer thief.Close()
		_ = thief.SetDeadline(time.Now().Add(patience))
		if b, err := io.ReadAll(thief); err == nil || len(b) > 0 {
			f.Errorf("the thief got %q, %v", b, err)
		}
		if got := f.receive(f.dialData(addr)); got != fifty {
			f.Errorf("%q", got)
		}
		c.expect(226)
		// The thief alone: nobody comes in time.
		late := start(f.T, f.engine, f.check, func(c *server.Config) { c.DataTimeout = 100 * time.Millisecond })
		c = late.login()
		if thief, err = other.Dial("tcp", c.passive()); err != nil {
			f.Fatal(err)
		}
		defer thief.Close()
		c.cmd(150, "RETR file")
		f.decide(c.expect(425).Code)
	})
	runs("C289", func(f *fixture) {
		one, other := f.login(), f.login()
		port, err := ftp.Parse229(one.cmd(229, "EPSV").Text())
		if err != nil {
			f.Fatal(err)
		}
		// The one port of the range is taken from now on.
		only := server.PortRange{Lo: port, Hi: port}
		full := start(f.T, f.engine, f.check, func(c *server.Config) { c.PassivePorts = only })
		c := full.login()
		c.cmd(425, "EPSV")
		f.decide(c.cmd(425, "PASV").Code)
		c.cmd(200, "NOOP")
		other.cmd(200, "NOOP")
	})
}
