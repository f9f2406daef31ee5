package greenlet_test

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var errTest = errors.New("test")

// The comments name the line of greenlet's semantics that a test is about.

func TestFirstSwitchPassesTheArgument(t *testing.T) { // switch(*a) passes args
	both(t, func(t *testing.T) {
		g := greenlet.New(func(v int) (int, error) { return v + 1, nil })
		must(t, "Switch", 6)(g.Switch(5))
	})
}

func TestSwitchPassesTheCallsResult(t *testing.T) { // or return value
	both(t, func(t *testing.T) {
		var g *greenlet.Greenlet[int, string]
		g = greenlet.New(func(v int) (string, error) {
			must(t, "first SwitchParent", 2)(g.SwitchParent(fmt.Sprint("one ", v)))
			must(t, "second SwitchParent", 3)(g.SwitchParent("two"))
			return "three", nil
		})
		must(t, "first", "one 1")(g.Switch(1))
		must(t, "second", "two")(g.Switch(2))
		must(t, "third", "three")(g.Switch(3))
	})
}

func TestResultGoesToTheParent(t *testing.T) { // greenlet finishing returns its value to parent
	both(t, func(t *testing.T) {
		var a, b *ints
		a = greenlet.New(func(int) (int, error) {
			_, err := b.Switch(0) // b's parent is the main greenlet
			return 0, err
		})
		b = greenlet.New(func(int) (int, error) { return 7, nil })
		must(t, "a.Switch", 7)(a.Switch(0))
		if a.Dead() || !b.Dead() {
			t.Errorf("a dead: %t, b dead: %t", a.Dead(), b.Dead())
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestResultOfNested(t *testing.T) { // the parent is the greenlet that made it
	both(t, func(t *testing.T) {
		outer := greenlet.New(func(v int) (int, error) {
			inner := greenlet.New(func(v int) (int, error) { return 2 * v, nil })
			if inner.Parent() != greenlet.Current() {
				t.Error("the parent is not the maker")
			}
			v, err := inner.Switch(v)
			return v + 1, err
		})
		must(t, "Switch", 21)(outer.Switch(10))
	})
}

func TestSwitchToDead(t *testing.T) { // dead target => args flow to its parent
	both(t, func(t *testing.T) {
		dead := greenlet.New(func(int) (int, error) { return 0, nil })
		must(t, "Switch", 0)(dead.Switch(1))
		must(t, "Switch to a dead child", 5)(dead.Switch(5))

		other := greenlet.New(func(int) (int, error) { return dead.Switch(6) }) // to the main one
		must(t, "Switch to one that switches to a dead one", 6)(other.Switch(0))
		if other.Dead() {
			t.Error("it got its value back")
		}
		must(t, "and goes on", 8)(other.Switch(8))

		grandchild := greenlet.New(func(int) (int, error) { return 0, nil })
		if err := grandchild.SetParent(dead); err != nil {
			t.Fatal(err)
		}
		must(t, "result of the child of a dead one", 0)(grandchild.Switch(0))
		must(t, "Switch to a dead grandchild", 9)(grandchild.Switch(9))
	})
}

func TestDeadTargetAndTypes(t *testing.T) {
	both(t, func(t *testing.T) {
		dead := greenlet.New(func(int) (string, error) { return "", nil })
		must(t, "Switch", "")(dead.Switch(1))
		_, err := dead.Switch(5)
		var wrong *greenlet.TypeError
		if !errors.Is(err, greenlet.ErrDead) || !errors.As(err, &wrong) || wrong.Value != 5 {
			t.Errorf("Switch to a dead one = %v", err)
		}
	})
}

func TestSwitchToItself(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(v int) (int, error) { return g.Switch(v + 1) })
		must(t, "Switch", 2)(g.Switch(1))
		must(t, "SwitchTo", any(3))(greenlet.SwitchTo(greenlet.Main(), greenlet.Main(), 3))
	})
}

func TestTypes(t *testing.T) {
	both(t, func(t *testing.T) {
		var a *greenlet.Greenlet[int, string]
		var b *greenlet.Greenlet[bool, float64]
		a = greenlet.New(func(int) (string, error) {
			must(t, "SwitchTo from a", 2)(greenlet.SwitchTo(a, b, true)) // what b switches to a
			_, err := b.Switch(true)                                     // waits for a float64, and gets an int
			var wrong *greenlet.TypeError
			if !errors.As(err, &wrong) || wrong.Value != 3 || wrong.Want.String() != "float64" || errors.Is(err, greenlet.ErrDead) {
				t.Errorf("b.Switch = %v", err)
			}
			return "end", nil
		})
		b = greenlet.New(func(bool) (float64, error) {
			must(t, "SwitchTo from b", true)(greenlet.SwitchTo(b, a, 2))
			_, err := greenlet.SwitchTo(b, a, 3)
			return 0, err
		})
		must(t, "a.Switch", "end")(a.Switch(1))
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTypeOfTheFirstValue(t *testing.T) { // it never runs with a wrong one
	both(t, func(t *testing.T) {
		var child *greenlet.Greenlet[int, string]
		parent := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		child = greenlet.New(func(int) (string, error) { return "no int", nil })
		if err := child.SetParent(parent); err != nil {
			t.Fatal(err)
		}
		_, err := child.Switch(0)
		var wrong *greenlet.TypeError
		if !errors.As(err, &wrong) || wrong.Value != "no int" || !parent.Dead() {
			t.Errorf("Switch = %v", err)
		}
	})
}

func TestInterfaceTypes(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *greenlet.Greenlet[any, error]
		g = greenlet.New(func(v any) (error, error) {
			if v != nil {
				t.Errorf("argument %v", v)
			}
			must[any](t, "SwitchParent", nil)(g.SwitchParent(errTest))
			must[any](t, "SwitchParent", 1)(g.SwitchParent(nil))
			return nil, nil
		})
		must(t, "Switch", errTest)(g.Switch(nil))
		must[error](t, "Switch", nil)(g.Switch(nil))
		must[error](t, "Switch", nil)(g.Switch(1))
	})
}

func TestThrow(t *testing.T) { // throw raises in target
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			fails[int](t, "SwitchParent", errTest)(g.SwitchParent(1))
			return 2, nil
		})
		must(t, "Switch", 1)(g.Switch(0))
		must(t, "Throw", 2)(g.Throw(errTest))
	})
}

