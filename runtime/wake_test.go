package runtime_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestWakesAreNotLost has goroutines and tasks of four workers end each
// other's waits, own behaviour 11. A lost wake hangs it.
func TestWakesAreNotLost(t *testing.T) {
	rt := runtimetest.New(t, 4)
	const parties, rounds = 64, 300
	var mu sync.Mutex
	var waiting []runtime.Waiter
	var woken atomic.Int64
	var live atomic.Int64
	live.Store(parties)
	var tasks []*runtime.Task
	for range parties {
		tasks = append(tasks, rt.Spawn(func() {
			defer live.Add(-1)
			for range rounds {
				w := runtime.NewWaiter()
				mu.Lock()
				waiting = append(waiting, w)
				mu.Unlock()
				if err := w.Park("stress"); err != nil {
					t.Error(err)
				}
			}
		}))
	}
	wakeSome := func() bool {
		mu.Lock()
		some := waiting
		waiting = nil
		mu.Unlock()
		for _, w := range some {
			if w.Ready() {
				woken.Add(1)
			}
			if w.Ready() {
				t.Error("a wait ended twice")
			}
		}
		return live.Load() > 0
	}
	for range 3 {
		tasks = append(tasks, rt.Spawn(func() {
			for wakeSome() {
				runtime.Yield()
			}
		}))
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for wakeSome() {
				time.Sleep(10 * time.Microsecond)
			}
		})
	}
	for _, task := range tasks {
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if n := woken.Load(); n != parties*rounds {
		t.Errorf("%d wakes for %d waits", n, parties*rounds)
	}
}

// TestNoNeedlessWake counts the eventfd calls: none while the worker is awake,
// one for a worker that sleeps.
func TestNoNeedlessWake(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var w runtime.Waiter
	var before uint64
	runtimetest.RunOn(t, rt, func() {
		waiting := runtime.Spawn(func() {
			w = runtime.NewWaiter()
			_ = w.Park("test")
		})
		runtime.Yield()
		before = rt.Stats().Wakes
		done := make(chan struct{})
		go func() { // the worker is awake: it blocks in this very function
			w.Ready()
			for range 100 {
				rt.Spawn(func() {})
			}
			close(done)
		}()
		<-done
		if n := rt.Stats().Wakes - before; n != 0 {
			t.Errorf("%d wakes of a worker that was awake", n)
		}
		_ = waiting.Join()
	})
}

func TestReadyBeforePark(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		w := runtime.NewWaiter()
		if !w.Ready() || w.Ready() {
			t.Error("Ready is not once")
		}
		if err := w.Park("test"); err != nil {
			t.Error(err)
		}
		w = runtime.NewWaiter()
		if !w.Cancel() || w.Ready() {
			t.Error("Cancel did not end the wait")
		}
		w = runtime.NewWaiter()
		w.Ready()
		if w.Cancel() {
			t.Error("Cancel of an ended wait")
		}
		if err := w.Park("test"); err != nil {
			t.Error(err)
		}
	})
}

func TestGoroutineWaits(t *testing.T) {
	rt := runtimetest.New(t, 1)
	w := runtime.NewWaiter()
	rt.Spawn(func() { w.Ready() })
	if err := w.Park("test"); err != nil {
		t.Error(err)
	}
	w = runtime.NewWaiter()
	if err := w.ParkUntil("test", runtime.Now().Add(time.Millisecond)); err != runtime.ErrTimeout {
		t.Error(err)
	}
	if w.Ready() {
		t.Error("Ready of a wait that timed out")
	}
}

// TestGoroutineDeadlineRace ends waits of goroutines at the instant of their
// deadline: each ends once.
func TestGoroutineDeadlineRace(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				w := runtime.NewWaiter()
				at := runtime.Now().Add(20 * time.Microsecond)
				var readied atomic.Bool
				done := make(chan struct{})
				go func() {
					for runtime.Now() < at {
					}
					readied.Store(w.Ready())
					close(done)
				}()
				err := w.ParkUntil("test", at)
				<-done
				if (err == nil) != readied.Load() {
					t.Errorf("Park = %v, Ready = %v", err, readied.Load())
				}
			}
		})
	}
	wg.Wait()
}

func TestPost(t *testing.T) { // D96, D87, D88
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 2, OnPanic: func(*runtime.Task, *runtime.PanicError) {}})
	var count atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		worker := rt.Workers()[i%2]
		wg.Go(func() {
			for range 1000 {
				worker.Post(func() { count.Add(1) })
			}
		})
	}
	wg.Wait()
	runtimetest.Eventually(t, "all posted functions are called", func() bool { return count.Load() == 8000 })

	result := make(chan error)
	rt.Workers()[0].Post(func() {
		err := runtime.NewWaiter().Park("test")
		go func() { result <- err }()
		panic("in a posted function")
	})
	if err := <-result; err != runtime.ErrNotInTask {
		t.Errorf("a wait on the hub: %v", err)
	}
	runtimetest.RunOn(t, rt, func() { runtime.Sleep(time.Millisecond) }) // the worker lives
}
