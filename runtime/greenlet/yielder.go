package greenlet

import (
	goruntime "runtime"

	"github.com/petermattis/goid"
)

// A Yielder is a generator as its own function sees it. Its methods panic if
// anything else calls them, a greenlet that the function has started included.
type Yielder[Out, In any] struct {
	g  *Generator[Out, In]
	id int64
}

// raised is the panic by which Yield unwinds the generator's function.
type raised struct{ err error }

func (r *raised) Error() string { return r.err.Error() }
func (r *raised) Unwrap() error { return r.err }

// YieldErr makes v the result of the Next, Send or Throw under way, waits for
// the next of them, and returns the value that was sent, or the error that was
// thrown. Next sends the zero value. After ErrExit the function should end: see
// Generator.Close.
func (y *Yielder[Out, In]) YieldErr(v Out) (In, error) {
	y.depart(v)
	y.g.slot.Swap()
	return y.arrive()
}

// Yield is YieldErr for a function that leaves errors alone: one that is thrown
// unwinds it, running its deferred functions. It can be recovered, as an error
// that wraps the one thrown.
func (y *Yielder[Out, In]) Yield(v Out) In {
	y.depart(v)
	y.g.slot.Swap()
	in, err := y.arrive()
	if err != nil {
		panic(&raised{err})
	}
	return in
}

// depart begins to yield v: the function must swap, and then arrive.
func (y *Yielder[Out, In]) depart(v Out) {
	g := y.g
	if goid.Get() != y.id {
		panic("greenlet: yield outside of the generator's function")
	}
	g.out = v
	g.state = waiting
	g.pause()
}

// arrive returns what was sent or thrown.
func (y *Yielder[Out, In]) arrive() (In, error) {
	g := y.g
	if g.force {
		goruntime.Goexit()
	}
	var none In
	in := g.in
	g.in = none
	if err := g.raise; err != nil {
		g.raise = nil
		return none, err
	}
	return in, nil
}

// Return sets the generator's result and returns nil, so that the function can
// end with "return y.Return(v)".
func (y *Yielder[Out, In]) Return(v Out) error {
	y.g.result, y.g.has = v, true
	return nil
}
