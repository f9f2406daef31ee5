package server_test

import (
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// step is a command and the code of its reply, with a conformance row.
type step struct {
	code ftp.Code
	line string
	from string
}

// steps carries them out in turn.
func (c *client) steps(steps []step) {
	c.t.Helper()
	for _, s := range steps {
		c.send(s.line)
		r, err := c.reply()
		if err != nil {
			c.t.Fatalf("%s (%s): %v", s.line, s.from, err)
		}
		if r.Code != s.code {
			c.t.Errorf("%s: %v %s, not %v (%s)", s.line, r.Code, r.Text(), s.code, s.from)
		}
		if row, ok := ftp.Lookup(c.verb); ok && !row.Allows(r.Code) {
			c.t.Errorf("%s: the table does not allow %v", s.line, r.Code)
		}
	}
}

// Everything that takes place on the control connection alone.
func TestControlReplies(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("file", "0123456789")
		f.write("other", "x")
		f.login().steps([]step{
			{257, "PWD", "C101"},
			{257, "XPWD", "C016"},
			{257, "MKD dir", "C098"},
			{550, "MKD dir", "C099"},
			{550, "MKD file", "C099"},
			{550, "MKD none/dir", ""},
			{257, `MKD a"b`, "C100"},
			{257, "XMKD x", "C016"},
			{250, "XRMD x", "C016"},
			{250, "CWD dir", "C011"},
			{250, "CDUP", "C015"},
			{250, "CDUP", "C015"},
			{250, "XCWD dir", "C016"},
			{250, "XCUP", "C016"},
			{550, "CWD missing", "C012"},
			{550, "CWD file", "C013"},
			{501, "CWD", "C014"},
			{250, "CWD ../../..", "C282"},
			{550, "CWD " + strings.Repeat("x/", 2040), "FIELD B20"},
			{501, "CWD a\x00b", "C281"},
			{501, "CDUP x", ""},
			{550, "RMD /", "C104"},
			{550, "RMD file", ""},
			{257, "MKD dir/sub", ""},
			{550, "RMD dir", "C103"},
			{250, "RMD dir/sub", "C102"},

			{200, "TYPE I", "C031"},
			{200, "TYPE A", "C032"},
			{200, "TYPE A N", "C033"},
			{200, "TYPE A T", "C034"},
			{504, "TYPE A C", "C035"},
			{504, "TYPE E", "C036"},
			{200, "TYPE L 8", "C037"},
			{504, "TYPE L 7", "C038"},
			{501, "TYPE L", "C039"},
			{501, "TYPE X", "C040"},
			{213, "SIZE file", "C040: TYPE L 8 was kept"},
			{200, "type i", "C041"},
			{200, "STRU F", "C042"},
			{504, "STRU R", "C043"},
			{504, "STRU P", "C044"},
			{501, "STRU X", "C045"},
			{200, "MODE S", "C046"},
			{504, "MODE B", "C047"},
			{504, "MODE C", "C048"},
			{501, "MODE X", "C049"},

			{202, "ALLO 100", "C070"},
			{202, "ALLO 100 R 10", "C071"},
			{552, "ALLO 9999999999999999999999", "C072"},
			{501, "ALLO -1", "C074"},
			{350, "REST 10", "C075"},
			{501, "REST -1", "C080"},
			{501, "REST 9223372036854775808", "C081"},
			{501, "REST abc", "C082"},
			{200, "TYPE A", ""},
			{504, "REST 10", "C086"},
			{350, "REST 0", "C086"},
			{550, "SIZE file", "C189"},
			{200, "TYPE I", ""},
			{213, "SIZE file", "C188"},
			{550, "SIZE dir", "C190"},
			{550, "SIZE missing", ""},
			{213, "MDTM file", "C185"},
			{550, "MDTM missing", "C186"},
			{213, "MDTM dir", "C187"},
			{213, "MDTM 20200101000000 file", "C245"},

			{503, "RNTO b", "C090"},
			{550, "RNFR missing", "C089"},
			{503, "RNTO b", "C090"},
			{350, "RNFR other", "C088"},
			{200, "NOOP", "C091"},
			{503, "RNTO b", "C091"},
			{350, "RNFR other", ""},
			{550, "RNTO none/b", "C093"},
			{503, "RNTO b", "the failed one used up RNFR"},
			{350, "RNFR other", ""},
			{500, "BOGUS", ""},
			{503, "RNTO b", "a refused line drops RNFR"},
			{350, "RNFR other", ""},
			{250, "RNTO dir/b", "C092"},
			{350, "RNFR dir/b", ""},
			{550, "RNTO dir", "no replacing a directory"},
			{350, "RNFR dir", ""},
			{550, "RNTO dir/inside", "into itself"},
			{250, "DELE dir/b", "C095"},
			{550, "DELE dir", "C096"},
			{550, "DELE missing", "C097"},
			{501, "DELE", "FIELD F: not the user's home"},
			{553, "MKD " + strings.Repeat("n", 256), ""},

			{215, "SYST", "C117"},
			{211, "STAT", "C118"},
			{213, "STAT file", "C119"},
			{212, "STAT dir", "C119"},
			{550, "STAT missing", ""},
			{214, "HELP", "C121"},
			{214, "HELP RETR", "C122"},
			{214, "HELP retr", "C122"},
			{504, "HELP BOGUS", "C123"},
			{200, "NOOP", "C124"},
			{500, "BOGUS", "C125"},
			{500, "", "C126"},
			{502, "MAIL x", "C127"},
			{502, "LPSV", "C172"},
			{425, "STOU", ""},
			{504, "SITE EXEC id", "C273"},
			{502, "AUTH TLS", "C158"},
			{226, "ABOR", "C128"},
			{501, "FEAT arg", "C155"},
			{501, "OPTS BOGUS", "C156"},
			{501, "OPTS", "C157"},
			{200, "OPTS UTF8 ON", "C183"},
			{504, "OPTS UTF8 OFF", "C184"},
			{200, "OPTS MLST size;type;", "C202"},
			{200, "OPTS MLST bogus;", "C204"},
			{200, "OPTS MLST", "C203"},
			{200, "CLNT x", "C276"},
			{250, "MLST file", "C191"},
			{250, "MLST", "C192"},
			{550, "MLST missing", "C193"},
			{202, "ACCT x", "C009"},
		})
	})
}

