package greenlet

import (
	"errors"
	"fmt"
	"reflect"
)

var (
	// ErrExit is what Close raises, and Throw of nil. A greenlet whose function
	// ends with it has not failed: its parent gets the value returned beside it,
	// and no error.
	ErrExit = errors.New("greenlet: exit")

	// ErrOwner is returned by a call from another task or goroutine than the
	// one to which the greenlet or generator belongs, and from a coroutine of
	// the caller's own (iter.Pull).
	ErrOwner = errors.New("greenlet: cannot switch to a different task or goroutine")

	// ErrDead is the reason of a *TypeError if the value came from a switch to a
	// dead greenlet, which passed it on to its parent.
	ErrDead = errors.New("greenlet: switch to a dead greenlet")

	// ErrNotCurrent is returned by SwitchParent and SwitchTo on behalf of a
	// greenlet that is not the running one.
	ErrNotCurrent = errors.New("greenlet: not the running greenlet")

	// ErrMain is returned for what a main greenlet can't do: it has no parent
	// to switch to, can't be given one, and can't be closed.
	ErrMain = errors.New("greenlet: not possible for a main greenlet")

	// ErrRunning is returned by Close of the running greenlet itself.
	ErrRunning = errors.New("greenlet: close of the running greenlet")

	// ErrCycle is returned by SetParent if a greenlet would become its own
	// ancestor.
	ErrCycle = errors.New("greenlet: cyclic parent chain")

	// ErrTracing is returned by switches in a trace function.
	ErrTracing = errors.New("greenlet: switch in a trace function")

	// ErrIgnored is returned by Close if the function did not end when ErrExit
	// was raised in it but switched or yielded again. It has been ended by then,
	// by Goexit.
	ErrIgnored = errors.New("greenlet: function ignored ErrExit")

	// ErrDone is returned by Next and Send when the generator's function has
	// returned.
	ErrDone = errors.New("greenlet: generator is done")

	// ErrLeaked is the failure of a generator whose function returned ErrDone
	// as its error, such as that of another generator. It is not ErrDone, so
	// that it is not taken for the regular end.
	ErrLeaked = errors.New("greenlet: generator's function failed with ErrDone")

	// ErrNotStarted is returned by Send before the first Next: no Yield waits
	// for the value.
	ErrNotStarted = errors.New("greenlet: value sent to a generator that has not started")

	// ErrExecuting is returned by a call on a generator whose function is
	// running, or has switched to another greenlet.
	ErrExecuting = errors.New("greenlet: generator already executing")
)

// leftError is what Config.OnPanic is told of greenlets that a task left behind.
type leftError struct{ err error }

func (e *leftError) Error() string {
	return "greenlet: ended with its task: " + e.err.Error()
}

func (e *leftError) Unwrap() error { return e.err }

// A TypeError tells that a value was switched to a greenlet that waits for one
// of another type.
type TypeError struct {
	Value any          // what arrived
	Want  reflect.Type // what the waiting call returns

	dead bool
}

func (e *TypeError) Error() string {
	text := fmt.Sprintf("greenlet: %T arrived where %v is expected", e.Value, e.Want)
	if e.dead {
		text += ", from a switch to a dead greenlet"
	}
	return text
}

// Is reports whether the error is ErrDead.
func (e *TypeError) Is(target error) bool { return e.dead && target == ErrDead }