func TestThrowIsNotHandled(t *testing.T) { // an error goes to the parent
	both(t, func(t *testing.T) {
		var g *ints
		g = greenlet.New(func(int) (int, error) { return g.SwitchParent(1) })
		must(t, "Switch", 1)(g.Switch(0))
		fails[int](t, "Throw", errTest)(g.Throw(errTest))
		if !g.Dead() {
			t.Error("alive")
		}
	})
}

func TestThrowAtUnstarted(t *testing.T) { // unstarted: never runs
	both(t, func(t *testing.T) {
		g := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		fails[int](t, "Throw", errTest)(g.Throw(errTest))
		if !g.Dead() || g.Started() || g.Active() {
			t.Error("not dead")
		}
		must(t, "Switch", 3)(g.Switch(3))
	})
}

func TestExitBecomesTheReturnValue(t *testing.T) { // GreenletExit is swallowed and becomes return value
	both(t, func(t *testing.T) {
		unstarted := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		must(t, "Throw at an unstarted one", 0)(unstarted.Throw(greenlet.ErrExit))

		var g *ints
		g = greenlet.New(func(int) (int, error) {
			_, err := g.SwitchParent(1)
			return 5, fmt.Errorf("wrapped: %w", err)
		})
		must(t, "Switch", 1)(g.Switch(0))
		must(t, "Throw", 5)(g.Throw(nil)) // what is returned beside it
	})
}

func TestThrowAtDead(t *testing.T) { // dead target: flows to its parent
	both(t, func(t *testing.T) {
		dead := greenlet.New(func(int) (int, error) { return 0, nil })
		must(t, "Switch", 0)(dead.Switch(0))
		fails[int](t, "Throw", errTest)(dead.Throw(errTest))
		must(t, "Throw", 0)(dead.Throw(greenlet.ErrExit))
	})
}

func TestThrowAtTheMainOne(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.New(func(int) (int, error) {
			_, err := greenlet.Main().Throw(errTest)
			return 0, err
		})
		fails[int](t, "Switch", errTest)(g.Switch(0))
		must(t, "Switch", 0)(g.Switch(0))
	})
}

