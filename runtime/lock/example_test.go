package lock_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// A Mutex may be held across a wait: the other tasks of the worker go on.
func ExampleMutex() {
	task := runtime.Default().Spawn(func() {
		var m lock.Mutex
		first := runtime.Spawn(func() {
			m.Lock()
			defer m.Unlock()
			fmt.Println("first: begins")
			runtime.Sleep(time.Millisecond)
			fmt.Println("first: ends")
		})
		second := runtime.Spawn(func() {
			m.Lock()
			defer m.Unlock()
			fmt.Println("second")
		})
		third := runtime.Spawn(func() { fmt.Println("third needs no lock") })
		for _, task := range []*runtime.Task{first, second, third} {
			_ = task.Join()
		}
	})
	_ = task.Join()
	// Output:
	// first: begins
	// third needs no lock
	// first: ends
	// second
}

func ExampleMutex_LockUntil() {
	var m lock.Mutex
	m.Lock()
	err := m.LockUntil(runtime.Now().Add(time.Millisecond))
	fmt.Println(errors.Is(err, runtime.ErrTimeout))
	// Output: true
}
