package runtime

import (
	goruntime "runtime"
	"strings"
	"time"
)

// Interrupts end a task's waits from outside: a kill, an expired WithTimeout.
// All fields are worker-only; a kill from elsewhere is posted to the worker.
// An interrupt is delivered once: to the wait it ends, or, if the task does
// not wait, to its next one.
type interrupts struct {
	kill   *KillError // the last kill, delivered or not
	scopes *Timeout   // innermost enclosing WithTimeout
}

type interruptFlags struct {
	interrupted bool // there may be something to deliver: look at the rest, and at interrupts
	shielded    bool // nothing is delivered until the present wait is over
	killPending bool // not delivered yet
	unwound     bool // delivered by a panic
}

// unwind is the private panic that ends a task, or a WithTimeout's function,
// from within a call that has no error to return.
type unwind struct {
	err error
}

func (u *unwind) Error() string { return u.err.Error() }
func (u *unwind) Unwrap() error { return u.err }

// interruption returns the error to deliver to the next wait, nil for none: a
// kill before timeouts, an earlier timeout before a later one, of equal ones the
// inner.
func (t *Task) interruption() error {
	if t.killPending {
		return t.ext.kill
	}
	if t.ext == nil {
		return nil
	}
	var first *Timeout
	for s := t.ext.scopes; s != nil; s = s.outer {
		if s.expired && !s.delivered && (first == nil || s.timer.when < first.timer.when) {
			first = s
		}
	}
	if first != nil {
		return first
	}
	return nil
}

// delivered notes that err has reached the task.
func (t *Task) delivered(err error) {
	switch err := err.(type) {
	case *KillError:
		t.killPending = false
	case *Timeout:
		err.delivered = true
	}
	t.interrupted = t.unwound || t.interruption() != nil
}

// raise unwinds the task because of err, which ended a wait in a call that
// can't return it.
func (t *Task) raise(err error) {
	switch err := err.(type) {
	case *KillError:
		t.unwound, t.interrupted = true, true
	case *Timeout:
		err.unwinding = true
	}
	panic(&unwind{err})
}

// raisePending unwinds the task if an interrupt is due.
func (t *Task) raisePending() {
	t.unwindAgain()
	if err := t.interruption(); err != nil {
		t.delivered(err)
		t.raise(err)
	}
}

// unwindAgain resumes the unwinding of a killed task that swallowed the panic
// with recover. Deferred functions that run while it unwinds may wait: then
// gopanic is on the stack.
func (t *Task) unwindAgain() {
	if t.unwound && !panicking() {
		panic(&unwind{t.ext.kill})
	}
}

func panicking() bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := goruntime.Callers(skip, pcs[:])
		if n == 0 {
			return false
		}
		frames := goruntime.CallersFrames(pcs[:n])
		for {
			frame, more := frames.Next()
			if strings.HasPrefix(frame.Function, "runtime.gopanic") {
				return true
			}
			if !more {
				break
			}
		}
	}
}

// Kill ends the task from outside. It returns at once; Join waits for the end.
//
// A task that waits leaves its wait: a call that returns an error returns a
// *KillError with this cause (errors.Is ErrKilled, and context.Canceled), a
// call that does not, like Sleep, unwinds the task, running its deferred
// functions. A task that is ready meets the kill in its next wait. A task that
// has not started never does.
//
// A kill is delivered once: the task may wait again to clean up, and another
// Kill interrupts that too. A recover that swallows the unwinding does not save
// the task: its next wait resumes it. The task's Context is done from the call
// of Kill on. Killing itself unwinds the calling task. An ended task is left
// alone.
//
// Kill may be called from anywhere.
func (t *Task) Kill(cause error) {
	if t.ended.Load() {
		return
	}
	kill := &KillError{Cause: cause}
	t.cancelContext(kill)
	co := current()
	if co == nil || co.w != t.w {
		t.w.Post(func() { t.killed(kill) })
		return
	}
	t.killed(kill)
	if co.task == t && t.interrupted {
		t.raisePending()
	}
}

// killed delivers a kill, on the task's worker. Kills that come before the task
// has run with the one before are one.
func (t *Task) killed(kill *KillError) {
	if _, underWay := t.outcome.(*KillError); underWay || t.killPending || t.ended.Load() {
		return
	}
	t.extra().kill = kill
	t.killPending, t.interrupted = true, true
	t.interruptNow()
}

// interruptNow ends the present wait with what is pending.
func (t *Task) interruptNow() {
	if t.shielded {
		return
	}
	if err := t.interruption(); err != nil && t.interrupt(err) {
		t.delivered(err)
	}
}

// A Timeout is one call of WithTimeout, and the error by which its function's
// wait ended when it expired: nested ones are told apart by identity. It is
// also ErrTimeout, os.ErrDeadlineExceeded and context.DeadlineExceeded.
type Timeout struct {
	d     time.Duration
	timer timer
	outer *Timeout

	expired   bool // the time has passed
	delivered bool // a wait of the task has returned it, or unwinds with it
	unwinding bool // a panic with it is under way
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

// WithTimeout calls fn and interrupts it when it is still waiting after d: the
// wait returns the *Timeout of this call, or unwinds to here if it can't return
// an error. WithTimeout returns fn's error, or the *Timeout when fn was
// unwound. A d <= 0 expires at once; fn still runs up to its first wait.
//
// Calls nest: whichever expires first interrupts, and the error tells which.
// fn is not interrupted while it computes. WithTimeout is for tasks: elsewhere
// it returns ErrNotInTask without calling fn.
func WithTimeout(d time.Duration, fn func() error) error {
	_, err := withTimeout(d, fn)
	return err
}

func withTimeout(d time.Duration, fn func() error) (s *Timeout, err error) {
	co := current()
	if co == nil || co.task == nil {
		return nil, ErrNotInTask
	}
	t := co.task
	x := t.extra()
	s = &Timeout{d: d, outer: x.scopes}
	s.timer.task = t
	s.timer.fire = func(*timer) {
		for inner := x.scopes; inner != s; inner = inner.outer {
			inner.expired = inner.expired || inner.timer.when <= s.timer.when
		}
		s.expired, t.interrupted = true, true
		t.interruptNow()
	}
	x.scopes = s
	if d > 0 {
		t.w.timers.start(&s.timer, Now().Add(d))
	} else {
		s.expired, t.interrupted = true, true
	}
	defer func() {
		t.w.timers.stop(&s.timer)
		x.scopes = s.outer
		if t.interrupted {
			t.interrupted = t.unwound || t.interruption() != nil
		}
		if s.unwinding {
			switch r := recover().(type) {
			case nil: // fn recovered, and returned
			case *unwind:
				if r.err != s {
					panic(r)
				}
				err = s
			default:
				panic(r)
			}
		}
	}()
	return s, fn()
}

// Unwind unwinds the calling task because of err, with which a wait of it has
// ended, from a call that can't return it: what Sleep does, for blocking calls
// of your own. For any other error, or outside a task, it panics with err.
func Unwind(err error) {
	co := current()
	if co != nil && co.task != nil {
		switch err.(type) {
		case *KillError, *Timeout, *DeadlockError:
			co.task.raise(err)
		}
	}
	panic(err)
}
