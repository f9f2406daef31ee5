package event

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// An Event is a flag that parties wait for. The zero Event is not set. It must
// not be copied after first use.
type Event struct {
	mu      sync.Mutex // held for a few instructions only
	set     bool
	waiting []runtime.Waiter
}

// Set sets the flag and wakes all that wait at this moment, in the order they
// came; a Clear right after it takes that back from none of them. It never
// parks, and may be called from anywhere.
func (e *Event) Set() {
	e.mu.Lock()
	e.set = true
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, w := range waiting {
		w.Ready()
	}
}

// Clear resets the flag.
func (e *Event) Clear() {
	e.mu.Lock()
	e.set = false
	e.mu.Unlock()
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Wait waits until the flag is set. It returns the error of a kill or timeout
// that ended the wait first.
func (e *Event) Wait() error { return e.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (e *Event) WaitUntil(deadline runtime.Instant) error {
	e.mu.Lock()
	if e.set {
		e.mu.Unlock()
		return nil
	}
	w := runtime.NewWaiter()
	e.waiting = append(e.waiting, w)
	e.mu.Unlock()
	err := w.ParkUntil("event", deadline)
	if err != nil {
		e.forget(w)
	}
	return err
}

// forget takes back a wait that ended otherwise.
func (e *Event) forget(w runtime.Waiter) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, q := range e.waiting {
		if q == w {
			e.waiting = append(e.waiting[:i], e.waiting[i+1:]...)
			return
		}
	}
}
