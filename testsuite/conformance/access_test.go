package conformance

import (
	"context"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Greeting, login, logout, HOST, and what ends a session.
func init() {
	runs("C001", func(f *fixture) {
		c := f.dialRaw()
		f.decide(c.expect(220).Code)
		c.cmd(221, "QUIT")
	})
	is("C002", 331, "USER "+user)
	runs("C003", func(f *fixture) {
		c := f.dial()
		known, unknown := c.cmd(331, "USER "+user), c.cmd(331, "USER nobody")
		if known.Text() != unknown.Text() {
			f.Errorf("%q, %q", known.Text(), unknown.Text())
		}
		f.decide(unknown.Code)
	})
	is("C004", 501)
	is("C005", 230, "PASS "+user)
	runs("C006", func(f *fixture) {
		c := f.begin()
		known := c.cmd(530, "PASS bad")
		c.cmd(331, "USER nobody")
		if unknown := c.cmd(530, "PASS bad"); unknown.Text() != known.Text() {
			f.Errorf("%q, %q", known.Text(), unknown.Text())
		}
		f.decide(known.Code)
	})
	is("C007", 503)
	runs("C008", func(f *fixture) {
		c := f.loginAs(reader)
		f.decide(c.cmd(331, "USER "+user).Code)
		c.steps("550 MKD d", "530 PASS bad", "550 MKD d", "331 USER "+user, "230 PASS "+user, "257 MKD d", "331 USER "+reader, "257 MKD e")
	})
	is("C009", 202)
	runs("C010", func(f *fixture) {
		c := f.dial()
		open := map[string]bool{}
		for verb := range strings.FieldsSeq("USER PASS AUTH PBSZ PROT FEAT HELP HOST NOOP QUIT SYST CLNT OPTS") {
			open[verb] = true
		}
		for row := range ftp.Commands() {
			if open[row.Verb] || row.Verb == "CCC" { // which is 503 before AUTH: RFC 2228
				continue
			}
			r := c.cmd(530, row.Verb+" x")
			f.decide(r.Code)
		}
		for row := range ftp.SiteCommands() {
			c.cmd(530, "SITE "+row.Verb+" x")
		}
		for verb, arg := range map[string]string{"FEAT": "", "HELP": "", "HOST": "x", "NOOP": "", "SYST": "", "CLNT": "x", "OPTS": "UTF8 ON"} {
			c.send(strings.TrimSpace(verb + " " + arg))
			if r, err := c.reply(); err != nil || !r.Code.Completed() {
				f.Errorf("%s: %v, %v", verb, r.Code, err)
			}
		}
	})
	is("C017", 502)
	runs("C018", func(f *fixture) {
		c := f.login()
		c.steps("250 CWD dir", "200 MODE Z", "200 OPTS HASH MD5", "200 EPSV ALL", "350 RNFR x")
		f.decide(c.cmd(220, "REIN").Code)
		c.steps("530 PWD", "331 USER "+user, "230 PASS "+user)
		c.text(257, "PWD", `"/" is the current directory.`)
		c.text(200, "OPTS HASH", "SHA-256")
		c.steps("227 PASV", "503 RNTO y", "550 SIZE file") // 550: TYPE A again
		if got := c.get("RETR file"); got != fifty {
			f.Errorf("in MODE S: %q", brief(got))
		}
	})
	runs("C019", func(f *fixture) {
		c := f.dial()
		f.decide(c.cmd(221, "QUIT").Code)
		c.closed()
	})
	runs("C020", func(f *fixture) {
		f.big("big")
		c := f.login()
		d := c.transfer("RETR big")
		c.send("QUIT")
		if n := len(f.receive(d)); n != bigSize {
			f.Errorf("%d bytes", n)
		}
		f.decide(c.expect(226).Code)
		c.expect(221)
		c.closed()
	})
	is("C124", 200)
	runs("C143", func(f *fixture) {
		c := f.dial()
		f.decide(c.expect(421).Code)
		c.closed()
		start(f.T, f.engine, f.check).login().text(200, "SITE IDLE", "Idle timeout is 300 seconds.")
	}, func(c *server.Config) { c.IdleTimeout = 100 * time.Millisecond })
	runs("C144", func(f *fixture) {
		c := f.login()
		d := c.transfer("STOR new")
		f.dial().expect(421) // when the timeout has passed
		f.store(d, "x")
		c.expect(226)
		f.want("new", "x")
		c.cmd(200, "NOOP")
		c.expect(421)
	}, func(c *server.Config) { c.IdleTimeout = time.Second })
	runs("C173", func(f *fixture) {
		c := f.dial()
		c.steps("331 USER "+user, "530 PASS bad", "331 USER nobody", "530 PASS bad", "331 USER "+user)
		f.decide(c.cmd(421, "PASS bad").Code)
		c.closed()
	})

	known := func(c *server.Config) { c.Hosts = map[string]*server.Host{"ftp.example.org": {}, "[::1]": {}} }
	runs("C232", func(f *fixture) {
		c := f.dial()
		f.decide(c.cmd(220, "HOST FTP.example.org").Code)
		c.steps("220 HOST ftp.example.org.", "331 USER "+user, "230 PASS "+user)
	}, known)
	runs("C233", func(f *fixture) {
		c := f.dial()
		f.decide(c.cmd(504, "HOST other.example").Code)
		c.cmd(331, "USER "+user)
	}, known)
	runs("C234", func(f *fixture) {
		c := f.begin()
		f.decide(c.cmd(503, "HOST x").Code)
		c.steps("230 PASS "+user, "503 HOST x", "220 REIN", "220 HOST x")
	})
	is("C235", 501)
	runs("C236", func(f *fixture) {
		c := f.dial()
		f.decide(c.cmd(220, "HOST [::1]").Code)
		c.steps("504 HOST [::2]", "501 HOST ::1", "501 HOST [x]")
	}, known)
	runs("C238", func(f *fixture) { f.feature(f.begin(), "HOST") })
	is("C276", 200)
	runs("C278", func(f *fixture) {
		c := f.login()
		if got := c.cmd(200, "CSID Name=test;Version=1;").Text(); !strings.HasPrefix(got, "Name=Weft;") {
			f.Errorf("CSID: %q", got)
		}
		c.steps("502 DSIZ dir", "502 RMDA dir")
		f.decide(c.cmd(502, "THMB png 1 1 file").Code)
	})
	runs("C287", func(f *fixture) {
		c := f.dial()
		c.raw("USER x\x1b[31m\nfake\r\n") // two lines
		c.expect(331)
		c.expect(500)
		c.cmd(530, "PASS x")
		log := f.log.String()
		if strings.Contains(log, "\x1b") || strings.Contains(log, "\nfake") || !strings.Contains(log, `x\\x1b[31m`) {
			f.Errorf("%s", log)
		}
	})
	runs("C288", func(f *fixture) {
		one := f.login()
		c := f.dialRaw()
		f.decide(c.expect(421).Code)
		c.closed()
		one.cmd(200, "NOOP")
	}, func(c *server.Config) { c.MaxSessions = 1 })
	runs("C290", func(f *fixture) {
		f.big("big")
		c, idle := f.login(), f.login()
		d := c.transfer("RETR big")
		done := make(chan error, 1)
		go func() { done <- f.srv.Shutdown(context.Background()) }()
		idle.expect(421)
		idle.closed()
		if n := len(f.receive(d)); n != bigSize {
			f.Errorf("%d bytes", n)
		}
		c.expect(226)
		f.decide(c.expect(421).Code)
		c.closed()
		if err := <-done; err != nil {
			f.Error(err)
		}
	})
}

// feature fails unless FEAT lists a line, and returns the whole line that begins
// with it.
func (f *fixture) feature(c *client, begin string) string {
	f.Helper()
	lines := c.cmd(211, "FEAT").Lines
	for _, line := range lines[1 : len(lines)-1] {
		if line == " "+begin || strings.HasPrefix(line, " "+begin+" ") {
			return line[1:]
		}
	}
	f.Errorf("FEAT lacks %q: %q", begin, lines)
	return ""
}
