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

func TestSpawnAfter(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		var order []string
		home := runtime.CurrentWorker()
		start := runtime.Now()
		add := func(name string) func() { return func() { order = append(order, name) } }
		late := runtime.SpawnAfter(2*short, add("late"))
		early := runtime.SpawnAfter(short, add("early"))
		now := runtime.SpawnAfter(0, add("now"))
		wantStage(t, "delayed", late, false, false)
		wantStage(t, "without delay", now, true, false)
		if late.Worker() != home || late.Runtime().Stats().Tasks != 4 {
			t.Errorf("worker %v, %d tasks", late.Worker(), late.Runtime().Stats().Tasks)
		}
		if err := runtime.JoinAll(late, early, now); err != nil {
			t.Error(err)
		}
		if got := runtime.Now().Sub(start); got < 2*short {
			t.Errorf("started %v early", 2*short-got)
		}
		if !slices.Equal(order, []string{"now", "early", "late"}) {
			t.Error(order)
		}
	})
	t.Run("goroutine", func(t *testing.T) {
		onDefault(t)
		ran := false
		if err := runtime.SpawnAfter(time.Millisecond, func() { ran = true }).Join(); err != nil || !ran {
			t.Errorf("Join = %v, ran %v", err, ran)
		}
	})
}

// TestKilledSpawnAfterNeverRuns even when its time comes, D8, and its timer is
// gone at once.
func TestKilledSpawnAfterNeverRuns(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		before := runtime.Timers()
		task := runtime.SpawnAfter(time.Millisecond, func() { t.Error("ran") })
		if n := runtime.Timers() - before; n != 1 {
			t.Errorf("%d timers", n)
		}
		task.Kill(errCause)
		if n := runtime.Timers() - before; n != 0 {
			t.Errorf("%d timers after the kill", n)
		}
		wantKilled(t, task.Join(), errCause)
		// Its timer would come first.
		if err := runtime.SpawnAfter(2*time.Millisecond, func() {}).Join(); err != nil {
			t.Error(err)
		}
		if n := runtime.Current().Runtime().Stats().Tasks; n != 1 {
			t.Errorf("%d tasks", n)
		}
	})
}

// TestKillOfSpawnAfterFromElsewhere does the same from a goroutine, and from a task
// of another worker, while the timers are about to fire.
func TestKillOfSpawnAfterFromElsewhere(t *testing.T) {
	rt := runtimetest.New(t, 2)
	runtimetest.RunOn(t, rt, func() {
		before := runtime.Timers()
		for i := range 100 {
			ran := false
			task := runtime.SpawnAfter(50*time.Microsecond, func() { ran = true })
			done := make(chan bool)
			kill := func() { task.Kill(nil); close(done) }
			if i%2 == 0 {
				go kill()
			} else {
				rt.Workers()[1-runtime.CurrentWorker().Index()].Spawn(kill)
			}
			if err := task.Join(); errors.Is(err, runtime.ErrKilled) == ran {
				t.Fatalf("Join = %v, ran %v", err, ran)
			}
			_ = runtime.Offload(func() { <-done })
			runtimetest.Eventually(t, "the timer is gone", func() bool { return runtime.Timers()-before <= 1 }) // Eventually's own
		}
	})
}

// TestKillOfADueTask comes from a goroutine when the timer is due but has not fired:
// it fires before its stop, which was posted, and starts nothing.
func TestKillOfADueTask(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		links := 0
		due := runtime.Now().Add(time.Millisecond)
		task := runtime.SpawnAfter(time.Millisecond, func() { t.Error("ran") })
		task.OnDone(func(*runtime.Task) { links++ })
		done := make(chan bool)
		go func() { task.Kill(errCause); close(done) }()
		<-done // blocks the worker, on purpose
		for runtime.Now() <= due.Add(time.Millisecond) {
		}
		for range 2 * runtime.Fairness { // a round that starts with timers
			runtime.Yield()
		}
		runtime.Idle()
		if wantKilled(t, task.Err(), errCause); links != 1 {
			t.Errorf("%d calls of a link", links)
		}
		if n := runtime.Current().Runtime().Stats().Tasks; n != 1 {
			t.Errorf("%d tasks", n)
		}
	})
}

