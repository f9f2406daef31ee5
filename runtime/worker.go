package runtime

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime/internal/reactor"
)

const (
	// fairness is how many switches a worker makes before it looks at I/O,
	// timers and its injector again. One look costs about as much as 20 switches.
	fairness = 256

	// handover is what it costs of that budget to go on with new work from other
	// threads when the worker was about to sleep.
	handover = 8

	// idleCoroutines is how many coroutines a worker keeps for later tasks,
	// about 3 KB each.
	idleCoroutines = 1024
)

// worker runs tasks: a goroutine (the hub) in netpoll's loop, and coroutines
// that it, and they among themselves, switch to.
type worker struct {
	// immutable
	rt      *Runtime
	index   int
	reactor *reactor.Reactor

	// worker-only
	hub       party
	hubCo     coroutine // stands for the hub in the registry
	runq      runQueue
	budget    int  // switches left in this round
	exhausted bool // the last round ended for want of budget
	linger    lingering
	selfWoken bool // a wake of our own is on its way

	timers   timers
	armed    Instant // what the reactor's timer is set to, 0: nothing
	timerHot bool    // it fired and was not set since

	idle   *coroutine // coroutines without a task, the last used first
	idles  int
	doomed []*coroutine // coroutines that wait for their end
	switchState

	tasks     *Task // all that were spawned here and have not ended
	externals int   // tasks in a wait that something outside ends
	offloads  int   // tasks that wait for the offload pool
	idlers    idlers
	quiet     bool // counted in rt.quiet
	closing   bool // the reactor is being closed

	// worker-only, but for the monitor, which looks at it and at budget without a
	// lock: odd inside a round; grows with rounds and callbacks
	rounds uint64

	// atomic
	asleep     atomic.Bool
	injected   injector
	posted     atomic.Bool // posts is not empty
	load       tally
	coroutines atomic.Int64

	mu    sync.Mutex
	posts []func() // mu guards
	over  bool     // mu guards: the worker's goroutine has ended, or is about to
}

// main is the worker's goroutine.
func (w *worker) main() {
	w.hubCo.w = w
	w.linger.alone = goruntime.GOMAXPROCS(0) == 1
	enroll(&w.hubCo, false)
	defer w.rt.workerEnded()
	defer strike()
	if err := w.reactor.Run(); err != nil {
		w.rt.fail(fmt.Errorf("runtime: worker %d: %w", w.index, err))
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.runPosts()
}

// workerEnded is called by each worker's goroutine at its end.
func (rt *Runtime) workerEnded() {
	if rt.live.Add(-1) == 0 {
		close(rt.ended)
	}
}

// Post makes fn be called on the hub. It reports false if the worker is over.
func (w *worker) Post(fn func()) bool {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return false
	}
	w.posts = append(w.posts, fn)
	w.posted.Store(true)
	w.mu.Unlock()
	w.wake()
	return true
}

// Run is called by the reactor at the end of each of its callbacks: one round
// of the worker. The steps are those in docs/architecture.md.
func (w *worker) Run(cause reactor.Cause) {
	w.rounds++
	w.run(cause)
	w.rounds++
}

func (w *worker) run(cause reactor.Cause) {
	// 1. Awake: whoever hands over work now need not wake us.
	w.asleep.Store(false)
	if w.quiet {
		w.quiet = false
		w.rt.quiet.sub()
	}
	if cause == reactor.Woken {
		if !w.selfWoken {
			w.linger.woken()
		}
		w.selfWoken = false
	} else {
		w.linger.slept = 0
	}
	for w.budget = fairness; w.budget > 0; w.budget -= handover {
		// 2. Timers, when their event fired or could not for lack of a pause.
		switch {
		case cause == reactor.Expired:
			w.armed, w.timerHot = 0, true
			w.timers.expire(Now())
		case w.exhausted && w.timers.len() > 0:
			w.timers.expire(Now())
		}
		cause = reactor.Event
		// 3. What other threads handed over.
		w.injected.drain(&w.runq)
		w.runPosts()
		// 4. Tasks, until none is ready or the budget is spent. They switch
		// among themselves; control comes back at the end.
		w.runTasks()
		// Descriptors on which tasks now wait for the first time.
		for w.reactor.Flush() && w.budget > 0 {
			w.runTasks()
		}
		// 5. The budget is spent: let I/O in, and come back by our own wake.
		w.exhausted = w.runq.head != nil
		w.setTimer()
		if w.exhausted {
			w.comeBack()
			return
		}
		// 6. Nothing is ready: end the runtime if that was the last task.
		if w.rt.stopping.Load() && w.endIfDone() {
			return
		}
		// 7. A short offloaded call may end while other goroutines have the
		// processor for a moment: that is cheaper than to sleep and be woken.
		if w.offloads > 0 {
			w.rounds++ // others hold the processor then
			goruntime.Gosched()
			w.rounds++
			if !w.injected.empty() {
				continue
			}
		}
		// 8. Nothing is ready: that is what tasks in Idle wait for.
		if len(w.idlers.waiting) > 0 {
			w.offerIdle()
			return
		}
		// 9. Where other threads have just handed over work, more may be on its
		// way: that, too, is cheaper than to sleep.
		if w.linger.pays {
			w.rounds++
			found := w.lingered()
			w.rounds++
			if found {
				continue
			}
		}
		// 10. Sleep, unless work came in meanwhile: see park.go.
		w.asleep.Store(true)
		if w.injected.empty() && !w.posted.Load() {
			w.noteQuiet()
			if w.linger.watched {
				w.linger.slept = Now()
			}
			return
		}
		if !w.asleep.CompareAndSwap(true, false) {
			return // the one who swapped it wakes us
		}
	}
	w.exhausted = true
	w.comeBack()
}

