package runtime

import "github.com/weft-go/weft/runtime/internal/reactor"

// A Waiter is one wait of one party, a task or a goroutine. It is what every
// blocking operation of Weft is made of, and what you need to write your own:
//
//	w := runtime.NewWaiter()
//	// hand w to whoever will call w.Ready(), then:
//	err := w.Park("my queue")
//
// Ready may come from any goroutine or task, before or after Park: the wait
// ends once, by whatever comes first (Ready, a timeout, a kill), and the others
// find that they came late. Park must be called, once, by the party that made
// the Waiter, unless Cancel reported true.
//
// A Waiter is a small value: copy it, keep it in a list, compare it with ==.
type Waiter struct {
	cell *waitCell
	gen  uint64 // and the two flags below
}

const (
	externalBit = 1 << 63
	shieldedBit = 1 << 62
	returnsBit  = 1 << 61 // see Caller.NewWaiter
	futureBit   = 1 << 60 // the deadline is known not to have passed
	genMask     = futureBit - 1
)

// NewWaiter begins a wait of the calling task or goroutine. On the hub, which
// must not wait, Park of the result returns ErrNotInTask.
func NewWaiter() Waiter { return newWaiter(current()) }

func newWaiter(co *coroutine) Waiter {
	if co == nil {
		cell := &goroutineCells.Get().(*goroutineCell).waitCell
		return Waiter{cell, cell.begin()}
	}
	if co.task == nil {
		return Waiter{}
	}
	return Waiter{&co.task.waitCell, co.task.begin()}
}

// External returns w marked as a wait that something outside the runtime
// ends: a descriptor, a goroutine, a foreign thread. A runtime whose every
// task waits, but one externally, is not stuck (ErrWouldBlockForever).
func (w Waiter) External() Waiter {
	w.gen |= externalBit
	return w
}

// Shielded returns w marked as a wait that kills and enclosing timeouts do not
// end: they are delivered to the next one. Use it for what must be seen to its
// end and does not take long, such as giving a resource back.
func (w Waiter) Shielded() Waiter {
	w.gen |= shieldedBit
	return w
}

// OnHub reports whether the wait was begun on the hub, where Park fails.
func (w Waiter) OnHub() bool { return w.cell == nil }

// Worker returns the worker of the waiting task, nil for a goroutine.
func (w Waiter) Worker() *Worker {
	if w.cell == nil || w.cell.task == nil {
		return nil
	}
	return (*Worker)(w.cell.task.w)
}

// Waker returns the wait in the reactor's terms, for package poll. It is nil on
// the hub.
func (w Waiter) Waker() (reactor.Waker, uint64) {
	if w.cell == nil {
		return nil, 0
	}
	return w.cell, w.gen & genMask
}

// Ready ends the wait and makes the party runnable. It reports false, and
// does nothing, if the wait ended before. It never parks and may be called from
// anywhere.
func (w Waiter) Ready() bool {
	if w.cell == nil {
		return false
	}
	return w.cell.Wake(w.gen & genMask)
}

// Cancel ends a wait that has not been parked, by the party itself. It reports
// false if the wait was ended already: then Park must be called, and returns
// how.
func (w Waiter) Cancel() bool {
	if w.cell == nil {
		return true
	}
	if !w.cell.claim(w.gen & genMask) {
		return false
	}
	_ = w.cell.end()
	if w.cell.task == nil {
		goroutineCells.Put(w.cell.ofGoroutine())
	}
	return true
}

// Park parks the calling party until the wait ends. It returns nil after
// Ready, a *KillError if the task was killed, the *Timeout of an enclosing
// WithTimeout that expired, ErrNotInTask on the hub. reason says in listings
// what is waited for: "queue get".
//
// In a killed task that swallowed its unwinding with recover, Park panics to
// resume it. So release by defer what you hold across it, or see Caller.
func (w Waiter) Park(reason string) error { return w.ParkUntil(reason, 0) }

// Wake ends wait gen as Ready does; package reactor calls it.
func (c *waitCell) Wake(gen uint64) bool {
	if !c.claim(gen) {
		return false
	}
	c.release() // the outcome is nil already: end leaves it so
	return true
}

// Fail is Wake with an error.
func (c *waitCell) Fail(gen uint64, err error) bool {
	if !c.claim(gen) {
		return false
	}
	c.outcome = err
	c.release()
	return true
}

// release makes the party runnable, which the caller has claimed.
func (c *waitCell) release() {
	if c.task == nil {
		c.ofGoroutine().gate <- struct{}{}
		return
	}
	c.task.w.enqueue(c.task)
}
