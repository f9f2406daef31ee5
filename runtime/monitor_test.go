package runtime_test

import (
	"iter"
	"log"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// blockedLog is an OnBlocked that keeps the reports.
type blockedLog struct {
	mu      sync.Mutex
	reports []runtime.Blocked
}

func (l *blockedLog) add(b runtime.Blocked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports = append(l.reports, b)
}

func (l *blockedLog) all() []runtime.Blocked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]runtime.Blocked(nil), l.reports...)
}

// of returns the reports in whose stack a function occurs. A busy machine may make
// the monitor report others.
func (l *blockedLog) of(function string) []runtime.Blocked {
	var found []runtime.Blocked
	for _, b := range l.all() {
		if strings.Contains(b.Stack, function) {
			found = append(found, b)
		}
	}
	return found
}

func (l *blockedLog) await(t *testing.T, function string) runtime.Blocked {
	t.Helper()
	runtimetest.Eventually(t, "a report of "+function, func() bool { return len(l.of(function)) > 0 })
	return l.of(function)[0]
}

// monitored starts a runtime with a monitor.
func monitored(t *testing.T, workers int, limit time.Duration) (*runtime.Runtime, *blockedLog) {
	l := new(blockedLog)
	return runtimetest.NewConfig(t, runtime.Config{Workers: workers, MaxBlocking: limit, OnBlocked: l.add}), l
}

// hogFor computes for d; its name is looked for.
//
//go:noinline
func hogFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// hogUntil computes until done.
//
//go:noinline
func hogUntil(done func() bool) {
	for !done() {
		time.Sleep(0)
	}
}

// TestMonitorReportsAHog (D91): a task that computes for 0.3 s where 0.1 s is the limit
// is reported once, with its stack.
func TestMonitorReportsAHog(t *testing.T) {
	rt, reports := monitored(t, 1, 100*time.Millisecond)
	var hog *runtime.Task
	runtimetest.RunOn(t, rt, func() {
		hog = runtime.Current()
		hogFor(300 * time.Millisecond)
	})
	b := reports.await(t, "hogFor")
	if b.Worker != 0 || b.Task != hog || b.For < 100*time.Millisecond || b.Goroutine == 0 || b.WaitsIn != "" {
		t.Errorf("report %+v", b)
	}
	text := b.String()
	if !strings.HasPrefix(text, hog.String()+" holds worker 0 for ") || strings.Contains(text, "waits in") ||
		!strings.Contains(text, "TestMonitorReportsAHog") {
		t.Errorf("text %s", text)
	}
	if n := len(reports.of("hogFor")); n != 1 {
		t.Errorf("%d reports", n)
	}
}

// TestMonitorTwoHogs (D91): each of two workers has a hog; both are reported, each with
// its own stack.
func TestMonitorTwoHogs(t *testing.T) {
	rt, reports := monitored(t, 2, 10*time.Millisecond)
	var tasks []*runtime.Task
	for _, w := range rt.Workers() {
		tasks = append(tasks, w.Spawn(func() {
			hogUntil(func() bool { return len(reports.of("hogUntil")) == 2 })
		}))
	}
	for _, task := range tasks {
		_ = task.Join()
	}
	for _, b := range reports.of("hogUntil") {
		if b.Task != tasks[b.Worker] || strings.Count(b.Stack, "goroutine ") > 2 { // the header, "created by"
			t.Errorf("report %+v", b)
		}
	}
}

// TestMonitorSparesShortTasks (D91): many short tasks, which together take long without
// the worker ever sleeping, are not reported; nor are callbacks, a task that sleeps,
// and busy or idle goroutines of the offload pool.
func TestMonitorSparesShortTasks(t *testing.T) {
	const limit = 300 * time.Millisecond // a lot, for a busy machine
	rt, reports := monitored(t, 1, limit)
	runtimetest.RunOn(t, rt, func() {
		sleeps := runtime.Spawn(func() { runtime.Sleep(2 * limit) })
		busy := runtime.Spawn(func() { _ = runtime.Offload(func() { time.Sleep(2 * limit) }) })
		for range 50 { // one round
			runtime.Spawn(func() { hogFor(limit / 25) })
		}
		runtime.Yield()
		for range 50 {
			runtime.CurrentWorker().Post(func() { hogFor(limit / 25) })
		}
		_, _ = sleeps.Join(), busy.Join()
		runtime.Sleep(2 * limit)
	})
	for _, b := range reports.all() {
		t.Errorf("report %v", b)
	}
}