func TestErrorGoesToTheParent(t *testing.T) { // an error goes to the parent
	both(t, func(t *testing.T) {
		g := greenlet.New(func(int) (int, error) { return 3, errTest })
		fails[int](t, "Switch", errTest)(g.Switch(0))
	})
}

func TestErrorPassesUnstartedParents(t *testing.T) {
	both(t, func(t *testing.T) {
		parent := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		g := greenlet.New(func(int) (int, error) { return 0, errTest })
		if err := g.SetParent(parent); err != nil {
			t.Fatal(err)
		}
		fails[int](t, "Switch", errTest)(g.Switch(0))
		if !parent.Dead() {
			t.Error("the parent is alive")
		}
	})
}

func TestResultStartsAnUnstartedParent(t *testing.T) {
	both(t, func(t *testing.T) {
		parent := greenlet.New(func(v int) (int, error) { return v + 100, nil })
		g := greenlet.New(func(int) (int, error) { return 1, nil })
		if err := g.SetParent(parent); err != nil {
			t.Fatal(err)
		}
		must(t, "Switch", 101)(g.Switch(0))
	})
}

func TestPanicGoesToTheParent(t *testing.T) {
	both(t, func(t *testing.T) {
		deferred := false
		g := greenlet.New(func(int) (int, error) {
			defer func() { deferred = true }()
			panic("thud")
		})
		_, err := g.Switch(0)
		var p *runtime.PanicError
		if !errors.As(err, &p) || p.Value != "thud" || len(p.Stack) == 0 || !deferred || !g.Dead() {
			t.Errorf("Switch = %v, deferred %t", err, deferred)
		}
	})
}

func TestPanicWithExit(t *testing.T) { // raising GreenletExit ends it as returning does
	both(t, func(t *testing.T) {
		g := greenlet.New(func(int) (int, error) { panic(greenlet.ErrExit) })
		must(t, "Switch", 0)(g.Switch(0))
	})
}

func TestUnwindingGoesOnInTheParent(t *testing.T) { // the panic of a killed task stays what it is
	runtimetest.New(t, 1)
	killed := false
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		task := runtime.Spawn(func() {
			defer func() {
				err, _ := recover().(error)
				killed = errors.Is(err, runtime.ErrKilled)
			}()
			outer := greenlet.New(func(int) (int, error) {
				inner := greenlet.New(func(int) (int, error) { panic(&runtime.KillError{}) })
				return inner.Switch(0)
			})
			v, err := outer.Switch(0)
			t.Errorf("Switch = %v, %v", v, err)
		})
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	})
	if !killed {
		t.Error("no unwinding in the parent")
	}
}

func TestGoexitEndsTheWhole(t *testing.T) {
	clean(t)
	var log []string
	var g *ints
	apart(func() {
		defer func() { log = append(log, fmt.Sprint("main ", greenlet.Current() == greenlet.Main())) }()
		outer := greenlet.New(func(int) (int, error) {
			defer func() { log = append(log, "outer") }()
			g = greenlet.New(func(int) (int, error) {
				defer func() { log = append(log, "inner") }()
				goruntime.Goexit()
				return 0, nil
			})
			v, err := g.Switch(0)
			t.Errorf("inner Switch = %v, %v", v, err)
			return 0, nil
		})
		v, err := outer.Switch(0)
		t.Errorf("outer Switch = %v, %v", v, err)
	})
	if want := []string{"inner", "outer", "main true"}; !slices.Equal(log, want) {
		t.Errorf("log %v, want %v", log, want)
	}
}

func TestGoexitEndsTheTask(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		task := runtime.Spawn(func() {
			g := greenlet.New(func(int) (int, error) { goruntime.Goexit(); return 0, nil })
			v, err := g.Switch(0)
			t.Errorf("Switch = %v, %v", v, err)
		})
		if err := task.Join(); err != runtime.ErrGoexit {
			t.Errorf("Join = %v", err)
		}
	})
}

