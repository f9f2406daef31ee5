package reactor

import (
	"errors"
	"sync"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// A Waker is a party that waits. Wake ends wait number gen of it, and reports
// whether it was still waiting. It is called with no lock held.
type Waker interface {
	Wake(gen uint64) bool
}

// Direction says what a party waits for.
type Direction uint8

const (
	Read  Direction = iota // data, a connection to accept, end of file
	Write                  // room to write, a connect that finished
)

// FD is a descriptor whose readiness the reactor reports: at most one party
// waits per direction. Any goroutine may call its methods.
//
// # States
//
// interest is what the kernel was last told:
//
//	off   not registered
//	r     IN|RDHUP|ERR, level-triggered                   (netpoll.PollReadable)
//	rw    IN|OUT|RDHUP|ERR, level-triggered               (netpoll.PollR2RW)
//	w     OUT|RDHUP|ERR, edge-triggered                   (netpoll.PollWritable)
//	hup   netpoll saw a hang-up and deregistered it; a reader never waits any
//	      more (data, then end of file), a writer waits in the nested epoll
//	closed
//
// # Transitions
//
//		event            off       r            rw               w                 hup          closed
//		wait to read     ADD r     -            -                MOD r (1)         ADD r        error
//		wait to write    ADD w     MOD rw (2)   -                - or ready (3)    nested       error
//		readable         -         wake (4)     wake (4)         -                 -            -
//		writable         -         -            wake, MOD r      wake or note (3)  wake         -
//		hang-up          hup (5)   wake, hup    wake, hup        wake, hup         -            -
//		close            closed    DEL          DEL              DEL               closed       error
//
//	 1. MOD rw when a writer waits.
//	 2. Without a waiting reader: DEL, then ADD w, so that a bulk writer's later
//	    waits need no system call.
//	 3. An edge that finds no writer is noted, and the next wait to write
//	    returns at once: edges do not repeat.
//	 4. When no reader waits, a level-triggered event would spin: DEL, then
//	    ADD w if a writer waits; the next wait to read registers again. In
//	    request-response traffic the reader nearly always waits, so the steady
//	    state makes no epoll_ctl.
//	 5. Only a descriptor that had been registered: see (4).
//
// Every ADD takes a fresh operator. netpoll's Control(ADD) and Free spin for
// ever on an operator whose own callback runs, and tasks run inside callbacks;
// netpoll's once-only mark of a detached operator is used up by a hang-up as
// well; and an operator's identity tells an event of the present registration
// from one of the past. DEL and MOD are safe anywhere.
//
// A hang-up reaches us on a goroutine of netpoll's, after a callback for the
// data that came with it: it only marks, and wakes.
//
// # Threads
//
// mu guards everything below it and is held for a few instructions and at
// most one epoll_ctl, never while something is woken or run. Close must be
// called on the home reactor's goroutine if there is one (see Home): netpoll
// deregisters a hung-up descriptor by its number there, which must not have
// been closed, and reused, by another thread in that instant.
type FD struct {
	sysfd int // immutable

	mu       sync.Mutex
	home     *Reactor
	reg      *registration // nil in off, hup, closed
	interest interest
	edge     bool // state w: a writable edge nobody waited for
	nested   bool // known to the home's nested epoll
	waiting  [2]waiting
}

type interest uint8

const (
	off interest = iota
	armedR
	armedRW
	armedW
	hup
	closed
)

type waiting struct {
	waker Waker
	gen   uint64
}

// registration ties one operator to the FD for one ADD.
type registration struct {
	fd *FD
	r  *Reactor
	op *netpoll.FDOperator

	// r's mu guards: its list
	prev, next *registration
	listed     bool
}

// NewFD returns an FD for the open, non-blocking descriptor sysfd. It makes
// no system call; the descriptor is registered by its first wait.
func NewFD(sysfd int) *FD {
	fd := new(FD)
	fd.Init(sysfd)
	return fd
}

// Init makes an FD held by value ready for use, like NewFD.
func (fd *FD) Init(sysfd int) { fd.sysfd = sysfd }

// Home returns the reactor on which the descriptor is registered or last was,
// nil if it never was.
func (fd *FD) Home() *Reactor {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	return fd.home
}

// errReady says that there is no need to wait.
var errReady = errors.New("reactor: ready")

// Wait notes that party (waker, gen) waits for dir, with interest registered
// on r, or on the present home if another party waits there. It returns
// ready when there is no need to wait, and an error if the descriptor is
// closed or can't be polled (EPERM for a regular file). tried says that the
// caller has just found that it would block; if not, a hung-up descriptor is
// ready to read.
//
// The waker may be woken before Wait returns.
func (fd *FD) Wait(r *Reactor, dir Direction, tried bool, waker Waker, gen uint64) (ready bool, err error) {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	if fd.interest == closed {
		return false, ErrClosed
	}
	if dir == Read && !tried && fd.interest == hup {
		return true, nil
	}
	if fd.home != r {
		fd.move(r)
	}
	// Set first: the event may fire on the home's thread as soon as the
	// kernel knows, though its callback then has to wait for mu.
	fd.waiting[dir] = waiting{waker, gen}
	if dir == Read {
		err = fd.armRead()
	} else {
		err = fd.armWrite()
	}
	if err != nil {
		fd.waiting[dir] = waiting{}
		if err == errReady {
			return true, nil
		}
	}
	return false, err
}

// Cancel takes back a Wait that ended otherwise. The interest stays: the next
// wait most likely wants it again.
func (fd *FD) Cancel(dir Direction, gen uint64) {
	fd.mu.Lock()
	if fd.waiting[dir].gen == gen {
		fd.waiting[dir] = waiting{}
	}
	fd.mu.Unlock()
}

// Kick wakes who waits for dir, with nothing having happened: to look at a
// changed deadline.
func (fd *FD) Kick(dir Direction) {
	fd.mu.Lock()
	w := fd.take(dir)
	fd.mu.Unlock()
	if w.waker != nil {
		w.waker.Wake(w.gen)
	}
}

// Close deregisters the descriptor and wakes who waits. It does not close the
// descriptor itself. Call it on the home's goroutine; see FD, Threads.
func (fd *FD) Close() error {
	fd.mu.Lock()
	if fd.interest == closed {
		fd.mu.Unlock()
		return ErrClosed
	}
	fd.detach()
	if fd.nested {
		fd.home.nestedRemove(fd)
	}
	fd.interest = closed
	woken := fd.takeBoth()
	fd.mu.Unlock()
	wakeAll(woken)
	return nil
}

// move makes r the home, unless a party that waits, or the nested epoll,
// keeps the descriptor where it is.
func (fd *FD) move(r *Reactor) {
	if fd.waiting[Read].waker != nil || fd.waiting[Write].waker != nil || fd.nested {
		return
	}
	fd.detach()
	fd.home = r
}

// detach leaves the states r, rw and w for off.
func (fd *FD) detach() {
	reg := fd.reg
	if reg == nil {
		return
	}
	// Errors: the descriptor may be gone from epoll already, by a hang-up.
	_ = reg.op.Control(netpoll.PollDetach)
	reg.r.retire(reg)
	fd.reg = nil
	fd.interest = off
	fd.edge = false
}

// add leaves off or hup for r or w.
func (fd *FD) add(event netpoll.PollEvent, to interest) error {
	reg := &registration{fd: fd, r: fd.home, op: fd.home.poll.Alloc()}
	if err := fd.home.enlist(reg); err != nil {
		return err
	}
	reg.op.FD = fd.sysfd
	reg.op.OnRead = reg.onRead
	reg.op.OnWrite = reg.onWrite
	reg.op.OnHup = reg.onHup
	if err := reg.op.Control(event); err != nil {
		reg.r.retire(reg)
		return err
	}
	fd.reg, fd.interest, fd.edge = reg, to, false
	return nil
}

// mod moves among r, rw and w. If the kernel does not know the descriptor,
// netpoll has just deregistered it and its hang-up is on the way.
func (fd *FD) mod(event netpoll.PollEvent, to interest) error {
	if err := fd.reg.op.Control(event); err != nil {
		if err != unix.ENOENT {
			return err
		}
		fd.reg.r.retire(fd.reg)
		fd.reg, fd.interest = nil, hup
		return nil
	}
	fd.interest, fd.edge = to, false
	return nil
}

func (fd *FD) armRead() error {
	switch fd.interest {
	case off, hup:
		return fd.add(netpoll.PollReadable, armedR)
	case armedW:
		if fd.waiting[Write].waker != nil {
			return fd.readAgain(fd.mod(netpoll.PollR2RW, armedRW))
		}
		return fd.readAgain(fd.mod(netpoll.PollRW2R, armedR))
	}
	return nil // r, rw
}

// readAgain turns a hang-up found by mod into a reason to read at once.
func (fd *FD) readAgain(err error) error {
	if err == nil && fd.interest == hup {
		return errReady
	}
	return err
}

func (fd *FD) armWrite() error {
	switch fd.interest {
	case off:
		return fd.add(netpoll.PollWritable, armedW)
	case armedR:
		if fd.waiting[Read].waker == nil {
			fd.detach()
			return fd.add(netpoll.PollWritable, armedW)
		}
		if err := fd.mod(netpoll.PollR2RW, armedRW); err != nil {
			return err
		}
		if fd.interest == hup {
			return fd.home.nestedWait(fd)
		}
	case armedW:
		if fd.edge {
			fd.edge = false
			return errReady
		}
	case hup:
		return fd.home.nestedWait(fd)
	}
	return nil // rw, w
}

// take removes and returns who waits for dir.
func (fd *FD) take(dir Direction) waiting {
	w := fd.waiting[dir]
	fd.waiting[dir] = waiting{}
	return w
}

func (fd *FD) takeBoth() [2]waiting {
	return [2]waiting{fd.take(Read), fd.take(Write)}
}

func wakeAll(parties [2]waiting) {
	for _, w := range parties {
		if w.waker != nil {
			w.waker.Wake(w.gen)
		}
	}
}

// onRead is netpoll's callback for IN, on the home's goroutine.
func (reg *registration) onRead(netpoll.Poll) error {
	reg.r.enter(reg.op)
	fd := reg.fd
	var w waiting
	fd.mu.Lock()
	if fd.reg == reg {
		if w = fd.take(Read); w.waker == nil {
			fd.silence()
		}
	}
	fd.mu.Unlock()
	if w.waker != nil {
		w.waker.Wake(w.gen)
	}
	reg.r.hub.Run(Event)
	return nil
}

// silence stops a readable event that nobody waits for.
func (fd *FD) silence() {
	fd.detach()
	if fd.waiting[Write].waker != nil {
		if err := fd.add(netpoll.PollWritable, armedW); err != nil {
			// The descriptor was pollable a moment ago; the writer finds out
			// what is wrong by writing.
			w := fd.take(Write)
			defer w.waker.Wake(w.gen)
		}
	}
}

// onWrite is netpoll's callback for OUT, on the home's goroutine.
func (reg *registration) onWrite(netpoll.Poll) error {
	reg.r.enter(reg.op)
	fd := reg.fd
	var w waiting
	fd.mu.Lock()
	if fd.reg == reg {
		w = fd.take(Write)
		switch fd.interest {
		case armedRW:
			_ = fd.mod(netpoll.PollRW2R, armedR)
		case armedW:
			fd.edge = w.waker == nil
		}
	}
	fd.mu.Unlock()
	if w.waker != nil {
		w.waker.Wake(w.gen)
	}
	reg.r.hub.Run(Event)
	return nil
}

// onHup is netpoll's callback for a hang-up or error, on a goroutine of
// netpoll's, after netpoll deregistered the descriptor.
func (reg *registration) onHup(netpoll.Poll) error {
	fd := reg.fd
	var woken [2]waiting
	fd.mu.Lock()
	switch {
	case fd.reg == reg:
		reg.r.retire(reg)
		fd.reg, fd.interest = nil, hup
		woken = fd.takeBoth()
	case fd.interest == off && fd.home == reg.r:
		fd.interest = hup
	}
	fd.mu.Unlock()
	wakeAll(woken)
	return nil
}

// evict is the end of a registration whose reactor has ended.
func (reg *registration) evict() {
	fd := reg.fd
	var woken [2]waiting
	fd.mu.Lock()
	if fd.reg == reg {
		fd.reg, fd.interest = nil, off
		woken = fd.takeBoth()
	}
	fd.mu.Unlock()
	reg.r.retire(reg)
	wakeAll(woken)
}
