package greenlet

import (
	"errors"
	"iter"
	"sync/atomic"

	"github.com/petermattis/goid"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/coro"
)

// A Generator is a function that yields values, one by one, to whoever asks for
// the next, and waits meanwhile. Out is the type of what it yields, In of what
// is sent to it in return.
//
// Make it with NewGenerator; the zero Generator is of no use. It belongs to the
// task or goroutine that calls it first: elsewhere its methods return ErrOwner
// from then on. It runs as part of the greenlet that calls Next: a switch in its
// function switches that.
type Generator[Out, In any] struct {
	o atomic.Pointer[owner] // set by the first call

	// The owner's running party alone uses the rest.
	body   func(*Yielder[Out, In]) error
	state  genState
	member member
	slot   coro.Slot
	id     int64 // its coroutine
	caller int64 // the goroutine of the call that made it execute
	stack  stack

	in     In
	out    Out
	result Out
	has    bool    // a result
	raise  error   // what the waiting Yield raises
	force  bool    // what it does instead: Goexit
	end    message // how it ended
	err    error   // the same, for Err
}

// genState is a generator's state. execute alone makes it executing, and then its
// coroutine alone anything else.
type genState uint8

const (
	fresh     genState = iota // not started
	waiting                   // in Yield
	executing                 // or in a greenlet that is suspended
	done
)

// NewGenerator makes a generator of body. It does not start it, and a generator
// that has not started needs no Close.
func NewGenerator[Out, In any](body func(y *Yielder[Out, In]) error) *Generator[Out, In] {
	g := &Generator[Out, In]{body: body}
	g.member.who = g
	return g
}

// Next runs the function until it yields, and returns what it yielded. The
// error is ErrDone when the function has returned, and whenever Next is called
// after that; the function's own error, once; for a panic of it a
// *runtime.PanicError; ErrExecuting, ErrOwner, ErrTracing.
func (g *Generator[Out, In]) Next() (Out, error) {
	var none In
	if err := g.depart(none, nil, false); err != nil {
		var none Out
		return none, err
	}
	g.slot.Swap()
	return g.arrive()
}

// Send is Next with the value that the waiting Yield returns. Before the first
// Next there is none, and Send returns ErrNotStarted.
func (g *Generator[Out, In]) Send(v In) (Out, error) {
	if err := g.depart(v, nil, true); err != nil {
		var none Out
		return none, err
	}
	g.slot.Swap()
	return g.arrive()
}

// Throw is Next with an error, which the waiting YieldErr returns, or by which
// the waiting Yield unwinds the function; nil stands for ErrExit. Throw returns
// it too if the function ends by it. A generator that has not started never
// does, and one that has ended stays so: Throw returns err then.
func (g *Generator[Out, In]) Throw(err error) (Out, error) {
	var none In
	if err == nil {
		err = ErrExit
	}
	if err := g.depart(none, err, false); err != nil {
		var none Out
		return none, err
	}
	g.slot.Swap()
	return g.arrive()
}

// bind returns the owner, and the id of the calling goroutine, which runs for
// it.
func (g *Generator[Out, In]) bind() (*owner, int64, error) {
	id := goid.Get()
	o := g.o.Load()
	if o == nil {
		o = ownerOf(id)
		if !g.o.CompareAndSwap(nil, o) {
			o = g.o.Load()
		}
	}
	if o.running.Load() != id {
		return nil, 0, o.refused(id)
	}
	return o, id, nil
}

// The function runs on its own coroutine, which is alone in its slot with the
// goroutine that called Next. It is iter.Pull used as documented, but that the
// owner may switch to other greenlets inside the function, and come back.
//
// The exported functions swap themselves: see Slot.Swap.

// depart begins to resume the function, with the value that was sent or the
// error to raise: the caller must swap, and then arrive. It returns an
// error if the function can't be resumed.
func (g *Generator[Out, In]) depart(v In, raise error, sent bool) error {
	o, id, err := g.bind()
	if err != nil {
		return err
	}
	switch g.state {
	case executing:
		return ErrExecuting
	case done:
		if raise != nil {
			return raise
		}
		return ErrDone
	case fresh:
		if sent {
			return ErrNotStarted
		}
		if raise != nil {
			g.state, g.body, g.err = done, nil, raise
			return raise
		}
	}
	g.in, g.raise = v, raise
	g.execute(o, id)
	return nil
}

// execute makes the function the one that runs, for a swap.
func (g *Generator[Out, In]) execute(o *owner, id int64) {
	g.caller = id
	if g.state == fresh {
		g.slot.Open(g.live)
	} else {
		o.running.Store(g.id)
	}
	g.state = executing
	g.stack.under = o.stack
	o.move(&g.stack)
}