func TestSetParent(t *testing.T) { // parent assignable (no cycles, same thread)
	both(t, func(t *testing.T) {
		a := greenlet.New(func(v int) (int, error) { return v + 1, nil })
		b := greenlet.New(func(v int) (int, error) { return v, nil })
		c := greenlet.New(func(v int) (int, error) { return v, nil })
		if a.Parent() != greenlet.Main() {
			t.Error("the parent is not the main greenlet")
		}
		if err := errors.Join(b.SetParent(a), c.SetParent(b)); err != nil {
			t.Error(err)
		}
		if c.Parent() != b || b.Parent() != a {
			t.Error("another parent than was set")
		}
		if err := a.SetParent(c); err != greenlet.ErrCycle {
			t.Errorf("cycle: %v", err)
		}
		if err := a.SetParent(a); err != greenlet.ErrCycle {
			t.Errorf("own parent: %v", err)
		}
		if err := greenlet.Main().SetParent(a); err != greenlet.ErrMain {
			t.Errorf("of the main greenlet: %v", err)
		}
		if greenlet.Main().Parent() != nil {
			t.Error("the main greenlet has a parent")
		}
		apart(func() {
			other := greenlet.New(func(v int) (int, error) { return v, nil })
			if err := other.SetParent(a); err != greenlet.ErrOwner {
				t.Errorf("to another goroutine's: %v", err)
			}
			if err := a.SetParent(other); err != greenlet.ErrOwner {
				t.Errorf("of another goroutine's: %v", err)
			}
		})
		must(t, "Switch", 4)(c.Switch(3)) // c's result to b, b's to a, a's to main
	})
}

func TestStates(t *testing.T) { // dead; bool(g) = active
	both(t, func(t *testing.T) {
		state := func(g greenlet.Any) string {
			return fmt.Sprintf("started %t active %t dead %t", g.Started(), g.Active(), g.Dead())
		}
		check := func(when string, g greenlet.Any, want string) {
			t.Helper()
			if got := state(g); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			check("running", g, "started true active true dead false")
			return g.SwitchParent(0)
		})
		check("unstarted", g, "started false active false dead false")
		must(t, "Switch", 0)(g.Switch(0))
		check("suspended", g, "started true active true dead false")
		must(t, "Switch", 1)(g.Switch(1))
		check("dead", g, "started true active false dead true")
		check("main", greenlet.Main(), "started true active true dead false")
		if g.String() == "" {
			t.Error("no String")
		}
	})
}

