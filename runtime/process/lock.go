package process

import (
	"errors"
	"sync"

	"github.com/petermattis/goid"
	"github.com/weft-go/weft/runtime"
)

// sem is what the four have in common: a handle to a semaphore.
type sem struct{ address }

// acquire takes a unit. With ErrAbandoned it has taken one, too.
func (s *sem) acquire(deadline runtime.Instant, reason string) error {
	late := func(r reply) {
		switch r.status {
		case statusOK:
			s.undo(semRelease)
		case statusAbandoned:
			s.undo(semRelease, []byte{1})
		}
	}
	_, err := s.result(outgoing{op: semAcquire, reason: reason, deadline: deadline, wakes: true, late: late})
	return err
}

func (s *sem) try() (bool, error) {
	late := func(r reply) {
		if r.status == statusOK || r.status == statusAbandoned {
			s.undo(semRelease)
		}
	}
	_, err := s.result(outgoing{op: semTry, reason: "answer about a lock", late: late})
	if err == runtime.ErrTimeout {
		return false, nil
	}
	return err == nil || err == ErrAbandoned, err
}

func (s *sem) release() error {
	_, err := s.result(outgoing{op: semRelease, reason: "answer about a lock"})
	return err
}

func (s *sem) count() (int, error) {
	b, err := s.result(outgoing{op: semCount, reason: "answer about a lock"})
	n, _ := u64Of(b)
	return int(n), err
}

// Close ends the object: who waits for it, and whoever uses it later, gets ErrGone.
func (s *sem) Close() error { return s.remove() }

// A Lock is a lock between processes. Its owner is the process where it was made; others
// get it as part of an argument or a message. It is passed on in the order of the requests.
// As Python's, it may be unlocked by any process.
//
// When the process that holds it dies, the lock passes on, and its next holder is told by
// ErrAbandoned. When the owner has ended every call returns ErrGone.
//
// Handles may be copied. Methods may be called from any task or goroutine, which waits for
// the owner's answer.
type Lock struct{ sem }

// NewLock makes a Lock in a place.
func NewLock(at Place) (*Lock, error) {
	a, err := at.create(makeSemaphore, numbers(1, 1))
	return &Lock{sem{a}}, err
}

// Lock locks l, and waits while it is locked. It is locked when the error is nil or
// ErrAbandoned; else the error is ErrGone, or that of an interrupt.
func (l *Lock) Lock() error { return l.acquire(0, "lock between processes") }

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (l *Lock) LockUntil(deadline runtime.Instant) error {
	return l.acquire(deadline, "lock between processes")
}

// TryLock locks l if it is not locked, and reports whether it did. The error is ErrAbandoned
// with a true, ErrGone, or that of an interrupt.
func (l *Lock) TryLock() (bool, error) { return l.try() }

// Unlock unlocks l. It returns ErrNotHeld if it was not locked.
func (l *Lock) Unlock() error { return notHeld(l.release()) }

// With calls fn with l locked. It passes ErrAbandoned to fn, and returns fn's error, or
// that by which l could not be locked.
func (l *Lock) With(fn func(abandoned bool) error) error {
	err := l.Lock()
	if err != nil && err != ErrAbandoned {
		return err
	}
	defer func() { _ = l.Unlock() }()
	return fn(err == ErrAbandoned)
}

func notHeld(err error) error {
	if errors.Is(err, errOverRelease) {
		return ErrNotHeld
	}
	return err
}

// A Semaphore is a number of units, of which each Acquire takes one and each Release gives
// one back. What is said of Lock holds for it; a process that dies gives its units back.
type Semaphore struct{ sem }

// NewSemaphore makes a Semaphore with n units in a place. It panics if n is negative.
func NewSemaphore(at Place, n int) (*Semaphore, error) {
	a, err := at.create(makeSemaphore, numbers(positive(n), -1))
	return &Semaphore{sem{a}}, err
}

func positive(n int) int {
	if n < 0 {
		panic("process: negative number")
	}
	return n
}

// Acquire takes a unit, and waits while there is none. It has one when the error is nil or
// ErrAbandoned; else the error is ErrGone, or that of an interrupt.
func (s *Semaphore) Acquire() error { return s.acquire(0, "semaphore between processes") }

