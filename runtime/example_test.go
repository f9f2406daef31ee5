package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleMain() {
	runtime.Main(func() {
		task := runtime.Spawn(func() {
			runtime.Sleep(time.Millisecond)
			fmt.Println("in a task")
		})
		_ = task.Join()
	})
	// Output: in a task
}

func ExampleSpawn() {
	runtimetest.Example(func() {
		work := func(name string, d time.Duration) func() {
			return func() {
				fmt.Println(name, "starts")
				runtime.Sleep(d)
				fmt.Println(name, "ends")
			}
		}
		a := runtime.Spawn(work("a", 20*time.Millisecond))
		b := runtime.Spawn(work("b", time.Millisecond))
		_, _ = a.Join(), b.Join()
	})
	// Output:
	// a starts
	// b starts
	// b ends
	// a ends
}

func ExampleAsync() {
	runtimetest.Example(func() {
		square := runtime.Async(func() (int, error) { return 7 * 7, nil })
		fails := runtime.Async(func() (int, error) { return 0, errors.New("no such number") })
		fmt.Println(square.Get())
		fmt.Println(fails.Get())
	})
	// Output:
	// 49 <nil>
	// 0 no such number
}

func ExampleTask_Kill() {
	runtimetest.Example(func() {
		task := runtime.Spawn(func() {
			defer fmt.Println("cleaned up")
			runtime.Sleep(time.Hour)
		})
		runtime.Yield() // let it start
		task.Kill(errors.New("closing time"))
		fmt.Println(task.Join())
	})
	// Output:
	// cleaned up
	// runtime: task killed: closing time
}

func ExampleWithTimeout() {
	runtimetest.Example(func() {
		err := runtime.WithTimeout(time.Millisecond, func() error {
			runtime.Sleep(time.Hour)
			return nil
		})
		fmt.Println(err, errors.Is(err, runtime.ErrTimeout))
	})
	// Output: runtime: timeout of 1ms true
}

func ExampleWithTimeoutValue() {
	runtimetest.Example(func() {
		slow := func() (string, error) { runtime.Sleep(time.Hour); return "of the server", nil }
		fmt.Println(runtime.WithTimeoutValue(time.Millisecond, "of the cache", slow))
	})
	// Output: of the cache <nil>
}

func ExampleAwait() {
	runtimetest.Example(func() {
		answers := make(chan int)
		go func() { answers <- 42 }()
		// A channel would block the worker. The pool's goroutine may wait.
		fmt.Println(runtime.Await(func() (int, error) { return <-answers, nil }))
	})
	// Output: 42 <nil>
}

// A Waiter is enough to write a queue.
func ExampleWaiter() {
	runtimetest.Example(func() {
		var items []string
		var taker runtime.Waiter
		consumer := runtime.Spawn(func() {
			for len(items) == 0 {
				taker = runtime.NewWaiter()
				if err := taker.Park("item"); err != nil {
					return
				}
			}
			fmt.Println("took", items[0])
		})
		runtime.Yield()
		items = append(items, "bread")
		taker.Ready()
		_ = consumer.Join()
	})
	// Output: took bread
}

func ExampleErrWouldBlockForever() {
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	runtime.NoForeignGoroutines(rt) // the test's own would count
	err = rt.Run(func() error { return runtime.NewWaiter().Park("a bell that nobody rings") })
	fmt.Println(errors.Is(err, runtime.ErrWouldBlockForever))
	_ = rt.Stop(context.Background())
	// Output: true
}

func ExampleWithScope() {
	runtimetest.Example(func() {
		err := runtime.WithScope(func(s *runtime.Scope) error {
			s.Spawn(func() error {
				defer fmt.Println("the sibling is killed")
				runtime.Sleep(time.Hour)
				return nil
			})
			s.Spawn(func() error { return errors.New("out of paper") })
			return nil
		})
		fmt.Println("all have ended:", err)
	})
	// Output:
	// the sibling is killed
	// all have ended: out of paper
}
