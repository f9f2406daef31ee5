package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleConfig() {
	rt, err := runtime.New(runtime.Config{
		Workers:      2,
		OffloadLimit: 16,
		OnPanic:      func(t *runtime.Task, p *runtime.PanicError) { fmt.Println("reported:", p.Value) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = rt.Run(func() error {
		task := runtime.Spawn(func() { panic("out of cheese") })
		return task.Join()
	})
	fmt.Println(err)
	fmt.Println(rt.Stop(context.Background()))
	// Output:
	// reported: out of cheese
	// runtime: task panicked: out of cheese
	// <nil>
}

func ExampleStats() {
	runtimetest.Example(func() {
		rt := runtime.Current().Runtime()
		before := rt.Stats()
		for range 3 {
			runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		}
		fmt.Println(rt.Stats().Tasks-before.Tasks, "more tasks")
	})
	// Output: 3 more tasks
}

// A task of another worker runs at the same time as the caller.
func ExampleWorker() {
	rt, err := runtime.New(runtime.Config{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rt.Stop(context.Background())
	err = rt.Run(func() error {
		for _, w := range rt.Workers() {
			task := w.Spawn(func() { fmt.Println("on worker", runtime.CurrentWorker().Index()) })
			if err := task.Join(); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// on worker 0
	// on worker 1
	// <nil>
}

func ExampleInstant() {
	runtimetest.Example(func() {
		deadline := runtime.Now().Add(time.Millisecond)
		task := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		err := task.JoinUntil(deadline)
		fmt.Println(err, runtime.Now().Sub(deadline) >= 0)
	})
	// Output: runtime: timeout true
}

func ExampleFuture() {
	runtimetest.Example(func() {
		answer := runtime.Async(func() (string, error) {
			runtime.Sleep(time.Hour)
			return "42", nil
		})
		err := answer.JoinUntil(runtime.Now().Add(time.Millisecond))
		fmt.Println(err) // it goes on
		answer.Kill(errors.New("never mind"))
		_, err = answer.Get()
		fmt.Println(err)
	})
	// Output:
	// runtime: timeout
	// runtime: task killed: never mind
}

func ExampleScope() {
	runtimetest.Example(func() {
		sum := 0
		err := runtime.WithScope(func(s *runtime.Scope) error {
			for i := range 4 {
				s.Spawn(func() error {
					runtime.Sleep(time.Millisecond)
					sum += i // the tasks are of one worker
					return nil
				})
			}
			return nil
		})
		fmt.Println(sum, err) // all have ended
	})
	// Output: 6 <nil>
}

// gate is something of one's own that tasks wait for: all that came before it opens.
type gate struct {
	mu      runtime.Guard
	open    bool
	waiting []runtime.Waiter
}

func (g *gate) pass() error {
	caller := g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		return nil
	}
	w := caller.NewWaiter()
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	err := w.Park("gate")
	if err != nil {
		g.mu.Lock()
		g.waiting = slices.DeleteFunc(g.waiting, func(other runtime.Waiter) bool { return other == w })
		g.mu.Unlock()
		runtime.Resume(err) // a task that is being killed goes on unwinding
	}
	return err
}

func (g *gate) Open() {
	caller := g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	for _, w := range g.waiting {
		caller.Ready(w) // one that gave up is passed over
	}
	g.waiting = nil
}

func ExampleGuard() {
	runtimetest.Example(func() {
		var g gate
		visitor := runtime.Async(func() (string, error) { return "inside", g.pass() })
		runtime.Yield()
		go g.Open() // from a goroutine, as well as from a task
		fmt.Println(visitor.Get())
	})
	// Output: inside <nil>
}
