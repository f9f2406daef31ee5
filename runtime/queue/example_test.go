package queue_test

import (
	"fmt"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func Example() {
	runtimetest.Example(func() {
		names := queue.New[string](1)
		runtime.Spawn(func() {
			defer names.Close()
			for _, name := range []string{"Ada", "Grace", "Barbara"} {
				if names.Put(name) != nil { // waits while one is stored
					return
				}
			}
		})
		for name := range names.All() {
			fmt.Println(name)
		}
	})
	// Output:
	// Ada
	// Grace
	// Barbara
}

func ExampleQueue() {
	runtimetest.Example(func() {
		q := queue.New[int](2)
		fmt.Println(q.TryPut(1), q.TryPut(2), q.TryPut(3))
		fmt.Println(q.Get())
		fmt.Println(q.Peek())
		fmt.Println(q.Get())
		fmt.Println(q.GetUntil(runtime.Now().Add(time.Millisecond)))
	})
	// Output:
	// <nil> <nil> queue: full
	// 1 <nil>
	// 2 <nil>
	// 2 <nil>
	// 0 runtime: timeout
}

func ExampleQueue_Close() {
	runtimetest.Example(func() {
		var q queue.Queue[string]
		_ = q.Put("the last one")
		fmt.Println(q.Close(), q.Close())
		fmt.Println(q.Put("too late"))
		fmt.Println(q.Get())
		_, err := q.Get()
		fmt.Println(err)
	})
	// Output:
	// <nil> queue: closed
	// queue: closed
	// the last one <nil>
	// queue: closed
}

func ExampleLifo() {
	runtimetest.Example(func() {
		undo := queue.NewLifo[string](0)
		_ = undo.Put("type a word")
		_ = undo.Put("delete it")
		fmt.Println(undo.Get())
		fmt.Println(undo.Get())
	})
	// Output:
	// delete it <nil>
	// type a word <nil>
}

func ExamplePriority() {
	type job struct {
		urgency int
		name    string
	}
	runtimetest.Example(func() {
		jobs := queue.NewPriority(0, func(a, b job) bool { return a.urgency > b.urgency })
		for _, j := range []job{{1, "sweep"}, {9, "put out the fire"}, {1, "mop"}} {
			_ = jobs.Put(j)
		}
		_ = jobs.Close()
		for j := range jobs.All() {
			fmt.Println(j.name)
		}
	})
	// Output:
	// put out the fire
	// sweep
	// mop
}

func ExampleJoinable() {
	runtimetest.Example(func() {
		pages := queue.NewJoinable[int](0)
		for range 2 {
			runtime.Spawn(func() {
				for page := range pages.All() {
					fmt.Println("printed page", page)
					pages.Done()
				}
			})
		}
		for page := range 3 {
			_ = pages.Put(page)
		}
		_ = pages.Join()
		fmt.Println("all are printed")
		_ = pages.Close()
	})
	// Output:
	// printed page 0
	// printed page 1
	// printed page 2
	// all are printed
}

func ExampleChannel() {
	runtimetest.Example(func() {
		var c queue.Channel[string]
		runtime.Spawn(func() {
			for v := range c.All() {
				fmt.Println("got", v)
			}
		})
		for _, v := range []string{"hello", "world"} {
			_ = c.Put(v)
			fmt.Println("sent", v)
		}
		_ = c.Close()
	})
	// Output:
	// got hello
	// sent hello
	// got world
	// sent world
}
