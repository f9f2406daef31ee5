package runtime_test

import (
	"errors"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestPanicHarmsNoOther(t *testing.T) { // D5
	var reported []*runtime.Task
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(task *runtime.Task, p *runtime.PanicError) {
		reported = append(reported, task)
	}})
	runtimetest.RunOn(t, rt, func() {
		other := runtime.Spawn(func() { runtime.Sleep(time.Millisecond) })
		cause := errors.New("boom")
		task := runtime.Spawn(func() { panicHere(cause) })
		var p *runtime.PanicError
		if err := task.Join(); !errors.As(err, &p) || !errors.Is(err, cause) {
			t.Fatalf("Join = %v", err)
		}
		if !strings.Contains(string(p.Stack), "panicHere") {
			t.Errorf("the stack does not show where:\n%s", p.Stack)
		}
		if len(reported) != 1 || reported[0] != task {
			t.Errorf("reported %v", reported)
		}
		if err := other.Join(); err != nil {
			t.Error(err)
		}
	})
}

func panicHere(v any) { panic(v) }

func TestPanickingOnPanic(t *testing.T) { // D89
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) { panic("again") }})
	runtimetest.RunOn(t, rt, func() {
		var p *runtime.PanicError
		if err := runtime.Spawn(func() { panic("first") }).Join(); !errors.As(err, &p) || p.Value != "first" {
			t.Error(err)
		}
	})
}

func TestGoexitEndsTheTaskAlone(t *testing.T) { // D90, own behaviour 15
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		for range 100 {
			deferred := false
			task := runtime.Spawn(func() {
				defer func() { deferred = true }()
				runtime.Yield()
				goruntime.Goexit()
			})
			if err := task.Join(); err != runtime.ErrGoexit || !deferred {
				t.Fatalf("Join = %v, deferred ran %v", err, deferred)
			}
		}
	})
	if n := rt.Stats().Coroutines; n > 8 {
		t.Errorf("%d coroutines after a hundred Goexits one by one", n)
	}
}

// TestFailNow shows, in a process of its own, that FailNow in a task fails that
// test alone, and that the worker lives, own behaviour 15.
func TestFailNow(t *testing.T) {
	const inside = "WEFT_TEST_FAILNOW"
	if os.Getenv(inside) != "" {
		rt := runtimetest.New(t, 1)
		t.Run("fails", func(t *testing.T) {
			if err := rt.Spawn(t.FailNow).Join(); err != runtime.ErrGoexit {
				t.Errorf("Join = %v", err)
			}
		})
		t.Run("fails in Run", func(t *testing.T) {
			runtimetest.RunOn(t, rt, func() { runtime.Yield(); t.FailNow() })
			t.Error("went on")
		})
		t.Run("lives", func(t *testing.T) { runtimetest.RunOn(t, rt, runtime.Yield) })
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFailNow$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=yes")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("did not fail")
	}
	for _, text := range []string{"--- FAIL: TestFailNow/fails ", "--- FAIL: TestFailNow/fails_in_Run ", "--- PASS: TestFailNow/lives "} {
		if !strings.Contains(string(out), text) {
			t.Errorf("no %q in:\n%s", text, out)
		}
	}
	for _, text := range []string{"went on", "left behind", "panic"} {
		if strings.Contains(string(out), text) {
			t.Errorf("%q in:\n%s", text, out)
		}
	}
}

func TestJoin(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		slow := runtime.Spawn(func() { runtime.Sleep(10 * time.Millisecond) })
		if err := slow.JoinUntil(runtime.Now().Add(time.Millisecond)); err != runtime.ErrTimeout || slow.Ended() {
			t.Errorf("JoinUntil = %v, ended %v", err, slow.Ended())
		}
		if err := slow.Join(); err != nil || !slow.Ended() {
			t.Errorf("Join = %v, ended %v", err, slow.Ended())
		}
		if err := slow.Join(); err != nil { // of an ended one: at once
			t.Error(err)
		}
		if err := runtime.Current().Join(); err != runtime.ErrJoinSelf { // own behaviour 4
			t.Error(err)
		}
	})
}

func TestJoinFromEverywhere(t *testing.T) {
	rt := runtimetest.New(t, 2)
	task := rt.Spawn(func() { runtime.Sleep(5 * time.Millisecond) })
	var joiners []*runtime.Task
	for range 10 {
		joiners = append(joiners, rt.Spawn(func() {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}))
	}
	if err := task.Join(); err != nil { // from a goroutine
		t.Error(err)
	}
	<-task.Done()
	for _, j := range joiners {
		if err := j.Join(); err != nil {
			t.Error(err)
		}
	}
}

func TestAsync(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		if v, err := runtime.Async(func() (int, error) { return 7, nil }).Get(); v != 7 || err != nil {
			t.Errorf("Get = %v, %v", v, err)
		}
		// D5: an error of the function.
		failed := runtime.Async(func() (int, error) { return 8, errCause })
		if v, err := failed.Get(); v != 8 || err != errCause || failed.Err() != errCause {
			t.Errorf("Get = %v, %v, Err = %v", v, err, failed.Err())
		}
	})
}

func TestIdentity(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		task := runtime.Current()
		id := task.ID()
		if id == uuid.Nil || id != task.ID() || id.Version() != 4 {
			t.Errorf("ID %v, then %v", id, task.ID())
		}
		if other := runtime.Spawn(func() {}); other.ID() == id {
			t.Error("two tasks with one ID")
		}
		if got := task.String(); got != "task "+id.String() {
			t.Error(got)
		}
	})
	if runtime.Current() != nil {
		t.Error("Current outside tasks")
	}
}

func TestChildStaysOnItsWorker(t *testing.T) {
	rt := runtimetest.New(t, 4)
	runtimetest.RunOn(t, rt, func() {
		home := runtime.CurrentWorker()
		for range 50 {
			_ = runtime.Spawn(func() {
				for range 5 {
					if runtime.CurrentWorker() != home {
						t.Error("a task is away from its worker")
					}
					runtime.Sleep(100 * time.Microsecond)
				}
			}).Join()
		}
	})
}

func TestSpawnBalanced(t *testing.T) {
	rt := runtimetest.New(t, 4)
	runtimetest.RunOn(t, rt, func() {
		count := map[*runtime.Worker]int{}
		var tasks []*runtime.Task
		for range 400 {
			task := runtime.SpawnBalanced(func() { _ = park() })
			count[task.Worker()]++
			tasks = append(tasks, task)
		}
		for w, n := range count {
			if n < 95 || n > 105 {
				t.Errorf("worker %d got %d of 400 tasks", w.Index(), n)
			}
		}
		for _, task := range tasks {
			task.Kill(nil)
		}
		for _, task := range tasks {
			_ = task.Join()
		}
	})
}

func TestSharedDataOfOneWorkerNeedsNoLock(t *testing.T) {
	// The race detector is the judge.
	runtimetest.Run(t, 2, func() {
		counter := 0
		var tasks []*runtime.Task
		for range 100 {
			tasks = append(tasks, runtime.Spawn(func() {
				for range 100 {
					counter++
					runtime.Yield()
				}
			}))
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		if counter != 10000 {
			t.Error(counter)
		}
	})
}
