package reactor

import (
	"errors"
	"slices"
	"sync"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// A Waker is a party that waits. Wake ends wait number gen of it, and reports
// whether it was still waiting; Fail ends it with an error. They are called with
// no lock held, on any goroutine.
type Waker interface {
	Wake(gen uint64) bool
	Fail(gen uint64, err error) bool
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
// A descriptor of datagrams is always in the nested epoll, and has the states off,
// n, nw and closed: see nested.go.
//
// # Transitions
//
//		event            off       r            rw               w                 hup          closed
//		wait to read     ADD r     -            -                MOD r (1)         ADD r        error
//		wait to write    ADD w     MOD rw (2)   -                - or ready (3)    nested       error
//		readable         -         wake (4)     wake (4)         -                 -            -
//		writable         -         -            wake, MOD r      wake or note (3)  wake         -
//		hang-up          hup (5)   wake, hup    wake, hup        wake, hup         -            -
//		move             -         DEL, off     DEL, off         DEL, off          - (6)        -
//		reactor's end    -         wake, off    wake, off        wake, off         wake         -
//		close            closed    DEL, wake    DEL, wake        DEL, wake         wake         -
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
//	 6. It leaves the nested epoll of the former home.
//
// netpoll deregisters a hung-up descriptor some time before we hear of that. In
// between MOD fails with ENOENT, and the state stays: the hang-up comes, and
// wakes. If netpoll is in the middle of it, our own DEL has no effect, and the
// ADD after it fails with EEXIST: that is the state hup.
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
// A task's wait that needs a system call to arm leaves that to its hub, which
// makes it (Flush) before it looks for events: the hub's stack is deep, and a
// wait that is over by then needs none.
//
// # Threads
//
// mu guards everything below it and is held for a few instructions and at
// most two epoll_ctl, never while something is woken or run.
//
// netpoll deregisters a hung-up descriptor by its number, on the goroutine of
// the reactor where it was registered. The number must not have been closed,
// and reused, by another thread in that instant. So the descriptor may be closed
// only after each of those goroutines has come by: see Close.
type FD struct {
	Sysfd int // immutable

	// Datagrams says that the descriptor is a datagram or raw socket: one that
	// reports errors with which it goes on, and no hang-up. Immutable.
	Datagrams bool

	mu       sync.Mutex
	home     *Reactor
	former   *[]*Reactor   // homes before that; nil for most
	reg      *registration // nil in off, hup, closed
	interest interest
	edge     bool // an edge nobody waited for: state w, writable; n and nw, readable
	nested   bool // known to the home's nested epoll
	pending  bool // in a reactor's list of those to arm
	waiting  [2]waiting
}

type interest uint8

const (
	off interest = iota
	armedR
	armedRW
	armedW
	nestedR
	nestedRW
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

	// r's mu guards: the list of registrations
	prev, next *registration
	listed     bool
}

// NewFD returns an FD for the open, non-blocking descriptor sysfd; an FD held by
// value needs Sysfd set. It makes no system call; the descriptor is registered
// by its first wait.
func NewFD(sysfd int) *FD { return &FD{Sysfd: sysfd} }

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
// on r, or on the present home if another party waits there. local says that
// the caller is a task of r's worker. tried says that it has just found that it
// would block; if not, a hung-up descriptor is ready to read.
//
// It returns ready when there is no need to wait, and an error if the descriptor
// is closed or can't be polled (EPERM for a regular file); a local party is
// failed with that error later. The waker may be woken before Wait returns.
func (fd *FD) Wait(r *Reactor, local bool, dir Direction, tried bool, waker Waker, gen uint64) (ready bool, err error) {
	fd.mu.Lock()
	if fd.home == r && fd.armed(dir) && !fd.edge { // the usual case
		fd.waiting[dir] = waiting{waker, gen}
		fd.mu.Unlock()
		return false, nil
	}
	ready, err = fd.waitSlowly(r, local, dir, tried, waiting{waker, gen})
	fd.mu.Unlock()
	return ready, err
}

func (fd *FD) waitSlowly(r *Reactor, local bool, dir Direction, tried bool, w waiting) (ready bool, err error) {
	switch {
	case fd.interest == closed:
		return false, ErrClosed
	case dir == Read && !tried && fd.interest == hup:
		return true, nil
	case fd.edge && fd.Datagrams == (dir == Read):
		fd.edge = false
		return true, nil
	}
	// Set first: the event may fire on the home's thread as soon as the
	// kernel knows, though its callback then has to wait for mu.
	fd.waiting[dir] = w
	switch {
	case fd.home == r && fd.armed(dir):
		return false, nil
	case local:
		if !fd.pending {
			fd.pending = true
			r.pending = append(r.pending, fd)
		}
		return false, nil
	}
	if err = fd.arm(r, dir); err != nil {
		fd.waiting[dir] = waiting{}
		if err == errReady {
			return true, nil
		}
	}
	return false, err
}

// armed reports whether an event of dir will be reported as things are.
func (fd *FD) armed(dir Direction) bool {
	switch fd.interest {
	case armedR, nestedR:
		return dir == Read
	case armedW:
		return dir == Write
	}
	return fd.interest == armedRW || fd.interest == nestedRW
}

// arm registers for dir, on r if nothing keeps the descriptor elsewhere.
func (fd *FD) arm(r *Reactor, dir Direction) error {
	if fd.home != r {
		fd.move(r, dir)
	}
	switch {
	case fd.Datagrams:
		return fd.armNested(dir)
	case dir == Read:
		return fd.armRead()
	}
	return fd.armWrite()
}

// Flush arms what local waits have asked for. It reports whether a party was
// woken by that. On the hub only.
func (r *Reactor) Flush() (woke bool) {
	for i := 0; i < len(r.pending); i++ {
		fd := r.pending[i]
		r.pending[i] = nil
		woke = fd.flush(r) || woke
	}
	r.pending = r.pending[:0]
	return woke
}

func (fd *FD) flush(r *Reactor) (woke bool) {
	var over [2]waiting
	var errs [2]error
	fd.mu.Lock()
	fd.pending = false
	for dir := range fd.waiting {
		if fd.waiting[dir].waker == nil {
			continue
		}
		if errs[dir] = fd.arm(r, Direction(dir)); errs[dir] != nil {
			over[dir] = fd.take(Direction(dir))
		}
	}
	fd.mu.Unlock()
	for dir, w := range over {
		switch {
		case w.waker == nil:
		case errs[dir] == errReady:
			woke = w.waker.Wake(w.gen) || woke
		default:
			woke = w.waker.Fail(w.gen, errs[dir]) || woke
		}
	}
	return woke
}

// Waiting reports whether a party waits for dir.
func (fd *FD) Waiting(dir Direction) bool {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	return fd.waiting[dir].waker != nil
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

// Close deregisters the descriptor and wakes who waits. on is the reactor on
// whose goroutine it is called, nil for none. If that is not enough, Close
// returns a reactor on whose goroutine it must be called next (or from anywhere,
// as with on, once that is closed). When it returns nil all is done, and the
// caller may close the descriptor itself. See FD, Threads. For datagrams any
// goroutine will do.
func (fd *FD) Close(on *Reactor) (next *Reactor) {
	fd.mu.Lock()
	if home := fd.home; fd.interest != closed && home != nil && home != on && !home.Closed() && !fd.Datagrams {
		fd.mu.Unlock()
		return home
	}
	fd.detach()
	fd.unnest()
	fd.interest = closed
	woken := fd.takeBoth()
	if fd.former != nil {
		*fd.former = slices.DeleteFunc(*fd.former, func(r *Reactor) bool { return r == on || r.Closed() })
		if len(*fd.former) > 0 {
			next = (*fd.former)[0]
		}
	}
	fd.mu.Unlock()
	wakeAll(woken)
	return next
}

// move makes r the home for a party that waits for dir, unless one that waits
// for the other direction keeps the descriptor where it is.
func (fd *FD) move(r *Reactor, dir Direction) {
	if fd.home != nil && fd.waiting[1-dir].waker != nil {
		return
	}
	fd.detach()
	fd.unnest()
	if fd.home != nil && !fd.Datagrams { // netpoll never knew those
		if fd.former == nil {
			fd.former = new([]*Reactor)
		}
		if !slices.Contains(*fd.former, fd.home) {
			*fd.former = append(slices.DeleteFunc(*fd.former, (*Reactor).Closed), fd.home)
		}
	}
	fd.home = r
}

// detach leaves the states r, rw and w for off.
func (fd *FD) detach() {
	if fd.reg != nil {
		fd.reg.r.drop(fd.reg)
		fd.reg, fd.interest, fd.edge = nil, off, false
	}
}

// unnest leaves the nested epoll.
func (fd *FD) unnest() {
	if !fd.nested {
		return
	}
	fd.home.nestedRemove(fd)
	if fd.Datagrams {
		fd.interest, fd.edge = off, false
	}
}

// add leaves off or hup for r or w, or, when it turns out that the descriptor
// is hung up, for hup.
func (fd *FD) add(event netpoll.PollEvent, to interest) error {
	reg := &registration{fd: fd, r: fd.home}
	switch err := fd.home.register(reg, event); err {
	case nil:
		fd.reg, fd.interest, fd.edge = reg, to, false
	case unix.EEXIST:
		fd.interest = hup
	default:
		return err
	}
	return nil
}

// mod moves among r, rw and w.
func (fd *FD) mod(event netpoll.PollEvent, to interest) error {
	switch err := fd.reg.r.modify(fd.reg, event); err {
	case nil:
		fd.interest, fd.edge = to, false
	case unix.ENOENT: // the hang-up is on its way
	default:
		return err
	}
	return nil
}

func (fd *FD) armRead() error {
	switch fd.interest {
	case off, hup:
		if err := fd.add(netpoll.PollReadable, armedR); err != nil {
			return err
		}
		if fd.interest == hup {
			return errReady
		}
	case armedW:
		if fd.waiting[Write].waker != nil {
			return fd.mod(netpoll.PollR2RW, armedRW)
		}
		return fd.mod(netpoll.PollRW2R, armedR)
	}
	return nil // r, rw
}

func (fd *FD) armWrite() error {
	if fd.nested {
		return fd.home.nestedWait(fd, unix.EPOLLOUT|unix.EPOLLONESHOT) // hung up once is hung up for good
	}
	switch fd.interest {
	case armedR:
		if fd.waiting[Read].waker != nil {
			return fd.mod(netpoll.PollR2RW, armedRW)
		}
		fd.detach()
		fallthrough
	case off:
		if err := fd.add(netpoll.PollWritable, armedW); err != nil {
			return err
		}
		if fd.interest == hup {
			return fd.home.nestedWait(fd, unix.EPOLLOUT|unix.EPOLLONESHOT)
		}
	case hup:
		return fd.home.nestedWait(fd, unix.EPOLLOUT|unix.EPOLLONESHOT)
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
			w = fd.silence()
		}
	}
	fd.mu.Unlock()
	if w.waker != nil {
		w.waker.Wake(w.gen)
	}
	reg.r.hub.Run(Event)
	return nil
}

// silence stops a readable event that nobody waits for. It returns a writer
// to wake if that can't wait on.
func (fd *FD) silence() (w waiting) {
	fd.detach()
	if fd.waiting[Write].waker != nil && !fd.nested && fd.armWrite() != nil {
		// The descriptor was pollable a moment ago; the writer finds out what
		// is wrong by writing.
		w = fd.take(Write)
	}
	return w
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
		reg.r.drop(reg)
		fd.reg, fd.interest, fd.edge = nil, hup, false
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
		fd.reg, fd.interest, fd.edge = nil, off, false
		woken = fd.takeBoth()
	}
	fd.mu.Unlock()
	reg.r.drop(reg)
	wakeAll(woken)
}
