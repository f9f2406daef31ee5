package reactor

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
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

var (
	// ErrClosed is returned for a wait on a closed descriptor.
	ErrClosed = errors.New("reactor: closed")

	// ErrEnded is returned for a wait on a reactor that ends, or has ended.
	ErrEnded = errors.New("reactor: ended")
)

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
	poll   netpoll.Poll
	hub    Hub
	wake   source
	timer  source
	nested *nested // see nested.go

	// atomic
	wakes   atomic.Uint64 // calls of Wake, each one system call
	ending  atomic.Bool   // Close was called; set with mu held
	garbage atomic.Bool   // retired is not empty
	closed  atomic.Bool   // Run has returned, or is about to

	// hub-only, and its tasks'
	pending []*FD // to be armed by Flush

	wakeMu sync.Mutex // held while the eventfd is read, and closed

	// mu is held for epoll_ctl too: none must be made once ending is set, since
	// the number of the epoll descriptor may be another's then.
	mu      sync.Mutex
	retired []*netpoll.FDOperator // mu guards: detached, to be freed in a later callback
	regs    *registration         // mu guards: the list of what is registered
}

// source is a descriptor of the reactor's own, registered for its whole life.
type source struct {
	fd int
	op *netpoll.FDOperator
}

// New opens a reactor that reports to hub. The caller runs it with Run and
// ends it with Close.
func New(hub Hub) (*Reactor, error) {
	poll, err := newPoll()
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
	if err := r.openNested(); err != nil {
		r.Abandon()
		return nil, fmt.Errorf("reactor: nested epoll: %w", err)
	}
	return r, nil
}

// newPoll is openPoll with descriptors that a child process does not
// inherit: netpoll opens its epoll and eventfd without the flag.
func newPoll() (netpoll.Poll, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	poll, err := openPoll()
	if err != nil {
		return nil, err
	}
	for _, fd := range descriptorsOf(poll) {
		syscall.CloseOnExec(fd)
	}
	return poll, nil
}

// descriptorsOf returns the numbers of poll's epoll and eventfd, which netpoll
// keeps to itself. Package reflect may read them; TestOpenPoll fails when they
// change their names.
func descriptorsOf(poll netpoll.Poll) [2]int {
	p := reflect.ValueOf(poll).Elem()
	return [2]int{
		int(p.FieldByName("fd").Int()),
		int(p.FieldByName("wop").Elem().FieldByName("FD").Int()),
	}
}

// Abandon closes a reactor that was never run. netpoll closes a poll's
// descriptors inside Wait only, so Wait runs once, to its end.
func (r *Reactor) Abandon() {
	r.hub = idleHub{}
	_ = r.Close()
	_ = r.Run()
}

// idleHub is the Hub of an abandoned reactor: its own may not be ready to run.
type idleHub struct{}

func (idleHub) Run(Cause)        {}
func (idleHub) Post(func()) bool { return false }

// Run waits for events and calls their callbacks until Close. It returns nil
// after Close, or the error of epoll_wait.
func (r *Reactor) Run() error {
	err := r.poll.Wait()
	r.end()
	r.closeSources()
	r.closeNested()
	r.evict()
	return err
}

// Close makes Run return after the current round of events. It may be called
// from any goroutine, also from inside a callback, once.
func (r *Reactor) Close() error {
	r.end()
	return r.poll.Close()
}

// end forbids any further epoll_ctl.
func (r *Reactor) end() {
	r.mu.Lock()
	r.ending.Store(true)
	r.mu.Unlock()
}

// Ending reports whether Close was called: no wait can begin here any more.
func (r *Reactor) Ending() bool { return r.ending.Load() }

// Closed reports whether Run has returned, or will without another callback.
func (r *Reactor) Closed() bool { return r.closed.Load() }

// Post makes fn be called on the goroutine that runs Run.
func (r *Reactor) Post(fn func()) bool { return r.hub.Post(fn) }

// Wakes counts the calls of Wake so far.
func (r *Reactor) Wakes() uint64 { return r.wakes.Load() }

// enter begins the callback of op: operators retired meanwhile are freed,
// except op itself, since netpoll's Free spins for ever on an operator whose
// own callback runs.
func (r *Reactor) enter(op *netpoll.FDOperator) {
	if !r.garbage.Load() {
		return
	}
	r.garbage.Store(false)
	r.mu.Lock()
	if len(r.retired) > 0 {
		keep := r.retired[:0]
		for _, old := range r.retired {
			if old == op {
				keep = append(keep, old)
				r.garbage.Store(true)
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

// register makes reg's operator and adds it to the poll. It fails with ErrEnded
// once the reactor ends.
func (r *Reactor) register(reg *registration, event netpoll.PollEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending.Load() {
		return ErrEnded
	}
	op := r.poll.Alloc()
	op.FD = reg.fd.Sysfd
	op.OnRead = reg.onRead
	op.OnWrite = reg.onWrite
	op.OnHup = reg.onHup
	reg.op = op
	if err := op.Control(event); err != nil {
		r.retired = append(r.retired, op)
		r.garbage.Store(true)
		return err
	}
	reg.listed = true
	reg.next = r.regs
	if reg.next != nil {
		reg.next.prev = reg
	}
	r.regs = reg
	return nil
}

// modify changes what reg is registered for. When the reactor ends that does
// not matter any more: whoever waits is about to be woken.
func (r *Reactor) modify(reg *registration, event netpoll.PollEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending.Load() {
		return nil
	}
	return reg.op.Control(event)
}

// drop ends a registration: its operator is detached, if netpoll has not done
// that, and goes back to netpoll in a later callback. It may be called from any
// goroutine, more than once.
func (r *Reactor) drop(reg *registration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !reg.listed {
		return
	}
	if !r.ending.Load() {
		// An error says that epoll does not know the descriptor: fine.
		_ = reg.op.Control(netpoll.PollDetach)
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
	r.garbage.Store(true)
}
