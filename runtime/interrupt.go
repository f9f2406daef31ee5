package runtime

import (
	goruntime "runtime"
	"strings"

	"github.com/weft-go/weft/runtime/internal/strand"
)

// Interrupts end a task's waits from outside: a kill, or a bound on what it
// runs (an expired WithTimeout, a failed Scope).
// All fields are worker-only; a kill from elsewhere is posted to the worker.
// An interrupt is delivered once: to the wait it ends, or, if the task does
// not wait, to its next one.
type interrupts struct {
	kill    *KillError     // the last kill, delivered or not
	bounds  *bound         // the innermost one in the strand that runs
	strands strand.Strands // nil if there is only the task's own
}

type interruptFlags struct {
	interrupted bool // there may be something to deliver: look at the rest, and at interrupts
	shielded    bool // nothing is delivered until the present wait is over
	killPending bool // not delivered yet
	unwound     bool // delivered by a panic, in the strand that runs
}

// bound is what may interrupt a function that a task calls, until it has
// returned.
type bound struct {
	err   error // what it delivers; also its identity
	outer *bound

	when      Instant // of what makes it due
	due       bool    // it interrupts
	delivered bool    // a wait of the task has returned err, or unwinds with it
	unwinding bool    // a panic with it is under way
}

// unwind is the private panic that ends a task, or a bounded function, from within a call that has no error to return.
type unwind struct {
	err error
}

func (u *unwind) Error() string { return u.err.Error() }
func (u *unwind) Unwrap() error { return u.err }

// interruption returns the error to deliver to the next wait, nil for none: a
// kill before bounds, of those the one due first, of equal ones the inner.
func (t *Task) interruption() error {
	if t.killPending {
		return t.extra().kill
	}
	x := t.ext.Load()
	if x == nil {
		return nil
	}
	var first *bound
	walk := x.boundsInEffect()
	for b := walk.next(); b != nil; b = walk.next() {
		if b.due && !b.delivered && (first == nil || b.when < first.when) {
			first = b
		}
	}
	if first != nil {
		return first.err
	}
	return nil
}

// boundOf returns the enclosing bound that delivers err, nil if that is none's.
func (t *Task) boundOf(err error) *bound {
	x := t.ext.Load()
	if x == nil {
		return nil
	}
	walk := x.boundsInEffect()
	b := walk.next()
	for b != nil && b.err != err {
		b = walk.next()
	}
	return b
}

// delivered notes that err has reached the task.
func (t *Task) delivered(err error) {
	if _, ok := err.(*KillError); ok {
		t.killPending = false
	} else if b := t.boundOf(err); b != nil {
		b.delivered = true
	}
	t.interrupted = t.unwound || t.interruption() != nil
}

// raise unwinds the task because of err, which ended a wait in a call that
// can't return it.
func (t *Task) raise(err error) {
	if _, ok := err.(*KillError); ok {
		t.unwound, t.interrupted = true, true
	} else if b := t.boundOf(err); b != nil {
		b.unwinding = true
	}
	panic(&unwind{err})
}

// within calls fn inside b. If b's interrupt unwinds fn, within returns b's
// error.
func (t *Task) within(b *bound, fn func() error) (err error) {
	x := t.extra()
	b.outer = x.bounds
	x.bounds = b
	t.interrupted = t.interrupted || b.due
	defer func() {
		x.bounds = b.outer
		if t.interrupted {
			t.interrupted = t.unwound || t.interruption() != nil
		}
		if !b.unwinding {
			return
		}
		switch r := recover().(type) {
		case nil: // fn recovered, and returned
		case *unwind:
			if r.err != b.err {
				panic(r)
			}
			err = b.err
		default:
			panic(r)
		}
	}()
	return fn()
}

// fall makes b due, on the task's worker.
func (t *Task) fall(b *bound) {
	b.due, t.interrupted = true, true
	t.interruptNow()
}

// raisePending unwinds the task if an interrupt is due.
func (t *Task) raisePending() {
	if t.mustUnwind() {
		panic(&unwind{t.extra().kill})
	}
	err := t.interruption()
	if err == nil {
		t.interrupted = t.unwound
		return
	}
	t.delivered(err)
	t.raise(err)
}

// mustUnwind reports whether the task was killed, and swallowed the panic with
// recover, in the strand that runs: its unwinding is to be resumed. Deferred
// functions that run while it unwinds may wait: then gopanic is on the stack.
func (t *Task) mustUnwind() bool { return t.unwound && !panicking() }

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
// functions. A task that is ready meets the kill in its next wait. A task whose
// function has not begun to run never does; one that was not started (NewTask,
// SpawnAfter) has ended when Kill returns.
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
	if t.endUnstarted(kill) {
		return
	}
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
	x := t.extra()
	if t.killPending || t.ended.Load() || x.kill != nil && t.claimed(x.kill.wait) {
		return
	}
	x.kill = kill
	t.killPending, t.interrupted = true, true
	t.interruptNow()
}

// interruptNow ends the present wait with what is pending.
func (t *Task) interruptNow() {
	if t.shielded {
		return
	}
	err := t.interruption()
	if err == nil {
		return
	}
	gen, ok := t.interrupt(err)
	if !ok {
		return
	}
	if t.killPending {
		t.extra().kill.wait = gen
	}
	t.delivered(err)
}

// Resume is for the error of a Waiter that Caller.NewWaiter made, once the caller
// has taken the wait out of its lists: if the task was killed and swallowed its
// unwinding with recover, Resume goes on with that by a panic, else it does
// nothing.
func Resume(err error) {
	if again, ok := err.(*unwind); ok {
		panic(again)
	}
}

// Unwind unwinds the calling task because of err, with which a wait of it has
// ended, from a call that can't return it: what Sleep does, for blocking calls
// of your own. For any other error, or outside a task, it panics with err.
func Unwind(err error) {
	co := current()
	if co != nil && co.task != nil {
		switch err.(type) {
		case *KillError, *Timeout, *ScopeError, *DeadlockError:
			co.task.raise(err)
		}
	}
	panic(err)
}
