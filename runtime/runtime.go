package runtime

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime/internal/reactor"
)

// Config says how New makes a Runtime. The zero Config is the usual one.
type Config struct {
	// Workers is the number of workers, threads that run tasks; 0 means
	// GOMAXPROCS.
	Workers int

	// OffloadLimit bounds the goroutines that run offloaded calls; 0 means
	// 128.
	OffloadLimit int

	// OnPanic is called once for each task that panicked, on its worker, and
	// for each panic of a posted function, with a nil task; also for each error of
	// a greenlet that is closed because its task has ended. It must not wait. A
	// panic of OnPanic itself is ignored. Nil means to log the value and the
	// stack.
	OnPanic func(t *Task, p *PanicError)

	// MaxBlocking, if not 0, is how long a task, or a callback on a hub, may hold
	// its worker before OnBlocked is called. That is told by looking at the
	// workers, which it does not slow down, four times in this time. If all
	// processors are busy, Go lets it do so after 10 ms only.
	MaxBlocking time.Duration

	// OnBlocked is called, once for each such hold, on a goroutine of its own: the
	// same one for all calls, so while it waits nothing is reported. A panic of it
	// is ignored. Nil means to log the report.
	OnBlocked func(b Blocked)

	// TraceTasks makes each task remember which task spawned it, when and where,
	// for listings (TaskInfo). That takes some hundred bytes, and about 1 µs, per task.
	TraceTasks bool
}

// A Runtime is a fixed set of workers and the tasks on them. Most programs use
// the Default one, by way of Main and Spawn.
type Runtime struct {
	// immutable
	config Config
	ws     []*worker
	pool   *offloadPool

	ended chan struct{} // closed when the workers have ended

	// atomic
	live     atomic.Int32 // workers that have not ended
	stopping atomic.Bool
	rotation atomic.Uint32 // where the search for the least loaded begins
	quiet    tally         // workers with nothing to wait for: see deadlock.go
	holds    atomic.Int64
	mains    atomic.Int32 // calls of Run under way
	checking atomic.Bool  // a check for a deadlock is due
	drain    drain

	mu       sync.Mutex
	failure  error   // mu guards: the first error of a worker's epoll
	runTasks []*Task // mu guards: tasks of Run calls under way
	foreign  func() int
}

// New starts a runtime. End it with Stop.
func New(config Config) (*Runtime, error) {
	if config.Workers < 0 || config.OffloadLimit < 0 || config.MaxBlocking < 0 {
		return nil, fmt.Errorf("runtime: negative number in %+v", config)
	}
	if config.Workers == 0 {
		config.Workers = goruntime.GOMAXPROCS(0)
	}
	if config.OffloadLimit == 0 {
		config.OffloadLimit = 128
	}
	rt := &Runtime{config: config, ended: make(chan struct{})}
	rt.pool = newOffloadPool(config.OffloadLimit)
	rt.foreign = rt.foreignGoroutines
	for i := range config.Workers {
		w := &worker{rt: rt, index: i}
		w.hub.w = w
		r, err := reactor.New(w)
		if err != nil {
			for _, w := range rt.ws {
				w.reactor.Abandon()
			}
			return nil, fmt.Errorf("runtime: worker %d: %w", i, err)
		}
		w.reactor = r
		w.asleep.Store(true)
		rt.ws = append(rt.ws, w)
	}
	rt.live.Store(int32(len(rt.ws)))
	for _, w := range rt.ws {
		go w.main()
	}
	if config.MaxBlocking > 0 {
		go newMonitor(rt).run()
	}
	return rt, nil
}

var defaultRuntime struct {
	atomic.Pointer[Runtime]
	mu sync.Mutex
}

// Default returns the runtime that Spawn and our net package use outside
// tasks, and starts it when first asked. It panics if that fails, which takes
// an exhausted descriptor table. After its Stop another one is started.
func Default() *Runtime {
	if rt := defaultRuntime.Load(); rt != nil {
		return rt
	}
	defaultRuntime.mu.Lock()
	defer defaultRuntime.mu.Unlock()
	if rt := defaultRuntime.Load(); rt != nil {
		return rt
	}
	rt, err := New(Config{})
	if err != nil {
		panic(err)
	}
	defaultRuntime.Store(rt)
	return rt
}

// Main runs fn as a task of the Default runtime, waits for it, kills the tasks
// that are left, waits for their end, and returns. It is meant for func main.
// If fn panics, or nothing can ever wake it, Main reports that on standard
// error and exits with status 2, as the Go runtime does.
func Main(fn func()) {
	rt := Default()
	err := rt.Run(func() error { fn(); return nil })
	var dead *DeadlockError
	var panicked *PanicError
	switch {
	case errors.As(err, &panicked): // reported by OnPanic
		os.Exit(2)
	case errors.As(err, &dead):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		log.Print(err)
	}
}

// stopGrace is how long Main waits for killed tasks.
const stopGrace = 10 * time.Second

// Run runs fn as a task and waits for it, from a goroutine or a task of another
// runtime. It returns fn's error, a *PanicError, or a *DeadlockError when
// nothing is left that could ever wake a task of the runtime. Other tasks go
// on.
func (rt *Runtime) Run(fn func() error) error {
	t := taskOf(fn)
	rt.mu.Lock()
	rt.runTasks = append(rt.runTasks, t)
	rt.mu.Unlock()
	rt.mains.Add(1)
	rt.place(t)
	err := t.Join()
	rt.mains.Add(-1)
	rt.mu.Lock()
	for i, run := range rt.runTasks {
		if run == t {
			rt.runTasks = append(rt.runTasks[:i], rt.runTasks[i+1:]...)
			break
		}
	}
	rt.mu.Unlock()
	return err
}

