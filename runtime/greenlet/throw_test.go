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
