package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleKillError() {
	runtimetest.Example(func() {
		closing := errors.New("closing time")
		task := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		runtime.Yield() // it sleeps
		task.Kill(closing)
		err := task.Join()
		var killed *runtime.KillError
		fmt.Println(errors.As(err, &killed), killed.Cause == closing)
		fmt.Println(errors.Is(err, runtime.ErrKilled), errors.Is(err, context.Canceled), errors.Is(err, closing))
	})
	// Output:
	// true true
	// true true true
}

func ExamplePanicError() {
	runtimetest.Example(func() {
		divide := func(a, b int) (int, error) { return a / b, nil }
		_, err := runtime.Await(func() (int, error) { return divide(1, 0) })
		var p *runtime.PanicError
		fmt.Println(errors.As(err, &p), p.Value, len(p.Stack) > 0)
	})
	// Output: true runtime error: integer divide by zero true
}

func ExampleDeadlockError() {
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rt.Stop(context.Background())
	runtime.NoForeignGoroutines(rt) // the test's own would count
	err = rt.Run(func() error {
		var mu lock.Mutex
		mu.Lock()
		return mu.LockUntil(0) // nobody will ever unlock it
	})
	var dead *runtime.DeadlockError
	if errors.As(err, &dead) {
		for _, info := range dead.Tasks {
			fmt.Println(info.State, "for", info.Reason)
		}
	}
	// Output: waits for lock
}

// Who fails a scope is told apart from those that end because of it.
func ExampleScopeError() {
	runtimetest.Example(func() {
		broken := errors.New("the press is broken")
		var other *runtime.Task
		err := runtime.WithScope(func(s *runtime.Scope) error {
			other = s.Spawn(func() error { runtime.Sleep(time.Hour); return nil })
			s.Spawn(func() error { return broken })
			runtime.Sleep(time.Hour)
			return nil
		})
		fmt.Println(err)
		var failed *runtime.ScopeError
		fmt.Println(errors.As(other.Err(), &failed), failed.Err)
	})
	// Output:
	// the press is broken
	// true the press is broken
}

// The outer limit of two is the shorter one: the error says so.
func ExampleTimeout() {
	runtimetest.Example(func() {
		err := runtime.WithTimeout(time.Millisecond, func() error {
			err := runtime.WithTimeout(time.Hour, func() error {
				runtime.Sleep(24 * time.Hour)
				return nil
			})
			fmt.Println("never printed:", err)
			return err
		})
		var limit *runtime.Timeout
		fmt.Println(errors.As(err, &limit), limit, errors.Is(err, os.ErrDeadlineExceeded))
	})
	// Output: true runtime: timeout of 1ms true
}

func ExampleNotYieldedError() {
	runtimetest.Example(func() {
		err := runtime.AssertYields(func() error {
			for range 1000 { // computes
			}
			return nil
		})
		var held *runtime.NotYieldedError
		fmt.Println(errors.As(err, &held), errors.Is(err, runtime.ErrNotYielded), held.Held < time.Hour)
	})
	// Output: true true true
}
