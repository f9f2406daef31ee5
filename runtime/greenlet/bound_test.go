package greenlet_test

import (
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestTimeoutInAGreenlet(t *testing.T) { // unwinds to WithTimeout, and no further
	runtimetest.Run(t, 1, func() {
		g := greenlet.New(func(int) (int, error) {
			runtime.Sleep(time.Hour)
			return 0, nil
		})
		err := runtime.WithTimeout(time.Millisecond, func() error {
			_, err := g.Switch(0)
			return err
		})
		if !errors.Is(err, runtime.ErrTimeout) || !g.Dead() {
			t.Errorf("WithTimeout = %v, dead %t", err, g.Dead())
		}
		runtime.Sleep(time.Microsecond) // the task is fine

		inside := greenlet.New(func(int) (int, error) {
			err := runtime.WithTimeout(time.Millisecond, func() error {
				runtime.Sleep(time.Hour)
				return nil
			})
			if !errors.Is(err, runtime.ErrTimeout) {
				t.Errorf("WithTimeout inside = %v", err)
			}
			return 1, nil
		})
		must(t, "Switch", 1)(inside.Switch(0))
	})
}

func TestTimeoutOfASuspendedGreenlet(t *testing.T) { // waits until it runs again
	runtimetest.Run(t, 1, func() {
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			err := runtime.WithTimeout(time.Millisecond, func() error {
				must(t, "SwitchParent", 2)(g.SwitchParent(1))
				runtime.Sleep(time.Hour)
				return nil
			})
			if !errors.Is(err, runtime.ErrTimeout) {
				t.Errorf("WithTimeout = %v", err)
			}
			return 3, nil
		})
		must(t, "Switch", 1)(g.Switch(0))
		runtime.Sleep(5 * time.Millisecond) // is nothing to the parent
		err := runtime.WithTimeout(time.Hour, func() error {
			must(t, "Switch", 3)(g.Switch(2))
			return nil
		})
		if err != nil {
			t.Errorf("outer WithTimeout = %v", err)
		}
	})
}

func TestTimeoutsAroundYields(t *testing.T) { // a generator's is its own, a caller's is both's
	runtimetest.Run(t, 1, func() {
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
			err := runtime.WithTimeout(time.Millisecond, func() error {
				y.Yield(1)
				runtime.Sleep(time.Hour)
				return nil
			})
			if !errors.Is(err, runtime.ErrTimeout) {
				t.Errorf("WithTimeout inside = %v", err)
			}
			y.Yield(2)
			runtime.Sleep(time.Hour)
			return nil
		})
		must(t, "Next", 1)(g.Next())
		runtime.Sleep(5 * time.Millisecond)
		must(t, "Next", 2)(g.Next())
		err := runtime.WithTimeout(time.Millisecond, func() error {
			_, err := g.Next()
			return err
		})
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Errorf("WithTimeout outside = %v", err)
		}
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestTimeoutsOfSiblings(t *testing.T) { // entered and left in no order
	runtimetest.Run(t, 1, func() {
		var a, b *ints
		body := func(self, other **ints, d time.Duration) func(int) (int, error) {
			return func(v int) (int, error) {
				for range 50 {
					err := runtime.WithTimeout(d, func() error {
						for range 3 {
							runtime.Sleep(50 * time.Microsecond)
							if _, err := greenlet.SwitchTo(*self, *other, v); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil && !errors.Is(err, runtime.ErrTimeout) {
						return 0, err
					}
				}
				return 1, nil
			}
		}
		a = greenlet.New(body(&a, &b, time.Millisecond/2))
		b = greenlet.New(body(&b, &a, time.Millisecond))
		must(t, "Switch", 1)(a.Switch(0))
		if err := greenlet.CloseAll(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseInATimeout(t *testing.T) { // of the closer, which gets what unwinds
	runtimetest.Run(t, 1, func() {
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			defer runtime.Sleep(time.Hour)
			return g.SwitchParent(0)
		})
		must(t, "Switch", 0)(g.Switch(0))
		closer := greenlet.New(func(int) (int, error) {
			err := runtime.WithTimeout(time.Millisecond, g.Close)
			if !errors.Is(err, runtime.ErrTimeout) || !g.Dead() {
				t.Errorf("WithTimeout = %v, dead %t", err, g.Dead())
			}
			return 1, nil
		})
		must(t, "Switch", 1)(closer.Switch(0))
	})
}

func TestCloseOfTheParentInATimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var parent *ints
		parent = greenlet.New(func(int) (int, error) {
			defer runtime.Sleep(time.Microsecond)
			child := greenlet.New(func(int) (int, error) {
				return 3, runtime.WithTimeout(time.Hour, parent.Close)
			})
			return child.Switch(0)
		})
		must(t, "Switch", 3)(parent.Switch(0))
	})
}

// D34, D35 across strands: the outer timeout, in the parent, fires through the
// inner one, and is told from it by identity; and the inner one leaves the outer
// one pending.
func TestNestedTimeouts(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		inGreenlet := func(inner time.Duration, check func(error)) func() error {
			return func() error {
				g := greenlet.New(func(int) (int, error) {
					err := runtime.WithTimeout(inner, func() error {
						return runtime.NewWaiter().Park("test")
					})
					check(err)
					runtime.Sleep(time.Hour)
					return 0, err
				})
				_, err := g.Switch(0)
				return err
			}
		}
		var inner error
		var outer error
		for d := 5 * time.Millisecond; inner == outer; d *= 2 { // a machine too busy may start inner too late
			outer = runtime.WithTimeout(d, inGreenlet(time.Millisecond, func(err error) { inner = err }))
			if !errors.Is(inner, runtime.ErrTimeout) || !errors.Is(outer, runtime.ErrTimeout) || d > runtimetest.Patience {
				t.Fatalf("short in long: inner %v, outer %v", inner, outer)
			}
		}
		task := runtime.Spawn(func() {
			outer = runtime.WithTimeout(time.Millisecond, inGreenlet(time.Hour, func(err error) {
				inner = err
				runtime.Unwind(err)
			}))
			runtime.Sleep(time.Microsecond) // the task is fine
		})
		if err := task.Join(); err != nil || inner != outer || !errors.Is(outer, runtime.ErrTimeout) {
			t.Errorf("long in short: inner %v, outer %v, Join = %v", inner, outer, err)
		}
	})
}