// Spawn starts fn as a task on the least loaded worker. It may be called from
// anywhere, and does not park.
func (rt *Runtime) Spawn(fn func()) *Task {
	t := &Task{fn: fn}
	rt.place(t)
	return t
}

// place starts t on the least loaded worker.
func (rt *Runtime) place(t *Task) {
	w := rt.leastLoaded()
	if co := current(); co != nil && co.w == w {
		w.start(t)
	} else {
		w.inject(t)
	}
}

// LeastLoaded returns the worker with the fewest tasks.
func (rt *Runtime) LeastLoaded() *Worker { return (*Worker)(rt.leastLoaded()) }

// leastLoaded returns the worker with the fewest tasks; among equals each has
// its turn.
func (rt *Runtime) leastLoaded() *worker {
	n := len(rt.ws)
	if n == 1 {
		return rt.ws[0]
	}
	first := int(rt.rotation.Add(1)) % n
	best := rt.ws[first]
	for i := 1; i < n; i++ {
		if w := rt.ws[(first+i)%n]; w.load.Load() < best.load.Load() {
			best = w
		}
	}
	return best
}

// Stop ends the runtime: no task can be spawned any more, all tasks are killed
// with cause ErrStopped, and Stop waits until they, and the workers, have ended.
// If ctx is done first it returns its error with a list of the tasks that are
// left; the runtime goes on ending. Stop may be called from any goroutine, more
// than once, but not from a task, whose worker it would block.
func (rt *Runtime) Stop(ctx context.Context) error {
	if current() != nil {
		return errors.New("runtime: Stop called from a task")
	}
	if rt.stopping.CompareAndSwap(false, true) {
		defaultRuntime.CompareAndSwap(rt, nil)
		for _, w := range rt.ws {
			w.Post(w.killAll)
		}
		rt.pool.close()
	}
	select {
	case <-rt.ended:
		rt.mu.Lock()
		defer rt.mu.Unlock()
		return rt.failure
	case <-ctx.Done():
		err := fmt.Errorf("runtime: stop: %w", context.Cause(ctx))
		for _, info := range rt.Tasks() {
			err = fmt.Errorf("%w\n\t%v", err, info)
		}
		return err
	}
}

// Stats are counts of a runtime, each exact at some recent instant.
type Stats struct {
	Workers    int
	Tasks      int    // not ended
	Coroutines int    // running, suspended or idle; of tasks' greenlets too
	Wakes      uint64 // of sleeping workers: one system call each
	Offloads   int    // goroutines of the offload pool
}

// Stats returns counts. It does not park.
func (rt *Runtime) Stats() Stats {
	s := Stats{Workers: len(rt.ws), Offloads: rt.pool.size()}
	for _, w := range rt.ws {
		s.Tasks += w.load.Load()
		s.Coroutines += int(w.coroutines.Load())
		s.Wakes += w.reactor.Wakes()
	}
	return s
}

// Workers returns the runtime's workers.
func (rt *Runtime) Workers() []*Worker {
	list := make([]*Worker, len(rt.ws))
	for i, w := range rt.ws {
		list[i] = (*Worker)(w)
	}
	return list
}

// reportPanic calls OnPanic or logs.
func (rt *Runtime) reportPanic(t *Task, p *PanicError) {
	defer func() { _ = recover() }() // of OnPanic's own panic
	if rt.config.OnPanic != nil {
		rt.config.OnPanic(t, p)
		return
	}
	who := "posted function"
	if t != nil {
		who = t.String()
	}
	log.Printf("weft: %s panicked: %v\n%s", who, p.Value, p.Stack)
}

// fail notes an error that ended a worker.
func (rt *Runtime) fail(err error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.failure == nil {
		rt.failure = err
	}
}

// A Worker is one thread of a runtime, on which tasks live. Get one with
// Task.Worker, CurrentWorker or Runtime.Workers.
type Worker worker

// CurrentWorker returns the worker on which the caller runs, nil outside.
func CurrentWorker() *Worker {
	if co := current(); co != nil {
		return (*Worker)(co.w)
	}
	return nil
}

// Runtime returns the runtime of the worker.
func (w *Worker) Runtime() *Runtime { return w.rt }

// Index returns the worker's number in its runtime, from 0.
func (w *Worker) Index() int { return w.index }

// Spawn starts fn as a task on this worker. It may be called from anywhere, and
// does not park.
func (w *Worker) Spawn(fn func()) *Task {
	in := (*worker)(w)
	if co := current(); co != nil && co.w == in {
		return in.spawn(fn)
	}
	t := &Task{fn: fn}
	in.inject(t)
	return t
}

// Post makes fn be called on the worker's hub, between tasks, in the order of
// posting. fn must not wait: every wait there fails with ErrNotInTask. Post
// may be called from anywhere, does not park, and reports false if the worker
// has ended.
func (w *Worker) Post(fn func()) bool { return (*worker)(w).Post(fn) }

// Reactor returns the worker's netpoll adapter, for package poll.
func (w *Worker) Reactor() *reactor.Reactor { return w.reactor }
