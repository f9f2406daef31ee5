package runtime

import (
	"errors"
	"time"
)

// A Timeout is one call of WithTimeout, and the error by which its function's
// wait ended when it expired: nested ones are told apart by identity. It is
// also ErrTimeout, os.ErrDeadlineExceeded and context.DeadlineExceeded.
type Timeout struct {
	d     time.Duration
	timer timer
	bound bound
}

func (s *Timeout) Error() string { return "runtime: timeout of " + s.d.String() }

// Timeout reports true, as net.Error has it.
func (s *Timeout) Timeout() bool { return true }

// Temporary reports true, as net.Error has it.
func (s *Timeout) Temporary() bool { return true }

// Is reports that a Timeout is ErrTimeout and the standard library's
// equivalents.
func (s *Timeout) Is(target error) bool {
	return target == ErrTimeout || timeoutError{}.Is(target)
}

// Forever is a duration with which WithTimeout never expires.
const Forever time.Duration = 1<<63 - 1

// WithTimeout calls fn and interrupts it when it is still waiting after d: the
// wait returns the *Timeout of this call, or unwinds to here if it can't return
// an error. WithTimeout returns fn's error, or the *Timeout when fn was
// unwound. A d <= 0 expires at once; fn still runs up to its first wait. With
// Forever it just calls fn.
//
// Calls nest: whichever expires first interrupts, and the error tells which.
// fn is not interrupted while it computes. WithTimeout is for tasks: elsewhere
// it returns ErrNotInTask without calling fn.
func WithTimeout(d time.Duration, fn func() error) error {
	return new(Timeout).call(d, fn)
}

// WithTimeoutValue is WithTimeout for a function with a result, and silent: when
// fn fails by the expiry of this call, its error is nil and the value is
// fallback. Any other error is returned, that of an enclosing WithTimeout too,
// with fn's value, or the zero one if fn was unwound.
func WithTimeoutValue[T any](d time.Duration, fallback T, fn func() (T, error)) (T, error) {
	var value T
	own := new(Timeout)
	err := own.call(d, func() (err error) {
		value, err = fn()
		return err
	})
	if errors.Is(err, own) { // by identity: fn may have wrapped it
		return fallback, nil
	}
	return value, err
}

// call is WithTimeout, with its *Timeout.
func (s *Timeout) call(d time.Duration, fn func() error) error {
	co := current()
	if co == nil || co.task == nil {
		return ErrNotInTask
	}
	if d == Forever {
		return fn()
	}
	s.d = d
	return s.until(Now().Add(d), co.task, fn)
}

// until calls fn in t, bounded by deadline.
func (s *Timeout) until(deadline Instant, t *Task, fn func() error) error {
	s.bound.err = s
	s.bound.when = deadline
	if s.d <= 0 {
		s.bound.due = true
		return t.within(&s.bound, fn)
	}
	s.timer.fire = func(*timer) {
		// Of equal deadlines the inner one comes first, though it started later.
		for b := t.extra().bounds; b != nil && b != &s.bound; b = b.outer {
			if inner, ok := b.err.(*Timeout); ok && b.when <= s.bound.when {
				inner.bound.due = true
			}
		}
		t.fall(&s.bound)
	}
	t.w.timers.start(&s.timer, s.bound.when)
	defer t.w.timers.stop(&s.timer)
	return t.within(&s.bound, fn)
}
