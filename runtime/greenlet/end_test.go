package greenlet_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// leaveSuspended leaves a greenlet, one that is in a generator's function, and a
// generator. Each logs its end, before which it waits.
func leaveSuspended(t *testing.T, log *[]string) {
	self := runtime.Current()
	ends := func(name string) {
		runtime.Sleep(time.Microsecond)
		if runtime.Current() != self {
			t.Errorf("the deferred function of %s is not in the task", name)
		}
		*log = append(*log, name)
	}
	var a, b *ints
	a = greenlet.New(func(int) (int, error) {
		defer ends("a")
		return a.SwitchParent(0)
	})
	b = greenlet.New(func(int) (int, error) {
		gen := greenlet.NewGenerator(func(*yell) error {
			defer ends("b")
			_, err := b.SwitchParent(0)
			return err
		})
		return gen.Next()
	})
	c := greenlet.NewGenerator(func(y *yell) error {
		defer ends("c")
		y.Yield(0)
		return nil
	})
	must(t, "a.Switch", 0)(a.Switch(0))
	must(t, "b.Switch", 0)(b.Switch(0))
	must(t, "c.Next", 0)(c.Next())
}

// GreenletExit is raised in greenlets that are suspended when their task ends,
// however it does. Their deferred functions run in the task, which may wait, and
// its result does not change.
func TestEndOfTheTask(t *testing.T) {
	clean(t)
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(_ *runtime.Task, p *runtime.PanicError) {
		if p.Value != "thud" {
			t.Errorf("reported %v", p)
		}
	}})
	runtimetest.RunOn(t, rt, func() {
		for name, end := range map[string]struct {
			fn  func()
			err func(error) bool
		}{
			"return": {func() {}, func(err error) bool { return err == nil }},
			"panic": {func() { panic("thud") }, func(err error) bool {
				var p *runtime.PanicError
				return errors.As(err, &p)
			}},
			"kill":   {func() { runtime.Current().Kill(errTest) }, isKill},
			"goexit": {goruntime.Goexit, func(err error) bool { return err == runtime.ErrGoexit }},
		} {
			var log []string
			err := runtime.Spawn(func() {
				leaveSuspended(t, &log)
				end.fn()
			}).Join()
			if !end.err(err) {
				t.Errorf("%s: Join = %v", name, err)
			}
			if want := []string{"c", "b", "a"}; !slices.Equal(log, want) {
				t.Errorf("%s: log %q, want %q", name, log, want)
			}
		}
	})
}

// Stop ends tasks that wait in a greenlet, with all the others that they have.
func TestStopWithGreenlets(t *testing.T) {
	clean(t)
	rt, err := runtime.New(runtime.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	const tasks = 20
	var logs [tasks][]string
	waiting := make(chan struct{}, tasks)
	for i := range tasks {
		rt.Spawn(func() {
			leaveSuspended(t, &logs[i])
			g := greenlet.New(func(int) (int, error) {
				defer func() { logs[i] = append(logs[i], "waiting") }()
				waiting <- struct{}{}
				runtime.Sleep(time.Hour)
				return 0, nil
			})
			_, _ = g.Switch(0)
		})
	}
	for range tasks {
		<-waiting
	}
	ctx, cancel := context.WithTimeout(t.Context(), runtimetest.Patience)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for i, log := range logs {
		if want := []string{"waiting", "c", "b", "a"}; !slices.Equal(log, want) {
			t.Errorf("task %d: log %q, want %q", i, log, want)
		}
	}
	if s := rt.Stats(); s.Coroutines != 0 {
		t.Errorf("%d coroutines are left", s.Coroutines)
	}
}

// The errors of greenlets that end with their task have nobody to go to but
// Config.OnPanic.
func TestEndOfTheTaskFails(t *testing.T) {
	clean(t)
	var reports []string
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(task *runtime.Task, p *runtime.PanicError) {
		if task == nil || len(p.Stack) == 0 {
			t.Errorf("reported without a task or stack: %v", p)
		}
		reports = append(reports, fmt.Sprint(p.Value))
	}})
	var after bool
	runtimetest.RunOn(t, rt, func() {
		start := func(fn func(g *ints) (int, error)) {
			var g *ints
			g = greenlet.New(func(int) (int, error) { return fn(g) })
			must(t, "Switch", 0)(g.Switch(0))
		}
		err := runtime.Spawn(func() {
			start(func(g *ints) (int, error) { // the last one to be ended
				defer func() { after = true }()
				return g.SwitchParent(0)
			})
			start(func(g *ints) (int, error) {
				_, _ = g.SwitchParent(0)
				return 0, errTest
			})
			start(func(g *ints) (int, error) {
				_, _ = g.SwitchParent(0)
				panic("thud")
			})
			start(func(g *ints) (int, error) {
				for {
					_, _ = g.SwitchParent(0)
				}
			})
		}).Join()
		if err != nil {
			t.Errorf("Join = %v", err)
		}
	})
	want := []string{greenlet.ErrIgnored.Error(), "thud", errTest.Error()}
	if !slices.EqualFunc(reports, want, strings.HasSuffix) || !after {
		t.Errorf("reports %q, want %q; the last one ended: %t", reports, want, after)
	}
}

// A Goexit, or a kill that comes while one of them waits, ends that one, and the
// others after it.
func TestEndOfTheTaskIsInterrupted(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for name, fn := range map[string]func(){
			"goexit": goruntime.Goexit,
			"kill":   func() { runtime.Sleep(time.Hour) },
		} {
			for _, kind := range []string{"greenlet", "generator"} {
				var log []string
				task := runtime.Spawn(func() {
					leaveSuspended(t, &log)
					if kind == "greenlet" {
						var g *ints
						g = greenlet.New(func(int) (int, error) {
							defer fn()
							return g.SwitchParent(0)
						})
						must(t, "Switch", 0)(g.Switch(0))
						return
					}
					g := greenlet.NewGenerator(func(y *yell) error {
						defer fn()
						_, err := y.YieldErr(0)
						return err
					})
					must(t, "Next", 0)(g.Next())
				})
				runtime.Yield()
				var want error = runtime.ErrGoexit
				if name == "kill" {
					task.Kill(nil)
					want = nil
				}
				if err := task.Join(); err != want {
					t.Errorf("%s in a %s: Join = %v", name, kind, err)
				}
				if want := []string{"c", "b", "a"}; !slices.Equal(log, want) {
					t.Errorf("%s in a %s: log %q, want %q", name, kind, log, want)
				}
			}
		}
	})
}

// A task that runs on the coroutine of one that has ended has greenlets of its
// own, also if a callback at that one's end had some.
func TestNextTaskOfTheCoroutine(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var before greenlet.Any
		first := runtime.Spawn(func() { fails[int](t, "Next", greenlet.ErrDone)(upTo(0).Next()) })
		first.OnDone(func(*runtime.Task) { before = greenlet.Current() })
		if err := first.Join(); err != nil {
			t.Error(err)
		}
		second := runtime.Spawn(func() {
			if greenlet.Current() == before {
				t.Error("the main greenlet is the callback's")
			}
			g := greenlet.New(func(int) (int, error) {
				runtime.Sleep(time.Microsecond)
				return 1, nil
			})
			must(t, "Switch", 1)(g.Switch(0))
		})
		if err := second.Join(); err != nil {
			t.Error(err)
		}
		goruntime.KeepAlive(before)
	})
}