func TestTexts(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("file", "0123456789")
		c := f.login()
		c.cmd(257, `MKD a"b`)
		c.cmd(250, `CWD a"b`)
		for _, tc := range []struct{ line, want, from string }{
			{"PWD", `"/a""b" is the current directory.`, "C100"},
			{`MKD c"`, `"/a""b/c""" created.`, "C098"},
			{"SIZE ../file", "10", "C188"},
			{"SYST", "UNIX Type: L8", "C117"},
			{"OPTS MLST size;type;", "MLST OPTS type;size;", "C202"},
			{"OPTS MLST", "MLST OPTS", "C203"},
			{"OPTS MLST bogus;", "MLST OPTS", "C204"},
		} {
			c.send(tc.line)
			r, err := c.reply()
			if err != nil || r.Text() != tc.want {
				t.Errorf("%s: %q, %v, not %q (%s)", tc.line, r.Text(), err, tc.want, tc.from)
			}
		}
		feat := c.cmd(211, "FEAT").Text() + "\n"
		for _, want := range []string{"REST STREAM", "EPSV", "EPRT", "MDTM", "SIZE", "TVFS", "UTF8", "CLNT", "MLST type;size;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"} {
			if !strings.Contains(feat, "\n "+want+"\n") {
				t.Errorf("FEAT lacks %q:\n%s", want, feat)
			}
		}
		for _, not := range []string{"AUTH", "PBSZ", "PROT"} { // C158
			if strings.Contains(feat, not) {
				t.Errorf("FEAT lists %s", not)
			}
		}
	})
}

// Names are bytes (C139, C178, C179): what came is what is stored.
func TestNamesAreBytes(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		c := start(t, e).login()
		for _, name := range []string{"café", "caf\xe9", "a b  c ", "-la", "a;b", "*", "\xff\xff", "日本"} {
			onWire := strings.ReplaceAll(name, "\xff", "\xff\xff")
			c.cmd(257, "MKD "+onWire)
			if got := c.get("NLST"); got != name+"\r\n" {
				t.Errorf("made %q, listed %q", name, got)
			}
			c.cmd(250, "CWD "+onWire)
			if got, want := c.cmd(257, "PWD").Text(), `"/`+onWire+`" is`; !strings.HasPrefix(got, want) {
				t.Errorf("%q, not %q", got, want)
			}
			c.cmd(250, "CDUP")
			c.cmd(250, "RMD "+onWire)
		}
	})
}
