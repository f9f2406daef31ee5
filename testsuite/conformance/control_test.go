package conformance

import (
	"io"
	"os"
	"strings"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Directories, parameters, information, and the control connection itself.
func init() {
	is("C011", 250)
	is("C012", 550)
	is("C013", 550)
	is("C014", 501)
	runs("C015", func(f *fixture) {
		c := f.login()
		c.cmd(250, "CWD dir")
		f.decide(c.cmd(250, "CDUP").Code)
		c.cmd(250, "CDUP")
		c.text(257, "PWD", `"/" is the current directory.`)
	})
	runs("C016", func(f *fixture) {
		f.login().steps("257 XMKD x", "250 XCWD x", "257 XPWD", "250 XCUP", "250 XRMD x")
	})

	for _, id := range []string{"C031", "C032", "C033", "C037", "C041", "C042", "C046"} {
		is(id, 200)
	}
	is("C034", 200)
	is("C035", 504)
	is("C036", 504)
	is("C038", 504)
	is("C039", 501)
	runs("C040", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(501, "TYPE X").Code)
		c.text(213, "SIZE file", "50") // TYPE I was kept
	})
	is("C043", 504)
	is("C044", 504)
	is("C045", 501)
	is("C047", 504)
	is("C048", 504)
	is("C049", 501)

	is("C095", 250)
	is("C096", 550)
	is("C097", 550)
	runs("C098", func(f *fixture) {
		c := f.login()
		c.text(257, "MKD d", `"/d" created.`)
		c.cmd(250, "CWD d")
		c.text(257, `MKD e"`, `"/d/e""" created.`)
	})
	is("C099", 550, "257 MKD d", "MKD d")
	runs("C100", func(f *fixture) { f.login().text(257, `MKD a"b`, `"/a""b" created.`) })
	runs("C101", func(f *fixture) { f.login().text(257, "PWD", `"/" is the current directory.`) })
	is("C102", 250, "257 MKD d", "RMD d")
	is("C103", 550, "RMD dir")
	is("C104", 550)

	is("C088", 350, "RNFR a.txt")
	is("C089", 550)
	is("C090", 503)
	is("C091", 503, "200 NOOP", "RNTO b")
	runs("C092", func(f *fixture) {
		f.decide(f.begin().cmd(250, "RNTO b").Code)
		f.want("b", fifty)
		f.gone("file")
	})
	runs("C093", func(f *fixture) {
		f.decide(f.begin().cmd(550, "RNTO none/b").Code)
		f.want("file", fifty)
	})

	runs("C094", func(f *fixture) {
		c := f.login()
		c.cmd(257, "MKD other")
		before := c.cmd(200, "SITE QUOTA").Text()
		c.cmd(350, "RNFR file")
		f.decide(c.cmd(250, "RNTO other/file").Code)
		if after := c.cmd(200, "SITE QUOTA").Text(); after != before || !strings.Contains(after, "of 1000 bytes") {
			f.Errorf("%q, then %q", before, after)
		}
		f.want("other/file", fifty)
	}, func(c *server.Config) { c.Quota.Bytes = 1000 })
	is("C117", 215)
	runs("C118", func(f *fixture) {
		if r := f.login().cmd(211, "STAT"); len(r.Lines) < 3 {
			f.Errorf("%q", r.Lines)
		}
	})
	is("C119", 212, "213 STAT file", "STAT dir")
	is("C121", 214)
	is("C122", 214)
	is("C123", 504)
	is("C125", 500)
	is("C126", 500, "")
	runs("C127", func(f *fixture) {
		c := f.login()
		for verb := range strings.SplitSeq(f.check.command, "/") {
			f.decide(c.cmd(502, verb+" x").Code)
		}
	})
	is("C128", 226)
	runs("C134", func(f *fixture) {
		c := f.login()
		for _, part := range []string{"P", "W", "D\r", "\n"} {
			c.raw(part)
		}
		c.expect(257)
		c.cmd(200, "NOOP")
	})
	runs("C135", func(f *fixture) {
		c := f.login()
		c.raw("PWD\r\nNOOP\r\n")
		c.expect(257)
		c.expect(200)
	})
	runs("C136", func(f *fixture) {
		c := f.login()
		c.raw("PWD\n")
		c.expect(257)
		c.cmd(200, "NOOP")
	})
	telnet := func(sent, answer string) func(*fixture) {
		return func(f *fixture) {
			c := f.login()
			c.raw(sent + "NOOP\r\n")
			b := make([]byte, len(answer))
			if _, err := io.ReadFull(c.r, b); err != nil || string(b) != answer {
				f.Errorf("%q, %v", b, err)
			}
			c.expect(200)
		}
	}
	runs("C137", telnet("\xff\xfb\x01", "\xff\xfe\x01"))
	runs("C138", telnet("\xff\xfd\x01", "\xff\xfc\x01"))
	runs("C139", func(f *fixture) {
		c := f.login()
		c.cmd(257, "MKD a\xff\xffb")
		if _, err := os.Stat(f.path("a\xffb")); err != nil {
			f.Error(err)
		}
	})
	runs("C140", func(f *fixture) {
		c := f.login()
		c.get("NLST")
		c.cmd(226, "ABOR")
		// What has come between would be read first.
		for range 20 {
			c.text(257, "PWD", `"/" is the current directory.`)
		}
		c.cmd(221, "QUIT")
		c.closed()
	})
	runs("C141", func(f *fixture) {
		c := f.login()
		c.steps("257 MKD x", "257 MKD x/211 end", "257 MKD x/213-more")
		c.cmd(200, "OPTS MLST")
		for line, code := range map[string]string{"FEAT": "211", "HELP": "214", "STAT": "211", "STAT x": "212", "SITE HELP": "214", "MLST file": "250"} {
			c.send(line)
			first := ""
			for n := 0; ; n++ {
				got, err := c.r.ReadString('\n')
				if err != nil {
					f.Fatal(err)
				}
				switch {
				case n == 0:
					first = got
					if !strings.HasPrefix(got, code+"-") {
						f.Errorf("%s begins with %q", line, got)
					}
					continue
				case strings.HasPrefix(got, code+" "):
				case len(got) > 3 && strings.Trim(got[:3], "0123456789") == "":
					f.Errorf("%s has the line %q after %q", line, got, first)
					continue
				default:
					continue
				}
				break
			}
			c.cmd(200, "NOOP")
		}
	})
	runs("C147", func(f *fixture) {
		c := f.login()
		for verb := range strings.FieldsSeq("USER PASS ACCT PORT PASV TYPE MODE STRU RETR STOR APPE RNFR RNTO DELE CWD CDUP RMD MKD PWD LIST NLST SYST STAT HELP NOOP") {
			c.send(verb)
			if r, err := c.reply(); err != nil || r.Code == 500 || r.Code == 502 {
				f.Errorf("%s: %v, %v", verb, r.Code, err)
			}
		}
		c.cmd(221, "QUIT")
	})

	runs("C154", func(f *fixture) {
		lines := f.begin().cmd(211, "FEAT").Lines
		if lines[len(lines)-1] != "End" {
			f.Errorf("%q", lines)
		}
		for _, line := range lines[1 : len(lines)-1] {
			if line[0] != ' ' || line[1] == ' ' || strings.TrimSpace(line) != line[1:] {
				f.Errorf("%q", line)
			}
		}
	})
	is("C155", 501)
	is("C156", 501)
	is("C157", 501)
	runs("C158", func(f *fixture) {
		c := f.begin()
		for _, line := range c.cmd(211, "FEAT").Lines {
			for _, verb := range []string{"AUTH", "PBSZ", "PROT"} {
				if strings.HasPrefix(line, " "+verb) {
					f.Errorf("FEAT lists %q", line)
				}
			}
		}
	})
	for id, feature := range map[string]string{"C087": "REST STREAM", "C177": "UTF8"} {
		runs(id, func(f *fixture) { f.feature(f.login(), feature) })
	}
	runs("C178", func(f *fixture) {
		c := f.login()
		c.steps("257 MKD x", "257 MKD x/caf\u00e9")
		for _, verb := range []string{"LIST", "NLST", "MLSD"} {
			if got := c.get(verb + " x"); !strings.Contains(got, "caf\u00e9\r\n") {
				f.Errorf("%s: %q", verb, got)
			}
		}
	})
	runs("C179", func(f *fixture) {
		c := f.login()
		c.cmd(257, "MKD caf\xe9")
		if _, err := os.Stat(f.path("caf\xe9")); err != nil {
			f.Error(err)
		}
		c.cmd(250, "RMD caf\xe9")
	})
	runs("C180", func(f *fixture) {
		c := f.login()
		c.raw("MKD a\r\x00b\r\n")
		f.decide(c.expect(501).Code)
		c.cmd(200, "NOOP")
	})
	is("C181", 200)
	is("C182", 200, "504 LANG de", "200 LANG EN", "LANG en")
	is("C183", 200)
	is("C184", 504)

	runs("C279", func(f *fixture) {
		c := f.login()
		go func() {
			chunk := strings.Repeat("x", 64<<10)
			for {
				if _, err := io.WriteString(c.conn, chunk); err != nil {
					return
				}
			}
		}()
		if r, err := c.reply(); err == nil {
			f.decide(r.Code)
		}
		f.eventually("the end of the session", func() bool { return f.srv.Sessions() == 0 })
	})
	is("C280", 500, "MKD "+strings.Repeat("x", 5000))
	runs("C281", func(f *fixture) {
		c := f.login()
		c.raw("CWD a\x00b\r\n")
		f.decide(c.expect(501).Code)
		c.cmd(200, "NOOP")
	})
	runs("C282", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(250, f.check.command).Code)
		c.text(257, "PWD", `"/" is the current directory.`)
	})
	runs("C284", func(f *fixture) {
		if got, err := ftp.AppendCommand(nil, "MKD", "a\r\nDELE b"); err != ftp.ErrBadByte || len(got) > 0 {
			f.Errorf("%q, %v", got, err)
		}
	})
}
