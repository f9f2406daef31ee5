package attack_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// Paths that climb reach nothing outside of the home, by any command.
func TestAttack20_Traversal(t *testing.T) {
	attack(t, func(w *world) {
		c := w.login("eve")
		climbs := []string{
			"..", "../..", "/..", "/../..", "//..//..", "....", "...", ".../...", "./../.", `..\..`, `\..\..`, `..\/..`, "%2e%2e/%2e%2e", "%252e%252e",
			"..%2f..", "..%00/..", "\xc0\xae\xc0\xae/\xc0\xae\xc0\xae", "\xe0\x80\xae\xe0\x80\xae", "..\xc0\xaf..", "..;/..", "~", "~root", "~alice", "$HOME",
			strings.Repeat("../", 1300) + "..", strings.Repeat("/..", 1300), "x/" + strings.Repeat("../", 20), strings.Repeat("a/../", 800) + "..",
		}
		targets := []string{"outside/secret", "alice/private", "etc/passwd", w.outside[1:] + "/secret"}
		for _, climb := range climbs {
			c.cmd("CWD "+climb, 250, 550, 553, 501)
			c.cmd("CWD /", 250)
			for _, target := range targets {
				p := climb + "/" + target
				if len(p) > 4000 {
					continue
				}
				for _, verb := range []string{"RETR", "SIZE", "MDTM", "MLST", "DELE", "RNFR", "CWD", "RMD", "MLSD", "MKD"} {
					if verb == "MLSD" || verb == "RETR" {
						if r, got := c.attempt(verb+" "+p, ""); r.Code < 400 || strings.Contains(got, secret) {
							w.Errorf("%s %.80q: %v %q", verb, p, r.Code, got)
						}
						continue
					}
					c.refused(verb + " " + p)
				}
				for _, verb := range []string{"STOR", "APPE"} {
					if r, _ := c.attempt(verb+" "+p, "forged"); r.Code < 400 {
						w.Errorf("%s %.80q: %v", verb, p, r.Code)
					}
				}
				c.put("STOR carry", "forged")
				c.cmd("RNFR carry", 350)
				c.refused("RNTO " + p)
			}
		}
		if r := c.cmd("CWD "+strings.Repeat("/d", 2040), 550, 553, 501); strings.Contains(r.Text(), w.root) {
			w.Errorf("the reply tells of the root: %s", r.Text())
		}
		if got := w.content("alice/private"); got != secret {
			w.Errorf("alice's file is %q", got)
		}
	})
}

// Links that lead outside lead nowhere, in the middle of a path too, also while
// somebody exchanges them for directories. FTP makes no links of its own.
func TestAttack21_Symlinks(t *testing.T) {
	attack(t, func(w *world) {
		eve := filepath.Join(w.root, "eve")
		for name, target := range map[string]string{
			"abs": w.outside, "rel": "../../outside", "up": "..", "file": "../../outside/secret", "root": "/", "loop": "loop", "alice": "../alice",
		} {
			if err := os.Symlink(target, filepath.Join(eve, name)); err != nil {
				w.Fatal(err)
			}
		}
		c := w.login("eve")
		for _, p := range []string{
			"abs/secret", "rel/secret", "file", "up/alice/private", "up/../outside/secret", "root" + w.outside + "/secret", "loop/x", "loop",
			"alice/private", "./abs/./secret", "rel/../rel/secret",
		} {
			if r, got := c.attempt("RETR "+p, ""); r.Code < 400 {
				w.Errorf("RETR %s: %v %q", p, r.Code, got)
			}
			c.refused("SIZE " + p)
			if p != "file" { // which STOR replaces: it is eve's own
				if r, _ := c.attempt("STOR "+p, "forged"); r.Code < 400 && p != "loop" {
					w.Errorf("STOR %s: %v", p, r.Code)
				}
			}
		}
		for _, d := range []string{"abs", "rel", "up", "root", "alice"} {
			c.refused("CWD " + d)
			c.refused("MKD " + d + "/x")
			if r, got := c.attempt("MLSD "+d, ""); r.Code < 400 {
				w.Errorf("MLSD %s: %v %q", d, r.Code, got)
			}
			c.put("STOR carry", "forged")
			c.cmd("RNFR carry", 350)
			c.refused("RNTO " + d + "/carried")
		}
		for _, line := range []string{"SITE SYMLINK /etc x", "SITE LINK f x", "SITE LN f x"} {
			c.refused(line)
		}
		if got := w.content("alice/private"); got != secret {
			w.Errorf("alice's file is %q", got)
		}
	})
}

// A directory that becomes a link between the check and the use.
func TestAttack21_SymlinkSwap(t *testing.T) {
	attackBoth(t, func(w *world) {
		eve := filepath.Join(w.root, "eve")
		dir, link := filepath.Join(eve, "d"), filepath.Join(eve, "l")
		for _, d := range []string{"d", "e"} {
			if err := os.Mkdir(filepath.Join(eve, d), 0o755); err != nil {
				w.Fatal(err)
			}
		}
		w.write("eve/d/secret", "harmless")
		if err := os.Symlink(w.outside, link); err != nil {
			w.Fatal(err)
		}
		stop := make(chan struct{})
		var swaps sync.WaitGroup
		swaps.Go(func() {
			spare := filepath.Join(eve, "spare")
			for {
				select {
				case <-stop:
					return
				default:
				}
				// The two change places.
				_, _, _ = os.Rename(dir, spare), os.Rename(link, dir), os.Rename(spare, link)
			}
		})
		stopped := sync.OnceFunc(func() { close(stop); swaps.Wait() })
		defer stopped()
		c := w.login("eve")
		for range 300 {
			c.cmd("CWD /d", 250, 550)
			if _, got := c.attempt("RETR /d/secret", ""); got != "" && got != "harmless" {
				w.Fatalf("got %q", got)
			}
			c.attempt("STOR /d/new", "forged")
			c.attempt("APPE /d/secret", "")
			c.cmd("DELE /d/new", 250, 550)
			c.cmd("CWD /", 250)
		}
		stopped()
	})
}

