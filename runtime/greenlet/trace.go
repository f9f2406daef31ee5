package greenlet

import "github.com/petermattis/goid"

// Event says to a Tracer what was switched.
type Event uint8

const (
	EventSwitch Event = iota // a value
	EventThrow               // an error, or another end of the origin than a return
)

// String returns "switch" or "throw".
func (e Event) String() string {
	if e == EventThrow {
		return "throw"
	}
	return "switch"
}

// A Tracer is called after each switch from one greenlet to another, in the
// target, before anything else happens there. origin may be dead: it ended by
// this switch.
//
// It must not switch: that gives ErrTracing. If it panics it is removed, and
// the target meets a *runtime.PanicError as if that had been thrown at it. It may
// wait; if it is unwound by a kill or timeout, it is removed and the target is
// unwound.
type Tracer func(event Event, origin, target Any)

// SetTrace makes t the tracer of the calling task or goroutine, nil for none,
// and returns the one before. A goroutine should remove it before it ends, for
// the sake of memory.
func SetTrace(t Tracer) Tracer {
	o := ownerOf(goid.Get())
	old := o.tracer
	o.tracer = t
	if (old == nil) != (t == nil) {
		o.keep(t != nil)
	}
	return old
}

// Trace returns the tracer of the calling task or goroutine, nil if none.
func Trace() Tracer { return ownerOf(goid.Get()).tracer }

// trace calls the tracer in the target.
func (o *owner) trace() {
	event, origin := EventSwitch, o.origin
	if o.kind >= failed {
		event = EventThrow
	}
	o.origin = nil
	if origin == nil {
		return // the tracer was set on the way
	}
	running := o.running.Swap(0)
	defer func() {
		o.running.Store(running)
		if r := recover(); r != nil {
			o.tracer = nil
			o.keep(false)
			if o.kind < panicked {
				o.message = o.failure(r)
			}
		}
	}()
	o.tracer(event, origin.self, o.current.self)
}
