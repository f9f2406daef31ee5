package runtime_test

import (
	"errors"
	goruntime "runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestWouldBlockForever(t *testing.T) { // D62
	rt := runtimetest.New(t, 2)
	runtime.NoForeignGoroutines(rt)
	err := rt.Run(func() error {
		runtime.Spawn(func() { _ = runtime.NewWaiter().Park("a bell that nobody rings") })
		return park()
	})
	var dead *runtime.DeadlockError
	if !errors.Is(err, runtime.ErrWouldBlockForever) || !errors.As(err, &dead) {
		t.Fatalf("Run = %v", err)
	}
	if len(dead.Tasks) != 2 || !strings.Contains(err.Error(), "waits: a bell that nobody rings") {
		t.Errorf("the error does not list the two tasks: %v", err)
	}
}

func TestWouldBlockForeverInAGreenlet(t *testing.T) { // D62: unwinds it, and the task of Run
	rt := runtimetest.New(t, 1)
	runtime.NoForeignGoroutines(rt)
	deferred := false
	err := rt.Run(func() error {
		g := greenlet.New(func(int) (int, error) {
			defer func() { deferred = true }()
			runtime.Unwind(park())
			return 0, nil
		})
		v, err := g.Switch(0)
		t.Errorf("Switch = %v, %v", v, err)
		return nil
	})
	if !errors.Is(err, runtime.ErrWouldBlockForever) || !deferred {
		t.Errorf("Run = %v, deferred %t", err, deferred)
	}
}

func TestNotStuck(t *testing.T) {
	for name, wait := range map[string]func(w runtime.Waiter) error{
		"timer": func(w runtime.Waiter) error {
			runtime.Spawn(func() { runtime.Sleep(200 * time.Millisecond); w.Ready() })
			return w.Park("x")
		},
		"offload": func(w runtime.Waiter) error {
			w.Cancel()
			return runtime.Offload(func() { time.Sleep(200 * time.Millisecond) })
		},
		"hold": func(w runtime.Waiter) error {
			release := runtime.Hold()
			time.AfterFunc(200*time.Millisecond, func() { w.Ready(); release(); release() })
			return w.Park("x")
		},
		"external": func(w runtime.Waiter) error {
			time.AfterFunc(200*time.Millisecond, func() { w.Ready() })
			return w.External().Park("x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, 2)
			runtime.NoForeignGoroutines(rt)
			if err := rt.Run(func() error { return wait(runtime.NewWaiter()) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// Two workers that wake each other are never both quiet, though each sleeps most
// of the time.
func TestHandOversAreNoDeadlock(t *testing.T) {
	const trips = 3000
	rt := runtimetest.New(t, 2)
	there, back := lock.NewSemaphore(0), lock.NewSemaphore(0)
	var over atomic.Bool
	tasks := []*runtime.Task{
		rt.Workers()[0].Spawn(func() {
			for range trips {
				there.Release()
				_ = back.Acquire()
			}
			over.Store(true)
		}),
		rt.Workers()[1].Spawn(func() {
			for range trips {
				_ = there.Acquire()
				if !over.Load() {
					back.Release()
				}
			}
		}),
	}
	for !over.Load() {
		if runtime.AllQuiet(rt) && !over.Load() {
			t.Fatal("quiet in the middle of it")
		}
		goruntime.Gosched()
	}
	for _, task := range tasks {
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	}
}