// comeBack makes netpoll, after a look at I/O, call Run again.
func (w *worker) comeBack() {
	if !w.selfWoken {
		w.selfWoken = true
		w.reactor.Wake()
	}
}

// runTasks is step 4.
func (w *worker) runTasks() {
	for {
		to := w.pick()
		if to == &w.hub {
			if w.budget <= 0 || w.runq.head == nil {
				return
			}
			w.rest(newCoroutine(w))
			continue
		}
		switchTo(&w.hub, to)
		for n := len(w.doomed); n > 0; n = len(w.doomed) {
			co := w.doomed[n-1]
			w.doomed[n-1] = nil
			w.doomed = w.doomed[:n-1]
			w.reap(co)
		}
	}
}

// pick returns whom to run next: the first ready task's coroutine; or the hub,
// if none is ready, the budget is spent, or a new task needs a new coroutine.
// Only the hub makes those: it takes more stack than tasks should grow to.
func (w *worker) pick() *party {
	t := w.runq.head
	if w.budget <= 0 || t == nil {
		return &w.hub
	}
	co := t.co
	if co == nil {
		if co = w.idle; co == nil {
			return &w.hub
		}
		w.idle = co.nextIdle
		co.nextIdle = nil
		w.idles--
		w.assign(t, co)
	}
	w.runq.pop()
	w.budget--
	return &co.party
}

// enqueue makes t ready, from any goroutine.
func (w *worker) enqueue(t *Task) {
	if co := current(); co != nil && co.w == w {
		w.runq.push(t)
		return
	}
	w.injected.push(t)
	w.wake()
}

// wake makes the worker look at its injector and posts, if it sleeps.
func (w *worker) wake() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.reactor.Wake()
	}
}

// setTimer makes the reactor call when the next timer is due. A timer that was
// stopped may leave it set too early: then it fires for nothing, once.
func (w *worker) setTimer() {
	next := w.timers.next()
	switch {
	case next == 0:
		if w.timerHot {
			w.reactor.StopTimer()
			w.armed = 0
		}
	case w.armed == 0 || next < w.armed || w.timerHot:
		w.reactor.SetTimer(next.Sub(Now()))
		w.armed = next
	}
	w.timerHot = false
}

// spawn starts fn as a task here. On the worker only.
func (w *worker) spawn(fn func()) *Task {
	t := &Task{fn: fn}
	w.start(t)
	return t
}

func (w *worker) start(t *Task) {
	t.w, t.task = w, t
	if !w.admit(t) {
		return
	}
	w.runq.push(t)
}

// inject starts a new task here, from another thread.
func (w *worker) inject(t *Task) {
	t.w, t.task = w, t
	if !w.admit(t) {
		return
	}
	w.injected.push(t)
	w.wake()
}

// admit counts t, or refuses it if the runtime is ending.
func (w *worker) admit(t *Task) bool {
	if !w.count() {
		t.refuse(ErrStopped)
		return false
	}
	if w.rt.config.TraceTasks {
		t.extra().origin = newOrigin()
	}
	return true
}

// link enters t in the worker's list, as it starts.
func (w *worker) link(t *Task) {
	t.next = w.tasks
	if t.next != nil {
		t.next.prev = t
	}
	w.tasks = t
}

func (w *worker) unlink(t *Task) {
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else if w.tasks == t {
		w.tasks = t.next
	}
	t.prev, t.next = nil, nil
}

// runPosts calls what Post handed over.
func (w *worker) runPosts() {
	if !w.posted.Load() {
		return
	}
	w.mu.Lock()
	posts := w.posts
	w.posts = nil
	w.posted.Store(false)
	w.mu.Unlock()
	for _, fn := range posts {
		w.call(nil, fn)
	}
}

// call runs fn, which must not wait, outside tasks. A panic of it is reported, as
// t's if that is not nil, and harms no other.
func (w *worker) call(t *Task, fn func()) {
	w.rounds += 2
	defer func() {
		if r := recover(); r != nil {
			w.rt.reportPanic(t, &PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	fn()
}

// endIfDone closes the reactor once the runtime is ending and no task is left.
func (w *worker) endIfDone() bool {
	if w.closing {
		return true
	}
	if w.load.Load() != 0 {
		return false
	}
	w.closing = true
	for co := w.idle; co != nil; co = w.idle {
		w.idle = co.nextIdle
		w.idles--
		w.reap(co)
	}
	if err := w.reactor.Close(); err != nil {
		w.rt.fail(fmt.Errorf("runtime: worker %d: close: %w", w.index, err))
	}
	return true
}

// killAll kills every started task, with cause ErrStopped. Those not started
// see that the runtime is stopping.
func (w *worker) killAll() {
	for t := w.tasks; t != nil; t = t.next {
		t.cancelContext(&KillError{Cause: ErrStopped})
		t.killed(&KillError{Cause: ErrStopped})
	}
	w.endDelayed()
}
