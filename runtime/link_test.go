package runtime_test

import (
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