// The timeout of a greenlet is none of its siblings', nor of whom it switches to.
func TestTimeoutIsNotTheSiblings(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var a, b *ints
		a = greenlet.New(func(int) (int, error) {
			err := runtime.WithTimeout(time.Millisecond, func() error {
				must(t, "SwitchTo", 1)(greenlet.SwitchTo(a, b, 0))
				return runtime.NewWaiter().Park("test") // at once: it expired meanwhile
			})
			if !errors.Is(err, runtime.ErrTimeout) {
				t.Errorf("WithTimeout = %v", err)
			}
			return 2, nil
		})
		b = greenlet.New(func(int) (int, error) {
			runtime.Sleep(5 * time.Millisecond)
			runtime.Yield()
			return greenlet.SwitchTo(b, a, 1)
		})
		must(t, "Switch", 2)(a.Switch(0))
	})
}

// It follows the parent, wherever the greenlet was made.
func TestTimeoutOfANewParent(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		child := greenlet.New(func(int) (int, error) {
			runtime.Sleep(time.Hour)
			return 0, nil
		})
		parent := greenlet.New(func(int) (int, error) {
			if err := child.SetParent(greenlet.Current()); err != nil {
				t.Error(err)
			}
			err := runtime.WithTimeout(time.Millisecond, func() error {
				_, err := child.Switch(0)
				return err
			})
			if !errors.Is(err, runtime.ErrTimeout) || !child.Dead() {
				t.Errorf("WithTimeout = %v, child dead %t", err, child.Dead())
			}
			return 1, nil
		})
		must(t, "Switch", 1)(parent.Switch(0))
	})
}

// A scope that fails unwinds the greenlets in it, up to WithScope, which may
// itself be in a greenlet.
func TestScopeInGreenlets(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		deferred := false
		outer := greenlet.New(func(int) (int, error) {
			err := runtime.WithScope(func(s *runtime.Scope) error {
				s.Spawn(func() error { return errTest })
				g := greenlet.New(func(int) (int, error) {
					defer func() { deferred = true }()
					runtime.Sleep(time.Hour)
					return 0, nil
				})
				_, err := g.Switch(0)
				return err
			})
			if err != errTest || !deferred {
				t.Errorf("WithScope = %v, deferred %t", err, deferred)
			}
			runtime.Sleep(time.Microsecond)
			return 1, nil
		})
		must(t, "Switch", 1)(outer.Switch(0))
	})
}

// A timeout is delivered once: who recovers its panic, in a greenlet as elsewhere,
// has dealt with it.
func TestTimeoutIsSwallowed(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		err := runtime.WithTimeout(time.Millisecond, func() error {
			g := greenlet.New(func(int) (int, error) {
				defer func() { _ = recover() }()
				runtime.Sleep(time.Hour)
				return 0, nil
			})
			must(t, "Switch", 0)(g.Switch(0))
			runtime.Sleep(time.Microsecond)
			return errTest
		})
		if err != errTest {
			t.Errorf("WithTimeout = %v", err)
		}
	})
}

// A greenlet that is suspended in a generator's function goes on under the bounds
// of that, and of its own.
func TestTimeoutInAGeneratorsGreenlet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var inner error
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			gen := greenlet.NewGenerator(func(*yell) error {
				inner = runtime.WithTimeout(time.Millisecond, func() error {
					must(t, "SwitchParent", 2)(g.SwitchParent(1))
					runtime.Sleep(time.Hour)
					return nil
				})
				runtime.Sleep(time.Hour)
				return nil
			})
			err := runtime.WithScope(func(s *runtime.Scope) error {
				s.Spawn(func() error {
					runtimetest.Eventually(t, "timeout", func() bool { return inner != nil })
					return errTest
				})
				_, err := gen.Next()
				return err
			})
			if !errors.Is(inner, runtime.ErrTimeout) || err != errTest {
				t.Errorf("WithTimeout in the generator = %v, WithScope around Next = %v", inner, err)
			}
			fails[int](t, "Next", greenlet.ErrDone)(gen.Next())
			return 3, nil
		})
		must(t, "Switch", 1)(g.Switch(0))
		runtime.Sleep(time.Microsecond)
		must(t, "Switch", 3)(g.Switch(2))
	})
}
