package lock

import (
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// A Cond is where parties that hold a lock wait until another, that holds it too,
// says that something has changed. Make one with NewCond. It must not be copied
// after first use.
type Cond struct {
	// L is held when one waits, and should be when one signals. It is
	// immutable.
	L sync.Locker

	mu      waitlist.Mutex
	waiting waitlist.List[struct{}] // mu guards
}

// lender is a lock of this package: it is unlocked entirely, however often its
// owner has locked it, and taken back by a wait that no kill ends.
type lender interface {
	unlockAll() (depth int)
	relock(depth int) error
}

// NewCond returns a Cond with the lock l: a Mutex, RLock or RWMutex, the last
// held for writing. Any other lock works as well, if its Unlock does not park;
// the limits of its Lock are those of Wait then. NewCond panics if l is nil.
func NewCond(l sync.Locker) *Cond {
	if l == nil {
		panic("lock: Cond without a lock")
	}
	return &Cond{L: l}
}

// Wait unlocks c.L, waits for Signal or Broadcast, and locks c.L again. It
// returns the error of a kill or timeout that ended the wait. In every case c.L
// is held again on return, also while a task is unwound: no kill or timeout ends
// the wait for it. An RLock is unlocked entirely meanwhile, and then locked as
// often as before.
//
// What was waited for may have been undone before Wait returns: use WaitFor, or
// call Wait in a loop. Wait panics if c.L is not locked. On the hub it returns
// runtime.ErrNotInTask, with c.L as it was.
func (c *Cond) Wait() error { return c.WaitUntil(0) }

// WaitUntil is Wait that stops waiting for a signal at deadline, and returns
// runtime.ErrTimeout then. The zero deadline means none.
func (c *Cond) WaitUntil(deadline runtime.Instant) error {
	w := c.mu.Lock().NewWaiter()
	if w.OnHub() {
		c.mu.Unlock()
		return runtime.ErrNotInTask
	}
	depth := c.unlock(w)
	defer c.relock(depth)
	_, err := c.waiting.Wait(&c.mu, w, struct{}{}, "condition", deadline)
	return err
}

// WaitFor waits until predicate, which is called with c.L held, reports true: at
// once if it does so at first. At deadline it is called for the last time; if it
// reports false then WaitFor returns runtime.ErrTimeout. The zero deadline means
// none. An error of a kill or timeout is returned in any case.
func (c *Cond) WaitFor(predicate func() bool, deadline runtime.Instant) error {
	for !predicate() {
		if err := c.WaitUntil(deadline); err != nil {
			if err == runtime.ErrTimeout && predicate() {
				return nil
			}
			return err
		}
	}
	return nil
}

// Signal ends the wait of the one that waits longest, if there is one. A signal
// does not end the wait of one that has been killed or timed out already: it goes
// to the next. Signal never parks, and may be called from anywhere.
func (c *Cond) Signal() {
	c.waiting.WakeFirst(c.mu.Lock())
	c.mu.Unlock()
}

// Broadcast ends the waits of all that wait at this moment. They get c.L in the
// order they came. It never parks, and may be called from anywhere.
func (c *Cond) Broadcast() {
	c.waiting.WakeAll(c.mu.Lock())
	c.mu.Unlock()
}

// unlock unlocks c.L with c.mu held, so that no signal comes between that and the
// wait. If that panics, the wait w, which was begun, is taken back.
func (c *Cond) unlock(w runtime.Waiter) (depth int) {
	unlocked := false
	defer func() {
		if !unlocked {
			c.mu.Unlock()
			w.Cancel()
		}
	}()
	if l, ok := c.L.(lender); ok {
		depth = l.unlockAll()
	} else {
		c.L.Unlock()
	}
	unlocked = true
	return depth
}

func (c *Cond) relock(depth int) {
	l, ok := c.L.(lender)
	if !ok {
		c.L.Lock()
		return
	}
	if err := l.relock(depth); err != nil {
		runtime.Unwind(err) // a *runtime.DeadlockError: nothing can ever unlock it
	}
}
