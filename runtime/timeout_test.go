package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

const short = 5 * time.Millisecond

func TestTimeoutIsItself(t *testing.T) { // D33
	runtimetest.Run(t, 1, func() {
		var inside error
		err := runtime.WithTimeout(short, func() error {
			inside = park()
			return inside
		})
		var timeout *runtime.Timeout
		if !errors.As(err, &timeout) || err != inside {
			t.Errorf("error %v, inside %v", err, inside)
		}
		for _, target := range []error{runtime.ErrTimeout, os.ErrDeadlineExceeded, context.DeadlineExceeded} {
			if !errors.Is(err, target) {
				t.Errorf("error is not %v", target)
			}
		}
	})
}

func TestTimeoutUnwindsSleep(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		deferred := false
		err := runtime.WithTimeout(short, func() error {
			defer func() { deferred = true }()
			runtime.Sleep(time.Hour)
			t.Error("slept")
			return nil
		})
		if !errors.Is(err, runtime.ErrTimeout) || !deferred {
			t.Errorf("error %v, deferred ran %v", err, deferred)
		}
		runtime.Sleep(short) // the task is well
	})
}

// nested runs two timeouts, and returns what each of them returned.
func nested(outer, inner time.Duration) (outerErr, innerErr error) {
	innerErr = errors.New("not reached")
	outerErr = runtime.WithTimeout(outer, func() error {
		innerErr = runtime.WithTimeout(inner, park)
		return innerErr
	})
	return outerErr, innerErr
}

func TestNestedTimeouts(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		// D34: the outer one fires through the inner block, whose own never
		// does.
		outer, inner := nested(short, time.Hour)
		if outer == nil || outer != inner {
			t.Errorf("outer first: outer %v, inner %v", outer, inner)
		}
		if outer.Error() != "runtime: timeout of 5ms" {
			t.Error(outer)
		}
		// D35: the inner one fires, the outer one stays pending.
		var innerErr error
		err := runtime.WithTimeout(10*short, func() error {
			innerErr = runtime.WithTimeout(short, park)
			return park()
		})
		if !errors.Is(innerErr, runtime.ErrTimeout) || !errors.Is(err, runtime.ErrTimeout) || err == innerErr {
			t.Errorf("inner first: outer %v, inner %v", err, innerErr)
		}
	})
}

// TestEqualNestedTimeouts: the inner one fires first, own behaviour 7, and then the
// outer one.
func TestEqualNestedTimeouts(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		deadline := runtime.Now().Add(short)
		var order []string
		note := func(name string, fn func() error) func() error {
			return func() error {
				err := runtime.WithTimeoutUntil(deadline, fn)
				var timeout *runtime.Timeout
				if errors.As(err, &timeout) {
					order = append(order, name)
				}
				return park() // what is due next interrupts it
			}
		}
		err := runtime.WithTimeoutUntil(deadline, note("middle", note("inner", park)))
		if !errors.Is(err, runtime.ErrTimeout) || !slices.Equal(order, []string{"inner", "middle"}) {
			t.Errorf("error %v, before that %v", err, order)
		}
	})
}

func TestNestedTimeoutUnwindsToItsOwnBlock(t *testing.T) { // D40
	runtimetest.Run(t, 1, func() {
		innerReturned := false
		err := runtime.WithTimeout(short, func() error {
			_ = runtime.WithTimeout(time.Hour, func() error {
				runtime.Sleep(time.Hour)
				return nil
			})
			innerReturned = true
			return nil
		})
		if !errors.Is(err, runtime.ErrTimeout) || innerReturned {
			t.Errorf("error %v, inner returned %v", err, innerReturned)
		}
	})
}