// AcquireUntil is Acquire that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (s *Semaphore) AcquireUntil(deadline runtime.Instant) error {
	return s.acquire(deadline, "semaphore between processes")
}

// TryAcquire takes a unit if there is one, and reports whether it did. The error is
// ErrAbandoned with a true, ErrGone, or that of an interrupt.
func (s *Semaphore) TryAcquire() (bool, error) { return s.try() }

// Release gives a unit back, or adds one.
func (s *Semaphore) Release() error { return s.release() }

// Count returns how many units there are to take.
func (s *Semaphore) Count() (int, error) { return s.count() }

// A BoundedSemaphore is a Semaphore to which no more can be released than was acquired:
// Release returns lock.ErrOverRelease then.
type BoundedSemaphore struct{ Semaphore }

// NewBoundedSemaphore makes a BoundedSemaphore with n units in a place. It panics if n is
// negative.
func NewBoundedSemaphore(at Place, n int) (*BoundedSemaphore, error) {
	a, err := at.create(makeSemaphore, numbers(positive(n), n))
	return &BoundedSemaphore{Semaphore{sem{a}}}, err
}

// An RLock is a Lock that its owner, one task or goroutine of one process, may lock again:
// it is free when it has been unlocked as often. To lock it again takes no message.
type RLock struct{ sem }

// NewRLock makes an RLock in a place.
func NewRLock(at Place) (*RLock, error) {
	a, err := at.create(makeSemaphore, numbers(1, 1))
	return &RLock{sem{a}}, err
}

// owners are the RLocks that tasks of this process hold.
var owners struct {
	sync.Mutex // held for a few instructions
	m          map[address]*ownership
}

// An ownership is of a task or, by its id, a goroutine.
type ownership struct {
	task      *runtime.Task
	goroutine int64
	depth     int
}

func (o *ownership) isCaller() bool {
	if t := runtime.Current(); t != nil || o.task != nil {
		return o.task == t
	}
	return o.goroutine == goid.Get()
}

// deeper notes another Lock of the caller, if it owns l.
func (l *RLock) deeper() bool {
	owners.Lock()
	defer owners.Unlock()
	o := owners.m[l.address]
	if o == nil || !o.isCaller() {
		return false
	}
	o.depth++
	return true
}

// own notes that the caller has locked l.
func (l *RLock) own(depth int) {
	owners.Lock()
	defer owners.Unlock()
	if owners.m == nil {
		owners.m = make(map[address]*ownership)
	}
	o := &ownership{task: runtime.Current(), depth: depth}
	if o.task == nil {
		o.goroutine = goid.Get()
	}
	owners.m[l.address] = o
}

// disown ends the caller's ownership, by one Lock or all. depth is how many there were, 0
// if the caller does not own l, and free whether it owns it no more.
func (l *RLock) disown(all bool) (depth int, free bool) {
	owners.Lock()
	defer owners.Unlock()
	o := owners.m[l.address]
	if o == nil || !o.isCaller() {
		return 0, false
	}
	depth = o.depth
	if o.depth--; all || o.depth == 0 {
		delete(owners.m, l.address)
		return depth, true
	}
	return depth, false
}

// Lock locks l, and waits while it has another owner. The error is as that of Lock.Lock.
func (l *RLock) Lock() error { return l.LockUntil(0) }

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (l *RLock) LockUntil(deadline runtime.Instant) error {
	if l.deeper() {
		return nil
	}
	err := l.acquire(deadline, "lock between processes")
	if err == nil || err == ErrAbandoned {
		l.own(1)
	}
	return err
}

// TryLock locks l if it is free or the caller's, and reports whether it did. The error is
// as that of Lock.TryLock.
func (l *RLock) TryLock() (bool, error) {
	if l.deeper() {
		return true, nil
	}
	locked, err := l.try()
	if locked {
		l.own(1)
	}
	return locked, err
}

// Unlock takes back one Lock of the caller. It returns ErrNotHeld if the caller does not
// own l.
func (l *RLock) Unlock() error {
	depth, free := l.disown(false)
	if depth == 0 {
		return ErrNotHeld
	}
	if !free {
		return nil
	}
	return notHeld(l.release())
}
