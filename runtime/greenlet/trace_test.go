package greenlet_test

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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

func TestTraceIsKept(t *testing.T) { // without any greenlet yet
	both(t, func(t *testing.T) {
		calls := 0
		greenlet.SetTrace(func(greenlet.Event, greenlet.Any, greenlet.Any) { calls++ })
		for range 3 {
			goruntime.GC()
		}
		must(t, "Switch", 0)(greenlet.New(func(int) (int, error) { return 0, nil }).Switch(0))
		if greenlet.SetTrace(nil); calls != 2 {
			t.Errorf("%d calls", calls)
		}
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

func TestKillInATracer(t *testing.T) { // it goes on in the target
	runtimetest.Run(t, 1, func() {
		for _, started := range []bool{false, true} {
			err := killed(func() {
				var g *ints
				g = greenlet.New(func(int) (int, error) {
					v, err := g.SwitchParent(1)
					t.Errorf("SwitchParent = %v, %v", v, err)
					return 0, nil
				})
				if started {
					must(t, "Switch", 1)(g.Switch(0))
				}
				greenlet.SetTrace(func(greenlet.Event, greenlet.Any, greenlet.Any) { runtime.Sleep(time.Hour) })
				v, err := g.Switch(0)
				t.Errorf("Switch = %v, %v", v, err)
			})
			if !isKill(err) {
				t.Errorf("started %t: Join = %v", started, err)
			}
		}
	})
}