// TestSilentTimeout: the block exits without an error, D36, with the fallback.
func TestSilentTimeout(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		for name, fn := range map[string]func() (int, error){
			"error":         func() (int, error) { return 1, park() },
			"wrapped error": func() (int, error) { return 1, fmt.Errorf("read: %w", park()) },
			"unwound":       func() (int, error) { runtime.Sleep(time.Hour); return 1, nil },
		} {
			if v, err := runtime.WithTimeoutValue(short, 7, fn); v != 7 || err != nil {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
		before := runtime.Timers()
		for name, want := range map[string]error{"value": nil, "error": errCause} {
			v, err := runtime.WithTimeoutValue(time.Hour, 7, func() (int, error) { return 1, want })
			if v != 1 || err != want {
				t.Errorf("%s in time: %v, %v", name, v, err)
			}
		}
		if n := runtime.Timers() - before; n != 0 {
			t.Errorf("%d timers left", n)
		}
	})
	if v, err := runtime.WithTimeoutValue(short, 7, func() (int, error) { return 1, nil }); v != 0 || err != runtime.ErrNotInTask {
		t.Errorf("outside tasks: %v, %v", v, err)
	}
}

// TestSilentTimeoutPassesForeignOnes on, D40: that of an enclosing call, a wait's
// own deadline, and one that fn got from elsewhere.
func TestSilentTimeoutPassesForeignOnes(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		for name, wait := range map[string]func() error{
			"error":   park,
			"unwound": func() error { runtime.Sleep(time.Hour); return nil },
		} {
			innerReturned := false
			err := runtime.WithTimeout(short, func() error {
				_, err := runtime.WithTimeoutValue(time.Hour, 7, func() (int, error) { return 1, wait() })
				innerReturned = true
				return err
			})
			var timeout *runtime.Timeout
			if !errors.As(err, &timeout) || timeout.Error() != "runtime: timeout of 5ms" || innerReturned != (name == "error") {
				t.Errorf("%s: %v, inner returned %v", name, err, innerReturned)
			}
		}
		foreign := runtime.WithTimeout(0, park)
		for _, want := range []error{foreign, runtime.ErrTimeout} {
			v, err := runtime.WithTimeoutValue(short, 7, func() (int, error) { return 1, want })
			if v != 1 || err != want {
				t.Errorf("%v: %v, %v", want, v, err)
			}
		}
	})
}

// TestForeverNeverFires, D38, and starts no timer.
func TestForeverNeverFires(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		before := runtime.Timers()
		err := runtime.WithTimeout(runtime.Forever, func() error {
			if n := runtime.Timers() - before; n != 0 {
				t.Errorf("%d timers", n)
			}
			runtime.Sleep(time.Millisecond)
			return errCause
		})
		if err != errCause {
			t.Error(err)
		}
		v, err := runtime.WithTimeoutValue(runtime.Forever, 7, func() (int, error) { return 1, nil })
		if v != 1 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		// Long, but not for ever: neither overflows.
		if err := runtime.WithTimeout(runtime.Forever-1, func() error { runtime.Yield(); return nil }); err != nil {
			t.Error(err)
		}
	})
	if err := runtime.WithTimeout(runtime.Forever, func() error { return nil }); err != runtime.ErrNotInTask {
		t.Error(err)
	}
}

// TestTimeoutEndsWithItsBlock: a block that is left before the expiry, by a return
// or a panic, cancels it, D39.
func TestTimeoutEndsWithItsBlock(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		before := runtime.Timers()
		_ = runtime.WithTimeout(short, func() error { return nil })
		func() {
			defer func() { _ = recover() }()
			_ = runtime.WithTimeout(short, func() error { panic("mine") })
		}()
		if n := runtime.Timers() - before; n != 0 {
			t.Errorf("%d timers left", n)
		}
		runtime.Sleep(2 * short) // nothing fires
	})
}

func TestTimeoutNeverFiresAfterItsBlock(t *testing.T) { // D37, D39
	runtimetest.Run(t, 1, func() {
		if err := runtime.WithTimeout(short, func() error { return nil }); err != nil {
			t.Error(err)
		}
		w := runtime.NewWaiter()
		if err := w.ParkUntil("test", runtime.Now().Add(4*short)); err != runtime.ErrTimeout {
			t.Errorf("the next wait: %v", err)
		}
	})
}

func TestTimeoutOfAComputation(t *testing.T) { // D41
	runtimetest.Run(t, 1, func() {
		err := runtime.WithTimeout(short, func() error {
			for end := time.Now().Add(4 * short); time.Now().Before(end); {
			}
			return nil
		})
		if err != nil {
			t.Error("interrupted a computation:", err)
		}
		runtime.Sleep(short)
	})
}

