package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// TestQuota: C061, C073, C094, FIELD B38: a tree holds so much and no more, whatever
// the command; what is given up, cut off, replaced and removed gives room back.
func TestQuota(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) { cfg.Quota = storage.Limits{Bytes: 10, Files: 3} })
		c := f.login()
		use := func(bytes, files int) {
			t.Helper()
			want := fmt.Sprintf("You use %d of 10 bytes and %d of 3 files.", bytes, files)
			if got := c.cmd(200, "SITE QUOTA").Text(); !strings.Contains(got, want) {
				t.Fatalf("%q, want %q", got, want)
			}
		}
		refused := func(content string, lines ...string) {
			t.Helper()
			for _, line := range lines[:len(lines)-1] {
				c.cmd(350, line)
			}
			d := c.begin(lines[len(lines)-1])
			c.write(d, content)
			_ = d.Close()
			if got := c.expect(552).Text(); got != "Quota exceeded." {
				t.Errorf("%q", got)
			}
		}
		use(0, 0)
		c.put("STOR f", "01234567")
		use(8, 1)
		refused("abc", "STOR g")
		refused("abc", "STOU")
		refused("abc", "APPE f")
		refused("abcdef", "REST 5", "STOR f")
		use(8, 1)
		if names := f.names(); len(names) != 1 || f.content("f") != "01234567" {
			t.Errorf("files %q, %q", names, f.content("f"))
		}
		c.put("STOR f", "0123456789") // in the place of the old one
		use(10, 1)
		c.cmd(552, "ALLO 11")
		c.cmd(202, "ALLO 10")
		c.cmd(350, "SITE CPFR f")
		if r := c.cmd(552, "SITE CPTO g"); r.Text() != "Quota exceeded." {
			t.Error(r.Text())
		}
		c.cmd(257, "MKD d")
		c.cmd(257, "MKD d/e")
		c.cmd(552, "MKD d/e/f")
		use(10, 3)
		c.cmd(350, "RNFR f")
		c.cmd(250, "RNTO d/f") // the same tree
		use(10, 3)
		c.cmd(250, "DELE d/f")
		c.cmd(250, "RMD d/e")
		use(0, 1)
		c.cmd(202, "ALLO 10")
		d := c.begin("STOR half")
		c.write(d, "01234")
		c.send("ABOR")
		c.expect(426)
		c.expect(226)
		use(0, 1)
		c.put("STOR whole", "0123456789")
		use(10, 2)

		// Another session of the tree counts with this one.
		other := f.login()
		other.cmd(250, "DELE whole")
		use(0, 1)
		d = c.begin("STOR one")
		c.write(d, "0123456")
		eventually(t, "seven bytes", func() bool {
			return strings.Contains(other.cmd(200, "SITE QUOTA").Text(), "You use 7 of")
		})
		o := other.begin("STOR two")
		other.write(o, "0123456")
		_ = o.Close()
		other.expect(552)
		_ = d.Close()
		c.expect(226)
		use(7, 2)
		if !strings.Contains(f.log.String(), "outcome=quota") {
			t.Error("not in the log")
		}
	})
}

// TestQuotaOfUser: a user's own limits go before the server's, and hold in the user's
// home; what lies there already counts; a session after the last one sees what was done
// beside the server.
func TestQuotaOfUser(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) {
			cfg.Quota = storage.Limits{Bytes: 3, Files: 7}
			cfg.Auth = homes{"/a": 20, "/b": 0}
		})
		for _, home := range []string{"a", "b"} {
			if err := os.Mkdir(filepath.Join(f.root, home), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		f.write("a/old", "0123456789")
		for range 2 {
			c := f.dial()
			c.steps([]step{{331, "USER a", ""}, {230, "PASS x", ""}, {200, "TYPE I", ""}})
			if got := c.cmd(200, "SITE QUOTA").Text(); got != "You use 10 of 20 bytes and 1 of 7 files." {
				t.Errorf("%q", got)
			}
			c.put("STOR new", "0123456789")
			c.cmd(213, "SIZE new")
			if got := c.cmd(213, "AVBL").Text(); got != "0" {
				t.Errorf("%s bytes available", got)
			}
			c.cmd(221, "QUIT")
			c.expectClosed()
			eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
			if err := os.Remove(filepath.Join(f.root, "a/new")); err != nil {
				t.Fatal(err)
			}
		}
		c := f.dial()
		c.steps([]step{{331, "USER b", ""}, {230, "PASS x", ""}, {200, "TYPE I", ""}})
		c.put("STOR f", "012")
		if got := c.cmd(200, "SITE QUOTA").Text(); got != "You use 3 of 3 bytes and 1 of 7 files." {
			t.Errorf("%q", got)
		}
	})
}

// homes are users with a home of their name, and what it may hold.
type homes map[string]int64

func (h homes) Authenticate(_ context.Context, user, _ string, _ auth.Peer) (*auth.Identity, error) {
	bytes, ok := h["/"+user]
	if !ok {
		return nil, auth.ErrDenied
	}
	return &auth.Identity{Name: user, Home: "/" + user, Perms: auth.ReadWrite, MaxBytes: bytes}, nil
}

// TestNoQuota: without one SITE QUOTA says so, and a read-only tree has none.
func TestNoQuota(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		if got := f.login().cmd(200, "SITE QUOTA").Text(); got != "You have no quota." {
			t.Errorf("%q", got)
		}
		f = start(t, e, func(cfg *server.Config) {
			cfg.Root = storage.ReadOnly(storage.NewMem())
			cfg.Quota.Bytes = 1
		})
		c := f.login()
		if got := c.cmd(200, "SITE QUOTA").Text(); got != "You have no quota." {
			t.Errorf("%q", got)
		}
		c.cmd(550, "MKD d")
	})
}
