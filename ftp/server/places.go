package server

import (
	"net/netip"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/runtime"
)

// places are the sessions there are and what they are counted by. The server's mu
// guards them.
type places struct {
	sessions map[*session]netip.Prefix // each with the network it counts for
	networks map[netip.Prefix]int
	users    map[string]*userPlace
	pending  int // sessions in which nobody is logged in

	waiting []runtime.Waiter // who waits for the last session's end
}

// A userPlace is what the sessions of one user share.
type userPlace struct {
	name     string
	sessions int  // the server's mu guards
	calls    gate // those of his own tree, if he has one
}

// add counts a session, or says why there is no room for it.
func (srv *Server) add(s *session) *ftp.Error {
	network := networkOf(s.peer.Addr())
	if s.proxied {
		network = netip.Prefix{} // the client's is not known yet
	}
	if srv.guard.banned(network) {
		return errBanned
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	p := &srv.places
	switch {
	case srv.stopping.Load():
		return errStopping
	case len(p.sessions) >= srv.cfg.MaxSessions || p.pending >= srv.cfg.MaxPending:
		return errFull
	case network.IsValid() && p.networks[network] >= srv.cfg.MaxSessionsPerIP:
		return errFullForYou
	}
	p.sessions[s] = network
	p.networks[network]++
	p.pending++
	return nil
}

// remove forgets a session that has ended. Nobody is logged in any more.
func (srv *Server) remove(s *session) {
	srv.mu.Lock()
	p := &srv.places
	p.uncount(p.sessions[s])
	delete(p.sessions, s)
	p.pending--
	var waiting []runtime.Waiter
	if len(p.sessions) == 0 {
		waiting, p.waiting = p.waiting, nil
	}
	srv.mu.Unlock()
	for _, w := range waiting {
		w.Ready()
	}
}

func (p *places) uncount(network netip.Prefix) {
	if p.networks[network]--; p.networks[network] == 0 {
		delete(p.networks, network)
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

// takeUser counts a session for a user, nil if he has as many as he may.
func (srv *Server) takeUser(name string) *userPlace {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	p := srv.places.users[name]
	if p == nil {
		p = &userPlace{name: name, calls: gate{free: srv.cfg.MaxStoreCalls}}
		srv.places.users[name] = p
	}
	if p.sessions >= srv.cfg.MaxSessionsPerUser {
		return nil
	}
	p.sessions++
	return p
}

func (srv *Server) leaveUser(p *userPlace) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if p.sessions--; p.sessions == 0 {
		delete(srv.places.users, p.name)
	}
}

// countPending counts a session that logs in, -1, or out, 1.
func (srv *Server) countPending(n int) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.places.pending += n
}

// Stats is what a server holds at one moment.
type Stats struct {
	Sessions     int // in all
	Pending      int // of them, those in which nobody is logged in
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
