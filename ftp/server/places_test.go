package server_test

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// FIELD B33: those who do not log in leave room for those who have.
func TestMaxPending(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.MaxPending = 2 })
		in := f.login()
		one, two := f.dial(), f.dial()
		over := f.dialRaw()
		over.expect(421)
		over.expectClosed()
		in.cmd(220, "REIN") // pending again
		if got := f.srv.Stats(); got.Pending != 3 || got.Users != 0 {
			t.Errorf("%+v", got)
		}
		one.cmd(331, "USER "+testUser)
		one.cmd(230, "PASS "+testPassword)
		one.cmd(331, "USER "+testUser)
		one.cmd(230, "PASS "+testPassword)
		two.cmd(221, "QUIT")
		two.expectClosed()
		eventually(t, "the end of a session", func() bool { return f.srv.Sessions() == 2 })
		if got := f.srv.Stats(); got.Pending != 1 || got.Users != 1 {
			t.Errorf("%+v", got)
		}
		f.dial()
	})
}

func TestMaxSessionsPerUser(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, twoUsers, func(c *server.Config) { c.MaxSessionsPerUser = 2 })
		login := func(c *client, user string, second int) {
			t.Helper()
			c.cmd(331, "USER "+user)
			c.send("PASS " + user)
			if r, err := c.reply(); err != nil || int(r.Code) != second {
				t.Fatalf("PASS of %s: %v %s, %v", user, r.Code, r.Text(), err)
			}
		}
		a, b, c := f.dial(), f.dial(), f.dial()
		login(a, "writer", 230)
		login(b, "writer", 230)
		login(c, "writer", 530)
		login(c, "reader", 230)
		login(c, "writer", 530)
		c.cmd(257, "PWD") // still the reader
		c.cmd(550, "MKD d")
		login(a, "reader", 230) // gives up the writer's place
		login(c, "writer", 230)
		b.close()
		eventually(t, "the end of a session", func() bool { return f.srv.Sessions() == 2 })
		login(f.dial(), "writer", 230)
	})
}

// FIELD B35: the failures of an address add up over its sessions, and others are
// not concerned.
func TestBan(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.BanAfter, c.BanTime = 4, time.Hour })
		inside, guesser, beside := f.login(), f.dial(), f.loginFrom("127.0.0.9")
		fail := func(c *client, code int) {
			t.Helper()
			c.cmd(331, "USER root")
			c.send("PASS wrong")
			if r, err := c.reply(); err != nil || int(r.Code) != code {
				t.Errorf("%v %s, %v", r.Code, r.Text(), err)
			}
		}
		fail(guesser, 530)
		fail(guesser, 530)
		fail(f.dial(), 530)
		waiting := f.dial()
		fail(f.dial(), 530) // the fourth
		late := f.dialRaw()
		late.expect(421)
		late.expectClosed()
		waiting.cmd(331, "USER "+testUser)
		waiting.cmd(421, "PASS "+testPassword)
		waiting.expectClosed()
		inside.cmd(200, "NOOP")
		beside.cmd(200, "NOOP")
		f.loginFrom("127.0.0.10")
		if log := f.log.String(); strings.Count(log, "msg=banned") != 1 {
			t.Errorf("the ban is not told once:\n%s", log)
		}
	})
}

// A locked name is denied with the right password too, but not where its user
// comes from.
func TestLockAfter(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(c *server.Config) { c.LockAfter, c.BanAfter = 2, -1 })
		f.loginFrom("127.0.0.9")
		c := f.dial()
		for range 2 {
			c.cmd(331, "USER "+testUser)
			c.cmd(530, "PASS wrong")
		}
		c = f.dial()
		c.cmd(331, "USER "+testUser)
		c.cmd(530, "PASS "+testPassword)
		f.loginFrom("127.0.0.9")
	})
}

// hung is a tree whose calls do not return before it is released.
type hung struct {
	storage.FS
	calls   chan<- struct{}
	release <-chan struct{}
}

func (h hung) Stat(path string) (storage.Entry, error) {
	h.calls <- struct{}{}
	<-h.release
	return h.FS.Stat(path)
}

// Complaint 31: a tree whose disk hangs stops nobody but who asks it, and leaves
// threads to the other trees.
func TestHungStore(t *testing.T) {
	const threads, calls, sessions = 4, 2, 8
	for _, e := range []struct {
		name   string
		engine func(t *testing.T) server.Engine
	}{
		{"goroutine", func(*testing.T) server.Engine { return server.Goroutines() }},
		{"task", func(t *testing.T) server.Engine {
			return server.Tasks(runtimetest.NewConfig(t, runtime.Config{Workers: 1, OffloadLimit: threads}))
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			began, hang := make(chan struct{}, sessions), make(chan struct{})
			release := sync.OnceFunc(func() { close(hang) })
			f := start(t, e.engine(t), func(c *server.Config) {
				c.MaxStoreCalls = calls
				c.Auth = users{
					"stuck": {Name: "stuck", Home: "/", Perms: auth.ReadWrite},
					"lucky": {Name: "lucky", Home: "/", Perms: auth.ReadWrite},
				}
				c.RootFor = func(id *auth.Identity) (storage.FS, error) {
					if id.Name == "stuck" {
						return hung{storage.NewMem(), began, hang}, nil
					}
					return storage.NewMem(), nil
				}
			})
			t.Cleanup(release)
			login := func(user string) *client {
				c := f.dial()
				c.cmd(331, "USER "+user)
				c.cmd(230, "PASS "+user)
				return c
			}
			var stuck []*client
			for range sessions {
				stuck = append(stuck, login("stuck"))
			}
			for _, c := range stuck {
				c.send("CWD /")
			}
			for range calls {
				<-began
			}
			lucky := login("lucky")
			lucky.put("STOR f", "x")
			lucky.cmd(200, "TYPE I")
			if got := lucky.get("RETR f"); got != "x" {
				t.Errorf("got %q", got)
			}
			d := lucky.data()
			lucky.cmd(150, "LIST")
			if b, err := io.ReadAll(d); err != nil || len(b) == 0 {
				t.Errorf("%q, %v", b, err)
			}
			lucky.expect(226)
			if n := len(began); n != 0 {
				t.Errorf("%d calls of the stuck tree more than %d", n, calls)
			}
			release()
			for _, c := range stuck {
				c.expect(250)
			}
		})
	}
}