// There is one resolver: what PWD shows after CWD, what a relative path means and
// what an absolute one means is the same, for any path.
func TestAttack22_OneResolver(t *testing.T) {
	attack(t, func(w *world) {
		for _, d := range []string{"a", "a/b", "a/b/c", "a/ d", `a/\`, "a/..."} {
			if err := os.Mkdir(filepath.Join(w.root, "eve", d), 0o755); err != nil {
				w.Fatal(err)
			}
		}
		c := w.login("eve")
		elements := []string{"a", "b", "c", "..", ".", "", " d", `\`, "...", "~", "*", "%2e%2e"}
		rng := rand.New(rand.NewPCG(22, 1))
		cwd := "/"
		for range 500 {
			var parts []string
			for range 1 + rng.IntN(5) {
				parts = append(parts, elements[rng.IntN(len(elements))])
			}
			arg := strings.Join(parts, "/")
			if arg == "" || strings.TrimSpace(arg) == "" {
				continue
			}
			want, err := ftp.Resolve(cwd, arg)
			if err != nil {
				w.Fatal(err)
			}
			relative := c.cmd("MLST "+arg, 250, 550)
			absolute := c.cmd("MLST "+want, 250, 550)
			if relative.Code != absolute.Code || relative.Code == 250 && relative.Text() != absolute.Text() {
				w.Fatalf("in %q MLST %q and %q differ: %q, %q", cwd, arg, want, relative.Text(), absolute.Text())
			}
			if c.cmd("CWD "+arg, 250, 550).Code == 250 {
				cwd = want
			}
			got, err := ftp.Unquote(c.cmd("PWD", 257).Text())
			if err != nil || got != cwd {
				w.Fatalf("after CWD %q in %q, want %q", arg, got, cwd)
			}
		}
	})
}

// Patterns and options of ls cost no more than the one directory they name.
func TestAttack30_Globs(t *testing.T) {
	fs := &counting{FS: storage.NewMem()}
	attack(t, func(w *world) {
		c := w.login("eve")
		bomb := strings.Repeat("{a,b}", 20)
		for i, pattern := range []string{
			"*/*/*/*", "*/../*/../*/../*", "/*/*/*", strings.Repeat("*", 3000), strings.Repeat("*a", 1000), strings.Repeat("?*", 1000), bomb, bomb + "*",
			"-R", "-R /", "-laR", "-R *", "**", "**/*", strings.Repeat("[a-", 500), "[", `\`, strings.Repeat("[!a]*", 500), strings.Repeat("*/", 1000),
		} {
			for _, verb := range []string{"LIST", "NLST", "STAT"} {
				before := fs.opened.Load()
				if verb == "STAT" {
					c.cmd(verb + " " + pattern)
				} else {
					c.attempt(verb+" "+pattern, "")
				}
				if n := fs.opened.Load() - before; n > 2 {
					w.Errorf("%s %.40q opened %d directories", verb, pattern, n)
				}
			}
			if i%5 == 0 {
				w.alive()
			}
		}
	}, func(c *server.Config) {
		for _, d := range []string{"a", "b", "c"} {
			for _, p := range []string{"/" + d, "/" + d + "/" + d, "/" + strings.Repeat(d, 200)} {
				if err := fs.Mkdir(p); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.RootFor = treeOf("eve", fs)
	})
}

// What is renamed is the name, not what a link that was put there leads to; RNTO
// goes with the RNFR right before it only.
func TestAttack39_RenameSwap(t *testing.T) {
	attack(t, func(w *world) {
		c, other := w.login("eve"), w.login("eve")
		own := filepath.Join(w.root, "eve", "a")
		w.write("eve/a", "mine")
		c.cmd("RNFR a", 350)
		if err := os.Remove(own); err != nil {
			w.Fatal(err)
		}
		if err := os.Symlink("../../outside/secret", own); err != nil {
			w.Fatal(err)
		}
		c.cmd("RNTO b", 250, 550)
		for _, name := range []string{"a", "b"} {
			if r, got := c.attempt("RETR "+name, ""); r.Code < 400 {
				w.Errorf("RETR %s: %q", name, got)
			}
		}

		w.write("eve/c", "mine")
		c.cmd("RNTO d", 503)
		c.cmd("RNFR c", 350)
		c.cmd("NOOP", 200)
		c.cmd("RNTO d", 503)
		c.cmd("RNFR c", 350)
		other.cmd("RNTO d", 503) // another session's RNFR
		other.cmd("DELE c", 250)
		c.refused("RNTO d")
		c.cmd("RNFR missing", 550)
		c.cmd("RNTO d", 503)
		w.write("eve/c", "mine")
		c.cmd("RNFR c", 350)
		c.cmd("RNFR missing", 550)
		c.cmd("RNTO d", 503)
	})
}
