package runtime_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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

func ExampleSpawnAfter() {
	runtimetest.Example(func() {
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
