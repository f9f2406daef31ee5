package event

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// each runs fn with the OnReady of an Event and of a Result, and what sets it.
func each(t *testing.T, fn func(t *testing.T, f *flag, onReady func(func()) func() bool, set func())) {
	t.Run("Event", func(t *testing.T) {
		var e Event
		fn(t, &e.flag, e.OnReady, e.Set)
	})
	t.Run("Result", func(t *testing.T) {
		var r Result[int]
		fn(t, &r.flag, r.OnReady, func() { r.Set(1) })
	})
	t.Run("Result failed", func(t *testing.T) {
		var r Result[int]
		fn(t, &r.flag, r.OnReady, func() { r.Fail(errCause) })
	})
}

// TestOnReady: the functions are called once, in their order, by the one that
// sets and before that returns; the waiting are ready by then. For one that is set
// the function is called inside OnReady.
func TestOnReady(t *testing.T) {
	each(t, func(t *testing.T, f *flag, onReady func(func()) func() bool, set func()) {
		runtimetest.Run(t, 1, func() {
			var order []int
			var cancels []func() bool
			for i := range 5 {
				cancels = append(cancels, onReady(func() { order = append(order, i) }))
			}
			woken := false
			task := runtime.Spawn(func() { _ = f.wait("test", 0); woken = true })
			runtime.Yield()
			if !cancels[2]() || cancels[2]() {
				t.Error("cancel, and once more")
			}
			if n := f.calling(); n != 4 {
				t.Errorf("%d are registered", n)
			}
			onReady(func() {
				if n := f.waits(); n != 0 {
					t.Errorf("%d still wait", n)
				}
			})
			set()
			if !slices.Equal(order, []int{0, 1, 3, 4}) || woken {
				t.Errorf("called %v, woken %v", order, woken)
			}
			if cancels[0]() {
				t.Error("cancel of one that was called")
			}
			set()
			cancel := onReady(func() { order = append(order, 5) })
			if !slices.Equal(order, []int{0, 1, 3, 4, 5}) || cancel() {
				t.Errorf("called %v", order)
			}
			_ = task.Join()
		})
	})
}

// TestOnReadyPanics: the panic of a function keeps no other from being called,
// harms no waiting one, and reaches the one that set.
func TestOnReadyPanics(t *testing.T) {
	each(t, func(t *testing.T, f *flag, onReady func(func()) func() bool, set func()) {
		runtimetest.Run(t, 1, func() {
			var order []int
			var tasks []*runtime.Task
			for i := range 4 {
				tasks = append(tasks, runtime.Spawn(func() {
					if err := f.wait("test", 0); err != nil {
						t.Error(err)
					}
				}))
				onReady(func() {
					order = append(order, i)
					if i == 1 {
						panic("one")
					}
				})
			}
			runtime.Yield()
			func() {
				defer func() {
					if r := recover(); r != "one" {
						t.Errorf("panic %v", r)
					}
				}()
				set()
			}()
			if !slices.Equal(order, []int{0, 1, 2, 3}) || !f.isSet() {
				t.Errorf("called %v", order)
			}
			for _, task := range tasks {
				_ = task.Join()
			}
		})
	})
}

// TestOnReadyCancelsAnother: one that an earlier function takes back is not
// called.
func TestOnReadyCancelsAnother(t *testing.T) {
	each(t, func(t *testing.T, f *flag, onReady func(func()) func() bool, set func()) {
		var cancel func() bool
		onReady(func() {
			if !cancel() {
				t.Error("cancel failed")
			}
		})
		cancel = onReady(func() { t.Error("called") })
		set()
		if f.calling() != 0 {
			t.Error("something is left")
		}
	})
}

// TestLaterRound (D47): what is registered while a Set notifies is not part of
// that, if the event was cleared before.
func TestLaterRound(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var e Event
		calls, waits := 0, 0
		var late *runtime.Task
		e.OnReady(func() {
			e.Clear()
			e.OnReady(func() { calls++ })
			late = runtime.Spawn(func() { _ = e.Wait(); waits++ })
		})
		e.OnReady(func() {})
		e.Set()
		for range 3 {
			runtime.Yield()
		}
		if calls != 0 || waits != 0 {
			t.Errorf("%d calls, %d waits in the same round", calls, waits)
		}
		e.Set()
		_ = late.Join()
		if calls != 1 || waits != 1 {
			t.Errorf("%d calls, %d waits in the next round", calls, waits)
		}
	})
}

// TestOnReadyStress: many set, register and take back at once; each function is
// called or taken back, never both.
func TestOnReadyStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var e Event
	var registered, called, canceled atomic.Int32
	var joins []func()
	for i := range 6 {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			for j := range 500 {
				cancel := e.OnReady(func() { called.Add(1) })
				registered.Add(1)
				switch (i + j) % 3 {
				case 0:
					e.Set()
				case 1:
					e.Clear()
				case 2:
					if cancel() {
						canceled.Add(1)
					}
				}
			}
		}))
	}
	for _, join := range joins {
		join()
	}
	e.Set()
	if registered.Load() != called.Load()+canceled.Load() || e.flag.calling() != 0 {
		t.Errorf("%d registered, %d called, %d taken back", registered.Load(), called.Load(), canceled.Load())
	}
}

// TestEventDuel: a task and a goroutine, and tasks of two workers, wake each
// other 10,000 times, and no wake is lost.
func TestEventDuel(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, second := range []int{1, 2} {
		const times = 10_000
		there, back := make([]Event, times), make([]Result[int], times)
		join := runtimetest.Start(rt, second, func() {
			for i := range times {
				_ = there[i].Wait()
				back[i].Set(i)
			}
		})
		runtimetest.Start(rt, 0, func() {
			for i := range times {
				there[i].Set()
				value, err := back[i].Get()
				got(t, value, err, i, nil)
			}
		})()
		join()
	}
}

// TestOnReadyFromGoroutine: fn runs where Set is called.
func TestOnReadyFromGoroutine(t *testing.T) {
	var e Event
	var wg sync.WaitGroup
	wg.Add(1)
	e.OnReady(func() {
		if runtime.Current() != nil {
			t.Error("in a task")
		}
		wg.Done()
	})
	go e.Set()
	wg.Wait()
	e.Clear()
	runtimetest.Run(t, 1, func() {
		e.OnReady(func() {
			if runtime.Current() == nil {
				t.Error("not in the task that sets")
			}
		})
		e.Set()
	})
}
