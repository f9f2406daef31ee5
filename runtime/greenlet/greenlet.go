package greenlet

import (
	"errors"
	"fmt"

	"github.com/petermattis/goid"
)

// Any is a greenlet whose types are not known: a *Greenlet, with which it can be
// compared by ==. Its methods, but String, may be called by the task or
// goroutine it belongs to only.
type Any interface {
	Parent() Any
	SetParent(p Any) error
	Started() bool
	Active() bool
	Dead() bool
	Close() error
	fmt.Stringer

	base() *core
}

var _ Any = (*Greenlet[any, any])(nil)

// A Greenlet is a function that runs on a coroutine of its own, and gives up
// control only when it says to whom. In is the type of what is switched to it:
// its function's argument at first, then the result of the call in which it
// waits. Out is the type of its result.
//
// Make it with New; the zero Greenlet is of no use. It belongs to the task or
// goroutine that made it: elsewhere its methods return ErrOwner.
type Greenlet[In, Out any] struct {
	core
	run func(In) (Out, error)

	// What is passed by way of core.pending, as long as it takes.
	in        In
	out       Out
	inP, outP any // &in, &out
}

// New makes a greenlet that will call run with the first value that is switched
// to it. Its parent, which gets the result, is the running greenlet. New does
// not start it, and an unstarted greenlet needs no Close.
func New[In, Out any](run func(In) (Out, error)) *Greenlet[In, Out] {
	o := ownerOf(goid.Get())
	g := &Greenlet[In, Out]{run: run}
	g.init(o)
	g.parent = o.current
	return g
}

func (g *Greenlet[In, Out]) init(o *owner) {
	g.o, g.self = o, g
	g.inP, g.outP = &g.in, &g.out
	g.pending = g.inP
	g.on = &g.stack
	g.body = g.call
	g.member.who = &g.core
}

// Switch suspends the caller, switches to g with v, and returns what somebody
// switches back to the caller: the result of g if the caller is its parent, or
// what g passes to SwitchParent, or any other value of type Out. A value of
// another type gives a *TypeError. The errors are otherwise those with which
// greenlets ended whose parent the caller is, a panic being a
// *runtime.PanicError; those thrown at the caller; and ErrOwner, ErrTracing.
//
// If g is dead, v goes to its parent, or if that is dead to the parent's, and
// so on: to the caller itself it returns at once.
//
// When a greenlet calls Goexit, as testing's FailNow does, the call in which its
// parent waits does so too, and that's how the whole task or goroutine ends.
// Likewise the panic by which a kill or a timeout unwinds goes from greenlet to
// parent.
func (g *Greenlet[In, Out]) Switch(v In) (Out, error) {
	o, id := g.o, goid.Get()
	if o.running.Load() != id {
		var zero Out
		return zero, o.refused(id)
	}
	from := o.current
	if s := depart(from, &g.core, id, v, g.outP); s != nil {
		s.Swap()
	}
	return arrive(from, &g.out)
}

// Throw is Switch with an error: the call in which g waits returns err; nil
// stands for ErrExit. If g has not started it never runs, and is dead; err then
// goes to its parent, as it does if g was dead before, or does not handle it
// but ends with it. ErrExit goes no further than g: the parent gets a zero value
// and no error.
func (g *Greenlet[In, Out]) Throw(err error) (Out, error) {
	o, id := g.o, goid.Get()
	if o.running.Load() != id {
		var zero Out
		return zero, o.refused(id)
	}
	from := o.current
	if s := departThrowing(from, &g.core, id, err, g.outP); s != nil {
		s.Swap()
	}
	return arrive(from, &g.out)
}

// SwitchParent suspends g, which must be the running greenlet, switches to its
// parent with v, and returns what somebody switches to g next. The errors are
// those thrown at g, as by Close: g should end then; the others of Switch; and
// ErrNotCurrent and ErrMain.
func (g *Greenlet[In, Out]) SwitchParent(v Out) (In, error) {
	var zero In
	o, id := g.o, goid.Get()
	switch {
	case o.running.Load() != id:
		return zero, o.refused(id)
	case o.current != &g.core:
		return zero, ErrNotCurrent
	case g.parent == nil:
		return zero, ErrMain
	}
	if s := depart(&g.core, g.parent, id, v, g.inP); s != nil {
		s.Swap()
	}
	return arrive(&g.core, &g.in)
}

// SwitchTo suspends from, which must be the running greenlet, switches to to
// with v, and returns what somebody switches to from next. It is to.Switch, but
// for the type of what is waited for: between greenlets that switch to each
// other as equals none returns a result to the other. Its errors are those of
// SwitchParent.
func SwitchTo[In, Out, ToIn, ToOut any](from *Greenlet[In, Out], to *Greenlet[ToIn, ToOut], v ToIn) (In, error) {
	var zero In
	o, id := to.o, goid.Get()
	switch {
	case o.running.Load() != id:
		return zero, o.refused(id)
	case o.current != &from.core:
		return zero, ErrNotCurrent
	}
	if s := depart(&from.core, &to.core, id, v, from.inP); s != nil {
		s.Swap()
	}
	return arrive(&from.core, &from.in)
}

// call is core.body: it calls the function, with what was passed, and passes on
// the result.
func (g *Greenlet[In, Out]) call() {
	var end message
	var out Out
	if g.o.kind >= panicked { // it never runs, as the tracer was unwound
		end, g.o.message = g.o.message, message{}
	} else if in, err := take(g.o, &g.in); err != nil {
		end = message{kind: failed, err: err} // nor does it now
	} else {
		out, end = g.guarded(in)
	}
	g.run = nil
	g.die(end)
	if end.kind == passed {
		put(g.heir, out, false)
	}
}

// guarded calls run and says how it ended.
func (g *Greenlet[In, Out]) guarded(in In) (out Out, end message) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if r := recover(); r != nil {
			end = g.o.failure(r)
		}
	}()
	out, err := g.run(in)
	returned = true
	if err != nil && !errors.Is(err, ErrExit) {
		end.fail(err)
	}
	return out, end
}

// String returns the type and address. It may be called from anywhere.
func (g *Greenlet[In, Out]) String() string {
	return fmt.Sprintf("%T(%p)", g, g)
}
