package runtime_test

import (
	"errors"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestOffloadLetsOthersRun(t *testing.T) { // D79
	runtimetest.Run(t, 1, func() {
		release := make(chan struct{})
		blocked := runtime.Spawn(func() {
			if err := runtime.Offload(func() { <-release }); err != nil {
				t.Error(err)
			}
		})
		for range 10 {
			runtime.Yield()
		}
		if blocked.Ended() {
			t.Fatal("ended before its release")
		}
		close(release) // possible only because this task runs
		_ = blocked.Join()
	})
}

func TestAwait(t *testing.T) { // D77
	runtimetest.Run(t, 1, func() {
		if v, err := runtime.Await(func() (int, error) { return 7, errCause }); v != 7 || err != errCause {
			t.Errorf("Await = %v, %v", v, err)
		}
		_, err := runtime.Await(func() (int, error) { panic("boom") })
		var p *runtime.PanicError
		if !errors.As(err, &p) || p.Value != "boom" {
			t.Errorf("Await of a panic = %v", err)
		}
		if err := runtime.Offload(goruntime.Goexit); err != runtime.ErrGoexit {
			t.Errorf("Offload of Goexit = %v", err)
		}
		if err := runtime.Offload(func() {}); err != nil {
			t.Error(err)
		}
	})
	// From a goroutine: called directly.
	if v, err := runtime.Await(func() (int, error) { return 8, nil }); v != 8 || err != nil {
		t.Errorf("Await = %v, %v", v, err)
	}
}

func TestOffloadIsBounded(t *testing.T) { // D78
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 2, OffloadLimit: 3})
	var now, most atomic.Int32
	runtimetest.RunOn(t, rt, func() {
		var tasks []*runtime.Task
		for range 50 {
			tasks = append(tasks, runtime.SpawnBalanced(func() {
				_ = runtime.Offload(func() {
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(100 * time.Microsecond)
					now.Add(-1)
				})
			}))
		}
		for _, task := range tasks {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
	})
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
}

func TestKillDuringOffload(t *testing.T) { // own behaviour 3
	runtimetest.Run(t, 1, func() {
		release := make(chan struct{})
		finished := make(chan struct{})
		task := runtime.Spawn(func() {
			err := runtime.Offload(func() { <-release; close(finished) })
			wantKilled(t, err, errCause)
		})
		runtime.Yield()
		task.Kill(errCause)
		if err := task.Join(); err != nil {
			t.Error(err)
		}
		close(release) // the goroutine finishes alone
		_ = runtime.Offload(func() { <-finished })
	})
}

func TestShieldedOffload(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		release := make(chan struct{})
		var next error
		task := runtime.Spawn(func() {
			if err := runtime.OffloadShielded(func() { <-release }); err != nil {
				t.Error(err)
			}
			next = park()
		})
		runtime.Yield()
		task.Kill(errCause)
		runtime.Yield()
		if task.Ended() {
			t.Fatal("a shielded offload was interrupted")
		}
		close(release)
		_ = task.Join()
		wantKilled(t, next, errCause)
	})
}
