package conformance

import (
	"io"
	stdnet "net"
	"os"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

func abrupt(d *stdnet.TCPConn) {
	_ = d.SetLinger(0)
	d.Close()
}

// small bounds files to a hundred bytes.
func small(c *server.Config) { c.MaxFileSize = 100 }

// RETR, STOR, APPE, STOU, ALLO, and how they end.
func init() {
	runs("C050", func(f *fixture) {
		c := f.login()
		if got := c.get("RETR file"); got != fifty {
			f.Errorf("%q", got)
		}
		c.cmd(200, "NOOP") // no further reply
		f.decide(226)
	})
	runs("C051", func(f *fixture) {
		c := f.login()
		c.refused(550, "RETR missing")
		c.cmd(425, "RETR file")
		f.decide(550)
	})
	runs("C052", func(f *fixture) { f.login().refused(550, "RETR dir") })
	is("C053", 501, "RETR")
	runs("C056", func(f *fixture) {
		c := f.login()
		c.put("STOR new", fifty)
		f.want("new", fifty)
		f.decide(226)
	})
	runs("C057", func(f *fixture) {
		c, other := f.login(), f.login()
		before, err := os.Stat(f.path("file"))
		if err != nil {
			f.Fatal(err)
		}
		d := c.transfer("STOR file")
		if _, err := io.WriteString(d, "new"); err != nil {
			f.Fatal(err)
		}
		if got := other.get("RETR file"); got != fifty {
			f.Errorf("seen before its end: %q", got)
		}
		d.Close()
		c.expect(226)
		f.want("file", "new")
		if after, err := os.Stat(f.path("file")); err != nil || os.SameFile(before, after) {
			f.Errorf("the old inode was written to: %v", err)
		}
	})
	runs("C058", func(f *fixture) { f.login().refused(550, "STOR dir"); f.decide(550) })
	runs("C059", func(f *fixture) {
		if os.Geteuid() == 0 { // root may write everywhere: the reader may not
			f.loginAs(reader).refused(550, "STOR new")
			return
		}
		if err := os.Chmod(f.path("dir"), 0o555); err != nil {
			f.Fatal(err)
		}
		f.login().refused(550, "STOR dir/new")
		f.decide(550)
	})
	runs("C060", func(f *fixture) {
		c := f.login()
		c.put("STOR new", "")
		c.text(213, "SIZE new", "0")
	})
	runs("C061", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR file")
		_, _ = io.WriteString(d, strings.Repeat("x", 101)) // it may be reset
		f.decide(c.expect(552).Code)
		f.want("file", fifty)
		f.gone("")
		c.put("STOR file", strings.Repeat("x", 100))
		d = c.transfer("APPE file")
		_, _ = io.WriteString(d, "x")
		c.expect(552)
		f.want("file", strings.Repeat("x", 100))
		c.cmd(350, "REST 101")
		c.refused(552, "STOR file")
	}, small)
	runs("C062", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR new")
		_, _ = io.WriteString(d, strings.Repeat("x", 1000))
		f.decide(c.expect(452, 426).Code)
		c.cmd(550, "SIZE new")
	}, func(c *server.Config) {
		mem := storage.NewMem()
		mem.SetCapacity(100)
		c.Root = mem
	})
	runs("C063", func(f *fixture) { f.login().put("APPE file", "more"); f.want("file", fifty+"more") })
	runs("C064", func(f *fixture) { f.login().put("APPE new", "more"); f.want("new", "more") })
	runs("C065", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR file")
		if _, err := io.WriteString(d, "some of it"); err != nil {
			f.Fatal(err)
		}
		abrupt(d)
		f.decide(c.expect(426).Code)
		f.want("file", fifty)
		f.gone("")
		if !strings.Contains(f.log.String(), `outcome="data lost"`) {
			f.Error("not in the log")
		}
	})
	runs("C066", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR file")
		if _, err := io.WriteString(d, "some of it"); err != nil {
			f.Fatal(err)
		}
		c.conn.Close()
		f.eventually("the end of the session", func() bool { return f.srv.Sessions() == 0 })
		f.want("file", fifty)
		f.gone("")
		if !strings.Contains(f.log.String(), `outcome="control lost"`) {
			f.Error("not in the log")
		}
	})
	stou := func(c *client, line string) string {
		d := c.open()
		r := c.cmd(150, line)
		name, ok := strings.CutPrefix(r.Text(), "FILE: ")
		if !ok || strings.Contains(name, " ") {
			c.f.Fatalf("%s: %q", line, r.Text())
		}
		c.f.store(d, "unique")
		c.expect(226)
		if got := c.get("RETR " + name); got != "unique" {
			c.f.Errorf("%s: %q", name, got)
		}
		return name
	}
	runs("C067", func(f *fixture) { stou(f.login(), "STOU"); f.decide(226) })
	runs("C068", func(f *fixture) {
		one, two := f.login(), f.login()
		d1, d2 := one.open(), two.open()
		one.send("STOU")
		two.send("STOU")
		a, b := one.expect(150).Text(), two.expect(150).Text()
		if a == b {
			f.Errorf("both are %q", a)
		}
		f.store(d1, "1")
		f.store(d2, "2")
		one.expect(226)
		two.expect(226)
	})
	is("C069", 501, "STOU x")
	is("C070", 202)
	is("C071", 202)
	is("C072", 552)
	runs("C073", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(552, "ALLO 101").Code)
		c.cmd(202, "ALLO 100")
	}, small)
	is("C074", 501)

	runs("C129", func(f *fixture) {
		f.big("big")
		c := f.login()
		d := c.transfer("RETR big")
		c.send("ABOR")
		f.decide(c.expect(426).Code)
		c.expect(226)
		if _, err := io.Copy(io.Discard, d); err == nil {
			f.Error("what was cut off ends like a whole file")
		}
		c.cmd(200, "NOOP")
	})
	runs("C130", func(f *fixture) {
		f.big("big")
		c := f.login()
		c.transfer("RETR big")
		c.urgent("\xff\xf4\xff")
		c.raw("\xf2ABOR\r\n")
		c.expect(426)
		c.expect(226)
		c.cmd(200, "NOOP")
	})
	runs("C131", func(f *fixture) {
		c := f.login()
		c.steps("229 EPSV", "150 STOR new")
		c.send("ABOR")
		f.decide(c.expect(426).Code)
		c.expect(226)
	})
	runs("C132", func(f *fixture) {
		f.big("big")
		c := f.login()
		c.transfer("RETR big")
		c.raw("ABOR\r\nNOOP\r\nPWD\r\n")
		for _, code := range []ftp.Code{426, 226, 200, 257} {
			c.expect(code)
		}
	})
	runs("C133", func(f *fixture) {
		c := f.login()
		for _, line := range []string{"STOR file", "STOR new", "STOU"} {
			d := c.transfer(line)
			if _, err := io.WriteString(d, "some of it"); err != nil {
				f.Fatal(err)
			}
			c.send("ABOR")
			c.expect(426)
			c.expect(226)
		}
		f.want("file", fifty)
		f.gone("new")
		entries, err := os.ReadDir(f.dir)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "stou") {
				f.Errorf("%s is there, %v", e.Name(), err)
			}
		}
	})
	runs("C120", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR new")
		if _, err := io.WriteString(d, "1234567890"); err != nil {
			f.Fatal(err)
		}
		f.eventually("ten bytes", func() bool {
			return strings.Contains(c.cmd(211, "STAT").Text(), "STOR /new, 10 bytes")
		})
		d.Close()
		c.expect(226)
		f.decide(211)
	})
	runs("C285", func(f *fixture) {
		f.big("big")
		c := f.login()
		for _, line := range []string{"RETR big", "STOR new"} {
			c.transfer(line) // and neither reads nor writes
			c.expect(426)
		}
		c.cmd(200, "NOOP")
	}, func(c *server.Config) { c.StallTimeout = 50 * time.Millisecond })
	runs("C283", func(f *fixture) {
		f.login().refused(550, "RETR out")
		f.decide(550)
	})
}

