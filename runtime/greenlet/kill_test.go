package greenlet_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// killed runs fn as a task, and kills it when it waits. It returns how the task
// ended.
func killed(fn func()) error {
	task := runtime.Spawn(fn)
	runtime.Yield()
	task.Kill(errTest)
	return task.Join()
}

func isKill(err error) bool {
	return errors.Is(err, runtime.ErrKilled) && errors.Is(err, errTest)
}

// A kill unwinds the greenlet that waits, its parent, and so on to the task's
// function. Deferred functions run on the way, and may still wait.
func TestKillInAGreenlet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var log []string
		err := killed(func() {
			defer func() { log = append(log, "task") }()
			outer := greenlet.New(func(int) (int, error) {
				defer func() { log = append(log, "outer") }()
				gen := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
					defer func() {
						runtime.Sleep(time.Microsecond)
						log = append(log, "generator")
					}()
					runtime.Sleep(time.Hour)
					return nil
				})
				v, err := gen.Next()
				t.Errorf("Next = %v, %v", v, err)
				return 0, nil
			})
			v, err := outer.Switch(0)
			t.Errorf("Switch = %v, %v", v, err)
		})
		if !isKill(err) {
			t.Errorf("Join = %v", err)
		}
		if want := []string{"generator", "outer", "task"}; !slices.Equal(log, want) {
			t.Errorf("log %q, want %q", log, want)
		}
	})
}

// It goes to the parent, not to who switched there.
func TestKillGoesToTheParent(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var log []string
		err := killed(func() {
			defer func() { log = append(log, "task") }()
			var a, b *ints
			a = greenlet.New(func(int) (int, error) {
				defer func() { log = append(log, "a") }()
				return greenlet.SwitchTo(a, b, 0) // ErrExit, at the task's end
			})
			b = greenlet.New(func(int) (int, error) {
				defer func() { log = append(log, "b") }()
				runtime.Sleep(time.Hour)
				return 0, nil
			})
			_, _ = a.Switch(0)
		})
		if want := []string{"b", "task", "a"}; !isKill(err) || !slices.Equal(log, want) {
			t.Errorf("Join = %v, log %q, want %q", err, log, want)
		}
	})
}

// A wait that returns errors returns the kill, and the greenlet may handle it:
// D12 in a greenlet.
func TestKillIsHandledInAGreenlet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		err := killed(func() {
			g := greenlet.New(func(int) (int, error) {
				if err := runtime.NewWaiter().Park("test"); !isKill(err) {
					t.Errorf("Park = %v", err)
				}
				runtime.Sleep(time.Microsecond)
				return 3, nil
			})
			must(t, "Switch", 3)(g.Switch(0))
			runtime.Sleep(time.Microsecond)
		})
		if err != nil {
			t.Errorf("Join = %v", err)
		}
	})
}

// D20 in a greenlet: a kill of oneself unwinds at the call.
func TestKillOfItself(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {
			g := greenlet.New(func(int) (int, error) {
				runtime.Current().Kill(errTest)
				t.Error("went on")
				return 0, nil
			})
			_, _ = g.Switch(0)
			t.Error("the parent went on")
		})
		if err := task.Join(); !isKill(err) {
			t.Errorf("Join = %v", err)
		}
	})
}

// A kill that was swallowed is resumed by the next wait of the strand in which
// it was, and by no other's meanwhile.
func TestSwallowedKill(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var log []string
		err := killed(func() {
			var g *ints
			g = greenlet.New(func(int) (int, error) {
				func() {
					defer func() { _ = recover() }()
					runtime.Sleep(time.Hour)
				}()
				must(t, "SwitchParent", 2)(g.SwitchParent(1))
				log = append(log, "back")
				runtime.Sleep(time.Microsecond)
				t.Error("waited")
				return 0, nil
			})
			must(t, "Switch", 1)(g.Switch(0))
			runtime.Yield()
			runtime.Sleep(time.Microsecond)
			other := greenlet.New(func(int) (int, error) {
				runtime.Sleep(time.Microsecond)
				return 4, nil
			})
			must(t, "Switch to another", 4)(other.Switch(0))
			log = append(log, "others wait")
			v, err := g.Switch(2)
			t.Errorf("Switch = %v, %v", v, err)
		})
		if want := []string{"others wait", "back"}; !isKill(err) || !slices.Equal(log, want) {
			t.Errorf("Join = %v, log %q, want %q", err, log, want)
		}
	})
}

// So it is when a deferred function has waited before it was swallowed.
func TestKillIsSwallowedAfterAWait(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for name, wait := range map[string]func(){
			"Yield": runtime.Yield,
			"Sleep": func() { runtime.Sleep(time.Microsecond) },
		} {
			err := killed(func() {
				g := greenlet.New(func(int) (int, error) {
					func() {
						defer func() { _ = recover() }()
						defer wait()
						runtime.Sleep(time.Hour)
					}()
					wait()
					t.Errorf("%s went on", name)
					return 0, nil
				})
				_, _ = g.Switch(0)
			})
			if !isKill(err) {
				t.Errorf("%s: Join = %v", name, err)
			}
		}
	})
}

