package greenlet_test

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"
	"weak"

	"github.com/weft-go/weft/runtime/greenlet"
)

func TestClose(t *testing.T) { // Close instead of GC throws GreenletExit into it
	both(t, func(t *testing.T) {
		var log []string
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			defer func() { log = append(log, "deferred") }()
			_, err := g.SwitchParent(0)
			log = append(log, err.Error())
			return 7, err
		})
		must(t, "Switch", 0)(g.Switch(0))
		if err := g.Close(); err != nil || !g.Dead() {
			t.Errorf("Close = %v", err)
		}
		if err := g.Close(); err != nil {
			t.Errorf("second Close = %v", err)
		}
		if want := []string{"greenlet: exit", "deferred"}; !slices.Equal(log, want) {
			t.Errorf("log %v, want %v", log, want)
		}
		unstarted := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		if err := unstarted.Close(); err != nil || !unstarted.Dead() {
			t.Errorf("Close of an unstarted one = %v", err)
		}
	})
}

func TestCloseReturnsToTheCloser(t *testing.T) { // not to the parent
	both(t, func(t *testing.T) {
		var a, closer *ints
		a = greenlet.New(func(int) (int, error) { return a.SwitchParent(1) })
		must(t, "a.Switch", 1)(a.Switch(0))
		closer = greenlet.New(func(int) (int, error) {
			if err := a.Close(); err != nil || greenlet.Current() != closer {
				t.Errorf("Close = %v", err)
			}
			return 2, nil
		})
		must(t, "closer.Switch", 2)(closer.Switch(0))
	})
}

func TestCloseOfTheParent(t *testing.T) {
	both(t, func(t *testing.T) {
		var parent, child *ints
		parent = greenlet.New(func(int) (int, error) {
			child = greenlet.New(func(int) (int, error) {
				if err := parent.Close(); err != nil || !parent.Dead() {
					t.Errorf("Close = %v", err)
				}
				return 3, nil
			})
			return child.Switch(0) // fails with ErrExit
		})
		must(t, "Switch", 3)(parent.Switch(0)) // from the child, as the parent is dead
		if !child.Dead() {
			t.Error("the child is alive")
		}
	})
}

func TestCloseReturnsTheError(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			_, err := g.SwitchParent(0)
			return 0, fmt.Errorf("%w after %v", errTest, err)
		})
		must(t, "Switch", 0)(g.Switch(0))
		if err := g.Close(); !errors.Is(err, errTest) {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestCloseIsIgnored(t *testing.T) {
	both(t, func(t *testing.T) {
		deferred := 0
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			defer func() {
				deferred++
				_, _ = g.SwitchParent(0) // even here
				deferred++
			}()
			defer func() {
				deferred++
				if r := recover(); r != nil {
					t.Errorf("recovered %v", r)
				}
			}()
			for {
				_, _ = g.SwitchParent(0)
			}
		})
		must(t, "Switch", 0)(g.Switch(0))
		if err := g.Close(); err != greenlet.ErrIgnored || !g.Dead() || deferred != 2 {
			t.Errorf("Close = %v, dead %t, deferred %d", err, g.Dead(), deferred)
		}
	})
}

func TestCloseIsIgnoredInAPanic(t *testing.T) { // Goexit while panicking
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			defer func() {
				for {
					_, _ = g.SwitchParent(0)
				}
			}()
			panic("superseded")
		})
		must(t, "Switch", 0)(g.Switch(0))
		if err := g.Close(); err != greenlet.ErrIgnored || !g.Dead() {
			t.Errorf("Close = %v, dead %t", err, g.Dead())
		}
	})
}

func TestCloseWithWorkToDo(t *testing.T) { // closing, it may switch to others as long as it ends
	both(t, func(t *testing.T) {
		var g, helper *ints
		helper = greenlet.New(func(v int) (int, error) {
			for {
				var err error
				if v, err = greenlet.SwitchTo(helper, g, 2*v); err != nil {
					return 0, err
				}
			}
		})
		g = greenlet.New(func(int) (int, error) {
			defer func() { must(t, "SwitchTo", 42)(greenlet.SwitchTo(g, helper, 21)) }()
			return g.SwitchParent(0)
		})
		must(t, "Switch", 0)(g.Switch(0))
		if err := g.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := helper.Close(); err != nil {
			t.Errorf("Close of the helper = %v", err)
		}
	})
}

