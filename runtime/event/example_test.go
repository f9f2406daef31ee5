package event_test

import (
	"errors"
	"fmt"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

func ExampleEvent() {
	task := runtime.Default().Spawn(func() {
		var ready event.Event
		var tasks []*runtime.Task
		for i := range 3 {
			tasks = append(tasks, runtime.Spawn(func() {
				if err := ready.Wait(); err != nil {
					return // killed
				}
				fmt.Println("task", i, "goes on")
			}))
		}
		runtime.Yield()
		fmt.Println("ready")
		ready.Set()
		for _, task := range tasks {
			_ = task.Join()
		}
	})
	_ = task.Join()
	// Output:
	// ready
	// task 0 goes on
	// task 1 goes on
	// task 2 goes on
}

func ExampleEvent_OnReady() {
	var e event.Event
	e.OnReady(func() { fmt.Println("first") })
	cancel := e.OnReady(func() { fmt.Println("second") })
	e.OnReady(func() { fmt.Println("third") })
	fmt.Println("taken back:", cancel())
	e.Set()
	e.OnReady(func() { fmt.Println("at once") })
	// Output:
	// taken back: true
	// first
	// third
	// at once
}

// A goroutine computes what a task waits for.
func ExampleResult() {
	task := runtime.Default().Spawn(func() {
		var answer event.Result[int]
		go answer.Set(42)
		fmt.Println(answer.Get())
		fmt.Println("set again:", answer.Fail(errors.New("late")))
		fmt.Println(answer.TryGet())
	})
	_ = task.Join()
	// Output:
	// 42 <nil>
	// set again: false
	// 42 <nil>
}
