package process

import (
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// eventObject is the object behind Event.
type eventObject struct {
	mu      sync.Mutex // held for a few instructions
	set     bool       // mu guards this and the rest
	waiting []waiter
}

const (
	eventSet = op(iota + 1)
	eventClear
	eventIsSet
	eventWait
)

func (e *eventObject) serve(r *request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.op {
	case eventSet:
		e.set = true
		for _, w := range e.waiting {
			w.reply(statusOK)
		}
		e.waiting = nil
		r.reply(statusOK)
	case eventClear:
		e.set = false
		r.reply(statusOK)
	case eventIsSet:
		if e.set {
			r.reply(statusOK)
		} else {
			r.reply(statusNotFound)
		}
	case eventWait:
		if e.set {
			r.reply(statusOK)
		} else {
			e.waiting = append(e.waiting, waiter{answer: r.answer()})
		}
	default:
		r.reply(statusGone)
	}
}

func (e *eventObject) cancel(c *client, id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, w := range e.waiting {
		if w.is(c, id) {
			e.waiting = slices.Delete(e.waiting, i, i+1)
			w.reply(statusTimeout)
			return
		}
	}
}

func (e *eventObject) gone(c *client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = slices.DeleteFunc(e.waiting, func(w waiter) bool { return w.to == c })
}

func (e *eventObject) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.waiting {
		w.reply(statusGone)
	}
	e.waiting = nil
}

// An Event is a flag for which tasks of any process wait. Handles may be copied. Methods may
// be called from any task or goroutine, which waits for the owner's answer; they return
// ErrGone when the owner has ended.
type Event struct{ address }

// NewEvent makes an Event, which is not set, in a place.
func NewEvent(at Place) (*Event, error) {
	a, err := at.create(makeEvent, nil)
	return &Event{a}, err
}

// Set sets the flag and wakes all that wait.
func (e *Event) Set() error {
	_, err := e.result(outgoing{op: eventSet, reason: "answer about an event"})
	return err
}

// Clear resets the flag.
func (e *Event) Clear() error {
	_, err := e.result(outgoing{op: eventClear, reason: "answer about an event"})
	return err
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() (bool, error) {
	_, err := e.result(outgoing{op: eventIsSet, reason: "answer about an event"})
	if err == ErrNotFound {
		return false, nil
	}
	return err == nil, err
}

// Wait waits until the flag is set: not at all if it is. The error is ErrGone, or that of an
// interrupt.
func (e *Event) Wait() error { return e.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (e *Event) WaitUntil(deadline runtime.Instant) error {
	_, err := e.result(outgoing{op: eventWait, reason: "event between processes", deadline: deadline, wakes: true})
	return err
}

// Close ends the object: who waits for it, and whoever uses it later, gets ErrGone.
func (e *Event) Close() error { return e.remove() }
