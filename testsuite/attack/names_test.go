package attack_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

// Names that would forge lines or facts of a listing are left out or harmless.
func TestAttack24_ListingNames(t *testing.T) {
	attack(t, func(w *world) {
		names := []string{
			"a\r\nb", "a\nType=dir; forged", "a\rb", "type=dir;", "a; b", " leading", "trailing ", "x\x1b[31m", "-rf", "a\xffb", "é", `q"q`, "tab\tx", "a\x01",
		}
		for _, name := range names {
			w.write("eve/"+name, "x")
		}
		c := w.login("eve")
		sane := func(name string) bool { return !strings.ContainsAny(name, "\r\n") }
		seen := 0
		for line := range strings.SplitSeq(strings.TrimSuffix(c.get("MLSD"), "\r\n"), "\r\n") {
			facts, name, ok := strings.Cut(line, " ")
			if !ok || strings.ContainsAny(line, "\r\n") || !strings.HasSuffix(facts, ";") || !strings.Contains(strings.ToLower(facts), "type=file;") {
				w.Errorf("MLSD: %q", line)
				continue
			}
			seen++
			if got := c.get("RETR " + strings.ReplaceAll(name, "\xff", "\xff\xff")); got != "x" {
				w.Errorf("%q: %q", name, got)
			}
		}
		want := 0
		for _, name := range names {
			if sane(name) {
				want++
			}
		}
		if seen != want {
			w.Errorf("MLSD has %d names, want %d", seen, want)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(c.get("NLST"), "\r\n"), "\r\n") {
			if strings.ContainsAny(line, "\r\n") || w.content("eve/"+line) != "x" {
				w.Errorf("NLST: %q", line)
			}
		}
		lines := strings.Split(strings.TrimSuffix(c.get("LIST"), "\r\n"), "\r\n")
		for _, line := range lines {
			if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, "-rw") {
				w.Errorf("LIST: %q", line)
			}
		}
		if len(lines) < want || len(lines) > len(names) {
			w.Errorf("LIST has %d lines for %d files", len(lines), len(names))
		}
		for _, line := range []string{"STAT /", "MLST a; b", "MLST  leading"} {
			c.cmd(line, 211, 212, 213, 250) // a reply, or the parser fails
		}
	})
}

// STOU, once it is served, gives each upload a name of its own that existed for
// nobody before.
func TestAttack40_UniqueNames(t *testing.T) {
	attackBoth(t, func(w *world) {
		c := w.login("eve")
		if r, _ := c.attempt("STOU", "x"); r.Code == 500 || r.Code == 502 {
			return
		}
		const n = 20
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]bool{}
		for i := range n {
			s := w.login("eve")
			d := w.dialFrom("127.0.0.1", s.passive())
			wg.Go(func() {
				if err := s.try("STOU\r\n"); err != nil {
					w.Error(err)
					return
				}
				begun, err := s.reply()
				if err != nil || begun.Code >= 200 {
					w.Errorf("STOU: %v %s, %v", begun.Code, begun.Text(), err)
					return
				}
				_, _ = io.WriteString(d, fmt.Sprint(i))
				d.Close()
				if r, err := s.reply(); err != nil || r.Code >= 300 {
					w.Errorf("STOU: %v, %v", r, err)
				}
				_, name, ok := strings.Cut(begun.Text(), "FILE: ")
				mu.Lock()
				defer mu.Unlock()
				if !ok || seen[name] || w.content("eve/"+name) != fmt.Sprint(i) {
					w.Errorf("%q: %q", begun.Text(), w.content("eve/"+name))
				}
				seen[name] = true
			})
		}
		wg.Wait()
	})
}

// An upload under way is seen by nobody and in nobody's reach, its owner's
// neither; it leaves nothing when it breaks.
func TestAttack48_TemporaryNames(t *testing.T) {
	attackBoth(t, func(w *world) {
		c, other := w.login("eve"), w.login("eve")
		d := c.begin("STOR upload")
		_, _ = io.WriteString(d, "first half")
		var temp string
		w.eventually("a temporary file", func() bool {
			entries, _ := os.ReadDir(filepath.Join(w.root, "eve"))
			for _, e := range entries {
				temp = e.Name()
			}
			return temp != ""
		})
		for _, verb := range []string{"NLST", "LIST", "MLSD", "NLST -a", "LIST -la", "NLST .*", "LIST " + temp[:4] + "*"} {
			if _, got := other.attempt(verb, ""); strings.Contains(got, temp) || strings.Contains(got, "upload") {
				w.Errorf("%s: %q", verb, got)
			}
		}
		for _, name := range []string{temp, strings.ToUpper(temp), "./" + temp, storage.TempPrefix + "mine"} {
			for _, verb := range []string{"RETR", "STOR", "APPE"} {
				if r, _ := other.attempt(verb+" "+name, "forged"); r.Code < 400 {
					w.Errorf("%s %s: %v", verb, name, r.Code)
				}
			}
			for _, verb := range []string{"SIZE", "MDTM", "MLST", "DELE", "RNFR", "MKD", "CWD"} {
				other.refused(verb + " " + name)
			}
		}
		other.put("STOR f", "x")
		other.cmd("RNFR f", 350)
		other.refused("RNTO " + temp)
		_, _ = io.WriteString(d, ", second half")
		d.Close()
		c.expect(226)
		if got := w.content("eve/upload"); got != "first half, second half" {
			w.Errorf("stored %q", got)
		}
		d = c.begin("STOR broken")
		_, _ = io.WriteString(d, "x")
		_ = d.SetLinger(0)
		d.Close()
		c.expect(426)
		if got := w.names("eve"); got != `["f" "upload"]` {
			w.Errorf("left %s", got)
		}
	})
}
