package runtime

import (
	"errors"
	"time"
)

// ErrNotYielded is returned by AssertYields. The error in hand is a
// *NotYieldedError.
var ErrNotYielded = errors.New("runtime: task did not give up its worker")

// NotYieldedError is the error in hand where errors.Is(err, ErrNotYielded).
type NotYieldedError struct {
	// Held is how long the function took.
	Held time.Duration
}

func (e *NotYieldedError) Error() string {
	return ErrNotYielded.Error() + " for " + e.Held.String()
}

// Is reports that a NotYieldedError is ErrNotYielded.
func (e *NotYieldedError) Is(target error) bool { return target == ErrNotYielded }

// AssertYields calls fn in the calling task and returns a *NotYieldedError if the
// task did not give up its worker meanwhile, so that no other task could run. It
// is for tests, and for loops that may spin. A Yield counts also when no other task
// is ready; a call that could have waited, but did not have to, does not.
//
// An error of fn is returned as it is, and then nothing is asserted. Calls nest.
// AssertYields parks only where fn does. It is for tasks: elsewhere it returns
// ErrNotInTask without calling fn.
func AssertYields(fn func() error) error {
	co := current()
	if co == nil || co.task == nil {
		return ErrNotInTask
	}
	before, _ := co.w.progress()
	start := Now()
	if err := fn(); err != nil {
		return err
	}
	if after, _ := co.w.progress(); after == before {
		return &NotYieldedError{Now().Sub(start)}
	}
	return nil
}
