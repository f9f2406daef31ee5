package runtime

import (
	"context"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// A Task is one spawned function and the coroutine it runs on: a lightweight
// thread that keeps its worker until it waits. Its methods may be called from
// any task or goroutine.
type Task struct {
	// First what every switch touches: one cache line.

	w     *worker    // immutable
	qnext *Task      // its queue's
	co    *coroutine // worker-only; nil before the start and after the end
	interruptFlags
	ended atomic.Bool // set after the result
	waitCell

	// worker-only
	fn         func()
	reason     string // what it waits for
	prev, next *Task  // the worker's list of tasks

	ext atomic.Pointer[taskExt] // what few tasks have: see extra
}

// taskExt is the part of a task that is made when first needed.
type taskExt struct {
	mu      sync.Mutex
	over    bool    // mu guards: the task's end has taken what is here
	stage   stage   // see start.go
	delay   *timer  // mu guards: of a delayed start
	err     error   // the result; the task's own, and immutable once ended
	failure uint64  // its number among all failures, or 0; immutable once ended
	joiners *joiner // mu guards: the last one first
	links   []*link // mu guards: in the order of OnDone
	interrupts

	origin *origin // immutable once the task is placed; Config.TraceTasks

	id   uuid.UUID     // mu guards
	done chan struct{} // mu guards
	life *lifetime     // mu guards
}

// lifetime is the context of a task.
type lifetime struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// joiner is one that waits in Join.
type joiner struct {
	w    Waiter
	next *joiner
}

// overExt stands for the extra part of a task that ended without one.
var overExt = &taskExt{over: true}

// extra returns the part made on demand. Who adds something to it that the task's
// end takes care of does so with its mu held, unless over is set: then the end
// has been.
func (t *Task) extra() *taskExt {
	for {
		switch x := t.ext.Load(); x {
		case nil:
			t.ext.CompareAndSwap(nil, new(taskExt))
		case overExt:
			t.ext.CompareAndSwap(overExt, &taskExt{over: true})
		default:
			return x
		}
	}
}

// Current returns the calling task, nil outside tasks.
func Current() *Task {
	if co := current(); co != nil {
		return co.task
	}
	return nil
}

// Spawn starts fn as a task on the calling task's worker, so that the two never
// run at the same instant; from outside tasks, on the least loaded worker of the
// Default runtime. fn starts at the caller's next wait, not at once. Spawn does
// not park. On a runtime that is ending the task does not run: its Join returns
// ErrStopped.
func Spawn(fn func()) *Task {
	if co := current(); co != nil {
		return co.w.spawn(fn)
	}
	return Default().Spawn(fn)
}

// SpawnBalanced starts fn as a task on the least loaded worker of the caller's
// runtime, the Default one outside tasks. That is how servers spread their
// connections. What the new task shares with its parent needs a lock then.
func SpawnBalanced(fn func()) *Task {
	if co := current(); co != nil {
		return co.w.rt.Spawn(fn)
	}
	return Default().Spawn(fn)
}

// taskOf returns a task whose result is fn's error.
func taskOf(fn func() error) *Task {
	t := new(Task)
	t.fn = func() {
		if err := fn(); err != nil {
			t.extra().err = err
		}
	}
	return t
}

// Join waits until the task has ended, and returns its result: nil if its
// function returned, the function's error for Async, a *PanicError, a
// *KillError, ErrGoexit or ErrStopped. If the caller is itself interrupted
// first, Join returns the interrupt's error and Ended still reports false. A
// task that joins itself gets ErrJoinSelf.
func (t *Task) Join() error { return t.join(0) }

// JoinUntil is Join that gives up at deadline with ErrTimeout. The task goes
// on.
func (t *Task) JoinUntil(deadline Instant) error { return t.join(deadline) }

func (t *Task) join(deadline Instant) error {
	if Current() == t {
		return ErrJoinSelf
	}
	if t.ended.Load() {
		return t.Err()
	}
	x := t.extra()
	x.mu.Lock()
	if x.over {
		x.mu.Unlock()
		return t.Err()
	}
	w := NewWaiter()
	x.joiners = &joiner{w, x.joiners}
	x.mu.Unlock()
	if err := w.ParkUntil("join", deadline); err != nil {
		x.mu.Lock()
		for j := &x.joiners; *j != nil; j = &(*j).next {
			if (*j).w == w {
				*j = (*j).next
				break
			}
		}
		x.mu.Unlock()
		return err
	}
	return t.Err()
}

// Ended reports whether the task has ended.
func (t *Task) Ended() bool { return t.ended.Load() }

// Err returns the result of a task that has ended, as Join does, and nil for
// one that has not.
func (t *Task) Err() error {
	if !t.ended.Load() {
		return nil
	}
	x := t.ext.Load()
	if x == nil {
		return nil
	}
	return x.err
}

// Runtime returns the runtime on which the task runs, nil for a task of NewTask
// that was not started.
func (t *Task) Runtime() *Runtime {
	if w := t.Worker(); w != nil {
		return w.rt
	}
	return nil
}

// Worker returns the worker on which the task lives from start to end, nil for a
// task of NewTask that was not started.
func (t *Task) Worker() *Worker {
	if x := t.ext.Load(); x != nil && x.stage.Load() == stageNew {
		return nil
	}
	return (*Worker)(t.w)
}

// ID returns the task's identity, a random UUID made by the first call.
func (t *Task) ID() uuid.UUID {
	x := t.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.id == uuid.Nil {
		x.id = uuid.New()
	}
	return x.id
}

// String returns "task " and the ID.
func (t *Task) String() string { return "task " + t.ID().String() }

// Done returns a channel that is closed when the task has ended, for select
// statements of goroutines. A task uses Join: a channel blocks its worker.
func (t *Task) Done() <-chan struct{} {
	x := t.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.over {
			close(x.done)
		}
	}
	return x.done
}

