package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// onWorkers runs fn as a task of a runtime with one worker, and with two.
func onWorkers(t *testing.T, fn func(t *testing.T)) {
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			runtimetest.Run(t, workers, func() { fn(t) })
		})
	}
}

// onDefault is for a test of plain goroutines: it stops the Default runtime, on
// which they start their tasks, when the test ends.
func onDefault(t *testing.T) {
	rt := runtime.Default()
	t.Cleanup(func() {
		if err := rt.Stop(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
}

func wantStage(t *testing.T, when string, task *runtime.Task, started, ended bool) {
	t.Helper()
	if task.Started() != started || task.Ended() != ended {
		t.Errorf("%s: started %v, ended %v", when, task.Started(), task.Ended())
	}
}

// TestNewTask shows the stages of a task, D3: new, started, ended.
func TestNewTask(t *testing.T) {
	stages := func(t *testing.T, wait func(*runtime.Task)) {
		ran := false
		task := runtime.NewTask(func() { ran = true })
		wantStage(t, "new", task, false, false)
		if task.Worker() != nil || task.Runtime() != nil || task.Succeeded() || task.Err() != nil {
			t.Errorf("new: worker %v, runtime %v, succeeded %v, Err %v",
				task.Worker(), task.Runtime(), task.Succeeded(), task.Err())
		}
		if task.Context().Err() != nil {
			t.Error("new: the context has ended")
		}
		if task.String() != "task "+task.ID().String() {
			t.Error(task.String())
		}
		wait(task)
		if !ran {
			t.Error("the function did not run")
		}
		wantStage(t, "ended", task, false, true)
		if !task.Succeeded() || task.Failed() || task.Context().Err() == nil {
			t.Errorf("ended: succeeded %v, failed %v, context %v", task.Succeeded(), task.Failed(), task.Context().Err())
		}
	}
	onWorkers(t, func(t *testing.T) {
		stages(t, func(task *runtime.Task) {
			runtime.Yield()
			wantStage(t, "after a turn", task, false, false)
			task.Start()
			wantStage(t, "started", task, true, false)
			if task.Worker() != runtime.CurrentWorker() || task.Runtime() != task.Worker().Runtime() {
				t.Error("not on the worker of Start's caller")
			}
			_ = task.Join()
		})
	})
	t.Run("goroutine", func(t *testing.T) {
		onDefault(t)
		stages(t, func(task *runtime.Task) {
			task.Start()
			if task.Runtime() != runtime.Default() {
				t.Error("not on the Default runtime")
			}
			_ = task.Join()
		})
	})
}

// TestSecondStart does not run the function again, D4: of a running, a delayed and
// an ended task.
func TestSecondStart(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		runs := 0
		task := runtime.NewTask(func() { runs++; runtime.Yield() })
		again := func() {
			task.Start()
			task.StartAfter(time.Nanosecond)
		}
		task.Start()
		again()
		runtime.Yield()
		again()
		_ = task.Join()
		again()
		runtime.Spawn(func() { runs++ }).Start()
		delayed := runtime.SpawnAfter(short, func() { runs++ })
		delayed.Start()
		runtime.Yield()
		wantStage(t, "delayed", delayed, false, false)
		_ = delayed.Join()
		runtime.Sleep(time.Millisecond)
		if runs != 3 {
			t.Errorf("%d runs of three tasks", runs)
		}
	})
}

// TestStartRace starts and kills a task at once from many goroutines: it runs once
// or ends killed, and all are told.
func TestStartRace(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for range 200 {
		var mu sync.Mutex
		runs, links := 0, 0
		task := runtime.NewTask(func() { mu.Lock(); runs++; mu.Unlock() })
		task.OnDone(func(*runtime.Task) { mu.Lock(); links++; mu.Unlock() })
		var others []*runtime.Task
		for i := range 4 {
			others = append(others, rt.Spawn(func() {
				switch i {
				case 0:
					task.Kill(nil)
				case 1:
					task.StartAfter(time.Microsecond)
				default:
					task.Start()
				}
			}))
		}
		err := task.Join()
		for _, other := range others {
			_ = other.Join()
		}
		if killed := errors.Is(err, runtime.ErrKilled); killed == (runs == 1) || runs > 1 {
			t.Fatalf("Join = %v after %d runs", err, runs)
		}
		runtimetest.Eventually(t, "the link is called", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return links == 1
		})
	}
}

