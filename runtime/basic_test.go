package runtime_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestSpawnRunsAtNextSwitch(t *testing.T) { // D1
	runtimetest.Run(t, 1, func() {
		ran := false
		task := runtime.Spawn(func() { ran = true })
		if ran {
			t.Error("the body ran before its parent waited")
		}
		if err := task.Join(); err != nil || !ran {
			t.Errorf("Join = %v, ran = %v", err, ran)
		}
	})
}

func TestYieldIsRoundRobin(t *testing.T) { // D2
	runtimetest.Run(t, 1, func() {
		var order []string
		var tasks []*runtime.Task
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, runtime.Spawn(func() {
				for i := range 3 {
					order = append(order, fmt.Sprint(name, i))
					runtime.Yield()
				}
			}))
		}
		for _, task := range tasks {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
		if got, want := strings.Join(order, " "), "a0 b0 c0 a1 b1 c1 a2 b2 c2"; got != want {
			t.Errorf("order %s, want %s", got, want)
		}
	})
}

func TestSleepWakesInOrderOfTime(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var order []int
		var tasks []*runtime.Task
		for _, ms := range []int{30, 10, 20, 10} {
			tasks = append(tasks, runtime.Spawn(func() {
				runtime.Sleep(time.Duration(ms) * time.Millisecond)
				order = append(order, ms)
			}))
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		if got := fmt.Sprint(order); got != "[10 10 20 30]" {
			t.Error(got)
		}
	})
}

func TestManyWorkers(t *testing.T) {
	rt := runtimetest.New(t, 4)
	runtimetest.RunOn(t, rt, func() {
		var tasks []*runtime.Task
		for range 1000 {
			tasks = append(tasks, runtime.SpawnBalanced(func() {
				for range 10 {
					runtime.Yield()
				}
				runtime.Sleep(time.Millisecond)
			}))
		}
		for _, task := range tasks {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
	})
}
