package runtime_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var errCause = errors.New("cause")

// park waits for ever, until interrupted.
func park() error { return runtime.NewWaiter().Park("test") }

func wantKilled(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, runtime.ErrKilled) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is not ErrKilled and context.Canceled", err)
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("error %v does not carry the cause %v", err, cause)
	}
}

func TestKillBeforeStart(t *testing.T) { // D6
	runtimetest.Run(t, 1, func() {
		ran := false
		task := runtime.Spawn(func() { ran = true })
		task.Kill(errCause)
		wantKilled(t, task.Join(), errCause)
		if ran {
			t.Error("the killed task ran")
		}
	})
}

func TestKillIsAsynchronous(t *testing.T) { // D9
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() { _ = park() })
		runtime.Yield()
		task.Kill(nil)
		if task.Ended() {
			t.Error("ended at the return of Kill")
		}
		runtime.Yield()
		if !task.Ended() {
			t.Error("not ended after one turn")
		}
	})
}

func TestKillOfEndedTaskChangesNothing(t *testing.T) { // D10
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {})
		_ = task.Join()
		task.Kill(errCause)
		runtime.Yield()
		if err := task.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestKilledWaitReturnsTheError(t *testing.T) { // D12
	runtimetest.Run(t, 1, func() {
		task := runtime.Async(func() (string, error) {
			wantKilled(t, park(), errCause)
			return "handled", nil
		})
		runtime.Yield()
		task.Kill(errCause)
		if v, err := task.Get(); v != "handled" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
	})
}

func TestKillUnwindsWhatCannotReturnIt(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for name, wait := range map[string]func(){
			"Sleep": func() { runtime.Sleep(time.Hour) },
			"Yield": runtime.Yield,
			"Sleep inside WithTimeout": func() {
				_ = runtime.WithTimeout(time.Hour, func() error { runtime.Sleep(time.Hour); return nil })
			},
		} {
			deferred, after := false, false
			task := runtime.Spawn(func() {
				defer func() { deferred = true }()
				wait()
				after = true
			})
			runtime.Yield()
			task.Kill(errCause)
			wantKilled(t, task.Join(), errCause)
			if !deferred || after {
				t.Errorf("%s: deferred ran %v, the rest ran %v", name, deferred, after)
			}
		}
	})
}

func TestKillSelf(t *testing.T) { // D20
	runtimetest.Run(t, 1, func() {
		after := false
		task := runtime.Spawn(func() {
			runtime.Current().Kill(errCause)
			after = true
		})
		wantKilled(t, task.Join(), errCause)
		if after {
			t.Error("went on after killing itself")
		}
	})
}

func TestKillsInOneTurnAreDeliveredOnce(t *testing.T) { // D15
	runtimetest.Run(t, 1, func() {
		kills := 0
		task := runtime.Spawn(func() {
			for range 2 {
				w := runtime.NewWaiter()
				if err := w.ParkUntil("test", runtime.Now().Add(20*time.Millisecond)); errors.Is(err, runtime.ErrKilled) {
					kills++
				}
			}
		})
		runtime.Yield()
		for range 3 {
			task.Kill(nil)
		}
		if err := task.Join(); err != nil {
			t.Error(err)
		}
		if kills != 1 {
			t.Errorf("%d deliveries", kills)
		}
	})
}

func TestDeferredMayWaitWhileKilled(t *testing.T) { // own behaviour 1
	runtimetest.Run(t, 1, func() {
		cleaned, interrupted := false, false
		task := runtime.Spawn(func() {
			defer func() {
				runtime.Sleep(time.Millisecond)
				cleaned = true
				interrupted = park() != nil
			}()
			runtime.Sleep(time.Hour)
		})
		runtime.Yield()
		task.Kill(nil)
		runtimetest.Eventually(t, "the cleanup waits", func() bool { return cleaned })
		if task.Ended() {
			t.Fatal("ended before its cleanup")
		}
		task.Kill(nil) // the second kill interrupts the cleanup
		wantKilled(t, task.Join(), nil)
		if !interrupted {
			t.Error("the second kill did not interrupt the cleanup")
		}
	})
}

