package runtime

import (
	"runtime/debug"

	"github.com/weft-go/weft/runtime/internal/coro"
)

// coroutine runs tasks, one after the other, on one iter.Pull coroutine of a
// worker.
//
// It fills one cache line: with thousands of tasks, the lines that a switch
// touches are what it costs.
type coroutine struct {
	party
	own  coro.Slot
	task *Task // the one it runs; nil while idle, and for the hub

	deadline *timer // of its tasks' waits; made by the first
	nextIdle *coroutine
}

// run is the coroutine's function, after newCoroutine.
func (co *coroutine) run() {
	enroll(co, false)
	co.w.coroutines.Add(1)
	for !co.own.Ending {
		t := co.task
		t.finish(co.start(t))
		co.next()
	}
	co.left()
}

func (co *coroutine) left() {
	strike()
	co.w.coroutines.Add(-1)
}

// start runs the task and returns the error by which it ended.
func (co *coroutine) start(t *Task) error {
	if t.killPending {
		return t.extra().kill
	}
	if co.w.rt.stopping.Load() {
		return ErrStopped
	}
	err := co.call(t, t.fn)
	co.release(t)
	return err
}

// call calls fn for the task and returns the error by which it ended. No panic
// or Goexit leaves it.
func (co *coroutine) call(t *Task, fn func()) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch r := recover().(type) {
		case nil:
			co.goexit(t)
		case *unwind:
			err = r.err
		default:
			err = &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	fn()
	returned = true
	return nil
}

// goexit ends a task whose function called Goexit, from the deferred call in
// which that is noticed. The Goexit can't be undone, so the coroutine ends
// with the task: it waits here until the hub is in its slot, and then leaves
// by a panic, which supersedes the Goexit.
func (co *coroutine) goexit(t *Task) {
	co.release(t)
	t.finish(ErrGoexit)
	co.w.doomed = append(co.w.doomed, co)
	switchTo(&co.party, &co.w.hub)
	co.left()
	panic(coro.End{})
}

// next finds the next thing to do after a task: a new task is run by this very
// coroutine without a switch.
func (co *coroutine) next() {
	w := co.w
	if w.budget > 0 && w.runq.head != nil && w.runq.head.co == nil {
		w.budget--
		w.assign(w.runq.pop(), co)
		return
	}
	if w.idles >= idleCoroutines || w.closing {
		w.doomed = append(w.doomed, co)
		switchTo(&co.party, &w.hub)
		return
	}
	w.rest(co)
	// If that is this very one, it was taken from the idle ones for a new task.
	if to := w.pick(); to != &co.party {
		switchTo(&co.party, to)
	}
}

// rest makes co idle.
func (w *worker) rest(co *coroutine) {
	co.nextIdle = w.idle
	w.idle = co
	w.idles++
}

// assign makes co run t, which starts by that.
func (w *worker) assign(t *Task, co *coroutine) {
	t.co, co.task = co, t
	w.link(t)
}