// pause makes the call that made the function execute the one that runs.
func (g *Generator[Out, In]) pause() {
	o := g.o.Load()
	o.running.Store(g.caller)
	o.move(g.stack.under)
	g.stack.under = nil
}

// arrive returns what the function yielded or how it ended.
func (g *Generator[Out, In]) arrive() (Out, error) {
	var none Out
	if g.state == waiting {
		out := g.out
		g.out = none
		return out, nil
	}
	return none, g.ended()
}

// live is what happens on the generator's coroutine.
func (g *Generator[Out, In]) live() {
	o := g.o.Load()
	g.id = o.admit()
	o.add(&g.member)
	goexit := true
	defer func() {
		g.state, g.stack.Ended = done, true
		o.drop(&g.member)
		o.dismiss(g.id)
		g.pause()
		if goexit && g.force {
			g.end = message{}
			panic(coro.End{}) // see Close
		}
	}()
	g.end = g.guarded(&Yielder[Out, In]{g, g.id})
	goexit = false
}

// guarded calls the function and says how it ended.
func (g *Generator[Out, In]) guarded(y *Yielder[Out, In]) (end message) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch r := recover().(type) {
		case nil: // Goexit
		case *raised:
			end.fail(r.err)
		default:
			end = g.o.Load().failure(r)
		}
	}()
	body := g.body
	g.body = nil
	err := body(y)
	returned = true
	if err != nil {
		end.fail(err)
	}
	return end
}

// ended tells the caller how the function ended.
func (g *Generator[Out, In]) ended() error {
	end := g.end
	g.end = message{}
	switch end.kind {
	case passed:
		return ErrDone
	case failed:
		g.err = end.err
		if errors.Is(g.err, ErrDone) {
			g.err = ErrLeaked
		}
		return g.err
	}
	return end.deliver(nil) // a panic that goes on in the caller
}

// Close ends the generator. Nothing else does but the end of its task. It returns
// when the function has ended.
//
// ErrExit is raised in a waiting function: a waiting Yield unwinds it, which
// runs its deferred functions, a waiting YieldErr returns ErrExit. If it yields
// once more it is unwound by Goexit, which can't be recovered, and Close returns
// ErrIgnored. Any other error with which the function ends is returned.
//
// A generator that has not started never does. To close one that has ended
// does nothing. In the function itself Close returns ErrExecuting.
func (g *Generator[Out, In]) Close() error {
	o, id, err := g.bind()
	if err != nil {
		return err
	}
	switch g.state {
	case executing:
		return ErrExecuting
	case done:
		return nil
	case fresh:
		g.state, g.body = done, nil
		return nil
	}
	g.raise = ErrExit
	g.execute(o, id)
	g.slot.Swap()
	ignored := g.state == waiting
	for g.state == waiting {
		g.force = true
		g.forced(o, id)
	}
	switch err := g.ended(); {
	case ignored && (err == ErrDone || errors.Is(err, ErrExit)):
		g.err = ErrIgnored
		return ErrIgnored
	case err == ErrDone:
		return nil
	case errors.Is(err, ErrExit):
		g.err = nil
		return nil
	default:
		return err
	}
}

// forced resumes the function and absorbs the Goexit that it causes.
func (g *Generator[Out, In]) forced(o *owner, id int64) {
	defer coro.AbsorbEnd()
	g.execute(o, id)
	g.slot.Swap()
}

func (g *Generator[Out, In]) suspended() bool { return g.state == waiting }

// Result returns what the function returned by Yielder.Return, if it has ended
// that way.
func (g *Generator[Out, In]) Result() (Out, bool) {
	if g.state != done || g.err != nil || !g.has {
		var none Out
		return none, false
	}
	return g.result, true
}

// Err returns the error with which the function ended, nil for none. It is
// meant for after a loop over All.
func (g *Generator[Out, In]) Err() error { return g.err }

// All returns the values that are still to come, as a sequence for range. It
// ends when the function returns or fails: see Err. When the loop is left before
// that, by break or otherwise, the generator is closed. A panic of the function
// is raised again in the loop, as a *runtime.PanicError, and so is misuse
// (ErrOwner, ErrExecuting, ErrTracing).
func (g *Generator[Out, In]) All() iter.Seq[Out] {
	return func(yield func(Out) bool) {
		inLoop := false
		defer func() {
			if inLoop {
				_ = g.Close() // its error is Err's
			}
		}()
		for {
			v, err := g.Next()
			if err != nil {
				if _, panicked := err.(*runtime.PanicError); panicked || g.state != done {
					panic(err)
				}
				return
			}
			inLoop = true
			if !yield(v) {
				return
			}
			inLoop = false
		}
	}
}
