package server_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// TestAnyCommand sends every verb there is with arguments that make sense and such
// that do not. Each reply must be one that the table allows, nothing but QUIT may
// end the session, and a second one must answer all the time.
func TestAnyCommand(t *testing.T) {
	var verbs []string
	for row := range ftp.Commands() {
		if row.Busy != ftp.BusyLast {
			verbs = append(verbs, row.Verb)
		}
	}
	for row := range ftp.SiteCommands() {
		verbs = append(verbs, "SITE "+row.Verb)
	}
	for verb := range ftp.UnservedVerbs() {
		verbs = append(verbs, verb)
	}
	args := []string{
		"", " ", "a", "b", "d", "/", "..", "d/x", "-R", "-la d", "*", "[", "a b", `"a"`, "a,b", "\xff\xff", "caf\xe9", "x\x1b[31m",
		"I", "A N", "L 8", "S", "Z", "F", "0", "3", "-1", "9223372036854775808", "1 0", "2 5", "20 10",
		"1", "ALL", "|1|127.0.0.1|9|", "|1|127.0.0.1|5000|", "127,0,0,1,20,20", "127,0,0,1,0,20", "256,0,0,0,0,0",
		"20200101000000 a", "20201301000000 a", "Modify=20200101000000; a", "UNIX.mode=0600;Modify=20200101000000; d", "640 a", "9z9 a",
		"HASH SHA-1", "MODE Z LEVEL 9", "UTF8 ON", "MLST size;", "EN", "de", "x@y", "[::1]", "CHMOD 600 a", "EXEC id", "077",
		strings.Repeat("x", 300), strings.Repeat("d/", 2000), testUser,
	}
	onEngines(t, func(t *testing.T, e server.Engine) {
		var root atomic.Pointer[storage.Mem]
		f := start(t, e, func(c *server.Config) {
			c.RootFor = func(*auth.Identity) (storage.FS, error) { return root.Load().Sub("/") }
			c.MaxLoginAttempts, c.BanAfter = -1, -1
			c.DataTimeout = 2 * time.Millisecond // nobody connects
			c.AllowSymlink = true
		})
		rapid.Check(t, func(rt *rapid.T) {
			root.Store(storage.NewMem())
			beside, c := f.login(), f.login()
			defer beside.close()
			defer c.close()
			c.cmd(257, "MKD d")
			for range rapid.IntRange(1, 30).Draw(rt, "steps") {
				line := rapid.SampledFrom(verbs).Draw(rt, "verb")
				if arg := rapid.SampledFrom(args).Draw(rt, "arg"); arg != "" {
					line += " " + arg
				}
				if rapid.IntRange(0, 3).Draw(rt, "passive") == 0 {
					c.send("EPSV")
					if _, err := c.reply(); err != nil {
						rt.Fatal(err)
					}
				}
				c.send(line)
				verb, _, _ := strings.Cut(line, " ")
				row, known := ftp.Lookup(verb)
				for more := true; more; {
					r, err := c.reply()
					if err != nil {
						rt.Fatalf("%q: %v", line, err)
					}
					more = r.Code.Preliminary()
					if known && !row.Allows(r.Code) || !known && r.Code != 502 && r.Code != 501 || r.Code == 421 {
						rt.Fatalf("%q is answered by %v", line, r.Err())
					}
				}
				beside.cmd(200, "NOOP")
			}
			c.send("REIN")
			if _, err := c.reply(); err != nil {
				rt.Fatal(err)
			}
			c.cmd(331, "USER "+testUser)
			c.cmd(230, "PASS "+testPassword)
			c.cmd(221, "QUIT")
		})
		if strings.Contains(f.log.String(), "panicked") {
			t.Error("a session panicked")
		}
	})
}
