package main

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

// A desk is the one register of all processes. The parent keeps it, who serves nobody and so
// is the last to crash.
type desk = process.Service[question, verdict]

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
	networks map[netip.Prefix]int // of sessions
	users    map[string]int
}

// openDesk makes a desk before a register. A process that dies gives back what it was
// granted, but not the failed logins.
func openDesk(r server.Register) *desk {
	present := make(map[process.Client]presence) // used by one call at a time
	return process.NewService(func(from process.Client, q question) (v verdict, err error) {
		p, known := present[from]
		if !known {
			p = presence{make(map[netip.Prefix]int), make(map[string]int)}
			present[from] = p
		}
		switch q.What {
		case enter:
			if v.Verdict = r.Enter(q.Network); v.Verdict == server.Granted {
				p.networks[q.Network]++
			}
		case leave:
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
		return v, nil
	}, func(from process.Client) {
		p := present[from]
		delete(present, from)
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
	})
}

func uncount[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// deskPatience is how long a session waits for an answer of the desk, which otherwise comes
// in some ten microseconds. Without one nobody is let in; who is in stays.
const deskPatience = 5 * time.Second

// A counter is the desk as a process that serves sees it: its server.Register.
type counter struct {
	desk *desk
	log  *slog.Logger

	mu   sync.Mutex // held for a few instructions only
	told time.Time  // mu guards: when it was last logged that there is no answer
}

// ask asks the desk. undo is what to tell it if it grants something after nobody has waited
// for that any more.
func (c *counter) ask(q question, undo method) verdict {
	v, err := c.desk.CallUntil(runtime.Now().Add(deskPatience), q, func(v verdict) {
		if undo != 0 && v.Verdict == server.Granted {
			q.What = undo
			_ = c.desk.Tell(q)
		}
	})
	if err != nil {
		c.complain(err)
		v.Verdict = server.Unanswered
	}
	return v
}

// complain logs that there is no answer, unless it was done lately.
func (c *counter) complain(err error) {
	c.mu.Lock()
	now := time.Now()
	lately := now.Sub(c.told) < 10*time.Second
	if !lately {
		c.told = now
	}
	c.mu.Unlock()
	if !lately {
		c.log.Error("the parent process does not answer", slog.Any("error", err))
	}
}

func (c *counter) Enter(network netip.Prefix) server.Verdict {
	return c.ask(question{What: enter, Network: network}, leave).Verdict
}

func (c *counter) MayTry(network netip.Prefix, name string) server.Verdict {
	return c.ask(question{What: mayTry, Network: network, Name: name}, 0).Verdict
}

func (c *counter) Failed(network netip.Prefix, name string) (ban, lock bool) {
	v := c.ask(question{What: failed, Network: network, Name: name}, 0)
	return v.Ban, v.Lock
}

func (c *counter) Login(network netip.Prefix, name, user string) server.Verdict {
	return c.ask(question{What: login, Network: network, Name: name, User: user}, logout).Verdict
}

// What is given back waits for no answer. If the parent does not hear of it, it has ended.

func (c *counter) Leave(network netip.Prefix) {
	_ = c.desk.Tell(question{What: leave, Network: network})
}

func (c *counter) Logout(user string) { _ = c.desk.Tell(question{What: logout, User: user}) }
