package server_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// FIELD A20: the log tells a finished upload from a cut one, and how it was cut.
func TestOutcomes(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		for _, tc := range []struct {
			outcome string
			kept    string // of the file, "" for the old one
			run     func(c *client)
			change  func(*server.Config)
		}{
			{"complete", "some", func(c *client) { c.put("STOR f", "some") }, nil},
			{"shorter than ALLO", "some", func(c *client) {
				c.cmd(202, "ALLO 10")
				d := c.begin("STOR f")
				c.write(d, "some")
				d.Close()
				if got := c.expect(226).Text(); !strings.Contains(got, "6 bytes fewer than ALLO said") {
					t.Errorf("%q", got)
				}
			}, nil},
			{"aborted", "", func(c *client) {
				c.write(c.begin("STOR f"), "some")
				c.send("ABOR")
				c.expect(426)
				c.expect(226)
			}, nil},
			{"data lost", "", func(c *client) {
				d := c.begin("STOR f")
				c.write(d, "some")
				_ = d.SetLinger(0)
				d.Close()
				c.expect(426)
			}, nil},
			{"control lost", "", func(c *client) {
				c.write(c.begin("STOR f"), "some")
				c.close()
			}, nil},
			{"stalled", "", func(c *client) {
				c.begin("STOR f")
				c.expect(426)
			}, func(c *server.Config) { c.StallTimeout = 20 * time.Millisecond }},
			{"not connected", "", func(c *client) {
				c.cmd(229, "EPSV")
				c.cmd(150, "STOR f")
				c.expect(425)
			}, func(c *server.Config) { c.DataTimeout = 20 * time.Millisecond }},
			{"too large", "", func(c *client) {
				c.write(c.begin("STOR f"), "some")
				c.expect(552)
			}, func(c *server.Config) { c.MaxFileSize = 3 }},
			{"cut", "", func(c *client) {
				c.cmd(200, "MODE Z")
				d := c.begin("STOR f")
				c.write(d, "x\x9c")
				d.Close()
				c.expect(426)
			}, nil},
			{"damaged", "", func(c *client) {
				c.cmd(200, "MODE Z")
				d := c.begin("STOR f")
				c.write(d, "some")
				d.Close()
				c.expect(451)
			}, nil},
		} {
			change := tc.change
			if change == nil {
				change = func(*server.Config) {}
			}
			f := start(t, e, change)
			f.write("f", "old")
			tc.run(f.login())
			want := `outcome="` + tc.outcome + `"`
			if !strings.Contains(tc.outcome, " ") {
				want = "outcome=" + tc.outcome + " "
			}
			eventually(t, want, func() bool { return strings.Contains(f.log.String(), want) })
			if tc.kept == "" {
				tc.kept = "old"
			}
			if got := f.content("f"); got != tc.kept {
				t.Errorf("%s: %q is kept", tc.outcome, got)
			}
			// FIELD A21. A client that is gone does not wait for it.
			eventually(t, "nothing is left", func() bool { return len(f.names()) == 1 })
		}
	})
}

// write sends data.
func (c *client) write(d io.Writer, data string) {
	c.t.Helper()
	if _, err := io.WriteString(d, data); err != nil {
		c.t.Fatal(err)
	}
}

// FIELD A25: 226 comes after the commit, however long that takes, and the session
// answers meanwhile.
func TestDoneAfterCommit(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		slow := &slowCommit{FS: storage.NewMem(), begun: make(chan struct{}), proceed: make(chan struct{})}
		f := start(t, e, func(c *server.Config) { c.Root = slow })
		c, other := f.login(), f.login()
		d := c.begin("STOR f")
		c.write(d, "x")
		d.Close()
		<-slow.begun
		c.cmd(211, "STAT") // so 226 was not before it
		other.cmd(550, "SIZE f")
		close(slow.proceed)
		c.expect(226)
		other.cmd(213, "SIZE f")
	})
}

// slowCommit tells when a Commit begins, and waits before it goes on.
type slowCommit struct {
	storage.FS
	begun, proceed chan struct{}
}

func (s *slowCommit) Create(path string, mode storage.WriteMode, offset int64) (storage.Upload, error) {
	u, err := s.FS.Create(path, mode, offset)
	return &slowUpload{u, s}, err
}

type slowUpload struct {
	storage.Upload
	s *slowCommit
}

func (u *slowUpload) Commit() error {
	close(u.s.begun)
	<-u.s.proceed
	return u.Upload.Commit()
}

// FIELD A22: an atomic upload makes a new inode and leaves the old one to those
// who have it open, links included, also when it fails.
func TestUploadMakesNewInode(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "old")
		if err := os.Link(filepath.Join(f.root, "f"), filepath.Join(f.root, "link")); err != nil {
			t.Fatal(err)
		}
		c := f.login()
		c.put("STOR f", "new")
		if f.content("link") != "old" || f.content("f") != "new" {
			t.Errorf("link %q, f %q", f.content("link"), f.content("f"))
		}
		c.write(c.begin("STOR f"), "part")
		c.send("ABOR")
		c.expect(426)
		c.expect(226)
		if f.content("f") != "new" {
			t.Errorf("f %q", f.content("f"))
		}
	})
}
