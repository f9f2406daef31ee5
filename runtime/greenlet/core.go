package greenlet

import (
	"errors"
	"reflect"
	goruntime "runtime"
	"runtime/debug"

	"github.com/petermattis/goid"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/coro"
)

// core is a greenlet without its types. The owner's running party alone uses
// it, except o.
//
// A greenlet is
//
//	unstarted  from New to the first switch to it, which starts it
//	suspended  in a call that switches
//	running    o.current
//	dead       its function has ended, or never will start: it was closed, or
//	           something was thrown at it, while unstarted
//
// and active while suspended or running.
type core struct {
	o    *owner // immutable
	self Any    // immutable

	parent  *core // nil for the main one
	started bool
	dead    bool
	forced  bool  // being ended by Goexit: see Close
	closer  *core // who waits in Close for its end, and gets its result
	heir    *core // who gets its result, once dead

	stack stack  // its coroutine's
	on    *stack // where it is suspended: that one, or a generator's

	at  *coro.Slot // where it is suspended; nil while unstarted or running
	own coro.Slot  // its coroutine's
	id  int64      // the goroutine on which it is suspended

	// pending points to where the call in which it is suspended, or its start,
	// wants the value: *T for a call that returns a T. It is nil in Close, which
	// wants none.
	pending any

	body   func() // runs the function
	member member
}

// message is what a switch carries. Between switches it is the zero one.
type message struct {
	kind kind
	box  any   // for boxed the value, for panicked the panic's
	err  error // for failed
	dead bool  // for boxed: it came from a switch to a dead greenlet
}

type kind uint8

const (
	passed   kind = iota // a value, which is where core.pending says
	boxed                // a value that is not of the type wanted there
	failed               // err, to be returned by the call
	panicked             // box, with which the call panics: a task being unwound
	exited               // the call has to Goexit, as someone did
	forced               // the greenlet has to Goexit: see Close
)

// fail makes the message an error.
func (m *message) fail(err error) { m.kind, m.err = failed, err }

// put makes the message a value for to, which gets it.
func put[T any](to *core, v T, dead bool) {
	m := &to.o.message
	if p, ok := to.pending.(*T); ok {
		*p = v
		m.kind = passed
		return
	}
	*m = message{kind: boxed, box: v, dead: dead}
}

// take returns what the message says, for the call that gave p as pending.
func take[T any](o *owner, p *T) (T, error) {
	v := *p
	var zero T
	*p = zero
	if o.kind == passed {
		return v, nil
	}
	m := o.message
	o.message = message{}
	if m.kind != boxed {
		return zero, m.deliver(o.current)
	}
	v, ok := m.box.(T)
	if !ok && m.box != nil { // nil is the zero value of any type
		return zero, &TypeError{m.box, reflect.TypeFor[T](), m.dead}
	}
	return v, nil
}

// deliver makes c, the running greenlet, meet a message that is no value.
func (m *message) deliver(c *core) error {
	switch m.kind {
	case panicked:
		panic(m.box)
	case forced:
		c.forced = true
		goruntime.Goexit()
	case exited:
		goruntime.Goexit()
	}
	return m.err
}

// heirOf returns who gets the message that is meant for c: c itself, or if that
// is dead its parent, and so on. An unstarted greenlet at which something is
// thrown dies of it.
func (o *owner) heirOf(c *core) *core {
	for c.dead || !c.started && o.kind >= failed {
		c.dead = true
		if o.kind == failed && errors.Is(o.err, ErrExit) {
			o.message = message{kind: boxed}
		}
		c = c.parent
	}
	return c
}

// hand makes to the owner's running party, just before the switch.
func (o *owner) hand(from, to *core) {
	if o.tracer != nil {
		o.origin = from
	}
	if o.task != nil {
		from.on = o.stack
		o.move(to.on)
	}
	o.current = to
	if to.started {
		o.running.Store(to.id)
	}
}

// A switch is
//
//	if s := depart(...); s != nil {
//		s.Swap()
//	}
//	return arrive(...)

// depart begins to pass v from from, the running party, to to, in a call that
// waits for a value where pending says. id is the calling goroutine's. It
// returns nil if from gets v itself.
func depart[T any](from, to *core, id int64, v T, pending any) *coro.Slot {
	from.pending = pending
	dead := to.dead
	if dead {
		to = to.o.heirOf(to)
	}
	put(to, v, dead)
	return from.pass(to, id)
}

// departThrowing is depart with an error.
func departThrowing(from, to *core, id int64, err error, pending any) *coro.Slot {
	from.pending = pending
	if err == nil {
		err = ErrExit
	}
	from.o.fail(err)
	return from.pass(from.o.heirOf(to), id)
}

// pass begins the switch from from to to.
func (from *core) pass(to *core, id int64) *coro.Slot {
	if to == from {
		return nil
	}
	from.id = id
	from.o.hand(from, to)
	return leave(from, to)
}