func TestInnerWaitWithItsOwnDeadlineKeepsTheOuterTimeout(t *testing.T) { // D42
	runtimetest.Run(t, 1, func() {
		var own []error
		err := runtime.WithTimeout(4*short, func() error {
			for {
				err := runtime.NewWaiter().ParkUntil("test", runtime.Now().Add(short))
				if err != runtime.ErrTimeout {
					return err
				}
				own = append(own, err)
			}
		})
		var timeout *runtime.Timeout
		if !errors.As(err, &timeout) || len(own) == 0 {
			t.Errorf("error %v after %d own timeouts", err, len(own))
		}
	})
}

// TestOuterTimeoutIsNotLost in a call that has a timeout of its own, D42, be that
// the shorter one, which ends the call, or the longer one.
func TestOuterTimeoutIsNotLost(t *testing.T) {
	for name, wait := range map[string]func(own runtime.Instant) error{
		"Sleep": func(own runtime.Instant) error {
			runtime.Sleep(own.Sub(runtime.Now()))
			return runtime.ErrTimeout
		},
		"Join": func() func(runtime.Instant) error {
			task := runtime.NewTask(func() {})
			return task.JoinUntil
		}(),
		"JoinAll": func(own runtime.Instant) error { return runtime.JoinAllUntil(own, runtime.NewTask(func() {})) },
		"Event":   new(event.Event).WaitUntil,
		"Mutex": func(own runtime.Instant) error {
			var mu lock.Mutex
			mu.Lock()
			return mu.LockUntil(own)
		},
		"Queue": func(own runtime.Instant) error {
			_, err := queue.New[int](1).GetUntil(own)
			return err
		},
		"full Queue": func(own runtime.Instant) error {
			q := queue.New[int](1)
			_ = q.Put(1)
			return q.PutUntil(2, own)
		},
		"Channel": func(own runtime.Instant) error {
			var c queue.Channel[int]
			return c.PutUntil(1, own)
		},
		"Offload": func(own runtime.Instant) error {
			release := make(chan bool)
			defer close(release)
			return runtime.WithTimeout(own.Sub(runtime.Now()), func() error {
				return runtime.Offload(func() { <-release })
			})
		},
		"Drain": func(own runtime.Instant) error {
			other := runtime.Spawn(func() { _ = park() })
			defer other.Kill(nil)
			runtime.Current().Runtime().Drain(own)
			return runtime.ErrTimeout
		},
	} {
		t.Run(name, func(t *testing.T) {
			onWorkers(t, func(t *testing.T) {
				// The call's own timeout comes first, again and again.
				own := 0
				err := runtime.WithTimeout(4*short, func() error {
					for {
						err := wait(runtime.Now().Add(short))
						if own++; !errors.Is(err, runtime.ErrTimeout) || err.Error() == "runtime: timeout of 20ms" {
							return err
						}
					}
				})
				if err == nil || err.Error() != "runtime: timeout of 20ms" {
					t.Errorf("after %d own timeouts: %v", own, err)
				}
				// The outer one comes first.
				err = runtime.WithTimeout(short, func() error { return wait(runtime.Now().Add(time.Hour)) })
				if err == nil || err.Error() != "runtime: timeout of 5ms" {
					t.Error(err)
				}
			})
		})
	}
}

func TestExpiredTimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		ran := false
		err := runtime.WithTimeout(0, func() error {
			ran = true
			return park()
		})
		if !errors.Is(err, runtime.ErrTimeout) || !ran {
			t.Errorf("error %v, ran %v", err, ran)
		}
	})
}

func TestPanicThroughTimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = runtime.WithTimeout(time.Hour, func() error { panic("mine") })
	})
}

func TestKillThroughTimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		returned := false
		task := runtime.Spawn(func() {
			_ = runtime.WithTimeout(time.Hour, func() error {
				runtime.Sleep(time.Hour)
				return nil
			})
			returned = true
		})
		runtime.Yield()
		task.Kill(errCause)
		wantKilled(t, task.Join(), errCause)
		if returned {
			t.Error("WithTimeout returned in a killed task")
		}
	})
}

func TestWithTimeoutOutsideTasks(t *testing.T) {
	if err := runtime.WithTimeout(time.Hour, func() error { t.Error("called"); return nil }); err != runtime.ErrNotInTask {
		t.Error(err)
	}
}
