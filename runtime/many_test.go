package runtime_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// failing returns a task that ends with err, a while after the end of before.
func failing(before *runtime.Task, err error) *runtime.Task {
	return &runtime.Async(func() (int, error) {
		if before != nil {
			_ = before.Join()
		}
		runtime.Sleep(short)
		return 0, err
	}).Task
}

// TestJoinAll returns the failure that came first in time, D27, whatever the order
// of the list, and whether the tasks ended before the call or after.
func TestJoinAll(t *testing.T) {
	errOther := errors.New("other")
	join := func(t *testing.T, spawn func(*runtime.Task, error) *runtime.Task) {
		early := spawn(nil, errCause)
		well := spawn(early, nil)
		late := spawn(well, errOther)
		if err := runtime.JoinAll(late, well, early); err != errCause {
			t.Errorf("JoinAll = %v", err)
		}
		if !late.Ended() || !well.Ended() {
			t.Error("returned before all had ended")
		}
		if err := runtime.JoinAll(late, well, early); err != errCause {
			t.Errorf("JoinAll of ended tasks = %v", err)
		}
		if err := runtime.JoinAll(); err != nil {
			t.Errorf("JoinAll of none = %v", err)
		}
	}
	onWorkers(t, func(t *testing.T) {
		join(t, failing)
		join(t, func(before *runtime.Task, err error) *runtime.Task {
			var task *runtime.Task
			_ = runtime.SpawnBalanced(func() { task = failing(before, err) }).Join()
			return task
		})
	})
	t.Run("goroutine", func(t *testing.T) {
		onDefault(t)
		join(t, failing)
	})
}

// TestJoinAllOfRefusedTasks: one that could not start failed when it was spawned.
func TestJoinAllOfRefusedTasks(t *testing.T) {
	rt := runtimetest.New(t, 1)
	started := make(chan bool)
	failed := rt.Spawn(func() { close(started); runtime.Sleep(time.Hour) })
	<-started
	if err := failed.KillWait(errCause, 0); err != nil {
		t.Error(err)
	}
	if err := rt.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	refused := rt.Spawn(func() {})
	wantKilled(t, runtime.JoinAll(refused, failed), errCause)
	if err := runtime.JoinAll(refused); err != runtime.ErrStopped || !refused.Failed() {
		t.Errorf("JoinAll = %v", err)
	}
}

func TestJoinAllUntil(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		quick, slow := runtime.Spawn(func() {}), runtime.Spawn(func() { _ = park() })
		err := runtime.JoinAllUntil(runtime.Now().Add(time.Millisecond), slow, quick)
		if err != runtime.ErrTimeout || slow.Ended() {
			t.Errorf("JoinAllUntil = %v, ended %v", err, slow.Ended())
		}
		if err := runtime.JoinAll(quick, runtime.Current()); err != runtime.ErrJoinSelf { // own behaviour 4
			t.Errorf("JoinAll with oneself = %v", err)
		}
		joiner := runtime.Spawn(func() { wantKilled(t, runtime.JoinAll(slow), errCause) })
		runtime.Yield()
		joiner.Kill(errCause)
		_ = joiner.Join()
		slow.Kill(nil)
		if err := runtime.JoinAll(slow); err != nil {
			t.Error(err)
		}
	})
}

// TestFailed is the rule of what a failure is: D5, D11, D12.
func TestFailed(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) {}})
	runtimetest.RunOn(t, rt, func() {
		kill := func(cause error) func() error {
			return func() error { runtime.Current().Kill(cause); return nil }
		}
		for name, test := range map[string]struct {
			fn     func() error
			failed bool
		}{
			"returns":           {func() error { return nil }, false},
			"returns an error":  {func() error { return errCause }, true},
			"panics":            {func() error { panic("boom") }, true},
			"killed":            {kill(nil), false},
			"killed with cause": {kill(errCause), true},
			"returns a kill":    {func() error { return fmt.Errorf("read: %w", &runtime.KillError{}) }, false},
			"handles a kill":    {func() error { _ = park(); return nil }, false},
			"killed by another": {func() error { runtime.Sleep(time.Hour); return nil }, true},
		} {
			task := &runtime.Async(func() (int, error) { return 0, test.fn() }).Task
			if task.Failed() || task.Succeeded() {
				t.Errorf("%s: failed %v, succeeded %v before the end", name, task.Failed(), task.Succeeded())
			}
			runtime.Yield()
			task.Kill(errCause) // if it goes on
			err := task.Join()
			if task.Failed() != test.failed || task.Succeeded() == test.failed {
				t.Errorf("%s: %v: failed %v, succeeded %v", name, err, task.Failed(), task.Succeeded())
			}
		}
	})
}

// TestKillWithACause gives that to Get, D11, and the value stays the zero one, D5.
func TestKillWithACause(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		task := runtime.Async(func() (int, error) { runtime.Sleep(time.Hour); return 7, nil })
		runtime.Yield()
		task.Kill(errCause)
		v, err := task.Get()
		wantKilled(t, err, errCause)
		if v != 0 || !task.Failed() {
			t.Errorf("value %v, failed %v", v, task.Failed())
		}
	})
}

// TestKillWaitRunsWhatCatchesTheKill to the end before it returns, D13.
func TestKillWaitRunsWhatCatchesTheKill(t *testing.T) {
	kill := func(t *testing.T, rt *runtime.Runtime) {
		waits := make(chan bool, 1)
		after := false
		task := rt.Spawn(func() {
			waits <- true
			wantKilled(t, park(), errCause)
			runtime.Sleep(time.Millisecond)
			after = true
		})
		_ = runtime.Offload(func() { <-waits })
		if err := task.KillWait(errCause, 0); err != nil || !after || task.Err() != nil {
			t.Errorf("KillWait = %v, went on %v, Err = %v", err, after, task.Err())
		}
		if err := task.KillWait(errCause, 0); err != nil || task.Err() != nil { // D10
			t.Errorf("KillWait of an ended task = %v, Err = %v", err, task.Err())
		}
	}
	onWorkers(t, func(t *testing.T) { kill(t, runtime.Current().Runtime()) })
	t.Run("goroutine", func(t *testing.T) { kill(t, runtimetest.New(t, 2)) })
}

