package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestScopeWaitsForItsTasks(t *testing.T) { // D24
	runtimetest.Run(t, 2, func() {
		ended := 0
		err := runtime.WithScope(func(s *runtime.Scope) error {
			for range 10 {
				s.Spawn(func() error {
					runtime.Sleep(time.Millisecond)
					ended++
					return nil
				})
			}
			s.SpawnBalanced(func() error { runtime.Sleep(time.Millisecond); return nil })
			return nil
		})
		if err != nil || ended != 10 {
			t.Errorf("WithScope = %v after %d tasks", err, ended)
		}
	})
}

func TestScopeBodyErrorKillsTheTasks(t *testing.T) { // D24
	runtimetest.Run(t, 1, func() {
		var child *runtime.Task
		err := runtime.WithScope(func(s *runtime.Scope) error {
			child = s.Spawn(func() error { return park() })
			runtime.Yield()
			return errCause
		})
		if err != errCause || !child.Ended() {
			t.Errorf("WithScope = %v, the task has ended: %v", err, child.Ended())
		}
		wantKilled(t, child.Err(), errCause)
	})
}

func TestScopeFirstErrorKillsTheSiblings(t *testing.T) {
	for _, workers := range []int{1, 3} {
		runtimetest.Run(t, workers, func() {
			var siblings []*runtime.Task
			var bodyErr error
			err := runtime.WithScope(func(s *runtime.Scope) error {
				for range 10 {
					siblings = append(siblings, s.SpawnBalanced(func() error { return park() }))
				}
				s.SpawnBalanced(func() error {
					runtime.Sleep(time.Millisecond)
					return errCause
				})
				bodyErr = park()
				return bodyErr
			})
			if err != errCause {
				t.Errorf("WithScope = %v", err)
			}
			var failed *runtime.ScopeError
			if !errors.As(bodyErr, &failed) || !errors.Is(bodyErr, errCause) || !errors.Is(bodyErr, context.Canceled) {
				t.Errorf("the body's wait: %v", bodyErr)
			}
			for _, sibling := range siblings {
				if !sibling.Ended() {
					t.Fatal("a task outlives its scope")
				}
				wantKilled(t, sibling.Err(), errCause)
			}
		})
	}
}

func TestScopeFailureUnwindsTheBody(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		err := runtime.WithScope(func(s *runtime.Scope) error {
			s.Spawn(func() error { return errCause })
			runtime.Sleep(time.Hour)
			t.Error("slept")
			return nil
		})
		if err != errCause {
			t.Errorf("WithScope = %v", err)
		}
		runtime.Sleep(time.Millisecond) // the task is well
	})
}

func TestScopePanicKeepsItsStack(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) {}})
	runtimetest.RunOn(t, rt, func() {
		err := runtime.WithScope(func(s *runtime.Scope) error {
			s.Spawn(func() error { panicHere("boom"); return nil })
			return park()
		})
		var p *runtime.PanicError
		if !errors.As(err, &p) || p.Value != "boom" || !strings.Contains(string(p.Stack), "panicHere") {
			t.Errorf("WithScope = %v", err)
		}
	})
}

func TestScopeBodyPanicGoesOnAfterTheTasks(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		cleaned := false
		defer func() {
			if r := recover(); r != "mine" || !cleaned {
				t.Errorf("recovered %v, the task had cleaned up: %v", r, cleaned)
			}
		}()
		_ = runtime.WithScope(func(s *runtime.Scope) error {
			s.Spawn(func() error {
				defer func() { cleaned = true }()
				return park()
			})
			runtime.Yield()
			panic("mine")
		})
	})
}

func TestKillOfTheOwnerKillsTheScope(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var child *runtime.Task
		var err error
		owner := runtime.Spawn(func() {
			err = runtime.WithScope(func(s *runtime.Scope) error {
				child = s.Spawn(func() error { return park() })
				return nil
			})
		})
		runtime.Yield()
		runtime.Yield()
		owner.Kill(errCause)
		_ = owner.Join()
		wantKilled(t, err, errCause)
		if !child.Ended() {
			t.Error("the task outlives its scope")
		}
	})
}

func TestScopeInTimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var child *runtime.Task
		err := runtime.WithTimeout(short, func() error {
			return runtime.WithScope(func(s *runtime.Scope) error {
				child = s.Spawn(func() error { return park() })
				return nil
			})
		})
		if !errors.Is(err, runtime.ErrTimeout) || !child.Ended() {
			t.Errorf("error %v, the task has ended: %v", err, child.Ended())
		}
	})
}

func TestSpawnInAnEndedScope(t *testing.T) { // D24
	runtimetest.Run(t, 1, func() {
		var late *runtime.Scope
		if err := runtime.WithScope(func(s *runtime.Scope) error { late = s; return nil }); err != nil {
			t.Error(err)
		}
		if err := late.Spawn(func() error { t.Error("ran"); return nil }).Join(); err != runtime.ErrScopeEnded {
			t.Error(err)
		}
		refused := late.Spawn(func() error { return nil })
		called := false
		refused.OnDone(func(*runtime.Task) { called = true })
		runtimetest.Eventually(t, "OnDone of a refused task", func() bool { return called })
		if refused.Worker() != runtime.CurrentWorker() {
			t.Error("a refused task is of another worker")
		}
		_ = runtime.WithScope(func(s *runtime.Scope) error {
			_ = s.Spawn(func() error { return errCause }).Join()
			if err := s.Spawn(func() error { t.Error("ran"); return nil }).Join(); !errors.Is(err, errCause) {
				t.Error(err)
			}
			return nil
		})
	})
	if err := runtime.WithScope(func(*runtime.Scope) error { return nil }); err != runtime.ErrNotInTask {
		t.Error(err)
	}
}
