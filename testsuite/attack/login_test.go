package attack_test

import (
	"context"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
)

// Names that are paths are no names, whatever a user's home is made of.
func TestAttack23_UserNames(t *testing.T) {
	attack(t, func(w *world) {
		before := w.names("")
		for _, name := range []string{
			"../alice", "..", ".", "/", "//", "alice/", "/alice", "eve/../alice", `..\alice`, "alice\x00", "alice\x00eve", "%2e%2e/alice",
			"alice\r", "alice\t", " alice", "alice ", "ALICE", "a\xcc\x81lice", strings.Repeat("a", 4000), "*", "#", "eve:x:/:rw", "$(id)", "`id`", "';--",
		} {
			c := w.dial()
			c.cmd("USER "+name, 331, 501)
			r := c.cmd("PASS "+passwords["alice"], 530, 503)
			if strings.Contains(r.Text(), "alice") {
				w.Errorf("%q: %s", name, r.Text())
			}
			c.cmd("PWD", 530)
			c.close()
		}
		if got := w.names(""); got != before {
			w.Errorf("the root holds %s, had %s", got, before)
		}
	}, func(c *server.Config) { c.BanAfter = -1 })
}

// Neither code nor text tells whether a name exists; that the time does not either
// is tested where the hashes are counted, in package auth
// (TestUnknownUserCostsAHash). bcrypt looks at 72 bytes only: what is longer never
// matches.
func TestAttack34_UserEnumeration(t *testing.T) {
	attack(t, func(w *world) {
		var answers []string
		for _, name := range []string{"eve", "nobody", "root", "anonymous", "ftp", "EVE", strings.Repeat("x", 500)} {
			for _, password := range []string{"", "wrong", passwords["alice"], strings.Repeat("y", 73), strings.Repeat("y", 2000)} {
				c := w.dial()
				user := c.cmd("USER "+name, 331)
				pass := c.cmd("PASS "+password, 530)
				again := c.cmd("PASS "+passwords["eve"], 503)
				answers = append(answers, user.Text()+pass.Text()+again.Text())
				c.cmd("QUIT", 221)
			}
		}
		for _, a := range answers {
			if a != answers[0] {
				w.Fatalf("answers differ: %q, %q", a, answers[0])
			}
		}
		long := w.dial()
		long.cmd("USER eve", 331)
		long.cmd("PASS "+passwords["eve"]+"\x00"+strings.Repeat("z", 100), 501, 530)
		long.cmd("PWD", 530)
	}, func(c *server.Config) { c.BanAfter = -1 })
}

// A password of just 72 bytes is one, and with anything behind it is not.
func TestAttack34_LongPassword(t *testing.T) {
	attack(t, func(w *world) {
		p := passwords["eve"]
		for _, suffix := range []string{"x", strings.Repeat("x", 72-len(p)), strings.Repeat("x", 200)} {
			c := w.dial()
			c.cmd("USER eve", 331)
			c.cmd("PASS "+p+suffix, 530)
		}
	}, func(c *server.Config) { c.BanAfter = -1 })
}

// Failed logins are answered late, end the session, add up over sessions, and get
// the address turned away; other addresses are not concerned.
func TestAttack35_BruteForce(t *testing.T) {
	const delay = 10 * time.Millisecond
	attackBoth(t, func(w *world) {
		tried, refused := 0, false
		began := time.Now()
		for range 20 {
			c := w.connect("127.0.0.66")
			if r := c.expect(220, 421); r.Code == 421 {
				refused = true
				break
			}
			for {
				c.cmd("USER alice", 331)
				tried++
				if r := c.cmd("PASS guess", 530, 421); r.Code == 421 {
					break
				}
			}
			c.closed()
		}
		if !refused || tried != 6 {
			w.Errorf("%d guesses, turned away: %v", tried, refused)
		}
		if took := time.Since(began); took < time.Duration(tried)*delay {
			w.Errorf("%d guesses took %v", tried, took)
		}
		w.loginFrom("127.0.0.67", "alice")
		if !strings.Contains(w.log.String(), "msg=banned") {
			w.Error("the operator is not told")
		}
	}, func(c *server.Config) { c.LoginDelay, c.BanAfter = delay, 6 })
}