// REST, RANG.
func init() {
	get := func(c *client, want string, before ...string) {
		c.f.Helper()
		d := c.open()
		c.steps(before...)
		c.cmd(150, "RETR file")
		if got := c.f.receive(d); got != want {
			c.f.Errorf("after %q: %q, not %q", before, got, want)
		}
		c.expect(226)
	}
	runs("C075", func(f *fixture) { get(f.login(), fifty[10:], "350 REST 10") })
	runs("C076", func(f *fixture) {
		c := f.login()
		get(c, fifty[10:], "350 REST 10")
		get(c, fifty)
	})
	runs("C077", func(f *fixture) {
		c := f.login()
		get(c, fifty, "350 REST 10", "200 NOOP")
		c.cmd(350, "REST 10")
		get(c, fifty[10:])
	})
	runs("C078", func(f *fixture) { get(f.login(), "", "350 REST 50") })
	runs("C079", func(f *fixture) {
		c := f.login()
		c.cmd(350, "REST 51")
		c.refused(554, "RETR file")
		f.decide(554)
		get(c, fifty)
	})
	is("C080", 501)
	is("C081", 501)
	is("C082", 501)
	runs("C083", func(f *fixture) {
		c := f.login()
		c.cmd(350, "REST 4")
		c.put("STOR file", "XY")
		f.want("file", "0123XY")
	})
	runs("C084", func(f *fixture) {
		c := f.login()
		c.cmd(350, "REST 51")
		c.refused(554, "STOR file")
		f.decide(554)
		f.want("file", fifty)
	})
	runs("C085", func(f *fixture) {
		c := f.login()
		c.cmd(350, "REST 4")
		c.put("APPE file", "XY")
		f.want("file", fifty+"XY")
	})
	is("C086", 504)
	runs("C253", func(f *fixture) {
		c := f.login()
		get(c, fifty[10:20], "350 RANG 10 19")
		get(c, fifty)
		get(c, fifty[45:], "350 RANG 45 9223372036854775806")
		get(c, fifty[:1], "350 RANG 0 0")
		get(c, fifty[4:], "350 RANG 10 19", "350 REST 4")
		c.cmd(350, "RANG 51 60")
		c.refused(554, "RETR file")
		c.cmd(350, "RANG 10 19")
		c.refused(503, "STOR file")
		f.want("file", fifty)
		f.feature(c, "RANG STREAM")
		f.decide(350)
	})
	runs("C254", func(f *fixture) {
		c := f.login()
		c.cmd(350, "RANG 10 19")
		c.text(213, "HASH file", "SHA-256 10-19 "+sum(ftp.HashSHA256, fifty[10:20])+" file")
		c.text(213, "HASH file", "SHA-256 0-49 "+sum(ftp.HashSHA256, fifty)+" file")
	})
	runs("C255", func(f *fixture) { get(f.login(), fifty, "350 RANG 10 19", "350 RANG 1 0") })
	is("C256", 501)
}

