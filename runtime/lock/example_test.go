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

// At most two of the tasks work at a time.
func ExampleSemaphore() {
	task := runtime.Default().Spawn(func() {
		s := lock.NewSemaphore(2)
		working, most := 0, 0
		var tasks []*runtime.Task
		for range 5 {
			tasks = append(tasks, runtime.Spawn(func() {
				if err := s.Acquire(); err != nil {
					return // killed
				}
				defer s.Release()
				working++
				most = max(most, working)
				runtime.Sleep(time.Millisecond)
				working--
			}))
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		fmt.Println("at once:", most)
	})
	_ = task.Join()
	// Output: at once: 2
}

func ExampleBoundedSemaphore() {
	defer func() {
		err := recover().(error)
		fmt.Println(err)
		fmt.Println(errors.Is(err, lock.ErrOverRelease))
	}()
	s := lock.NewBoundedSemaphore(1)
	fmt.Println(s.TryAcquire(), s.TryAcquire())
	s.Release()
	s.Release()
	// Output:
	// true false
	// lock: BoundedSemaphore of 1 released more often than acquired
	// true
}

func ExampleDummySemaphore() {
	var limit interface {
		Acquire() error
		Release()
	} = lock.DummySemaphore{} // or lock.NewSemaphore(10)
	for range 1000 {
		if err := limit.Acquire(); err != nil {
			return
		}
	}
	fmt.Println("no limit")
	// Output: no limit
}

// A function that locks may call another that does.
func ExampleRLock() {
	var l lock.RLock
	balance := 0
	add := func(n int) {
		l.Lock()
		defer l.Unlock()
		balance += n
	}
	transfer := func() {
		l.Lock()
		defer l.Unlock()
		add(-5)
		add(5)
	}
	add(10)
	transfer()
	fmt.Println(balance)
	// Output: 10
}

func ExampleRWMutex() {
	task := runtime.Default().Spawn(func() {
		var m lock.RWMutex
		read := func(name string) func() {
			return func() {
				m.RLock()
				defer m.RUnlock()
				fmt.Println(name, "reads")
				runtime.Yield()
				fmt.Println(name, "has read")
			}
		}
		write := func() {
			m.Lock()
			defer m.Unlock()
			fmt.Println("written")
		}
		for _, task := range []*runtime.Task{
			runtime.Spawn(read("first")), runtime.Spawn(read("second")), runtime.Spawn(write),
		} {
			_ = task.Join()
		}
	})
	_ = task.Join()
	// Output:
	// first reads
	// second reads
	// first has read
	// second has read
	// written
}

func ExampleCond() {
	task := runtime.Default().Spawn(func() {
		var m lock.Mutex
		changed := lock.NewCond(&m)
		var items []string
		consumer := runtime.Spawn(func() {
			m.Lock()
			defer m.Unlock()
			for range 2 {
				if err := changed.WaitFor(func() bool { return len(items) > 0 }, 0); err != nil {
					return // killed
				}
				fmt.Println("got", items[0])
				items = items[1:]
			}
		})
		for _, item := range []string{"tea", "milk"} {
			m.Lock()
			items = append(items, item)
			changed.Signal()
			m.Unlock()
		}
		_ = consumer.Join()
	})
	_ = task.Join()
	// Output:
	// got tea
	// got milk
}

func ExampleBarrier() {
	task := runtime.Default().Spawn(func() {
		b := lock.NewBarrier(3, func() { fmt.Println("all are there") })
		var tasks []*runtime.Task
		for i := range 3 {
			tasks = append(tasks, runtime.Spawn(func() {
				fmt.Println("task", i, "comes")
				if _, err := b.Wait(); err != nil {
					return // killed, or another was
				}
			}))
		}
		for _, task := range tasks {
			_ = task.Join()
		}
	})
	_ = task.Join()
	// Output:
	// task 0 comes
	// task 1 comes
	// task 2 comes
	// all are there
}
