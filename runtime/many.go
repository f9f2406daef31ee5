package runtime

import (
	"errors"
	"sync/atomic"
)

// failures numbers the ends of tasks that ended with an error, in their order.
var failures atomic.Uint64

// noteFailure gives a task that ends with an error its number.
func (x *taskExt) noteFailure() {
	if x.err != nil {
		x.failure = failures.Add(1)
	}
}

// Failed reports whether the task has ended by a failure: whether Err is one, as
// to which a kill without cause is none. (With a cause it is: who kills without
// one says that nothing went wrong.)
func (t *Task) Failed() bool {
	var kill *KillError
	err := t.Err()
	return err != nil && !(errors.As(err, &kill) && kill.Cause == nil)
}

// Succeeded reports whether the task has ended, and not by a failure: see Failed.
// It is false for a task that goes on.
func (t *Task) Succeeded() bool { return t.Ended() && !t.Failed() }

// JoinAll waits until all tasks have ended, and returns the failure that came
// first, in time, not in the order of tasks; nil if none failed (see
// Task.Failed). If the caller is itself interrupted first it returns the
// interrupt's error, and ErrJoinSelf if the calling task is among them. It parks a
// task, and blocks a goroutine.
func JoinAll(tasks ...*Task) error { return JoinAllUntil(0, tasks...) }

// JoinAllUntil is JoinAll that gives up at deadline with ErrTimeout. The tasks go
// on. The zero deadline means none.
func JoinAllUntil(deadline Instant, tasks ...*Task) error {
	if err := joinEach(deadline, tasks); err != nil {
		return err
	}
	var first *Task
	for _, t := range tasks {
		if t.Failed() && (first == nil || t.ext.Load().failure < first.ext.Load().failure) {
			first = t
		}
	}
	if first == nil {
		return nil
	}
	return first.Err()
}

// joinEach waits until all have ended, whatever their results. Its error says why
// one has not.
func joinEach(deadline Instant, tasks []*Task) error {
	for _, t := range tasks {
		if err := t.JoinUntil(deadline); !t.Ended() {
			return err
		}
	}
	return nil
}

// KillAll kills the tasks, in their order, and returns at once: see Task.Kill. A
// caller that is among them is killed last, and KillAll does not return then. It
// may be called from anywhere.
func KillAll(cause error, tasks ...*Task) {
	self := Current()
	killSelf := false
	for _, t := range tasks {
		if t == self {
			killSelf = true
		} else {
			t.Kill(cause)
		}
	}
	if killSelf {
		self.Kill(cause)
	}
}

// KillWait kills the task and waits for its end. It returns nil when the task has
// ended, however it did, and ErrTimeout if it lives on at deadline; it is killed
// all the same, and may end later. The zero deadline means none. If the caller is
// itself interrupted first, that is the error. Killing oneself does not return.
func (t *Task) KillWait(cause error, deadline Instant) error {
	return KillAllWait(cause, deadline, t)
}

// KillAllWait is KillAll that waits, as KillWait does, until all have ended.
func KillAllWait(cause error, deadline Instant, tasks ...*Task) error {
	KillAll(cause, tasks...)
	return joinEach(deadline, tasks)
}
