package runtime_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestOnDoneRunsInOrder(t *testing.T) { // D18
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {})
		var got []int
		for i := range 1000 {
			task.OnDone(func(*runtime.Task) { got = append(got, i) })
		}
		_ = task.Join()
		if len(got) != 1000 || !slices.IsSorted(got) {
			t.Errorf("%d calls, in order: %v", len(got), slices.IsSorted(got))
		}
	})
}

func TestOnDonePanicHurtsNoOther(t *testing.T) { // D19
	var reported []*runtime.Task
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(task *runtime.Task, _ *runtime.PanicError) {
		reported = append(reported, task)
	}})
	runtimetest.RunOn(t, rt, func() {
		task := runtime.Spawn(func() {})
		later := false
		task.OnDone(func(*runtime.Task) { panic("in a link") })
		task.OnDone(func(*runtime.Task) { later = true })
		_ = task.Join()
		if !later || len(reported) != 1 || reported[0] != task {
			t.Errorf("the later one ran: %v, reported %v", later, reported)
		}
	})
}

func TestOnDoneCancel(t *testing.T) { // D21
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {})
		var ran []string
		var cancel func() bool
		task.OnDone(func(*runtime.Task) {
			ran = append(ran, "first")
			if !cancel() || cancel() {
				t.Error("cancel is not once")
			}
		})
		cancel = task.OnDone(func(*runtime.Task) { ran = append(ran, "second") })
		before := task.OnDone(func(*runtime.Task) { ran = append(ran, "third") })
		before()
		_ = task.Join()
		if !slices.Equal(ran, []string{"first"}) {
			t.Error(ran)
		}
	})
}

func TestOnDoneOfAnEndedTask(t *testing.T) { // D22
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {})
		_ = task.Join()
		ran := false
		task.OnDone(func(got *runtime.Task) { ran = got == task })
		if ran {
			t.Error("called inside OnDone")
		}
		runtimetest.Eventually(t, "the function is called", func() bool { return ran })
	})
}

func TestOnDoneOfKilledTasks(t *testing.T) { // D6
	runtimetest.Run(t, 1, func() {
		count := 0
		unstarted := runtime.Spawn(func() {})
		unstarted.OnDone(func(*runtime.Task) { count++ })
		unstarted.Kill(nil)
		_ = unstarted.Join()
		parked := runtime.Spawn(func() { _ = park() })
		parked.OnDone(func(*runtime.Task) {
			count++
			if err := park(); err != runtime.ErrNotInTask {
				t.Errorf("a wait in OnDone: %v", err)
			}
		})
		runtime.Yield()
		parked.Kill(nil)
		_ = parked.Join()
		if count != 2 {
			t.Errorf("%d calls", count)
		}
	})
}

// TestOnSuccessAndOnFailure: only the matching kind fires, D23; a kill without
// cause counts as success.
func TestOnSuccessAndOnFailure(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(*runtime.Task, *runtime.PanicError) {}})
	runtimetest.RunOn(t, rt, func() {
		for name, test := range map[string]struct {
			fn   func() error
			want string
		}{
			"returns":           {func() error { return nil }, "success"},
			"fails":             {func() error { return errCause }, "failure"},
			"panics":            {func() error { panic("boom") }, "failure"},
			"killed":            {func() error { runtime.Current().Kill(nil); return nil }, "success"},
			"killed with cause": {func() error { runtime.Current().Kill(errCause); return nil }, "failure"},
		} {
			task := &runtime.Async(func() (int, error) { return 0, test.fn() }).Task
			var fired []string
			note := func(kind string) func(*runtime.Task) {
				return func(got *runtime.Task) {
					if got != task {
						t.Error("called with another task")
					}
					fired = append(fired, kind)
				}
			}
			task.OnSuccess(note("success"))
			task.OnFailure(note("failure"))
			cancels := []func() bool{task.OnSuccess(note("cancelled")), task.OnFailure(note("cancelled"))}
			for _, cancel := range cancels {
				if !cancel() || cancel() {
					t.Errorf("%s: cancel is not once", name)
				}
			}
			_ = task.Join()
			task.OnSuccess(note("late success"))
			task.OnFailure(note("late failure"))
			runtimetest.Eventually(t, "the late one is called", func() bool { return len(fired) >= 2 })
			runtime.Idle()
			if want := []string{test.want, "late " + test.want}; !slices.Equal(fired, want) {
				t.Errorf("%s: fired %v", name, fired)
			}
		}
	})
}

func ExampleTask_OnFailure() {
	runtimetest.Example(func() {
		task := runtime.Async(func() (int, error) { return 0, errors.New("out of paper") })
		task.OnSuccess(func(*runtime.Task) { fmt.Println("well") })
		task.OnFailure(func(t *runtime.Task) { fmt.Println("failed:", t.Err()) })
		_ = task.Join()
	})
	// Output: failed: out of paper
}