// TestStopEndsDelayedTasks at once.
func TestStopEndsDelayedTasks(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var tasks []*runtime.Task
	linked := 0
	var mu sync.Mutex
	runtimetest.RunOn(t, rt, func() {
		for _, w := range rt.Workers() {
			_ = w.Spawn(func() {
				task := runtime.SpawnAfter(time.Hour, func() { t.Error("ran") })
				task.OnDone(func(*runtime.Task) { mu.Lock(); linked++; mu.Unlock() })
				mu.Lock()
				tasks = append(tasks, task)
				mu.Unlock()
			}).Join()
		}
	})
	fresh := runtime.NewTask(func() { t.Error("ran") })
	var late *runtime.Task
	waits := make(chan bool, 1)
	rt.Spawn(func() {
		defer func() {
			late = runtime.SpawnAfter(time.Hour, func() { t.Error("ran") })
			fresh.Start()
		}()
		waits <- true
		_ = park()
	})
	<-waits
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, task := range append(tasks, late, fresh) {
		if err := task.Err(); err != runtime.ErrStopped || !task.Ended() {
			t.Errorf("Err = %v, ended %v", err, task.Ended())
		}
	}
	if linked != 2 {
		t.Errorf("%d links of two tasks fired", linked)
	}
}

// TestStopWhileSpawningAfter loses no task: each ends.
func TestStopWhileSpawningAfter(t *testing.T) {
	for range 50 {
		rt := runtimetest.New(t, 2)
		var last *runtime.Task
		spawner := rt.Spawn(func() {
			for {
				last = runtime.SpawnAfter(time.Hour, func() {})
				if last.Ended() {
					return
				}
				runtime.Yield()
			}
		})
		if err := rt.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if last != nil && last.Join() != runtime.ErrStopped && !errors.Is(spawner.Err(), runtime.ErrStopped) {
			t.Errorf("last %v, spawner %v", last.Err(), spawner.Err())
		}
	}
}

// TestPanicOfADelayedTask leaves the worker's timers alone, D88: the next ones fire
// in their order, and none early.
func TestPanicOfADelayedTask(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) {}})
	runtimetest.RunOn(t, rt, func() {
		due := runtime.Now().Add(short)
		bad := runtime.SpawnAfter(time.Millisecond, func() { panic("boom") })
		good := runtime.SpawnAfter(2*time.Millisecond, func() {})
		runtime.Sleep(due.Sub(runtime.Now()))
		if runtime.Now() < due {
			t.Error("slept too little")
		}
		var p *runtime.PanicError
		if !errors.As(bad.Err(), &p) || !good.Succeeded() {
			t.Errorf("bad: %v, good has ended: %v", bad.Err(), good.Ended())
		}
	})
}

// TestDelayedTaskIsNoDeadlock: its timer can still wake the one that waits; when it
// was killed nothing can.
func TestDelayedTaskIsNoDeadlock(t *testing.T) {
	rt := runtimetest.New(t, 2)
	runtime.NoForeignGoroutines(rt)
	err := rt.Run(func() error {
		w := runtime.NewWaiter()
		runtime.SpawnAfter(200*time.Millisecond, func() { w.Ready() })
		return w.Park("x")
	})
	if err != nil {
		t.Error(err)
	}
	err = rt.Run(func() error {
		w := runtime.NewWaiter()
		runtime.SpawnAfter(time.Hour, func() { w.Ready() }).Kill(nil)
		return w.Park("x")
	})
	if !errors.Is(err, runtime.ErrWouldBlockForever) {
		t.Errorf("Run = %v", err)
	}
}

func ExampleNewTask() {
	example(func() {
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

func ExampleSpawnAfter() {
	example(func() {
		reminder := runtime.SpawnAfter(time.Millisecond, func() { fmt.Println("tea is ready") })
		alarm := runtime.SpawnAfter(time.Hour, func() { fmt.Println("the house burns down") })
		_ = reminder.Join()
		alarm.Kill(nil)
		fmt.Println(alarm.Ended())
	})
	// Output:
	// tea is ready
	// true
}
