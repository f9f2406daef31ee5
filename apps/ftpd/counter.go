package main

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

// A counter is the desk as a process that serves sees it: its server.Register.
//
// A question to another process costs both some ten microseconds of processor time, as each
// has to be woken, and so the questions of all sessions go together: while some are on their
// way others wait, and go next. What is given back waits for those, or for a moment.
type counter struct {
	// immutable
	desk   *desk
	number int // of the process
	log    *slog.Logger

	mu      sync.Mutex // held for a few instructions, and to send
	waiting []*asked   // mu guards this and the rest
	away    bool       // some are on their way
	pause   bool       // what is given back will go in a moment
	told    time.Time  // when it was last logged that there is no answer
}

// asked is a question that was asked.
type asked struct {
	question
	undo   method // what to say if it is granted and nobody waits any more; 0: nothing
	answer event.Result[verdict]
	left   bool // counter.mu guards: nobody waits for the answer
}

const (
	// deskPatience is how long a session waits for an answer. Without one nobody is let
	// in; who is in stays.
	deskPatience = 5 * time.Second
	// deskPause is how long what is given back waits for questions to go along with.
	deskPause = 2 * time.Millisecond
)

// ask asks the desk, and waits for the answer.
func (c *counter) ask(q question, undo method) verdict {
	a := &asked{question: q, undo: undo}
	c.mu.Lock()
	c.waiting = append(c.waiting, a)
	c.sendLocked()
	c.mu.Unlock()
	v, err := a.answer.GetUntil(runtime.Now().Add(deskPatience))
	if err == nil {
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, late := a.answer.TryGet(); late == nil { // at this very moment
		return v
	}
	a.left = true
	if now := time.Now(); !errors.Is(err, runtime.ErrKilled) && now.Sub(c.told) > 2*deskPatience {
		c.told = now
		c.log.Error("the parent process does not answer", slog.Any("error", err))
	}
	return verdict{Verdict: server.Unanswered}
}

// tell tells the desk something that has no answer.
func (c *counter) tell(q question) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tellLocked(q)
}

// tellLocked is tell. mu is held.
func (c *counter) tellLocked(q question) {
	c.waiting = append(c.waiting, &asked{question: q, left: true})
	if !c.away && !c.pause {
		c.pause = true
		time.AfterFunc(deskPause, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.pause = false
			c.sendLocked()
		})
	}
}

// sendLocked sends what waits, unless some is on its way. mu is held.
func (c *counter) sendLocked() {
	if c.away || len(c.waiting) == 0 {
		return
	}
	sent := c.waiting
	c.waiting = nil
	all := make([]question, len(sent))
	for i, a := range sent {
		all[i] = a.question
	}
	c.away = true
	if err := c.desk.Begin(questions{c.number, all}, func(answers []verdict, err error) { c.came(sent, answers, err) }); err != nil {
		c.away = false
		c.deliverLocked(sent, nil, err)
	}
}

// came is called with the answers.
func (c *counter) came(sent []*asked, answers []verdict, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = false
	c.deliverLocked(sent, answers, err)
	c.sendLocked()
}

// deliverLocked hands the answers out. mu is held.
func (c *counter) deliverLocked(sent []*asked, answers []verdict, err error) {
	for i, a := range sent {
		switch {
		case err != nil:
			a.answer.Fail(err)
		case !a.left:
			a.answer.Set(answers[i])
		case a.undo != 0 && answers[i].Verdict == server.Granted:
			q := a.question
			q.What = a.undo
			c.tellLocked(q)
		}
	}
}

func (c *counter) Enter(network netip.Prefix) server.Verdict {
	return c.ask(question{What: enter, Network: network}, leave).Verdict
}

func (c *counter) Leave(network netip.Prefix) { c.tell(question{What: leave, Network: network}) }

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

func (c *counter) Logout(user string) { c.tell(question{What: logout, User: user}) }
