package greenlet_test

import (
	"errors"
	"slices"
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
