package server_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// Two servers with one register have one set of limits.
func TestRegisterInCommon(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		reg := server.NewRegister(server.Config{MaxSessions: 4, MaxSessionsPerUser: 2, MaxPending: 2})
		ask := func(c *server.Config) { c.Register = reg }
		one, two := start(t, e, twoUsers, ask), start(t, e, twoUsers, ask)
		login := func(f *fixture, user string, code ftp.Code) *client {
			c := f.dial()
			c.cmd(331, "USER "+user)
			c.cmd(code, "PASS "+user)
			return c
		}
		a, b := login(one, "writer", 230), login(two, "writer", 230)
		login(one, "writer", 530).close() // as many of the user as there may be
		eventually(t, "the end of a session", func() bool { return one.srv.Sessions() == 1 })
		p, q := one.dial(), two.dial()
		for _, f := range []*fixture{one, two} {
			over := f.dialRaw() // pending, and all
			over.expect(421)
			over.expectClosed()
		}
		p.close()
		q.close()
		a.cmd(220, "REIN") // gives up the user's place
		eventually(t, "the end of two sessions", func() bool { return one.srv.Sessions()+two.srv.Sessions() == 2 })
		login(two, "writer", 230)
		b.cmd(200, "NOOP")
	})
}

func TestRegisterBansInCommon(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		reg := server.NewRegister(server.Config{BanAfter: 2, BanTime: time.Hour, LockAfter: 2})
		ask := func(c *server.Config) { c.Register = reg }
		one, two := start(t, e, ask), start(t, e, ask)
		two.loginFrom("127.0.0.9")
		for _, f := range []*fixture{one, two} {
			c := f.dial()
			c.cmd(331, "USER "+testUser)
			c.cmd(530, "PASS wrong")
		}
		for _, f := range []*fixture{one, two} {
			c := f.dialRaw()
			c.expect(421)
			c.expectClosed()
			f.loginFrom("127.0.0.9") // the lock is not for where he comes from
			c = newClient(t, dialFrom(t, "127.0.0.10", f.addr))
			c.expect(220)
			c.cmd(331, "USER "+testUser)
			c.cmd(530, "PASS "+testPassword)
		}
	})
}

// silent is a register that does not answer, when it is told not to.
type silent struct {
	mu     sync.Mutex
	enter  server.Verdict
	mayTry server.Verdict
	login  server.Verdict
	loads  int // Enter less Leave
	users  int // Login less Logout
}

func (s *silent) set(enter, mayTry, login server.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enter, s.mayTry, s.login = enter, mayTry, login
}

func (s *silent) Enter(n netip.Prefix) server.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.enter == server.Granted {
		s.loads++
	}
	return s.enter
}

func (s *silent) Leave(netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads--
}

func (s *silent) MayTry(netip.Prefix, string) server.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mayTry
}

func (s *silent) Login(n netip.Prefix, name, user string) server.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.login == server.Granted {
		s.users++
	}
	return s.login
}

func (s *silent) Logout(string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
}

func (s *silent) Failed(netip.Prefix, string) (ban, lock bool) { return false, false }

// Nobody comes in past a register that can't be asked; who is in stays. What was granted
// is given back, and nothing else.
func TestRegisterUnanswered(t *testing.T) {
	const granted, unanswered = server.Granted, server.Unanswered
	onEngines(t, func(t *testing.T, e server.Engine) {
		reg := new(silent)
		f := start(t, e, func(c *server.Config) { c.Register = reg })
		inside := f.login()
		refused := func(c *client) {
			t.Helper()
			c.expect(421)
			c.expectClosed()
		}
		reg.set(unanswered, granted, granted)
		refused(f.dialRaw())
		for _, v := range [][2]server.Verdict{{unanswered, granted}, {granted, unanswered}} {
			reg.set(granted, v[0], v[1])
			c := f.dial()
			c.cmd(331, "USER "+testUser)
			c.send("PASS " + testPassword)
			refused(c)
		}
		inside.cmd(200, "NOOP")
		eventually(t, "the end of the other sessions", func() bool { return f.srv.Sessions() == 1 })
		reg.mu.Lock()
		if reg.loads != 1 || reg.users != 1 {
			t.Errorf("%d sessions and %d users are counted", reg.loads, reg.users)
		}
		reg.mu.Unlock()
		inside.close()
		eventually(t, "the end of the session", func() bool { return f.srv.Sessions() == 0 })
		reg.mu.Lock()
		defer reg.mu.Unlock()
		if reg.loads != 0 || reg.users != 0 {
			t.Errorf("%d sessions and %d users are left", reg.loads, reg.users)
		}
	})
}

// Prepare tells of ports that are taken.
func TestPrepare(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		l, err := e.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		cfg := server.Config{Engine: e, SharedPorts: true, PassivePorts: server.PortRange{Lo: port, Hi: port}}
		twoUsers(&cfg)
		srv, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		if err := srv.Prepare(l); err == nil {
			t.Error("the port is taken")
		}
	})
}
