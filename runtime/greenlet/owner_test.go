package greenlet_test

import (
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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

func TestSwitchInACoroutineOfOnesOwn(t *testing.T) { // iter.Pull in user code is a different thread
	both(t, func(t *testing.T) {
		g := greenlet.New(func(v int) (int, error) { return v, nil })
		next, stop := pull(func() { fails[int](t, "Switch", greenlet.ErrOwner)(g.Switch(1)) })
		defer stop()
		next()
	})
}

func TestOwnersAreForgotten(t *testing.T) {
	clean(t)
	goruntime.GC()
	before := greenlet.Owners()
	for range 100 {
		apart(func() {
			must(t, "Switch", 0)(greenlet.New(func(int) (int, error) { return 0, nil }).Switch(0))
			fails[int](t, "Next", greenlet.ErrDone)(upTo(0).Next())
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