// Guesses that are sent all at once are no more than the limit and those under way
// when it was reached.
func TestAttack35_ParallelGuesses(t *testing.T) {
	const limit, guesses = 5, 100
	attackBoth(t, func(w *world) {
		counted := countedAuth.Load()
		before := counted.calls.Load()
		var all []*client
		for range guesses {
			c := w.dialAs("127.0.0.66")
			c.cmd("USER alice", 331)
			all = append(all, c)
		}
		for _, c := range all {
			c.send("PASS guess")
		}
		w.eventually("all guesses", func() bool { return strings.Count(w.log.String(), "PASS ****") == guesses+1 })
		counted.release()
		for _, c := range all {
			c.expect(530, 421)
		}
		if n, most := counted.calls.Load()-before, int32(limit+2*goruntime.GOMAXPROCS(0)); n > most {
			w.Errorf("%d guesses were checked, want at most %d", n, most)
		}
	}, func(c *server.Config) {
		counted := &countedChecks{Authenticator: c.Auth, hang: make(chan struct{})}
		counted.release = sync.OnceFunc(func() { close(counted.hang) })
		countedAuth.Store(counted)
		t.Cleanup(counted.release)
		c.Auth, c.BanAfter = counted, limit
	})
}

var countedAuth atomic.Pointer[countedChecks]

// countedChecks counts the logins that are checked, alice's when they are
// released.
type countedChecks struct {
	auth.Authenticator
	hang    chan struct{}
	release func()
	calls   atomic.Int32
}

func (c *countedChecks) Authenticate(ctx context.Context, user, password string, from auth.Peer) (*auth.Identity, error) {
	c.calls.Add(1)
	if user == "alice" {
		<-c.hang
	}
	return c.Authenticator.Authenticate(ctx, user, password, from)
}

// Hashes are computed few at a time, whatever the number of those who log in, and
// who is logged in does not wait for them.
func TestAttack36_HashCost(t *testing.T) {
	const clients = 50
	attackBoth(t, func(w *world) {
		slow := slowAuth.Load()
		var all []*client
		for range clients {
			c := w.dial()
			c.cmd("USER eve", 331)
			c.send("PASS wrong")
			all = append(all, c)
		}
		w.eventually("a hash", func() bool { return slow.running.Load() > 0 })
		w.alive()
		slow.release()
		for _, c := range all {
			c.expect(530)
		}
		if most, bound := slow.most.Load(), int32(2*goruntime.GOMAXPROCS(0)); most > bound {
			w.Errorf("%d hashes at a time, want at most %d", most, bound)
		}
	}, func(c *server.Config) {
		slow := &slowHash{Authenticator: c.Auth, hang: make(chan struct{})}
		slow.release = sync.OnceFunc(func() { close(slow.hang) })
		slowAuth.Store(slow)
		t.Cleanup(slow.release)
		c.Auth, c.BanAfter = slow, -1
	})
}

var slowAuth atomic.Pointer[slowHash]

// slowHash lets eve's logins wait, as a costly hash does, and counts them.
type slowHash struct {
	auth.Authenticator
	hang          chan struct{}
	release       func()
	running, most atomic.Int32
}

func (s *slowHash) Authenticate(ctx context.Context, user, password string, from auth.Peer) (*auth.Identity, error) {
	if user != "eve" {
		return s.Authenticator.Authenticate(ctx, user, password, from)
	}
	n := s.running.Add(1)
	defer s.running.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	<-s.hang
	return nil, auth.ErrDenied
}

