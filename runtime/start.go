package runtime

import (
	"sync/atomic"
	"time"
)

// stage is how far a task has come that was made by NewTask:
//
//	stageStarted  on a worker; every task that was not made by NewTask
//	stageNew      nothing was decided yet: it has no worker
//	stageDelayed  on a worker, counted there, but a timer has to pass first
//
// new -> delayed, new -> started and delayed -> started are made with the extra
// part's mu held, and not after over is set there. The last two are final. A
// task that is killed before it starts keeps its stage.
//
// Who finds another stage than stageNew may read the task's worker.
type stage struct{ atomic.Uint32 }

const (
	stageStarted = iota
	stageNew
	stageDelayed
)

// NewTask returns fn as a task that has not started: it waits for Start or
// StartAfter, and is neither started nor ended before. Until then its methods do
// what they do for any task, with these differences: Worker and Runtime return
// nil; Join waits for the start, too; Kill ends it at once, and then Start does
// nothing. As it has no worker then, what OnDone registered is called on the
// killer's, or from outside tasks on one of the Default runtime. A task that is
// never started needs no care: it just goes away.
//
// NewTask may be called from anywhere, and does not park.
func NewTask(fn func()) *Task {
	t := &Task{fn: fn}
	x := new(taskExt)
	x.stage.Store(stageNew)
	t.ext.Store(x)
	return t
}

// SpawnAfter is Spawn after d: the task starts when d has passed. Until then it
// has not started, though it counts as one of its worker's tasks, and Kill ends it
// at once; a runtime's Stop does, too, with ErrStopped. With a d <= 0 it is Spawn.
// SpawnAfter may be called from anywhere, and does not park.
func SpawnAfter(d time.Duration, fn func()) *Task {
	t := NewTask(fn)
	t.StartAfter(d)
	return t
}

// Start starts a task of NewTask as Spawn does: on the calling task's worker, or
// from outside tasks on the least loaded one of the Default runtime. It does
// nothing for a task that was started before, by Start, StartAfter or otherwise,
// or that has ended. On a runtime that is ending the task ends with ErrStopped.
// Start may be called from anywhere, and does not park.
func (t *Task) Start() {
	w := t.enter(nil)
	if w == nil {
		return
	}
	if co := current(); co != nil && co.w == w {
		w.runq.push(t)
	} else {
		w.injected.push(t)
		w.wake()
	}
}

// StartAfter is Start after d: the task starts when d has passed, on the worker
// on which Start would start it now. Until then it has not started, but another
// Start or StartAfter does nothing. With a d <= 0 it is Start.
func (t *Task) StartAfter(d time.Duration) {
	if d <= 0 {
		t.Start()
		return
	}
	due := Now().Add(d)
	tm := &timer{task: t, fire: startDue}
	w := t.enter(tm)
	if w == nil {
		return
	}
	if co := current(); co != nil && co.w == w {
		w.timers.start(tm, due)
	} else if !w.Post(func() { t.delay(tm, due) }) {
		t.endUnstarted(ErrStopped)
	}
}

// enter gives a new task its worker and returns that, or nil if there is nothing
// to start. With a timer the start is delayed.
func (t *Task) enter(delay *timer) *worker {
	x := t.ext.Load()
	if x == nil || x.stage.Load() != stageNew || t.ended.Load() {
		return nil
	}
	var w *worker
	if co := current(); co != nil {
		w = co.w
	} else {
		w = Default().leastLoaded()
	}
	if !w.count() {
		t.endUnstarted(ErrStopped)
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.stage.Load() != stageNew {
		w.uncount()
		return nil
	}
	t.w, t.task = w, t
	if w.rt.config.TraceTasks {
		x.origin = newOrigin()
	}
	x.delay = delay
	if delay != nil {
		x.stage.Store(stageDelayed)
	} else {
		x.stage.Store(stageStarted)
	}
	return w
}

// delay starts the timer of a delayed task, on the hub, unless the task has ended
// meanwhile. A Stop may have passed here already.
func (t *Task) delay(tm *timer, due Instant) {
	switch {
	case t.ended.Load():
	case t.w.rt.stopping.Load():
		t.endUnstarted(ErrStopped)
	default:
		t.w.timers.start(tm, due)
	}
}

// startDue starts a delayed task.
func startDue(tm *timer) {
	t := tm.task
	x := t.extra()
	x.mu.Lock()
	over := x.over
	if !over {
		x.delay = nil
		x.stage.Store(stageStarted)
	}
	x.mu.Unlock()
	if !over {
		t.w.runq.push(t)
	}
}

// Started reports whether the task has been started, by Start, or by Spawn and
// its like, and has not ended. Its function may not have begun to run.
func (t *Task) Started() bool {
	if t.ended.Load() {
		return false
	}
	x := t.ext.Load()
	return x == nil || x.stage.Load() == stageStarted
}

// endUnstarted ends a task that has not started, with err, and reports whether it
// is one. From anywhere.
func (t *Task) endUnstarted(err error) bool {
	x := t.ext.Load()
	if x == nil || x.stage.Load() == stageStarted {
		return false
	}
	x.mu.Lock()
	if x.over || x.stage.Load() == stageStarted {
		defer x.mu.Unlock()
		return x.over
	}
	x.err = err
	x.noteFailure()
	x.over = true
	t.fn = nil
	t.ended.Store(true)
	delay := x.delay
	x.delay = nil
	x.mu.Unlock()
	if links := x.release(); len(links) > 0 {
		w := t.home()
		call := func() {
			for _, l := range links {
				w.call(t, l.run)
			}
		}
		if !w.Post(call) {
			call() // the worker is over
		}
	}
	if delay == nil {
		return true
	}
	w := t.w
	if co := current(); co != nil && co.w == w {
		w.timers.stop(delay)
	} else {
		w.Post(func() { w.timers.stop(delay) })
	}
	w.uncount()
	return true
}

// home returns the worker whose hub calls t's links: its own, or if it has none,
// since it never started, the caller's or one of the Default runtime's.
func (t *Task) home() *worker {
	if x := t.ext.Load(); x == nil || x.stage.Load() != stageNew {
		return t.w
	}
	if co := current(); co != nil {
		return co.w
	}
	return Default().leastLoaded()
}

// endDelayed ends the delayed tasks of a worker whose runtime ends.
func (w *worker) endDelayed() {
	var delayed []*Task
	for tm := range w.timers.all() {
		if tm.task != nil && tm.task.co == nil {
			delayed = append(delayed, tm.task)
		}
	}
	for _, t := range delayed {
		t.endUnstarted(ErrStopped)
	}
}