func TestCurrent(t *testing.T) { // getcurrent
	both(t, func(t *testing.T) {
		main := greenlet.Current()
		if main != greenlet.Main() {
			t.Error("not the main greenlet at first")
		}
		var g *ints
		g = greenlet.New(func(int) (int, error) {
			if greenlet.Current() != g || greenlet.Main() != main {
				t.Error("not the running one")
			}
			return g.SwitchParent(0)
		})
		must(t, "Switch", 0)(g.Switch(0))
		if greenlet.Current() != main {
			t.Error("not the main greenlet afterwards")
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		apart(func() {
			if greenlet.Current() == main {
				t.Error("two goroutines have the same main greenlet")
			}
		})
	})
}

func TestMainIsOne(t *testing.T) { // as long as anybody refers to it
	both(t, func(t *testing.T) {
		g := greenlet.New(func(v int) (int, error) { return v, nil })
		for range 3 {
			goruntime.GC()
		}
		if g.Parent() != greenlet.Main() {
			t.Error("there are two main greenlets")
		}
	})
}

func TestOtherGoroutine(t *testing.T) { // greenlet.error "cannot switch to a different thread"
	both(t, func(t *testing.T) {
		var suspended *ints
		suspended = greenlet.New(func(int) (int, error) { return suspended.SwitchParent(0) })
		must(t, "Switch", 0)(suspended.Switch(0))
		for name, g := range map[string]*ints{
			"unstarted": greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil }),
			"suspended": suspended,
		} {
			apart(func() {
				fails[int](t, name+" Switch", greenlet.ErrOwner)(g.Switch(0))
				fails[int](t, name+" Throw", greenlet.ErrOwner)(g.Throw(errTest))
				fails[int](t, name+" SwitchParent", greenlet.ErrOwner)(g.SwitchParent(0))
				fails[any](t, name+" SwitchTo", greenlet.ErrOwner)(greenlet.SwitchTo(greenlet.Main(), g, 0))
				if err := g.Close(); err != greenlet.ErrOwner {
					t.Errorf("%s Close = %v", name, err)
				}
			})
		}
		main := greenlet.Main()
		apart(func() { fails[any](t, "Switch to main", greenlet.ErrOwner)(main.Switch(0)) })
		if err := suspended.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOtherTask(t *testing.T) { // tasks of one worker are different threads too
	runtimetest.Run(t, 1, func() {
		var g *ints
		first := runtime.Spawn(func() {
			g = greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		})
		if err := first.Join(); err != nil {
			t.Error(err)
		}
		// The same coroutine as the first one's, by now.
		second := runtime.Spawn(func() {
			greenlet.Current()
			fails[int](t, "Switch", greenlet.ErrOwner)(g.Switch(0))
		})
		if err := second.Join(); err != nil {
			t.Error(err)
		}
	})
}

func TestOtherWhileRunning(t *testing.T) { // however the owner is busy meanwhile; for the race detector
	clean(t)
	var g *ints
	g = greenlet.New(func(v int) (int, error) {
		for {
			var err error
			if v, err = g.SwitchParent(v); err != nil {
				return 0, err
			}
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 1000 {
			fails[int](t, "Switch", greenlet.ErrOwner)(g.Switch(0))
		}
	}()
	for i := range 1000 {
		must(t, "Switch", i)(g.Switch(i))
	}
	<-done
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestNotCurrent(t *testing.T) {
	both(t, func(t *testing.T) {
		a := greenlet.New(func(int) (int, error) { return 0, nil })
		b := greenlet.New(func(int) (int, error) { return 0, nil })
		fails[int](t, "SwitchParent", greenlet.ErrNotCurrent)(a.SwitchParent(0))
		fails[int](t, "SwitchTo", greenlet.ErrNotCurrent)(greenlet.SwitchTo(a, b, 0))
		fails[any](t, "SwitchParent of main", greenlet.ErrMain)(greenlet.Main().SwitchParent(0))
	})
}

func TestSiblings(t *testing.T) { // symmetric switching; ends in all positions
	both(t, func(t *testing.T) {
		const n = 5
		for ender := range n { // who ends while all others are suspended
			var gs [n]*ints
			for i := range gs {
				gs[i] = greenlet.New(func(v int) (int, error) {
					for {
						var err error
						if v == 100+ender && i == ender {
							return v, nil
						}
						if v, err = greenlet.SwitchTo(gs[i], gs[(i+1)%n], v+1); err != nil {
							return 0, err
						}
					}
				})
			}
			must(t, "Switch", 100+ender)(gs[0].Switch(0))
			for i, g := range gs {
				if err := g.Close(); err != nil || g.Dead() != true {
					t.Errorf("Close of %d: %v", i, err)
				}
			}
		}
	})
}

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

func TestTrace(t *testing.T) { // settrace(cb) returns old, cb(event in {switch,throw},(origin,target)); gettrace
	both(t, func(t *testing.T) {
		var log []string
		var a, b *ints
		name := func(g greenlet.Any) string {
			switch g {
			case a:
				return "a"
			case b:
				return "b"
			case greenlet.Main():
				return "main"
			}
			return "?"
		}
		a = greenlet.New(func(int) (int, error) { return a.SwitchParent(0) })
		b = greenlet.New(func(int) (int, error) { return 0, errTest })
		tracer := func(event greenlet.Event, origin, target greenlet.Any) {
			if greenlet.Current() != target {
				t.Error("not called in the target")
			}
			log = append(log, fmt.Sprintf("%v %s-%s", event, name(origin), name(target)))
		}
		if old := greenlet.SetTrace(tracer); old != nil {
			t.Error("there was a tracer")
		}
		goruntime.GC()
		if greenlet.Trace() == nil {
			t.Error("the tracer got lost")
		}
		must(t, "Switch", 0)(a.Switch(0))
		must(t, "Throw", 0)(a.Throw(greenlet.ErrExit))
		fails[int](t, "Switch", errTest)(b.Switch(0))
		if old := greenlet.SetTrace(nil); old == nil {
			t.Error("the tracer was removed")
		}
		c := greenlet.New(func(int) (int, error) { return 0, nil })
		must(t, "Switch", 0)(c.Switch(0))
		want := []string{
			"switch main-a", "switch a-main", "throw main-a", "switch a-main",
			"switch main-b", "throw b-main",
		}
		if !slices.Equal(log, want) {
			t.Errorf("log %v, want %v", log, want)
		}
	})
}

func TestTraceIsTheOwners(t *testing.T) {
	clean(t)
	greenlet.SetTrace(func(greenlet.Event, greenlet.Any, greenlet.Any) { t.Error("called") })
	defer func() { greenlet.SetTrace(nil) }()
	apart(func() {
		if greenlet.Trace() != nil {
			t.Error("another goroutine has it too")
		}
		must(t, "Switch", 0)(greenlet.New(func(int) (int, error) { return 0, nil }).Switch(0))
	})
}

func TestPanickingTracer(t *testing.T) { // exception in tracer removes it, and is raised in the target
	both(t, func(t *testing.T) {
		panics := func(greenlet.Event, greenlet.Any, greenlet.Any) { panic("tracer") }
		isTracers := func(err error) bool {
			var p *runtime.PanicError
			return errors.As(err, &p) && p.Value == "tracer"
		}
		greenlet.SetTrace(panics)
		g := greenlet.New(func(int) (int, error) { t.Error("ran"); return 0, nil })
		if _, err := g.Switch(0); !isTracers(err) || !g.Dead() {
			t.Errorf("Switch to an unstarted one = %v", err)
		}
		if greenlet.Trace() != nil {
			t.Error("it was not removed")
		}
		var h *ints
		h = greenlet.New(func(int) (int, error) {
			if _, err := h.SwitchParent(1); !isTracers(err) {
				t.Errorf("SwitchParent = %v", err)
			}
			return 2, nil
		})
		must(t, "Switch", 1)(h.Switch(0))
		greenlet.SetTrace(panics)
		must(t, "Switch", 2)(h.Switch(0))
	})
}

func TestSwitchingTracer(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.New(func(v int) (int, error) { return v, nil })
		greenlet.SetTrace(func(greenlet.Event, greenlet.Any, greenlet.Any) {
			fails[int](t, "Switch", greenlet.ErrTracing)(g.Switch(1))
			if err := greenlet.CloseAll(); err != greenlet.ErrTracing {
				t.Errorf("CloseAll = %v", err)
			}
		})
		must(t, "Switch", 5)(g.Switch(5))
		greenlet.SetTrace(nil)
	})
}

func TestSwitchInACoroutineOfOnesOwn(t *testing.T) { // iter.Pull in user code is a different thread
	both(t, func(t *testing.T) {
		g := greenlet.New(func(v int) (int, error) { return v, nil })
		next, stop := pull(func() { fails[int](t, "Switch", greenlet.ErrOwner)(g.Switch(1)) })
		defer stop()
		next()
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

func TestOwnersAreForgotten(t *testing.T) {
	clean(t)
	goruntime.GC()
	before := greenlet.Owners()
	for range 100 {
		apart(func() {
			must(t, "Switch", 0)(greenlet.New(func(int) (int, error) { return 0, nil }).Switch(0))
		})
	}
	runtimetest.Run(t, 2, func() {
		for range 100 {
			_ = runtime.SpawnBalanced(func() {
				must(t, "Switch", 0)(greenlet.New(func(int) (int, error) { return 0, nil }).Switch(0))
			}).Join()
		}
	})
	runtimetest.Eventually(t, "no owners left", func() bool {
		goruntime.GC()
		return greenlet.Owners() <= before
	})
}

func TestLeftBehind(t *testing.T) { // a task that does is reported
	clean(t)
	var reports []string
	rt, err := runtime.New(runtime.Config{Workers: 1, OnPanic: func(_ *runtime.Task, p *runtime.PanicError) {
		reports = append(reports, fmt.Sprint(p.Value))
	}})
	if err != nil {
		t.Fatal(err)
	}
	var g *ints
	if err := rt.Run(func() error {
		return runtime.Spawn(func() {
			g = greenlet.New(func(int) (int, error) { return g.SwitchParent(1) })
			must(t, "Switch", 1)(g.Switch(0))
		}).Join()
	}); err != nil {
		t.Error(err)
	}
	if err := rt.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if len(reports) != 1 {
		t.Errorf("reports %q", reports)
	}
	if err := greenlet.Reclaim(g); err != nil {
		t.Error(err)
	}
}
