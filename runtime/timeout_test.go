package runtime_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
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
