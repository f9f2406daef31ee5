package server

import (
	"net/netip"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/runtime"
)

// places are the sessions there are, and what they share. The server's mu guards
// them.
type places struct {
	sessions map[*session]struct{}
	users    map[string]*userPlace
	entered  int // sessions that the register has let in
	pending  int // of them, those in which nobody is logged in

	waiting []runtime.Waiter // who waits for the last session's end
}

// A userPlace is what the sessions of one user share.
type userPlace struct {
	name     string
	sessions int  // the server's mu guards
	calls    gate // those of his own tree, if he has one
}

// maxEntering bounds the sessions that the register was not asked about yet: it may be
// slow.
const maxEntering = 4096

// add adds a session, or says why there can't be one more.
func (srv *Server) add(s *session) *ftp.Error {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	p := &srv.places
	switch {
	case srv.stopping.Load():
		return errStopping
	case len(p.sessions)-p.entered >= maxEntering:
		return errFull
	}
	p.sessions[s] = struct{}{}
	return nil
}

// enter counts a session, or says why there is no room for it.
func (srv *Server) enter(s *session) *ftp.Error {
	network := networkOf(s.peer.Addr())
	if s.proxied && !s.entered {
		network = netip.Prefix{} // the client's is not known yet
	}
	srv.leave(s) // what it was counted for before
	if v := srv.cfg.Register.Enter(network); v != Granted {
		return verdicts[v]
	}
	s.entered, s.network = true, network
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.places.entered++
	srv.places.pending++
	return nil
}

// leave is the reverse of enter, for a session in which nobody is logged in any more.
func (srv *Server) leave(s *session) {
	if !s.entered {
		return
	}
	s.entered = false
	srv.cfg.Register.Leave(s.network)
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.places.entered--
	srv.places.pending--
}

// remove forgets a session that has ended.
func (srv *Server) remove(s *session) {
	srv.leave(s)
	srv.mu.Lock()
	p := &srv.places
	delete(p.sessions, s)
	var waiting []runtime.Waiter
	if len(p.sessions) == 0 {
		waiting, p.waiting = p.waiting, nil
	}
	srv.mu.Unlock()
	for _, w := range waiting {
		w.Ready()
	}
}

// networkOf returns what counts as one client: an IPv4 address, or an IPv6 /64
// network, all of which one host can use.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.WithZone("").Prefix(bits) // the zero Prefix for no address
	return p
}

// takeUser counts a session for a user who has given his password, and as what he has
// come; or says why it can't.
func (srv *Server) takeUser(network netip.Prefix, as, name string) (*userPlace, *ftp.Error) {
	if v := srv.cfg.Register.Login(network, as, name); v != Granted {
		return nil, verdicts[v]
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	p := srv.places.users[name]
	if p == nil {
		p = &userPlace{name: name, calls: gate{free: srv.cfg.MaxStoreCalls}}
		srv.places.users[name] = p
	}
	p.sessions++
	srv.places.pending--
	return p, nil
}

// leaveUser is the reverse of takeUser.
func (srv *Server) leaveUser(p *userPlace) {
	srv.cfg.Register.Logout(p.name)
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if p.sessions--; p.sessions == 0 {
		delete(srv.places.users, p.name)
	}
	srv.places.pending++
}

// Stats is what a server holds at one moment.
type Stats struct {
	Sessions     int // in all, those included that are about to be let in or turned away
	Pending      int // of them, those that were let in and in which nobody is logged in
	Users        int // who are logged in
	PassivePorts int // open for one session each, for PASV and EPSV
}

// Stats returns what the server holds. It does not park and may be called from
// anywhere.
func (srv *Server) Stats() Stats {
	srv.mu.Lock()
	p := &srv.places
	s := Stats{Sessions: len(p.sessions), Pending: p.pending, Users: len(p.users)}
	srv.mu.Unlock()
	s.PassivePorts = srv.ports.count()
	return s
}

// Sessions returns the number of sessions.
func (srv *Server) Sessions() int { return srv.Stats().Sessions }