func TestRecoverDoesNotSaveAKilledTask(t *testing.T) { // own behaviour 2
	runtimetest.Run(t, 1, func() {
		swallowed, after := false, false
		task := runtime.Spawn(func() {
			func() {
				defer func() { swallowed = recover() != nil }()
				runtime.Sleep(time.Hour)
			}()
			runtime.Sleep(time.Hour) // must not wait
			after = true
		})
		runtime.Yield()
		task.Kill(errCause)
		wantKilled(t, task.Join(), errCause)
		if !swallowed || after {
			t.Errorf("swallowed %v, went on %v", swallowed, after)
		}
	})
}

func TestSwallowedKillLeavesNoWaitBehind(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var mu lock.Mutex
		mu.Lock()
		waited := false
		task := runtime.Spawn(func() {
			defer func() {
				runtime.Sleep(time.Millisecond) // a wait after the one that panicked
				waited = true
			}()
			func() {
				defer func() { _ = recover() }()
				runtime.Sleep(time.Hour)
			}()
			mu.Lock()
		})
		runtime.Yield()
		task.Kill(errCause)
		wantKilled(t, task.Join(), errCause)
		if !waited {
			t.Error("the deferred function could not wait")
		}
		mu.Unlock() // must not run the ended task again
		runtime.Yield()
		if !mu.TryLock() {
			t.Error("the lock went to an ended task")
		}
	})
}

func TestKillFromElsewhere(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var started atomic.Bool
	task := rt.Spawn(func() { started.Store(true); _ = park() })
	runtimetest.Eventually(t, "the task has started", started.Load)
	done := rt.Spawn(func() {
		// From a task of, possibly, another worker.
		task.Kill(errCause)
		if err := task.Join(); err != nil {
			t.Error(err) // its function ignored the error and returned
		}
	})
	if err := done.Join(); err != nil {
		t.Error(err)
	}
	sleeper := rt.Spawn(func() { runtime.Sleep(time.Hour) })
	sleeper.Kill(errCause) // from a goroutine
	wantKilled(t, sleeper.Join(), errCause)
}

func TestKillEndsContext(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() { _ = park() })
		runtime.Yield()
		ctx := task.Context()
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		task.Kill(errCause)
		if ctx.Err() != context.Canceled {
			t.Errorf("context error %v", ctx.Err())
		}
		wantKilled(t, context.Cause(ctx), errCause)
		_ = task.Join()

		ended := runtime.Spawn(func() {})
		ctx = ended.Context()
		_ = ended.Join()
		if ctx.Err() == nil {
			t.Error("the context of an ended task goes on")
		}
		if late := ended.Context(); late.Err() == nil {
			t.Error("the context made after the end goes on")
		}
	})
}

func TestKilledLaterThanReady(t *testing.T) {
	// The wait is over when the kill comes: it returns nil, and the kill is
	// delivered to the next wait.
	runtimetest.Run(t, 1, func() {
		var w runtime.Waiter
		var first, second error
		task := runtime.Spawn(func() {
			w = runtime.NewWaiter()
			first = w.Park("first")
			second = park()
		})
		runtime.Yield()
		w.Ready()
		task.Kill(errCause)
		if err := task.Join(); err != nil {
			t.Error(err)
		}
		if first != nil {
			t.Errorf("first wait: %v", first)
		}
		wantKilled(t, second, errCause)
	})
}

func TestShieldedWaitPostponesTheKill(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var w runtime.Waiter
		var first, second error
		task := runtime.Spawn(func() {
			w = runtime.NewWaiter().Shielded()
			first = w.Park("shielded")
			second = park()
		})
		runtime.Yield()
		task.Kill(errCause)
		runtime.Yield()
		if task.Ended() {
			t.Fatal("a shielded wait was interrupted")
		}
		w.Ready()
		_ = task.Join()
		if first != nil {
			t.Errorf("first wait: %v", first)
		}
		wantKilled(t, second, errCause)
	})
}
