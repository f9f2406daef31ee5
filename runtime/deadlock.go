package runtime

import (
	goruntime "runtime"
	"time"
)

// A runtime on which Run waits is stuck for ever when on every worker no task
// is ready, no timer is started, no task waits externally (for a descriptor, an
// offloaded call), nobody holds (Hold), and the program has no other goroutine
// that could wake a task. Then the tasks of Run get a *DeadlockError.
//
// A worker counts itself in rt.quiet before it sleeps and out when it wakes.
// The last one to count itself starts a check after a grace period, since
// goroutines come and go; the check repeats while all stay quiet.

const (
	deadlockGrace = 50 * time.Millisecond
	deadlockPause = time.Second
)

// noteQuiet is called before the worker sleeps.
func (w *worker) noteQuiet() {
	rt := w.rt
	if w.timers.len() > 0 || w.externals > 0 {
		return
	}
	w.quiet = true
	if rt.quiet.add() == len(rt.ws) && rt.mains.Load() > 0 && rt.checking.CompareAndSwap(false, true) {
		time.AfterFunc(deadlockGrace, rt.checkDeadlock)
	}
}

// allQuiet reports whether all workers are quiet, and none is being woken: a quiet
// worker that another one wakes before it goes to sleep itself still counts as
// quiet for a while, but is not asleep any more.
func (rt *Runtime) allQuiet() bool {
	word := rt.quiet.word.Load()
	if int(uint32(word)) != len(rt.ws) {
		return false
	}
	for _, w := range rt.ws {
		if !w.asleep.Load() {
			return false
		}
	}
	return rt.quiet.word.Load() == word // no worker came between
}

// checkDeadlock runs on a goroutine of its own.
func (rt *Runtime) checkDeadlock() {
	if !rt.allQuiet() || rt.mains.Load() == 0 {
		rt.checking.Store(false)
		// A worker that became quiet meanwhile found checking set.
		if rt.quiet.Load() == len(rt.ws) && rt.mains.Load() > 0 && rt.checking.CompareAndSwap(false, true) {
			time.AfterFunc(deadlockGrace, rt.checkDeadlock)
		}
		return
	}
	if rt.holds.Load() > 0 || rt.foreign() > 0 {
		time.AfterFunc(deadlockPause, rt.checkDeadlock)
		return
	}
	rt.checking.Store(false)
	dead := &DeadlockError{Tasks: rt.Tasks()}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for _, t := range rt.runTasks {
		t.w.Post(func() { t.interrupt(dead) })
	}
}

// foreignGoroutines counts the goroutines that are not the runtime's, nor
// wait in Run, nor run the check. Those of Signals and OnSignal count: a signal
// may wake a task.
func (rt *Runtime) foreignGoroutines() int {
	n := goruntime.NumGoroutine() - 1 - len(rt.ws) - int(rt.mains.Load()) - rt.pool.size()
	if rt.config.MaxBlocking > 0 {
		n-- // the monitor
	}
	if signalLoop.Load() {
		n-- // package os/signal's, which never ends
	}
	for _, w := range rt.ws {
		n -= int(w.coroutines.Load())
	}
	return n
}

// Hold tells the runtime that something it does not know of, a std timer say,
// will wake a task: until release is called it does not take itself to be
// stuck. Goroutines count by themselves. It may be called from anywhere, on the
// calling task's runtime or the Default one.
func Hold() (release func()) {
	rt := callersRuntime()
	rt.holds.Add(1)
	released := false
	return func() {
		if !released {
			released = true
			rt.holds.Add(-1)
		}
	}
}

func callersRuntime() *Runtime {
	if co := current(); co != nil {
		return co.w.rt
	}
	return Default()
}
