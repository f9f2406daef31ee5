package runtime

import "sync/atomic"

// link is one function that OnDone registered.
type link struct {
	task *Task
	fn   func(*Task)
	used atomic.Bool // called, or taken back
}

func (l *link) run() {
	if l.used.CompareAndSwap(false, true) {
		l.fn(l.task)
	}
}

// OnDone makes fn be called when the task has ended, however it ended: on its
// worker, once, in the order of the OnDone calls, after those that join it have
// been made ready. For a task that has ended already fn is called soon, not
// inside OnDone. fn must not wait: every wait in it fails with ErrNotInTask. A
// panic of fn goes to Config.OnPanic and hurts no other.
//
// cancel takes the call back. It reports false if fn was called, or cancel was,
// before. OnDone and cancel may be called from anywhere.
func (t *Task) OnDone(fn func(*Task)) (cancel func() bool) {
	l := &link{task: t, fn: fn}
	x := t.extra()
	x.mu.Lock()
	ended := x.over
	if !ended {
		x.links = append(x.links, l)
	}
	x.mu.Unlock()
	if ended && !t.home().Post(l.run) {
		l.run() // the worker is over
	}
	return func() bool {
		if !l.used.CompareAndSwap(false, true) {
			return false
		}
		x.unlink(l)
		return true
	}
}

// OnSuccess is OnDone for a task that has not failed; a kill without cause is no
// failure (see Failed). After a failure fn is not called.
func (t *Task) OnSuccess(fn func(*Task)) (cancel func() bool) {
	return t.OnDone(func(t *Task) {
		if t.Succeeded() {
			fn(t)
		}
	})
}

// OnFailure is OnDone for a task that has failed: see Failed. After a success fn
// is not called.
func (t *Task) OnFailure(fn func(*Task)) (cancel func() bool) {
	return t.OnDone(func(t *Task) {
		if t.Failed() {
			fn(t)
		}
	})
}

// unlink forgets a link that was taken back.
func (x *taskExt) unlink(l *link) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, other := range x.links {
		if other == l {
			x.links = append(x.links[:i:i], x.links[i+1:]...)
			return
		}
	}
}
