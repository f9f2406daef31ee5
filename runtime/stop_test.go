package runtime_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestStopKillsAllTasks(t *testing.T) {
	rt := runtimetest.New(t, 3)
	var tasks []*runtime.Task
	for range 300 {
		tasks = append(tasks, rt.Spawn(func() { runtime.Sleep(time.Hour) }))
	}
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if err := task.Err(); !errors.Is(err, runtime.ErrStopped) {
			t.Fatalf("result %v", err)
		}
	}
	// Own behaviour 5: an error, not a hang.
	if err := rt.Spawn(func() { t.Error("ran") }).Join(); err != runtime.ErrStopped {
		t.Error(err)
	}
	if err := rt.Run(func() error { return nil }); err != runtime.ErrStopped {
		t.Error(err)
	}
	if err := rt.Stop(t.Context()); err != nil { // again
		t.Error(err)
	}
}

func TestStopWaitsForCleanup(t *testing.T) {
	rt := runtimetest.New(t, 1)
	cleaned := false
	started := make(chan bool)
	rt.Spawn(func() {
		defer func() {
			runtime.Sleep(5 * time.Millisecond)
			if err := runtime.Spawn(func() {}).Join(); err != runtime.ErrStopped {
				t.Error("spawned while stopping:", err)
			}
			cleaned = true
		}()
		started <- true
		runtime.Sleep(time.Hour)
	})
	<-started
	if err := rt.Stop(t.Context()); err != nil || !cleaned {
		t.Errorf("Stop = %v, cleaned %v", err, cleaned)
	}
}

func TestStopGivesUpWithAList(t *testing.T) {
	rt := runtimetest.New(t, 1)
	release := make(chan struct{})
	var w runtime.Waiter
	rt.Spawn(func() {
		w = runtime.NewWaiter().Shielded()
		close(release)
		_ = w.Park("something that does not come")
	})
	<-release
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := rt.Stop(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waits: something that does not come") {
		t.Errorf("Stop = %v", err)
	}
	w.Ready()
}

func TestStopFromATask(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		if err := rt.Stop(context.Background()); err == nil {
			t.Error("Stop from a task of the same runtime: no error")
		}
	})
}

func TestStopWhileSpawning(t *testing.T) {
	for range 20 {
		rt := runtimetest.New(t, 2)
		for range 4 {
			rt.Spawn(func() {
				for {
					task := runtime.SpawnBalanced(func() { runtime.Sleep(time.Millisecond) })
					if task.Err() == runtime.ErrStopped {
						return
					}
					runtime.Yield()
				}
			})
		}
		time.Sleep(time.Millisecond)
		if err := rt.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemoryReturns(t *testing.T) { // own behaviour 6
	n := 100_000
	if raceEnabled {
		n = 5_000 // the race detector allows 8,128 goroutines
	}
	rt := runtimetest.New(t, 1)
	stacks := func() uint64 {
		debug.FreeOSMemory()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return m.StackInuse
	}
	before := stacks()
	var most uint64
	runtimetest.RunOn(t, rt, func() {
		tasks := make([]*runtime.Task, n)
		for i := range tasks {
			tasks[i] = runtime.Spawn(func() { _ = park() })
		}
		runtime.Yield()
		if got := rt.Stats().Coroutines; got < n {
			t.Errorf("%d coroutines for %d parked tasks", got, n)
		}
		most = stacks()
		for _, task := range tasks {
			task.Kill(nil)
		}
		for _, task := range tasks {
			_ = task.Join()
		}
	})
	runtimetest.Eventually(t, "the coroutines end", func() bool { return rt.Stats().Coroutines <= 1100 })
	runtimetest.Eventually(t, "their stacks are freed", func() bool { return stacks() < (before+most)/2 })
}