// TestMonitorReportsCallbacks (D91): one on the hub, and one of OnDone on a task's
// coroutine.
func TestMonitorReportsCallbacks(t *testing.T) {
	for name, call := range map[string]func(w *runtime.Worker, fn func()){
		"Post": func(w *runtime.Worker, fn func()) { w.Post(fn) },
		"OnDone": func(w *runtime.Worker, fn func()) {
			w.Post(func() { w.Spawn(func() {}).OnDone(func(*runtime.Task) { fn() }) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt, reports := monitored(t, 1, 10*time.Millisecond)
			call(rt.Workers()[0], func() {
				hogUntil(func() bool { return len(reports.of("hogUntil")) > 0 })
			})
			b := reports.await(t, "hogUntil")
			if b.Task != nil || !strings.HasPrefix(b.String(), "a callback holds worker 0") {
				t.Errorf("report %v", b)
			}
		})
	}
}

// TestMonitorReportsGoLocks (D91, the great hazard): a task that waits in a sync.Mutex, which
// another task of its worker holds across a wait, is reported with what to use.
func TestMonitorReportsGoLocks(t *testing.T) {
	gate := make(chan bool)
	for name, test := range map[string]struct {
		wait, free func(mu *sync.Mutex)
		text       string
	}{
		"mutex": {
			func(mu *sync.Mutex) { mu.Lock() }, func(mu *sync.Mutex) { mu.Unlock() },
			"; it waits in sync.Mutex.Lock: use package lock, or Offload",
		},
		"channel": {
			func(*sync.Mutex) { <-gate }, func(*sync.Mutex) { gate <- true },
			"; it waits in chan receive: use package queue, or Offload",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt, reports := monitored(t, 1, 10*time.Millisecond)
			var mu sync.Mutex
			holds := rt.Spawn(func() {
				mu.Lock()
				runtime.Sleep(time.Hour)
			})
			stuck := rt.Spawn(func() { test.wait(&mu) })
			b := reports.await(t, "TestMonitorReportsGoLocks")
			if b.Task != stuck || b.Task == holds || !strings.Contains(b.String(), test.text) {
				t.Errorf("report %v", b)
			}
			test.free(&mu)
			if err := stuck.Join(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMonitorFindsCoroutines: a task that computes inside an iter.Pull of its own is
// reported with the frames there.
func TestMonitorFindsCoroutines(t *testing.T) {
	rt, reports := monitored(t, 1, 10*time.Millisecond)
	runtimetest.RunOn(t, rt, func() {
		next, stop := iter.Pull(func(func(int) bool) {
			hogUntil(func() bool { return len(reports.of("hogUntil")) > 0 })
		})
		defer stop()
		next()
		if b := reports.of("hogUntil")[0]; b.Task != runtime.Current() {
			t.Errorf("report %v", b)
		}
	})
}

// TestMonitorFindsStrands: a task that computes in a generator of its own, while
// another one is suspended, is reported with the frames there.
func TestMonitorFindsStrands(t *testing.T) {
	rt, reports := monitored(t, 1, 10*time.Millisecond)
	runtimetest.RunOn(t, rt, func() {
		idle := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error { y.Yield(1); return nil })
		defer idle.Close()
		if v, err := idle.Next(); v != 1 || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
		busy := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
			runtime.Yield() // it has a goroutine that acts for the task
			hogUntil(func() bool { return len(reports.of("hogUntil")) > 0 })
			y.Yield(2)
			return nil
		})
		defer busy.Close()
		if v, err := busy.Next(); v != 2 || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
		if b := reports.of("hogUntil")[0]; b.Task != runtime.Current() {
			t.Errorf("report %v", b)
		}
	})
}

// TestMonitorRate: holds that follow fast are counted, not reported.
func TestMonitorRate(t *testing.T) {
	rt, reports := monitored(t, 1, 2*time.Millisecond)
	start := time.Now()
	runtimetest.RunOn(t, rt, func() {
		omitted := func() (n int) {
			for _, b := range reports.all() {
				n += b.Omitted
			}
			return n
		}
		for omitted() < 3 {
			hogFor(50 * time.Millisecond) // with one processor the monitor must get it first
			runtime.Yield()
		}
	})
	n := len(reports.all())
	if most := int(time.Since(start)/time.Second) + 1; n > most {
		t.Errorf("%d reports where %d are the most", n, most)
	}
	last := reports.all()[n-1]
	if last.Omitted > 0 && !strings.Contains(last.String(), " more were not reported") {
		t.Errorf("text %v", last)
	}
}

// TestMonitorOfMany: with more goroutines than it takes all stacks of, it finds the
// hog by Go's profile.
func TestMonitorOfMany(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allows 8,128 goroutines")
	}
	rt, reports := monitored(t, 1, 50*time.Millisecond)
	runtimetest.RunOn(t, rt, func() {
		for range 11_000 {
			runtime.Spawn(func() { _ = park() })
		}
		runtime.Yield()
		hogUntil(func() bool { return len(reports.of("hogUntil")) > 0 })
		b := reports.of("hogUntil")[0]
		if b.Task != runtime.Current() || strings.Count(b.Stack, "ParkUntil") > 0 {
			t.Errorf("report %v", b)
		}
	})
}

// TestMonitorLogs: without OnBlocked reports are logged; one that panics does no harm.
func TestMonitorLogs(t *testing.T) {
	var text runtimetest.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&text)
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, MaxBlocking: 5 * time.Millisecond})
	runtimetest.RunOn(t, rt, func() {
		hogUntil(func() bool { return strings.Contains(text.String(), "hogUntil") })
	})
	if !strings.Contains(text.String(), "weft: task ") {
		t.Error(text.String())
	}

	calls := make(chan bool, 100)
	rt = runtimetest.NewConfig(t, runtime.Config{Workers: 1, MaxBlocking: 5 * time.Millisecond, OnBlocked: func(runtime.Blocked) {
		calls <- true
		panic("in OnBlocked")
	}})
	runtimetest.RunOn(t, rt, func() {
		for len(calls) < 2 {
			hogFor(50 * time.Millisecond)
			runtime.Yield()
		}
	})
}

// TestMonitorIsNoForeigner: its goroutine does not keep the runtime from seeing that it
// is stuck, and ends with it, which the harness checks.
func TestMonitorIsNoForeigner(t *testing.T) {
	rt, _ := monitored(t, 2, time.Second)
	n := 0
	runtimetest.Eventually(t, "the count settles", func() bool {
		n = runtime.ForeignGoroutines(rt)
		return n <= goruntime.NumGoroutine()-3 // the workers', the monitor's
	})
}

func TestNegativeConfig(t *testing.T) {
	for _, config := range []runtime.Config{{Workers: -1}, {OffloadLimit: -1}, {MaxBlocking: -1}} {
		if rt, err := runtime.New(config); err == nil || rt != nil {
			t.Errorf("New(%+v): %v", config, err)
		}
	}
}
