package reactor

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"github.com/cloudwego/netpoll"
)

// openPoll is netpoll's unexported constructor of a Poll. netpoll offers no
// public one: its manager opens polls and starts their goroutines by itself,
// and here the worker must be the goroutine that waits.
//
// SAFETY: the signature is that of netpoll v0.7.2 (poll_default_linux.go),
// the version is pinned in go.mod, and TestOpenPoll fails loudly when a newer
// one differs. See docs/adr/002-linkname-to-netpoll.md.
//
//go:linkname openPoll github.com/cloudwego/netpoll.openPoll
func openPoll() (netpoll.Poll, error)

// ErrClosed is returned for operations on a reactor or descriptor after its end.
var ErrClosed = errors.New("reactor: closed")

// Hub is the scheduler's side of the reactor.
type Hub interface {
	// Run runs what is ready, for a bounded while. It is called on the
	// goroutine that runs [Reactor.Run], at the end of each callback, after
	// the parties concerned were woken.
	Run(Cause)
	// Post makes fn be called on that goroutine, and reports false if it has
	// ended. Any goroutine may call it.
	Post(fn func()) bool
}

// Cause says why Hub.Run is called.
type Cause uint8

const (
	Event   Cause = iota // a descriptor
	Woken                // Wake
	Expired              // the timer
)

// Reactor is one netpoll Poll with its eventfd and timerfd.
type Reactor struct {
	// immutable
	poll  netpoll.Poll
	hub   Hub
	wake  source
	timer source

	// atomic
	wakes  atomic.Uint64 // calls of Wake, each one system call
	closed atomic.Bool

	wakeMu sync.Mutex // held while the eventfd is read, and closed

	mu      sync.Mutex
	retired []*netpoll.FDOperator // mu guards: detached, to be freed in a later callback
	regs    *registration         // mu guards: the list of what is registered
	nested  *nested               // mu guards: see nested.go
}

// source is a descriptor of the reactor's own, registered for its whole life.
type source struct {
	fd int
	op *netpoll.FDOperator
}

// New opens a reactor that reports to hub. The caller runs it with Run and
// ends it with Close.
func New(hub Hub) (*Reactor, error) {
	poll, err := openPoll()
	if err != nil {
		return nil, fmt.Errorf("reactor: open poll: %w", err)
	}
	r := &Reactor{poll: poll, hub: hub}
	if err := r.openWake(); err != nil {
		r.Abandon()
		return nil, fmt.Errorf("reactor: eventfd: %w", err)
	}
	if err := r.openTimer(); err != nil {
		r.Abandon()
		return nil, fmt.Errorf("reactor: timerfd: %w", err)
	}
	return r, nil
}

// Abandon closes a reactor that was never run. netpoll closes a poll's
// descriptors inside Wait only, so Wait runs once, to its end.
func (r *Reactor) Abandon() {
	_ = r.poll.Close()
	_ = r.Run()
}

// Run waits for events and calls their callbacks until Close. It returns nil
// after Close, or the error of epoll_wait.
func (r *Reactor) Run() error {
	err := r.poll.Wait()
	r.closeNested()
	r.closeSources()
	r.evict()
	return err
}

// Close makes Run return after the current round of events. It may be called
// from any goroutine, also from inside a callback, once.
func (r *Reactor) Close() error {
	return r.poll.Close()
}

// Closed reports whether Run has returned.
func (r *Reactor) Closed() bool { return r.closed.Load() }

// Post makes fn be called on the goroutine that runs Run.
func (r *Reactor) Post(fn func()) bool { return r.hub.Post(fn) }

// Wakes counts the calls of Wake so far.
func (r *Reactor) Wakes() uint64 { return r.wakes.Load() }

// enter begins the callback of op: operators retired meanwhile are freed,
// except op itself, since netpoll's Free spins for ever on an operator whose
// own callback runs.
func (r *Reactor) enter(op *netpoll.FDOperator) {
	r.mu.Lock()
	if len(r.retired) > 0 {
		keep := r.retired[:0]
		for _, old := range r.retired {
			if old == op {
				keep = append(keep, old)
				continue
			}
			r.poll.Free(old)
		}
		clear(r.retired[len(keep):])
		r.retired = keep
	}
	r.mu.Unlock()
}

// evict turns off what is still registered when the reactor has ended, and
// wakes who waits there.
func (r *Reactor) evict() {
	for {
		r.mu.Lock()
		reg := r.regs
		r.mu.Unlock()
		if reg == nil {
			return
		}
		reg.evict()
	}
}

// enlist adds reg to the list of registrations. It fails once the reactor has
// ended.
func (r *Reactor) enlist(reg *registration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return ErrClosed
	}
	reg.listed = true
	reg.next = r.regs
	if reg.next != nil {
		reg.next.prev = reg
	}
	r.regs = reg
	return nil
}

// retire ends a registration: its operator, which is detached, goes back to
// netpoll in a later callback. It may be called from any goroutine.
func (r *Reactor) retire(reg *registration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !reg.listed {
		return // by evict and a detach at once
	}
	reg.listed = false
	if reg.next != nil {
		reg.next.prev = reg.prev
	}
	if reg.prev != nil {
		reg.prev.next = reg.next
	} else {
		r.regs = reg.next
	}
	reg.prev, reg.next = nil, nil
	r.retired = append(r.retired, reg.op)
}