// TestKillBeforeStartOfANewTask ends it at once, D6, D7: it is killed, not failed,
// its links fire, and a later Start does nothing.
func TestKillBeforeStartOfANewTask(t *testing.T) {
	kill := func(t *testing.T, task *runtime.Task) {
		var order []string
		fired := make(chan bool, 3)
		for _, name := range []string{"first", "second", "third"} {
			task.OnDone(func(*runtime.Task) {
				if err := park(); err != runtime.ErrNotInTask {
					t.Errorf("a wait in OnDone: %v", err)
				}
				order = append(order, name)
				fired <- true
			})
		}
		ctx, done := task.Context(), task.Done()
		task.Kill(nil)
		wantStage(t, "killed", task, false, true)
		wantKilled(t, task.Join(), nil)
		wantKilled(t, context.Cause(ctx), nil)
		if task.Failed() || !task.Succeeded() {
			t.Error("a kill without cause counts as a failure")
		}
		<-done
		task.Start()
		task.StartAfter(time.Nanosecond)
		task.Kill(errCause) // too late
		wantStage(t, "killed and started", task, false, true)
		for range 3 {
			_ = runtime.Offload(func() { <-fired })
		}
		if !slices.Equal(order, []string{"first", "second", "third"}) {
			t.Errorf("links fired: %v", order)
		}
		late := make(chan bool, 1)
		task.OnDone(func(*runtime.Task) { late <- true })
		_ = runtime.Offload(func() { <-late })
		if task.Failed() {
			t.Error("the later kill changed the result")
		}
	}
	notRun := func(t *testing.T) func() { return func() { t.Error("the killed task ran") } }
	onWorkers(t, func(t *testing.T) {
		kill(t, runtime.NewTask(notRun(t)))
		kill(t, runtime.SpawnAfter(time.Hour, notRun(t)))
		runtime.Yield()
	})
	t.Run("goroutine", func(t *testing.T) {
		onDefault(t)
		kill(t, runtime.NewTask(notRun(t)))
		kill(t, runtime.SpawnAfter(time.Hour, notRun(t)))
	})
}

func TestPanicOfALinkOfANewTask(t *testing.T) { // D19
	var reported []*runtime.Task
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(task *runtime.Task, _ *runtime.PanicError) {
		reported = append(reported, task)
	}})
	runtimetest.RunOn(t, rt, func() {
		task := runtime.NewTask(func() {})
		later := false
		task.OnDone(func(*runtime.Task) { panic("in a link") })
		task.OnDone(func(*runtime.Task) { later = true })
		task.Kill(nil)
		runtimetest.Eventually(t, "the later link is called", func() bool { return later })
		if len(reported) != 1 || reported[0] != task {
			t.Errorf("reported %v", reported)
		}
	})
}

// TestJoinOfANewTask waits for its start, too.
func TestJoinOfANewTask(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		task := runtime.NewTask(func() {})
		if err := task.JoinUntil(runtime.Now().Add(time.Millisecond)); err != runtime.ErrTimeout {
			t.Errorf("JoinUntil = %v", err)
		}
		joined := runtime.SpawnBalanced(func() {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		})
		runtime.Yield()
		task.Start()
		_ = joined.Join()
	})
}

func ExampleNewTask() {
	runtimetest.Example(func() {
		task := runtime.NewTask(func() { fmt.Println("runs") })
		fmt.Println("started:", task.Started())
		task.Start()
		task.Start() // does nothing
		fmt.Println("started:", task.Started())
		_ = task.Join()
		fmt.Println("ended:", task.Ended())
	})
	// Output:
	// started: false
	// started: true
	// runs
	// ended: true
}