// TestKillWaitTimesOut when the cleanup takes longer, which is completed all the
// same, D14.
func TestKillWaitTimesOut(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		var w runtime.Waiter
		cleaned := false
		task := runtime.Spawn(func() {
			defer func() {
				w = runtime.NewWaiter()
				_ = w.Park("cleanup")
				cleaned = true
			}()
			runtime.Sleep(time.Hour)
		})
		runtime.Yield()
		err := task.KillWait(errCause, runtime.Now().Add(time.Millisecond))
		if err != runtime.ErrTimeout || task.Ended() || cleaned {
			t.Errorf("KillWait = %v, ended %v", err, task.Ended())
		}
		w.Ready()
		wantKilled(t, task.Join(), errCause)
		if !cleaned {
			t.Error("the cleanup was not completed")
		}
	})
}

func TestKillWaitIsInterrupted(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		var w runtime.Waiter
		stubborn := runtime.Spawn(func() {
			w = runtime.NewWaiter().Shielded()
			_ = w.Park("shielded")
		})
		killer := runtime.Spawn(func() { wantKilled(t, stubborn.KillWait(nil, 0), errCause) })
		runtime.Yield()
		killer.Kill(errCause)
		_ = killer.Join()
		w.Ready()
		_ = stubborn.Join()
	})
}

// TestKillAllWait ends those that have not begun to run, and those that were not
// started, at once, D16; those with a slow cleanup time out, and live.
func TestKillAllWait(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		notRun := func() { t.Error("ran") }
		unstarted := []*runtime.Task{
			runtime.Spawn(notRun), runtime.NewTask(notRun), runtime.SpawnAfter(time.Hour, notRun), runtime.Spawn(notRun),
		}
		if err := runtime.KillAllWait(errCause, runtime.Now().Add(time.Hour), unstarted...); err != nil {
			t.Errorf("KillAllWait = %v", err)
		}
		for _, task := range unstarted {
			wantKilled(t, task.Err(), errCause)
		}
		var slow []*runtime.Task
		for range 3 {
			slow = append(slow, runtime.Spawn(func() { _ = park(); _ = park() }))
		}
		runtime.Yield()
		err := runtime.KillAllWait(nil, runtime.Now().Add(5*time.Millisecond), slow...)
		if err != runtime.ErrTimeout {
			t.Errorf("KillAllWait = %v", err)
		}
		for _, task := range slow {
			if task.Ended() {
				t.Error("a slow one has ended")
			}
		}
		for _, task := range slow { // each waits again, after its first kill
			for task.KillWait(nil, runtime.Now().Add(time.Millisecond)) != nil {
				continue
			}
		}
	})
}

// TestKillAll returns before any has ended; all end later, D17.
func TestKillAll(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		var tasks []*runtime.Task
		for range 5 {
			tasks = append(tasks, runtime.Spawn(func() { _ = park() }))
		}
		runtime.Yield()
		runtime.KillAll(errCause, tasks...)
		for _, task := range tasks {
			if task.Ended() {
				t.Error("ended at the return of KillAll")
			}
		}
		if err := runtime.JoinAll(tasks...); err != nil {
			t.Error(err)
		}
	})
}

// TestKillAllWithOneself kills the others too, and does not return, D20.
func TestKillAllWithOneself(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		other := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		self := runtime.Spawn(func() {
			_ = runtime.KillAllWait(errCause, 0, runtime.Current(), other)
			t.Error("went on")
		})
		wantKilled(t, self.Join(), errCause)
		wantKilled(t, other.Join(), errCause)
	})
}

func TestKillAllFromAGoroutine(t *testing.T) { // D17
	rt := runtimetest.New(t, 2)
	var tasks []*runtime.Task
	for range 10 {
		tasks = append(tasks, rt.Spawn(func() { runtime.Sleep(time.Hour) }))
	}
	if err := runtime.KillAllWait(errCause, 0, tasks...); err != nil {
		t.Error(err)
	}
	for _, task := range tasks {
		wantKilled(t, task.Err(), errCause)
	}
}

func ExampleJoinAll() {
	runtimetest.Example(func() {
		fetch := func(d time.Duration, err error) *runtime.Task {
			future := runtime.Async(func() (string, error) { runtime.Sleep(d); return "", err })
			return &future.Task
		}
		fmt.Println(runtime.JoinAll(
			fetch(20*time.Millisecond, errors.New("no route")),
			fetch(10*time.Millisecond, nil),
			fetch(time.Millisecond, errors.New("refused")),
		))
	})
	// Output: refused
}

func ExampleTask_KillWait() {
	runtimetest.Example(func() {
		task := runtime.Spawn(func() {
			defer runtime.Sleep(20 * time.Millisecond) // slow to clean up
			runtime.Sleep(time.Hour)
		})
		runtime.Yield()
		fmt.Println(task.KillWait(nil, runtime.Now().Add(time.Millisecond)))
		fmt.Println(task.Join())
	})
	// Output:
	// runtime: timeout
	// runtime: task killed
}

func ExampleKillAll() {
	runtimetest.Example(func() {
		a := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		b := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		runtime.KillAll(errors.New("closing time"), a, b)
		fmt.Println(runtime.JoinAll(a, b))
	})
	// Output: runtime: task killed: closing time
}