// REIN and another login leave nothing of the user before: no root, directory,
// rights, port, offset or name to be renamed, and no place in the limits.
func TestAttack45_UserSwitch(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/mine", "eve's")
		for rein, change := range map[bool]func(c *client){
			true:  func(c *client) { c.cmd("REIN", 220); c.pass("guest") },
			false: func(c *client) { c.pass("guest") },
		} {
			c := w.login("eve")
			c.cmd("MKD d", 257, 550)
			c.cmd("CWD d", 250)
			addr := c.passive()
			c.cmd("REST 3", 350)
			change(c)
			if d, err := w.tryDial(addr); err == nil {
				d.Close()
				if rein {
					w.Error("the port of before is open after REIN")
				}
			}
			if got := c.cmd("PWD", 257).Text(); !strings.HasPrefix(got, `"/" `) {
				w.Errorf("the new user is in %s", got)
			}
			c.refused("SIZE /mine")
			c.refused("RETR /mine")
			c.refused("MKD /x")
			c.refused("CWD /d")
			c.refused("CWD /../eve")
			c.cmd("REIN", 220)
			c.pass("eve")
			c.cmd("RNFR mine", 350)
			change(c)
			c.cmd("RNTO stolen", 503, 550)
			if w.content("eve/mine") != "eve's" || w.names("guest") != "[]" {
				w.Errorf("eve has %s, guest has %s", w.names("eve"), w.names("guest"))
			}
			c.cmd("QUIT", 221)
			c.closed()
			w.alone()
		}
		if got := w.srv.Stats(); got.Users != 1 || got.Pending != 0 {
			w.Errorf("left: %+v", got)
		}
	})
}

// The log never holds a password, wherever it was typed.
func TestPasswordNeverLogged(t *testing.T) {
	attackBoth(t, func(w *world) {
		p := passwords["eve"]
		w.write("eve/f", strings.Repeat("x", 1<<20))
		for _, lines := range []string{
			"USER eve\r\nPASS %\r\n", "USER eve\r\npass %\r\n", "USER eve\r\nPaSs  %\r\n", "USER eve\r\nPASS % \r\n", "USER eve\r\nPASS -%\r\n",
			"PASS %\r\n", "USER nobody\r\nPASS %\r\n", "USER eve\r\nPAS %\r\n", "USER eve\r\nPASSS %\r\n", "USER eve\r\nPASS%\r\n", "USER eve\r\n PASS %\r\n",
			"USER eve\r\n%\r\n", "USER eve\r\nPASS %\x00\r\n", "USER eve\r\nPASS \x00%\r\n", "USER eve\r\nPASS %\r%\r\n", "USER eve\r\nPASS\t%\r\n",
			"USER eve\r\nXPASS %\r\n", "USER eve\nPASS %\n", "USER eve\r\nACCT %\r\n", "USER eve\r\nPASS %\r\nACCT %\r\n", "USER eve\r\nPASS %\r\nSITE PSWD % %\r\n",
			"USER eve\r\nPASS %\r\nUSER eve\r\nPASS %x\r\n", "USER eve\r\n\xff\xf4\xff\xf2PASS %\r\n", "USER eve\r\nPASS %" + strings.Repeat("y", 5000) + "\r\n",
			"USER eve\r\nPASS " + strings.Repeat("y", 5000) + "%\r\n", "USER eve\r\nPASS %", "AUTH %\r\n", "ADAT %\r\n",
		} {
			c := w.dial()
			c.raw(strings.ReplaceAll(lines, "%", p) + "\r\nQUIT\r\n")
			_ = c.conn.CloseWrite()
			c.closed()
			c.close()
		}
		c := w.login("eve")
		d := c.begin("RETR f")
		c.raw("PASS " + p + "\r\nACCT " + p + "\r\nPASSWORD " + p + "\r\n") // in a transfer
		d.Close()
		c.expect(226, 426)
		for range 3 {
			c.expect()
		}
		w.checkLog()
	}, func(c *server.Config) { c.BanAfter, c.MaxLoginAttempts = -1, -1 })
}
