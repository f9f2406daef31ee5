package runtime_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestDrain waits until no other task is left, D31: those that delay their start
// and those that are spawned meanwhile too. It can be used again, and the runtime
// after it, D32.
func TestDrain(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		rt := runtime.Current().Runtime()
		for range 2 {
			var ended atomic.Int32
			runtime.Spawn(func() {
				runtime.Sleep(time.Millisecond)
				runtime.SpawnBalanced(func() { runtime.Sleep(time.Millisecond); ended.Add(1) })
				ended.Add(1)
			})
			runtime.SpawnAfter(short, func() { ended.Add(1) })
			runtime.NewTask(func() {}) // does not count
			if !rt.Drain(0) || ended.Load() != 3 {
				t.Errorf("drained after %d of 3 tasks", ended.Load())
			}
			if n := rt.Stats().Tasks; n != 1 {
				t.Errorf("%d tasks", n)
			}
		}
		if !rt.Drain(1) {
			t.Error("Drain without other tasks, past its deadline")
		}
		runtime.Sleep(time.Millisecond)
	})
}

func TestDrainFromElsewhere(t *testing.T) { // D31, D32
	rt := runtimetest.New(t, 2)
	if !rt.Drain(0) {
		t.Error("Drain of a fresh runtime")
	}
	var ended atomic.Int32
	for range 10 {
		rt.Spawn(func() { runtime.Sleep(time.Millisecond); ended.Add(1) })
	}
	if !rt.Drain(0) || ended.Load() != 10 {
		t.Errorf("drained after %d of 10 tasks", ended.Load())
	}
	other := runtimetest.New(t, 1)
	runtimetest.RunOn(t, other, func() { // from a task of another runtime
		rt.Spawn(func() { runtime.Sleep(time.Millisecond); ended.Add(1) })
		if !rt.Drain(0) || ended.Load() != 11 {
			t.Errorf("drained after %d of 11 tasks", ended.Load())
		}
	})
}

// TestDrainTimesOut with false, D31.
func TestDrainTimesOut(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		rt := runtime.Current().Runtime()
		task := runtime.Spawn(func() { _ = park() })
		for _, deadline := range []runtime.Instant{1, runtime.Now().Add(time.Millisecond)} {
			if rt.Drain(deadline) {
				t.Error("drained while a task waits")
			}
		}
		task.Kill(nil)
		if !rt.Drain(0) {
			t.Error("not drained")
		}
	})
}

// TestDrainers do not wait for each other.
func TestDrainers(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		rt := runtime.Current().Runtime()
		var others atomic.Int32
		for range 5 {
			runtime.SpawnBalanced(func() {
				if !rt.Drain(0) {
					t.Error("not drained")
				}
				others.Add(1)
			})
		}
		work := runtime.Spawn(func() { runtime.Sleep(short) })
		// They go on at once, and are then tasks as any other.
		if !rt.Drain(0) || !work.Ended() {
			t.Error("not drained")
		}
		if !rt.Drain(0) || others.Load() != 5 {
			t.Errorf("drained, but %d of 5 others", others.Load())
		}
	})
}

// TestDrainIsInterrupted unwinds the task, and what is left does not count it.
func TestDrainIsInterrupted(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		rt := runtime.Current().Runtime()
		w := runtime.NewWaiter()
		drainer := runtime.Spawn(func() { rt.Drain(0); t.Error("went on") })
		err := w.ParkUntil("test", runtime.Now().Add(time.Millisecond))
		if err != runtime.ErrTimeout {
			t.Error(err)
		}
		drainer.Kill(errCause)
		wantKilled(t, drainer.Join(), errCause)
		busy := runtime.Spawn(func() { _ = park() })
		err = runtime.WithTimeout(short, func() error { rt.Drain(runtime.Now().Add(time.Hour)); return nil })
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Errorf("WithTimeout = %v", err)
		}
		busy.Kill(nil)
		if !rt.Drain(0) {
			t.Error("not drained")
		}
	})
}

// TestDrainOverlooksNoTask has a task that goes from worker to worker, by spawning
// its successor before it ends, while goroutines look whether any is left.
func TestDrainOverlooksNoTask(t *testing.T) {
	rt := runtimetest.New(t, 4)
	const hops = 5000
	var hopped atomic.Int32
	var hop func()
	hop = func() {
		if n := hopped.Add(1); n < hops {
			rt.Workers()[n%4].Spawn(hop)
		}
	}
	rt.Spawn(hop)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for n := hopped.Load(); n < hops; n = hopped.Load() {
				if rt.Drain(1) && hopped.Load() < hops {
					t.Errorf("drained after %d of %d hops", hopped.Load(), hops)
					return
				}
			}
		})
	}
	if !rt.Drain(0) || hopped.Load() != hops {
		t.Fatalf("drained after %d of %d hops", hopped.Load(), hops)
	}
	wg.Wait()
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !rt.Drain(0) {
		t.Error("Drain of a runtime that was stopped")
	}
}

func ExampleRuntime_Drain() {
	runtimetest.Example(func() {
		for _, name := range []string{"a", "b"} {
			runtime.Spawn(func() { runtime.Yield(); fmt.Println(name, "ends") })
		}
		fmt.Println("drained:", runtime.Current().Runtime().Drain(0))
	})
	// Output:
	// a ends
	// b ends
	// drained: true
}
