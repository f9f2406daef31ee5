package pool

import "github.com/weft-go/weft/runtime"

// A Spawner is what Map and its kin start their tasks with: a *Group, which
// starts each at once, or a *Pool, which waits for a slot.
type Spawner interface {
	spawn(fn func(), deadline runtime.Instant) (*runtime.Task, error)
	try(fn func()) (*runtime.Task, error)
	tasks() *members
}

// Apply calls fn in a task of p, for which it waits as p's Spawn does, and
// returns fn's result, or the error by which the task ended: a
// *runtime.PanicError or *runtime.KillError. If the caller is itself killed or
// timed out first, Apply kills the task, waits for its end, and returns that
// error.
//
// Called from a task of p, Apply calls fn directly, as waiting for another slot
// there could last for ever. A panic of fn goes to the caller then.
func Apply[T any](p Spawner, fn func() (T, error)) (T, error) {
	var zero T
	if self := runtime.Current(); self != nil && p.tasks().Contains(self) {
		return fn()
	}
	r := new(Result[T])
	t, err := p.spawn(r.call(fn), 0)
	if err != nil {
		return zero, err
	}
	r.task = t
	defer func() {
		if !t.Ended() {
			t.Kill(ErrAbandoned)
			_ = t.Join()
		}
	}()
	return r.Get()
}

// ApplyAsync starts to call fn in a task of p, and returns its future result. It
// does not park: if p is full another task, which is a member of p without a
// slot, waits for one.
func ApplyAsync[T any](p Spawner, fn func() (T, error)) *Result[T] {
	r := new(Result[T])
	t, err := p.try(r.call(fn))
	if err == nil {
		r.task = t
		return r
	}
	r.task = p.tasks().start(func() {
		if err := wait(p, r.call(fn)); err != nil {
			r.err = err
		}
	})
	p.tasks().enter(r.task, false)
	return r
}

// wait runs fn in a task of p, waits for its end, passing on kills, and returns
// how it ended.
func wait(p Spawner, fn func()) error {
	t, err := p.spawn(fn, 0)
	if err != nil {
		return err
	}
	for !t.Ended() {
		if err := t.Join(); !t.Ended() {
			t.Kill(err)
		}
	}
	return t.Err()
}

// A Result is the future result of a function that ApplyAsync calls. Its methods
// may be called from any task or goroutine.
type Result[T any] struct {
	task  *runtime.Task // immutable once the caller of ApplyAsync has the Result
	value T             // written by the task, valid when it has ended
	err   error

	number, at int // IMap's: which element's, and where in live
}

// Get waits for the result, and returns it, or the error by which the task
// ended. If the caller is itself killed or timed out first, that is the error;
// the task goes on.
func (r *Result[T]) Get() (T, error) { return r.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (r *Result[T]) GetUntil(deadline runtime.Instant) (T, error) {
	if err := r.task.JoinUntil(deadline); !r.task.Ended() {
		var zero T
		return zero, err
	}
	return r.ended()
}

// Ready reports whether Get would return at once.
func (r *Result[T]) Ready() bool { return r.task.Ended() }

// Kill kills the task that calls the function, or waits to do so.
func (r *Result[T]) Kill(cause error) { r.task.Kill(cause) }

// OnDone makes fn be called when the result is there, as Task.OnDone does: on
// the hub, where it must not wait, and Get does not need to.
func (r *Result[T]) OnDone(fn func(*Result[T])) {
	r.task.OnDone(func(*runtime.Task) { fn(r) })
}

// call returns fn as a task's function.
func (r *Result[T]) call(fn func() (T, error)) func() {
	return func() { r.value, r.err = fn() }
}

// ended returns the result of a task that has ended.
func (r *Result[T]) ended() (T, error) {
	if err := r.task.Err(); err != nil {
		var zero T
		return zero, err
	}
	return r.value, r.err
}