// Context returns a context that is done when the task is killed, with the
// *KillError as cause, or has ended.
func (t *Task) Context() context.Context {
	x := t.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.life == nil {
		x.life = new(lifetime)
		x.life.ctx, x.life.cancel = context.WithCancelCause(context.Background())
		if x.over {
			x.life.cancel(x.err)
		}
	}
	return x.life.ctx
}

// cancelContext ends the task's context, made here if need be, so that a later
// Context finds it ended.
func (t *Task) cancelContext(kill *KillError) {
	ctx := t.Context()
	if ctx.Err() == nil {
		x := t.extra()
		x.mu.Lock()
		life := x.life
		x.mu.Unlock()
		life.cancel(kill)
	}
}

// finish ends a task with its result. On its worker, by its coroutine, which has
// no task from then on.
func (t *Task) finish(err error) {
	w := t.w
	t.co.task = nil
	t.co, t.fn = nil, nil
	w.unlink(t)
	if p, ok := err.(*PanicError); ok {
		w.rt.reportPanic(t, p)
	}
	if err != nil {
		t.extra().err = err
	}
	if x := t.ext.Load(); x != nil {
		x.noteFailure()
	}
	t.ended.Store(true)
	if t.ext.CompareAndSwap(nil, overExt) {
		w.uncount()
		return
	}
	for _, l := range t.ext.Load().release() {
		w.call(t, l.run)
	}
	w.uncount()
}

// release tells everyone who waits for the end of a task, and returns the links,
// which are still to be called.
func (x *taskExt) release() []*link {
	x.mu.Lock()
	x.over = true
	joiners, links, done, life, result := x.joiners, x.links, x.done, x.life, x.err
	x.joiners, x.links = nil, nil
	x.mu.Unlock()
	var first *joiner // turned round: in the order they came
	for joiners != nil {
		joiners, joiners.next, first = joiners.next, first, joiners
	}
	for ; first != nil; first = first.next {
		first.w.Ready()
	}
	if done != nil {
		close(done)
	}
	if life != nil {
		life.cancel(result)
	}
	return links
}

// refuse ends a task that never starts.
func (t *Task) refuse(err error) {
	x := &taskExt{over: true, err: err}
	x.noteFailure()
	t.ext.Store(x)
	t.ended.Store(true)
}

// A Future is a task with a value.
type Future[T any] struct {
	Task
	value T
}

// Async starts fn as a task, as Spawn does, and returns its future result.
func Async[T any](fn func() (T, error)) *Future[T] {
	f := new(Future[T])
	f.fn = func() {
		var err error
		if f.value, err = fn(); err != nil {
			f.extra().err = err
		}
	}
	if co := current(); co != nil {
		co.w.start(&f.Task)
	} else {
		Default().place(&f.Task)
	}
	return f
}

// Get joins the task and returns fn's value and error. The value is the zero
// one unless the error is nil or fn's own.
func (f *Future[T]) Get() (T, error) {
	err := f.Join()
	if !f.ended.Load() {
		var zero T
		return zero, err
	}
	return f.value, err
}

func yieldGoroutine(hub *coroutine) {
	if hub == nil {
		goruntime.Gosched()
	}
}
