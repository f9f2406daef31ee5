package event_test

import (
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