// TYPE A, and TYPE I which changes nothing.
func init() {
	down := func(disk, wire string) func(*fixture) {
		return func(f *fixture) {
			c := f.login()
			c.cmd(200, "TYPE A")
			f.write("text", disk)
			if got := c.get("RETR text"); got != wire {
				f.Errorf("%q, not %q", brief(got), brief(wire))
			}
		}
	}
	up := func(wire, disk string) func(*fixture) {
		return func(f *fixture) {
			c := f.login()
			c.cmd(200, "TYPE A")
			c.put("STOR text", wire)
			f.want("text", disk)
		}
	}
	runs("C146", func(f *fixture) {
		up("a\r\nb\r\n", "a\nb\n")(f)
		down("a\nb\n", "a\r\nb\r\n")(f)
	})
	runs("C148", down("a\nb\n\n", "a\r\nb\r\n\r\n"))
	runs("C149", down("a\r\nb\n", "a\r\nb\r\n"))
	runs("C150", func(f *fixture) {
		long := strings.Repeat("x", 32<<10-1) + "\r\n" + strings.Repeat("y", 224<<10-3) + "\r\n\n" + strings.Repeat("\r\n", 64<<10)
		down(long, strings.ReplaceAll(strings.ReplaceAll(long, "\r\n", "\n"), "\n", "\r\n"))(f)
		up(long, strings.ReplaceAll(long, "\r\n", "\n"))(f)
	})
	runs("C151", up("a\rb\r\n", "a\rb\n"))
	runs("C152", up("a\r", "a\r"))
	runs("C153", func(f *fixture) {
		var b strings.Builder
		for i := range 256 {
			b.WriteByte(byte(i))
			b.WriteString("\r\n\n\r")
		}
		c := f.login()
		c.put("STOR bytes", b.String())
		f.want("bytes", b.String())
		if got := c.get("RETR bytes"); got != b.String() {
			f.Errorf("%q", brief(got))
		}
	})
}