// If the strand ends, the unwinding is resumed in the one that gets its result:
// a recover does not save the task.
func TestSwallowedKillOfAnEndedGreenlet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		swallow := func() {
			defer func() { _ = recover() }()
			runtime.Sleep(time.Hour)
		}
		for name, run := range map[string]func(){
			"greenlet": func() {
				g := greenlet.New(func(int) (int, error) { swallow(); return 3, nil })
				must(t, "Switch", 3)(g.Switch(0))
			},
			"generator": func() {
				g := greenlet.NewGenerator(func(*yell) error { swallow(); return nil })
				fails[int](t, "Next", greenlet.ErrDone)(g.Next())
			},
		} {
			err := killed(func() {
				run()
				runtime.Sleep(time.Microsecond)
				t.Errorf("%s: the task waited", name)
			})
			if !isKill(err) {
				t.Errorf("%s: Join = %v", name, err)
			}
		}
	})
}

// While a strand unwinds, its deferred functions may use greenlets that wait,
// though no panic is under way on the stacks of those; a second kill interrupts
// that too (own behaviour 1).
func TestGreenletsWhileUnwinding(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var log []string
		task := runtime.Spawn(func() {
			var old *ints
			old = greenlet.New(func(int) (int, error) {
				v, err := old.SwitchParent(0)
				runtime.Sleep(time.Microsecond)
				return v + 1, err
			})
			must(t, "Switch", 0)(old.Switch(0))
			defer func() {
				gen := greenlet.NewGenerator(func(y *yell) error {
					for i := range 3 {
						runtime.Sleep(time.Microsecond)
						y.Yield(i)
					}
					return nil
				})
				if got := slices.Collect(gen.All()); len(got) != 3 {
					t.Errorf("generator gave %v", got)
				}
				must(t, "Switch to one from before", 6)(old.Switch(5))
				log = append(log, "cleaned up")
				g := greenlet.New(func(int) (int, error) {
					defer func() { log = append(log, "second kill") }()
					runtime.Sleep(time.Hour)
					return 0, nil
				})
				v, err := g.Switch(0)
				t.Errorf("Switch = %v, %v", v, err)
			}()
			runtime.Sleep(time.Hour)
		})
		runtime.Yield()
		task.Kill(nil)
		runtimetest.Eventually(t, "clean-up", func() bool { return len(log) == 1 })
		runtime.Yield()
		task.Kill(errTest)
		if err := task.Join(); !isKill(err) {
			t.Errorf("Join = %v", err)
		}
		if want := []string{"cleaned up", "second kill"}; !slices.Equal(log, want) {
			t.Errorf("log %q, want %q", log, want)
		}
	})
}

// Kills from other workers and from a goroutine, at any point: every deferred
// function runs, once.
func TestKillsFromElsewhere(t *testing.T) {
	const tasks = 100
	runtimetest.Run(t, 2, func() {
		var all []*runtime.Task
		var open atomic.Int32
		for range tasks {
			all = append(all, runtime.SpawnBalanced(func() {
				var g *ints
				g = greenlet.New(func(int) (int, error) {
					open.Add(1)
					defer open.Add(-1)
					gen := greenlet.NewGenerator(func(y *yell) error {
						open.Add(1)
						defer open.Add(-1)
						for i := 0; ; i++ {
							runtime.Sleep(50 * time.Microsecond)
							y.Yield(i)
						}
					})
					for v := range gen.All() {
						if _, err := g.SwitchParent(v); err != nil {
							return 0, err
						}
					}
					return 0, nil
				})
				for {
					_ = runtime.WithTimeout(time.Hour, func() error {
						_, err := g.Switch(0)
						runtime.Yield()
						return err
					})
				}
			}))
		}
		runtimetest.Eventually(t, "all started", func() bool { return open.Load() == 2*tasks })
		for _, task := range all[:tasks/2] {
			task.Kill(errTest)
		}
		if err := runtime.Offload(func() {
			for _, task := range all[tasks/2:] {
				task.Kill(errTest)
			}
		}); err != nil {
			t.Error(err)
		}
		for _, task := range all {
			if err := task.Join(); !isKill(err) {
				t.Errorf("Join = %v", err)
			}
		}
		if n := open.Load(); n != 0 {
			t.Errorf("%d functions did not end", n)
		}
	})
}

// CloseAll, deferred, while the task is unwound: what it closes may wait.
func TestCloseAllWhileUnwinding(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var log []string
		err := killed(func() {
			defer func() { log = append(log, "closed") }()
			defer greenlet.CloseAll()
			leaveSuspended(t, &log)
			runtime.Sleep(time.Hour)
		})
		if want := []string{"c", "b", "a", "closed"}; !isKill(err) || !slices.Equal(log, want) {
			t.Errorf("Join = %v, log %q, want %q", err, log, want)
		}
	})
}
