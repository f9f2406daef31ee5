package greenlet_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// Whatever waits may be called in greenlets and generators, of tasks and of
// goroutines.
func TestWaits(t *testing.T) {
	both(t, func(t *testing.T) {
		var mu lock.Mutex
		ends := make([]int, 2)
		if err := unix.Pipe2(ends, unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		r, w := poll.New(ends[0], true), poll.New(ends[1], true)
		wait := func() {
			runtime.Sleep(time.Microsecond)
			waiter := runtime.NewWaiter().External()
			go waiter.Ready()
			if err := waiter.Park("test"); err != nil {
				t.Errorf("Park = %v", err)
			}
			if err := runtime.Offload(func() {}); err != nil {
				t.Errorf("Offload = %v", err)
			}
			mu.Lock()
			go func() {
				_, err := w.Write([]byte("x"))
				if err != nil {
					t.Errorf("Write = %v", err)
				}
				mu.Unlock()
			}()
			var buf [1]byte
			if n, err := r.Read(buf[:]); n != 1 || err != nil {
				t.Errorf("Read = %d, %v", n, err)
			}
			mu.Lock()
			defer mu.Unlock()
		}
		g := greenlet.New(func(int) (int, error) {
			wait()
			gen := greenlet.NewGenerator(func(y *yell) error {
				wait()
				y.Yield(1)
				wait()
				y.Yield(2)
				return nil
			})
			wait()
			must(t, "Next", 1)(gen.Next())
			must(t, "Next", 2)(gen.Next())
			return 3, gen.Close()
		})
		must(t, "Switch", 3)(g.Switch(0))
		if err := errors.Join(r.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	})
}

// The task waits with all its greenlets, and its worker goes on.
func TestParkInAGreenlet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		self := runtime.Current()
		var log []string
		var g *ints
		g = greenlet.New(func(v int) (int, error) {
			if runtime.Current() != self {
				t.Error("Current is another task")
			}
			for {
				log = append(log, "waits")
				runtime.Sleep(time.Millisecond)
				log = append(log, "goes on")
				var err error
				if v, err = g.SwitchParent(v + 1); err != nil {
					return 0, err
				}
			}
		})
		defer g.Close()
		for i := range 3 {
			child := runtime.Spawn(func() { log = append(log, "other task") })
			must(t, "Switch", i+1)(g.Switch(i))
			if !child.Ended() {
				t.Error("the worker did not go on")
			}
		}
		want := []string{"waits", "other task", "goes on"}
		if want = slices.Repeat(want, 3); !slices.Equal(log, want) {
			t.Errorf("log %q, want %q", log, want)
		}
	})
}

func TestSpawnInAGreenlet(t *testing.T) { // on the same worker
	runtimetest.Run(t, 2, func() {
		worker := runtime.CurrentWorker()
		g := greenlet.New(func(int) (int, error) {
			return 1, runtime.Spawn(func() {
				if runtime.CurrentWorker() != worker {
					t.Error("on another worker")
				}
			}).Join()
		})
		must(t, "Switch", 1)(g.Switch(0))
	})
}

func TestManyTasksWithGreenlets(t *testing.T) { // that end and park in all orders
	const tasks, rounds = 50, 20
	runtimetest.Run(t, 2, func() {
		var mu lock.Mutex
		var all []*runtime.Task
		total := 0
		for n := range tasks {
			all = append(all, runtime.SpawnBalanced(func() {
				defer func() {
					if err := greenlet.CloseAll(); err != nil {
						t.Error(err)
					}
				}()
				var gs [3]*ints
				for i := range gs {
					gs[i] = greenlet.New(func(v int) (int, error) {
						for range rounds {
							mu.Lock()
							runtime.Yield()
							total++
							mu.Unlock()
							if (n+v)%7 == 0 {
								runtime.Sleep(50 * time.Microsecond)
							}
							var err error
							if v, err = greenlet.SwitchTo(gs[i], gs[(i+1)%len(gs)], v+1); err != nil {
								return 0, err
							}
						}
						return v, nil
					})
				}
				for !gs[0].Dead() {
					if _, err := gs[0].Switch(n); err != nil {
						t.Error(err)
					}
				}
			}))
		}
		for _, task := range all {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
		if total < tasks*rounds {
			t.Errorf("%d rounds", total)
		}
	})
}

// The runtime must not take suspended greenlets for foreign goroutines, which
// could still wake a task.
func TestGreenletsAreCounted(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		before := rt.Stats().Coroutines
		for range 3 {
			var g *ints
			g = greenlet.New(func(int) (int, error) { return g.SwitchParent(0) })
			must(t, "Switch", 0)(g.Switch(0))
		}
		if n := rt.Stats().Coroutines - before; n != 3 {
			t.Errorf("%d coroutines for 3 greenlets", n)
		}
		if err := greenlet.CloseAll(); err != nil {
			t.Error(err)
		}
		if n := rt.Stats().Coroutines - before; n != 0 {
			t.Errorf("%d coroutines for none", n)
		}
	})
}
