package runtime_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestIdleComesLast: after tasks that yield, though they go on for many turns, and
// after those that they spawn.
func TestIdleComesLast(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		turns := 0
		for range 3 {
			runtime.Spawn(func() {
				for range 1000 {
					runtime.Yield()
					turns++
				}
				runtime.Spawn(func() { turns++ })
			})
		}
		runtime.Idle()
		if turns != 3003 {
			t.Errorf("idle after %d turns", turns)
		}
		runtime.Idle() // nothing else to do
	})
}

// TestIdleTasksTakeTurns in the order they came, one for each idle moment: what the
// first one readies runs before the second.
func TestIdleTasksTakeTurns(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		var order []string
		var tasks []*runtime.Task
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, runtime.Spawn(func() {
				for i := range 2 {
					runtime.Idle()
					order = append(order, fmt.Sprint(name, i))
					runtime.Spawn(func() {
						runtime.Yield()
						order = append(order, fmt.Sprint("after ", name, i))
					})
				}
			}))
		}
		_ = runtime.JoinAll(tasks...)
		runtime.Idle()
		want := []string{
			"a0", "after a0", "b0", "after b0", "c0", "after c0", "a1", "after a1", "b1", "after b1", "c1", "after c1",
		}
		if !slices.Equal(order, want) {
			t.Errorf("order %q", order)
		}
	})
}

// TestDueTimersComeBeforeIdle, and hand-overs do.
func TestDueTimersComeBeforeIdle(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		for range 20 {
			var order []string
			worker := runtime.CurrentWorker()
			idle := runtime.NewTask(func() { runtime.Idle(); order = append(order, "idle") })
			slept := false
			sleeper := runtime.Spawn(func() {
				runtime.Sleep(100 * time.Microsecond)
				slept = true
				order = append(order, "timer")
			})
			runtime.Yield()
			for due := runtime.Now().Add(200 * time.Microsecond); runtime.Now() < due; {
			} // the timer is due, and has had no turn yet
			if slept {
				t.Fatal("two tasks of a worker at once")
			}
			idle.Start()
			done := make(chan bool)
			go func() {
				worker.Spawn(func() { order = append(order, "handed over") })
				close(done)
			}()
			<-done // blocks the worker, on purpose
			_ = runtime.JoinAll(idle, sleeper)
			if len(order) != 3 || order[2] != "idle" {
				t.Fatalf("order %q", order)
			}
		}
	})
}

// TestBusyWorkerStarvesIdle, another one does not matter. WithTimeout sets a limit.
func TestBusyWorkerStarvesIdle(t *testing.T) {
	rt := runtimetest.New(t, 2)
	runtimetest.RunOn(t, rt, func() {
		stop := false
		busy := runtime.Spawn(func() {
			for !stop {
				runtime.Yield()
			}
		})
		elsewhere := rt.Workers()[1-runtime.CurrentWorker().Index()].Spawn(runtime.Idle)
		if err := elsewhere.Join(); err != nil {
			t.Error(err)
		}
		for range 100 {
			err := runtime.WithTimeout(100*time.Microsecond, func() error { runtime.Idle(); return nil })
			if !errors.Is(err, runtime.ErrTimeout) {
				t.Fatalf("Idle on a busy worker: %v", err)
			}
		}
		killed := runtime.Spawn(func() { runtime.Idle(); t.Error("idle") })
		runtime.Yield()
		killed.Kill(errCause)
		wantKilled(t, killed.Join(), errCause)
		stop = true
		_ = busy.Join()
		runtime.Idle()
		if n := runtime.Idlers(); n != 0 {
			t.Errorf("%d waits left behind", n)
		}
	})
}

// TestIdleIsNoDeadlock, and a Stop ends it.
func TestIdleIsNoDeadlock(t *testing.T) {
	rt := runtimetest.New(t, 2)
	runtime.NoForeignGoroutines(rt)
	err := rt.Run(func() error {
		for range 1000 {
			runtime.Idle()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	rt.Spawn(func() {
		for {
			runtime.Idle()
		}
	})
	if err := rt.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestIdleOutsideTasks(t *testing.T) {
	runtime.Idle() // returns
	rt := runtimetest.New(t, 1)
	recovered := make(chan any)
	rt.Workers()[0].Post(func() { // D87
		defer func() {
			r := recover()
			go func() { recovered <- r }()
		}()
		runtime.Idle()
	})
	if r := <-recovered; r != "runtime: Idle on the hub of a worker" {
		t.Errorf("recovered %v", r)
	}
}

func ExampleIdle() {
	runtimetest.Example(func() {
		cleaner := runtime.Spawn(func() {
			for _, room := range []string{"kitchen", "cellar"} {
				runtime.Idle()
				fmt.Println("cleans the", room)
			}
		})
		runtime.Spawn(func() {
			for i := range 3 {
				fmt.Println("serves guest", i)
				runtime.Yield()
			}
		})
		_ = cleaner.Join()
	})
	// Output:
	// serves guest 0
	// serves guest 1
	// serves guest 2
	// cleans the kitchen
	// cleans the cellar
}
