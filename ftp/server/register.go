package server

import (
	"net/netip"
	"sync"
)

// A Register says who may come in: it counts sessions and remembers failed logins.
// A server has one of its own, unless Config.Register is given: by one that several
// servers ask, of several processes too, limits, bans and locks hold for all of them
// together.
//
// Its methods are called by the tasks of sessions, and may park; but not for long,
// because clients wait. What cannot be asked answers Unanswered. Networks are an IPv4
// address or an IPv6 /64 network each; the zero Prefix is one that is not known (yet),
// to which neither bans nor limits apply.
type Register interface {
	// Enter counts a session, in which nobody is logged in, for a network. Only if it
	// is Granted there will be a Leave.
	Enter(network netip.Prefix) Verdict
	// Leave counts a session out, in which nobody is logged in.
	Leave(network netip.Prefix)

	// MayTry says whether a login with a name may be tried: Granted, Banned or Locked.
	MayTry(network netip.Prefix, name string) Verdict
	// Failed remembers a failed login, and reports whether it made a ban or a lock.
	Failed(network netip.Prefix, name string) (ban, lock bool)

	// Login counts a session of a network as one of a user, who has logged in with a
	// name, beside any user that it is counted for already. Only if it is Granted there
	// will be a Logout.
	Login(network netip.Prefix, name, user string) Verdict
	// Logout is the reverse of Login.
	Logout(user string)
}

// A Verdict is what a Register answers.
type Verdict uint8

// The verdicts. All but Granted are refusals.
const (
	Granted     Verdict = iota
	Banned              // too many failed logins from the network
	Locked              // too many failed logins with the name
	Full                // as many sessions as there may be, in all or without a login
	NetworkFull         // as many as there may be of the network
	UserFull            // as many as there may be of the user
	Unanswered          // the register could not be asked
)

// NewRegister returns a register in memory, with the limits of cfg: MaxSessions,
// MaxSessionsPerIP, MaxSessionsPerUser, MaxPending, BanAfter, BanTime and LockAfter. It
// does not park, and may be used from anywhere.
func NewRegister(cfg Config) Register {
	cfg.completeLimits()
	return &register{
		sessions:   cfg.MaxSessions,
		pending:    cfg.MaxPending,
		perNetwork: cfg.MaxSessionsPerIP,
		perUser:    cfg.MaxSessionsPerUser,
		guard:      newGuard(&cfg),
		present:    presence{networks: make(map[netip.Prefix]int), users: make(map[string]int)},
	}
}

// register is the Register in memory.
type register struct {
	// immutable
	sessions, pending, perNetwork, perUser int // limits

	guard guard

	mu      sync.Mutex // held for a few instructions only
	present presence   // mu guards
}

// presence is who is there.
type presence struct {
	sessions int
	pending  int // of them, those in which nobody is logged in
	networks map[netip.Prefix]int
	users    map[string]int
}

func (r *register) Enter(network netip.Prefix) Verdict {
	if r.guard.banned(network) {
		return Banned
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.present
	switch {
	case p.sessions >= r.sessions || p.pending >= r.pending:
		return Full
	case network.IsValid() && p.networks[network] >= r.perNetwork:
		return NetworkFull
	}
	p.sessions++
	p.pending++
	p.networks[network]++
	return Granted
}

func (r *register) Leave(network netip.Prefix) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.present
	p.sessions--
	p.pending--
	uncount(p.networks, network)
}

func (r *register) MayTry(network netip.Prefix, name string) Verdict {
	switch {
	case r.guard.banned(network):
		return Banned
	case r.guard.locked(network, name):
		return Locked
	}
	return Granted
}

func (r *register) Failed(network netip.Prefix, name string) (ban, lock bool) {
	return r.guard.denied(network, name)
}

func (r *register) Login(network netip.Prefix, name, user string) Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.present
	if p.users[user] >= r.perUser {
		return UserFull
	}
	p.users[user]++
	p.pending--
	r.guard.admitted(network, name)
	return Granted
}

func (r *register) Logout(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.present.pending++
	uncount(r.present.users, user)
}

// uncount takes one off what is counted under a key.
func uncount[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
