package greenlet_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime/greenlet"
)

// The comments on tests name the line of greenlet's semantics that they are about.

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
		var ended greenlet.Any
		apart(func() { ended = greenlet.Main() })
		if err := a.SetParent(ended); err != greenlet.ErrOwner { // not to dead thread
			t.Errorf("to that of a goroutine that has ended: %v", err)
		}
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