func TestCloseEachOther(t *testing.T) { // terminates
	both(t, func(t *testing.T) {
		var a, b *ints
		a = greenlet.New(func(int) (int, error) {
			must(t, "b.Switch", 0)(b.Switch(0))
			return 0, b.Close()
		})
		b = greenlet.New(func(int) (int, error) {
			_, _ = greenlet.SwitchTo(b, a, 0)
			for {
				_ = a.Close()
			}
		})
		_, _ = a.Switch(0)
		if err := greenlet.CloseAll(); err != nil && !errors.Is(err, greenlet.ErrIgnored) {
			t.Error(err)
		}
		if !a.Dead() || !b.Dead() {
			t.Errorf("a dead %t, b dead %t", a.Dead(), b.Dead())
		}
	})
}

func TestCloseOfTheWrongOne(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(int) (int, error) { return 0, g.Close() })
		fails[int](t, "Switch", greenlet.ErrRunning)(g.Switch(0))
		if err := greenlet.Main().Close(); err != greenlet.ErrMain {
			t.Errorf("Close of main = %v", err)
		}
	})
}

func TestCloseAll(t *testing.T) { // a cycle of suspended greenlets leaks otherwise
	both(t, func(t *testing.T) {
		var log []string
		var a, b *ints
		a = greenlet.New(func(int) (int, error) {
			defer func() { log = append(log, "a") }()
			return b.Switch(0)
		})
		b = greenlet.New(func(int) (int, error) {
			defer func() { log = append(log, "b") }()
			gen := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
				defer func() { log = append(log, "generator") }()
				y.Yield(1)
				return nil
			})
			must(t, "Next", 1)(gen.Next())
			_, err := greenlet.Main().Switch(3)
			return 0, err
		})
		must(t, "Switch", 3)(a.Switch(0))
		if err := greenlet.CloseAll(); err != nil {
			t.Error(err)
		}
		if want := []string{"generator", "b", "a"}; !slices.Equal(log, want) {
			t.Errorf("log %v, want %v", log, want)
		}
		if err := greenlet.CloseAll(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseAllFromInside(t *testing.T) { // the caller stays
	both(t, func(t *testing.T) {
		var other, closer *ints
		other = greenlet.New(func(int) (int, error) { return other.SwitchParent(0) })
		must(t, "Switch", 0)(other.Switch(0))
		closer = greenlet.New(func(int) (int, error) {
			gen := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error { return greenlet.CloseAll() })
			_, err := gen.Next()
			if err != greenlet.ErrDone {
				t.Errorf("Next = %v", err)
			}
			return 1, nil
		})
		must(t, "Switch", 1)(closer.Switch(0))
		if !other.Dead() {
			t.Error("not closed")
		}
	})
}

func TestManyEnds(t *testing.T) { // nothing is left of the many either
	both(t, func(t *testing.T) {
		for i := range 2000 {
			g := greenlet.New(func(v int) (int, error) { return v, nil })
			must(t, "Switch", i)(g.Switch(i))
		}
	})
}

func TestValuesAreNotKept(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *greenlet.Greenlet[*[100]int, *[100]int]
		g = greenlet.New(func(*[100]int) (*[100]int, error) {
			for {
				if _, err := g.SwitchParent(new([100]int)); err != nil {
					return nil, err
				}
			}
		})
		gen := greenlet.NewGenerator(func(y *greenlet.Yielder[*[100]int, *[100]int]) error {
			for {
				y.Yield(new([100]int))
			}
		})
		var values []weak.Pointer[[100]int]
		keep := func(v *[100]int, err error) {
			if err != nil {
				t.Error(err)
			}
			values = append(values, weak.Make(v))
		}
		for range 3 {
			in := new([100]int)
			keep(in, nil)
			keep(g.Switch(in))
			keep(gen.Next())
			in = new([100]int)
			keep(in, nil)
			keep(gen.Send(in))
		}
		goruntime.GC()
		for i, v := range values {
			if v.Value() != nil {
				t.Errorf("value %d is kept", i)
			}
		}
		if err := errors.Join(g.Close(), gen.Close()); err != nil {
			t.Error(err)
		}
	})
}
