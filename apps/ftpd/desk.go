package main

import (
	"net/netip"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime/process"
)

// A desk is the one register of all processes. The parent keeps it, who serves nobody and so
// is the last to crash. It is asked many questions at a time.
type desk = process.Service[questions, []verdict]

// questions are those of one process.
type questions struct {
	From int // its number
	All  []question
}

// A question is a call of a server.Register.
type question struct {
	What       method
	Network    netip.Prefix
	Name, User string
}

type method uint8

const (
	enter method = iota
	leave
	mayTry
	failed
	login
	logout
)

// A verdict is the answer.
type verdict struct {
	Verdict   server.Verdict
	Ban, Lock bool
}

// A presence is what one process has been granted and has not given back.
type presence struct {
	sessions int
	networks map[netip.Prefix]int // of sessions
	users    map[string]int
}

// openDesk makes a desk before a register. A process that dies gives back what it was
// granted, but not the failed logins.
func openDesk(r server.Register, b *balance) *desk {
	present := make(map[process.Client]*presence) // used by one call at a time
	return process.NewService(func(from process.Client, q questions) ([]verdict, error) {
		p := present[from]
		if p == nil {
			p = &presence{networks: make(map[netip.Prefix]int), users: make(map[string]int)}
			present[from] = p
		}
		answers := make([]verdict, len(q.All))
		for i, q := range q.All {
			answers[i] = p.ask(r, q)
		}
		b.count(q.From, p.sessions)
		return answers, nil
	}, func(from process.Client) {
		present[from].giveBack(r)
		delete(present, from)
	})
}

// ask asks the register, and notes what it grants.
func (p *presence) ask(r server.Register, q question) (v verdict) {
	switch q.What {
	case enter:
		if v.Verdict = r.Enter(q.Network); v.Verdict == server.Granted {
			p.networks[q.Network]++
			p.sessions++
		}
	case leave:
		p.sessions--
		r.Leave(q.Network)
		uncount(p.networks, q.Network)
	case mayTry:
		v.Verdict = r.MayTry(q.Network, q.Name)
	case failed:
		v.Ban, v.Lock = r.Failed(q.Network, q.Name)
	case login:
		if v.Verdict = r.Login(q.Network, q.Name, q.User); v.Verdict == server.Granted {
			p.users[q.User]++
		}
	case logout:
		r.Logout(q.User)
		uncount(p.users, q.User)
	}
	return v
}

// giveBack gives back all that was granted.
func (p *presence) giveBack(r server.Register) {
	for user, n := range p.users {
		for range n {
			r.Logout(user)
		}
	}
	for network, n := range p.networks {
		for range n {
			r.Leave(network)
		}
	}
}

func uncount[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
