package event

import "github.com/weft-go/weft/runtime"

// An Event is a flag that parties wait for. The zero Event is not set. It must
// not be copied after first use. Its methods may be called from any task or
// goroutine.
type Event struct {
	flag flag
}

// Set sets the flag and wakes all that wait at this moment, in the order they
// came; a Clear right after it takes that back from none of them. Then it calls
// the functions of OnReady. It never parks, and may be called from anywhere.
func (e *Event) Set() {
	e.flag.raise(e.flag.mu.Lock())
}

// Clear resets the flag. It never parks, and may be called from anywhere.
func (e *Event) Clear() {
	e.flag.mu.Lock()
	e.flag.set = false
	e.flag.mu.Unlock()
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool { return e.flag.isSet() }

// Wait waits until the flag is set: not at all if it is. It returns the error of a
// kill or timeout that ended the wait first.
func (e *Event) Wait() error { return e.flag.wait("event", 0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (e *Event) WaitUntil(deadline runtime.Instant) error { return e.flag.wait("event", deadline) }

// OnReady makes fn be called once: by the next Set, after it has woken those that
// wait and before it returns, in the order of the OnReady calls; or, if the flag
// is set, before OnReady returns. fn runs in the task, goroutine or hub that calls
// Set, and must not wait. It may use the event. A panic of fn reaches that caller
// when the functions after it have been called, and harms no other.
//
// cancel takes the call back. It reports false if fn was called, or cancel was,
// before. OnReady and cancel never park, and may be called from anywhere.
func (e *Event) OnReady(fn func()) (cancel func() bool) { return e.flag.onReady(fn) }
