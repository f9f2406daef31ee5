// Package runtimetest is the harness of tests that run tasks: each test has a
// runtime of its own, and ends only if nothing is left behind.
package runtimetest

import (
	"context"
	"os"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
)

// Patience is how long the harness waits for what must happen. No test passes
// because of it.
const Patience = 20 * time.Second

// New starts a runtime with the given number of workers for the rest of the
// test. When the test ends it is stopped, and the test fails if a task,
// coroutine, goroutine or descriptor is left.
func New(t testing.TB, workers int) *runtime.Runtime {
	t.Helper()
	return NewConfig(t, runtime.Config{Workers: workers})
}

// NewConfig is New with a Config.
func NewConfig(t testing.TB, config runtime.Config) *runtime.Runtime {
	t.Helper()
	before := TakeCensus()
	rt, err := runtime.New(config)
	if err != nil {
		t.Fatal(err)
	}
	track(rt, true)
	t.Cleanup(func() {
		defer track(rt, false)
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := rt.Stop(ctx); err != nil {
			t.Error(err)
			return
		}
		if s := rt.Stats(); s.Tasks != 0 || s.Coroutines != 0 {
			t.Errorf("left behind: %d tasks, %d coroutines", s.Tasks, s.Coroutines)
		}
		before.Compare(t)
	})
	return rt
}

// Run runs fn as a task of a new runtime with the given number of workers, and
// fails the test with its error. FailNow and SkipNow may be called in it.
func Run(t testing.TB, workers int, fn func()) {
	t.Helper()
	RunOn(t, New(t, workers), fn)
}

// RunOn is Run on a runtime of New's.
func RunOn(t testing.TB, rt *runtime.Runtime, fn func()) {
	t.Helper()
	err := rt.Run(func() error { fn(); return nil })
	if t.Failed() {
		t.FailNow()
	}
	if t.Skipped() {
		t.SkipNow()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A Census counts what a test may leave behind: goroutines and descriptors.
type Census struct {
	goroutines  int
	descriptors int
}

// TakeCensus counts until nothing changes while it does. It leaves out what runtimes of
// New hold while they run, which may grow meanwhile: those see to it themselves.
func TakeCensus() Census {
	for {
		first := takeOneCensus()
		if second := takeOneCensus(); first == second {
			return second
		}
		goruntime.Gosched()
	}
}

func takeOneCensus() Census {
	c := Census{goroutines: goruntime.NumGoroutine(), descriptors: Descriptors()}
	running.Lock()
	defer running.Unlock()
	for rt := range running.set {
		s := rt.Stats()
		c.goroutines -= s.Coroutines + s.Offloads
	}
	return c
}

// running are the runtimes of this package that have not been stopped.
var running struct {
	sync.Mutex
	set map[*runtime.Runtime]bool
}

func track(rt *runtime.Runtime, on bool) {
	running.Lock()
	defer running.Unlock()
	if running.set == nil {
		running.set = make(map[*runtime.Runtime]bool)
	}
	if on {
		running.set[rt] = true
	} else {
		delete(running.set, rt)
	}
}

// Compare waits until the present counts are no more than those before, and fails the
// test if that does not come about: goroutines end a little after what they did is
// visible.
func (before Census) Compare(t testing.TB) {
	t.Helper()
	var now Census
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		now = TakeCensus()
		if now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return
		}
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:goruntime.Stack(stacks, true)]
	t.Errorf("left behind: goroutines %d, was %d; descriptors %d, was %d\n%s",
		now.goroutines, before.goroutines, now.descriptors, before.descriptors, stacks)
}

// startStdPoller makes package os open its own two descriptors, for good, so
// that they are not taken for leaks.
var startStdPoller = sync.OnceFunc(func() {
	if r, w, err := os.Pipe(); err == nil {
		_ = r.Close()
		_ = w.Close()
	}
})

// Descriptors counts the open descriptors of the process.
func Descriptors() int {
	startStdPoller()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(dir)
}

// Eventually calls check until it reports true, and fails the test if that
// takes too long. Call it from the test's goroutine or from a task.
func Eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !check(); runtime.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("never came about: %s", what)
		}
	}
}
