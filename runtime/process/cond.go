package process

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// cond is the object behind Cond. What it wakes goes on to wait for the lock.
type cond struct {
	lock *semaphore

	mu      sync.Mutex // held for a few instructions; lock's comes after it
	waiting []waiter   // mu guards
}

const (
	condWait   = op(iota + 1)
	condNotify // body: how many
)

func (c *cond) serve(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lock.mu.Lock()
	defer c.lock.mu.Unlock()
	if c.lock.held[r.from] == 0 {
		r.reply(statusNotHeld)
		return
	}
	switch r.op {
	case condWait:
		c.waiting = append(c.waiting, waiter{r.answer(), statusOK})
		c.lock.dropLocked(r.from, 1)
		c.lock.freeLocked()
	case condNotify:
		n, ok := u64Of(r.body)
		if !ok {
			n = 1
		}
		n = min(n, uint64(len(c.waiting)))
		for _, w := range c.waiting[:n] {
			c.lock.acquireLocked(w)
		}
		c.waiting = slices.Delete(c.waiting, 0, int(n))
		r.reply(statusOK)
	default:
		r.reply(statusGone)
	}
}

// cancel makes one that waits for a notice wait for the lock instead.
func (c *cond) cancel(from *client, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range c.waiting {
		if w.is(from, id) {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			w.status = statusTimeout
			c.lock.mu.Lock()
			defer c.lock.mu.Unlock()
			c.lock.acquireLocked(w)
			return
		}
	}
}

func (c *cond) gone(from *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = slices.DeleteFunc(c.waiting, func(w waiter) bool { return w.to == from })
}

func (c *cond) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waiting {
		w.reply(statusGone)
	}
	c.waiting = nil
}

// A Cond is where tasks that hold a lock wait, in any process, until another that holds it,
// too, says that something has changed. It lives where its lock does. Handles may be copied.
type Cond struct {
	at    address
	lock  RLock // or a Lock, which is no different at its owner
	owned bool  // it is an RLock
}

// MarshalBinary makes a handle that is part of an argument, an item or a value be sent as the
// addresses of its objects.
func (c Cond) MarshalBinary() ([]byte, error) {
	b, err := c.at.MarshalBinary()
	if err != nil {
		return nil, err
	}
	l, err := c.lock.MarshalBinary()
	if c.owned {
		l = append(l, 1)
	}
	return append(b, l...), err
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (c *Cond) UnmarshalBinary(b []byte) error {
	n := len(b) / 2
	if err := c.at.UnmarshalBinary(b[:n]); err != nil {
		return err
	}
	c.owned = len(b)%2 == 1
	return c.lock.UnmarshalBinary(b[n : 2*n])
}

// A Locker is a *Lock or an *RLock.
type Locker interface {
	Lock() error
	Unlock() error
	semaphore() *sem
}

func (s *sem) semaphore() *sem { return s }

// NewCond makes a Cond for a lock, which is a *Lock or an *RLock, in the place where that is.
func NewCond(l Locker) (*Cond, error) {
	c := &Cond{lock: RLock{*l.semaphore()}}
	_, c.owned = l.(*RLock)
	var err error
	c.at, err = c.lock.sibling(makeCond, numbers(int(c.lock.object)))
	return c, err
}

// sibling makes an object where another one is.
func (a *address) sibling(kind byte, params []byte) (address, error) {
	if a.local() {
		return Here.create(kind, params)
	}
	return createAt(a.process, kind, params)
}

// createAt makes an object in another process.
func createAt(id processID, kind byte, params []byte) (address, error) {
	root := address{process: id, object: rootID}
	late := func(r reply) { // nobody knows of it
		if n, ok := u64Of(r.body); ok {
			root.undo(rootRemove, u64(n))
		}
	}
	b, err := root.result(outgoing{op: rootNew, reason: "new object", late: late}, []byte{kind}, params)
	if err != nil {
		return address{}, err
	}
	if len(b) != 8 {
		return address{}, ErrGone
	}
	return address{process: id, object: binary.LittleEndian.Uint64(b)}, nil
}

// Wait unlocks the lock, waits for Notify, and locks it again; an RLock is unlocked entirely
// meanwhile, and then locked as often as before. The lock is held on return, also after a
// timeout or kill, whose error is returned then, unless the error is ErrGone, or ErrNotHeld,
// if this process does not hold it. What was waited for may have been undone meanwhile: see
// WaitFor. ErrAbandoned says that the lock came from a process that died.
func (c *Cond) Wait() error { return c.WaitUntil(0) }

// WaitUntil is Wait that stops waiting for a notice at deadline, and returns
// runtime.ErrTimeout then. The zero deadline means none.
func (c *Cond) WaitUntil(deadline runtime.Instant) error {
	depth := 0
	if c.owned {
		if depth, _ = c.lock.disown(true); depth == 0 {
			return ErrNotHeld
		}
	}
	r, err := c.at.call(outgoing{op: condWait, reason: "condition between processes", deadline: deadline, wakes: true, stays: true})
	if r.status == statusGone || r.status == statusNotHeld || err == ErrGone {
		if err == nil {
			err = r.err()
		}
		return err
	}
	if c.owned {
		c.lock.own(depth)
	}
	if err != nil {
		return err
	}
	return r.err()
}

// WaitFor waits until predicate, which is called with the lock held, reports true: at once if
// it does so at first. If it does not at deadline WaitFor returns runtime.ErrTimeout. Any
// other error of Wait ends it, too, but for ErrAbandoned.
func (c *Cond) WaitFor(predicate func() bool, deadline runtime.Instant) error {
	for !predicate() {
		err := c.WaitUntil(deadline)
		if err != nil && !errors.Is(err, ErrAbandoned) {
			if err == runtime.ErrTimeout && predicate() {
				return nil
			}
			return err
		}
	}
	return nil
}

// Notify wakes up to n that wait, in the order they came. This process must hold the lock,
// else the error is ErrNotHeld.
func (c *Cond) Notify(n int) error {
	_, err := c.at.result(outgoing{op: condNotify, reason: "answer about a condition"}, u64(uint64(positive(n))))
	return err
}

// NotifyAll wakes all that wait.
func (c *Cond) NotifyAll() error {
	_, err := c.at.result(outgoing{op: condNotify, reason: "answer about a condition"}, u64(1<<62))
	return err
}

// Close ends the object: who waits for it, and whoever uses it later, gets ErrGone, and does
// not hold the lock. The lock itself goes on.
func (c *Cond) Close() error { return c.at.remove() }
