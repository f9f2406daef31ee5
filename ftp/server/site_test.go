package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// TestSITE is about SITE's own commands but those of TestChanges.
func TestSITE(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) { cfg.MaxIdleTimeout = time.Hour })
		f.write("f", "content")
		f.dial().steps([]step{{530, "SITE CPFR /etc/passwd", "C272"}, {530, "SITE HELP", ""}})
		c := f.login()
		help := c.cmd(214, "SITE HELP").Text() // C145
		for row := range ftp.SiteCommands() {
			if !strings.Contains(help, row.Verb) {
				t.Errorf("no %s in %s", row.Verb, help)
			}
			c.cmd(214, "SITE HELP "+strings.ToLower(row.Verb))
		}
		c.steps([]step{
			{504, "SITE HELP BOGUS", ""},
			{200, "SITE IDLE", "C268"},
			{200, "SITE IDLE 600", "C268"},
			{501, "SITE IDLE 0", "C268"},
			{501, "SITE IDLE x", "C268"},
			{502, "SITE SYMLINK a b", "C270"}, // off by default
			{504, "SITE EXEC id", "C273"},
			{504, "SITE DIRSTYLE", "C274"},
			{504, "SITE BOGUS", "C275"},
			{501, "SITE", ""},
			{200, "SITE QUOTA", ""},
			{501, "SITE QUOTA x", ""},
			{257, "SITE MKDIR d", ""},
			{250, "SITE RMDIR d", ""},
			{503, "SITE CPTO g", "C271"},
			{550, "SITE CPFR missing", "C271"},
			{350, "SITE CPFR f", "C271"},
			{200, "NOOP", ""},
			{503, "SITE CPTO g", "C271"},
			{350, "SITE CPFR f", "C271"},
			{200, "SITE IDLE", ""},
			{503, "SITE CPTO g", "C271"},
			{350, "SITE CPFR f", "C271"},
			{550, "SITE CPTO f", "C271"},
			{350, "SITE CPFR f", "C271"},
			{250, "SITE CPTO g", "C271"},
		})
		c.expectText(200, "SITE IDLE 999999", "Idle timeout is 3600 seconds.")
		if got := f.content("g"); got != "content" {
			t.Errorf("copy %q", got)
		}
	})
}

// TestUMASK: C267. It is for what is made, not for what is replaced.
func TestUMASK(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("old", "x")
		c := f.login()
		c.steps([]step{{200, "SITE UMASK", "C267"}, {501, "SITE UMASK 9", "C267"}, {200, "SITE UMASK 027", "C267"}})
		c.expectText(200, "SITE UMASK", "The umask is 027, besides that of the server.")
		c.put("STOR new", "x")
		c.put("STOR old", "y")
		c.cmd(257, "MKD dir")
		for name, want := range map[string]os.FileMode{"new": 0o640, "old": 0o644, "dir": os.ModeDir | 0o750} {
			if got := f.stat(name).Mode(); got != want {
				t.Errorf("%s: %v, not %v", name, got, want)
			}
		}
	})
}

// TestSYMLINK: C270, C283. Where links are allowed they lead to paths of the tree.
func TestSYMLINK(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) { cfg.AllowSymlink = true })
		f.write("f", "content")
		c := f.login()
		c.cmd(257, "MKD a")
		c.cmd(257, "MKD a/b")
		c.steps([]step{
			{200, "SITE SYMLINK /f a/b/link", "C270"},
			{200, "SITE SYMLINK a/b/link top", "C270"},
			{200, "SITE SYMLINK / a/root", "C270"},
			{200, "SITE SYMLINK ../../../../etc/passwd out", "C270"}, // "/etc/passwd" of the tree
			{550, "SITE SYMLINK f top", "C270"},
			{501, "SITE SYMLINK f", "C270"},
		})
		for _, name := range []string{"a/b/link", "top", "a/root/f"} {
			if got := c.get("RETR " + name); got != "content" {
				t.Errorf("%s: %q", name, got)
			}
		}
		c.cmd(229, "EPSV")
		c.cmd(550, "RETR out")
		if target, err := os.Readlink(filepath.Join(f.root, "out")); err != nil || filepath.IsAbs(target) {
			t.Errorf("link to %q, %v", target, err)
		}
	})
}

// TestSTOU: C067 to C069. The name is told in the form that RFC 1123 wants, and is
// another one each time.
func TestSTOU(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		c, other := f.login(), f.login()
		c.cmd(257, "MKD dir")
		c.cmd(250, "CWD dir")
		other.cmd(250, "CWD dir")
		names := make(map[string]bool)
		for _, c := range []*client{c, other, c} {
			d := c.data()
			name, ok := strings.CutPrefix(c.cmd(150, "STOU").Text(), "FILE: ")
			if !ok || names[name] {
				t.Errorf("name %q", name)
			}
			names[name] = true
			if _, err := d.Write([]byte(name)); err != nil {
				t.Fatal(err)
			}
			d.Close()
			c.expect(226)
			if got := c.get("RETR " + name); got != name {
				t.Errorf("%s holds %q", name, got)
			}
		}
		c.cmd(229, "EPSV")
		c.cmd(501, "STOU name") // C069
	})
}

// TestCopyOntoItself: C271. Where uploads are written in place, a copy of a file onto
// itself, by whatever name, must not cut it off.
func TestCopyOntoItself(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		dir := t.TempDir()
		root, err := storage.OpenOSRoot(dir, storage.Options{InPlace: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		f := start(t, e, func(cfg *server.Config) { cfg.Root = root })
		f.root = dir
		f.write("f", "content")
		for _, err := range []error{
			os.Symlink("f", filepath.Join(dir, "link")),
			os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "hard")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c := f.login()
		for _, to := range []string{"f", "link", "hard", "./f"} {
			c.cmd(350, "SITE CPFR f")
			c.cmd(550, "SITE CPTO "+to)
			if got := f.content("f"); got != "content" {
				t.Fatalf("copied to %s: %q is left", to, got)
			}
		}
		c.cmd(350, "SITE CPFR link")
		c.cmd(250, "SITE CPTO other")
		if got := f.content("other"); got != "content" {
			t.Errorf("the copy holds %q", got)
		}
	})
}

// TestCopyLimits: C061, C271. A copy is an upload: it has its limit, exactly, with
// files of the system and with others, and nothing of a larger one is left.
func TestCopyLimits(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		for _, root := range []storage.FS{nil, storage.NewMem()} {
			f := start(t, e, func(cfg *server.Config) { cfg.MaxFileSize, cfg.Root = 10, root })
			c := f.login()
			c.put("STOR ten", "0123456789")
			c.cmd(350, "SITE CPFR ten")
			c.cmd(250, "SITE CPTO copy")
			if got := c.get("RETR copy"); got != "0123456789" {
				t.Errorf("the copy holds %q", got)
			}
		}
		f := start(t, e, func(cfg *server.Config) { cfg.MaxFileSize = 10 })
		f.write("eleven", "0123456789x")
		c := f.login()
		c.cmd(350, "SITE CPFR eleven")
		c.send("SITE CPTO copy")
		c.expect(552)
		if got := f.names(); len(got) != 1 {
			t.Errorf("left %q", got)
		}
	})
}