// arrive ends a switch for self, who departed, and returns what was passed to
// it, by way of p.
func arrive[T any](self *core, p *T) (T, error) {
	self.o.arrive(self)
	return take(self.o, p)
}

// arrive is the same but for the message.
func (o *owner) arrive(self *core) {
	o.settle(self)
	if o.tracer != nil {
		o.trace()
	}
}

// passAndWait is pass and arrive for Close.
func (from *core) passAndWait(to *core, id int64) {
	if s := from.pass(to, id); s != nil {
		s.Swap()
	}
	from.o.arrive(from)
}

// live is what happens on c's coroutine. No panic or Goexit of the user's
// leaves it.
func (c *core) live() {
	o := c.o
	id := o.admit()
	o.add(&c.member)
	o.arrive(c)
	returned := false
	defer func() {
		if returned {
			return
		}
		c.die(message{kind: exited})
		c.leave(id, true)
		panic(coro.End{})
	}()
	c.body()
	returned = true
	c.leave(id, false)
}

// die makes c dead, with m as what its heir gets.
func (c *core) die(m message) {
	o := c.o
	c.dead, c.stack.Ended = true, true
	o.message = m
	if m.kind == failed && errors.Is(m.err, ErrExit) || m.kind == exited && c.forced {
		o.message = message{kind: boxed}
	}
	if c.heir = c.closer; c.heir == nil || c.heir.dead {
		c.heir = o.heirOf(c.parent)
	}
}

// leave ends c's coroutine.
func (c *core) leave(id int64, byPanic bool) {
	o := c.o
	heir := c.heir
	c.heir = nil
	o.drop(&c.member)
	o.dismiss(id)
	o.hand(c, heir)
	c.end(heir, byPanic)
}

// failure turns the value of a panic into a message: the error that the parent
// gets. The panic by which package runtime unwinds a task goes on in the parent.
func (o *owner) failure(r any) message {
	if o.task != nil && o.task.Unwinding(r) {
		return message{kind: panicked, box: r}
	}
	return message{kind: failed, err: &runtime.PanicError{Value: r, Stack: debug.Stack()}}
}

func (c *core) suspended() bool { return c.started && !c.dead && c != c.o.current }

// Parent returns the greenlet to which the result of this one goes, nil for a
// main greenlet.
func (c *core) Parent() Any {
	if c.parent == nil {
		return nil
	}
	return c.parent.self
}

// SetParent makes p the parent. The errors are ErrOwner if p belongs to another
// task or goroutine, ErrCycle if p is a descendant of the greenlet or itself,
// ErrMain.
func (c *core) SetParent(p Any) error {
	o, id := c.o, goid.Get()
	if o.running.Load() != id {
		if err := o.refused(id); err != ErrTracing {
			return err
		}
	}
	parent := p.base()
	switch {
	case parent.o != o:
		return ErrOwner
	case c.parent == nil:
		return ErrMain
	}
	for a := parent; a != nil; a = a.parent {
		if a == c {
			return ErrCycle
		}
	}
	c.parent = parent
	return nil
}

// Started reports whether the function has been called.
func (c *core) Started() bool { return c.started }

// Active reports whether the function has been called and has not ended.
func (c *core) Active() bool { return c.started && !c.dead }

// Dead reports whether the greenlet has ended, or can't start any more.
func (c *core) Dead() bool { return c.dead }

// Close ends the greenlet. Nothing else does but the end of its task; no garbage
// collection in particular. It returns when the greenlet is dead.
//
// A suspended greenlet sees its waiting call return ErrExit. If it switches or
// ends regularly from then on, well; but when control comes back to Close and it
// is not dead, it is unwound by Goexit, which runs its deferred functions and
// can't be recovered, and Close returns ErrIgnored. An error with which the
// function ends is returned, but ErrExit is not; a value is dropped. So is what
// others switch to the closer meanwhile.
//
// An unstarted greenlet never runs. To close a dead one does nothing. The
// running one gives ErrRunning, a main one ErrMain.
func (c *core) Close() error {
	o, id := c.o, goid.Get()
	if o.running.Load() != id {
		return o.refused(id)
	}
	from := o.current
	switch {
	case c.dead:
		return nil
	case c.parent == nil:
		return ErrMain
	case !c.started:
		c.dead = true
		return nil
	case c == from:
		return ErrRunning
	}
	from.pending = nil
	c.closer = from
	o.fail(ErrExit)
	from.passAndWait(c, id)
	// What came meanwhile: the worst is delivered at the end.
	var came message
	ignored := false
	for {
		again := o.kind == forced && came.kind == forced
		if o.kind >= failed && o.kind > came.kind {
			came = o.message
		}
		o.message = message{}
		if c.dead || again { // again: greenlets close each other in a circle
			break
		}
		ignored = true
		c.closer = from
		o.kind = forced
		from.passAndWait(c, id)
	}
	if came.kind >= failed {
		return came.deliver(from)
	}
	if ignored {
		return ErrIgnored
	}
	return nil
}

func (c *core) base() *core { return c }
