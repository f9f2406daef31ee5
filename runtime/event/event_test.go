package event

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestSet (D43, D46) wakes all that wait, and lets through those that come later, until
// Clear.
func TestSet(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var e Event
	if e.IsSet() {
		t.Error("the zero Event is set")
	}
	for range 2 {
		var joins []func()
		for i := range 12 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				if err := e.Wait(); err != nil {
					t.Error(err)
				}
			}))
		}
		waits(t, &e, 12)
		e.Set()
		for _, join := range joins {
			join()
		}
		e.Set() // again
		for i := range 3 {
			runtimetest.Start(rt, i, func() {
				if err := e.Wait(); err != nil || !e.IsSet() {
					t.Error(err)
				}
			})()
		}
		e.Clear()
		e.Clear()
		if e.IsSet() {
			t.Error("set after Clear")
		}
		waits(t, &e, 0)
	}
}

// TestSetOrder (D43): tasks of a worker go on in the order they came.
func TestSetOrder(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var e Event
		var order []int
		var tasks []*runtime.Task
		for i := range 10 {
			tasks = append(tasks, runtime.Spawn(func() {
				if err := e.Wait(); err != nil {
					t.Error(err)
				}
				order = append(order, i)
			}))
		}
		runtime.Yield()
		e.Set()
		for _, task := range tasks {
			_ = task.Join()
		}
		if !slices.IsSorted(order) || len(order) != 10 {
			t.Errorf("order %v", order)
		}
	})
}

// TestPulse (D43, D47): Set followed by Clear at once wakes all that waited, and on the
// same worker none that come after.
func TestPulse(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var e Event
	for range 20 {
		var joins []func()
		for i := range 6 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				if err := e.Wait(); err != nil {
					t.Error(err)
				}
			}))
		}
		waits(t, &e, 6)
		e.Set()
		e.Clear()
		for _, join := range joins {
			join()
		}
	}
	runtimetest.RunOn(t, rt, func() {
		task := runtime.Spawn(func() {
			if err := e.Wait(); err != nil {
				t.Error(err)
			}
			if err := e.WaitUntil(1); err != runtime.ErrTimeout {
				t.Errorf("a later wait: %v", err)
			}
		})
		runtime.Yield()
		e.Set()
		e.Clear()
		_ = task.Join()
	})
}

// TestGiveUp (D45): one that is killed, or times out, is forgotten, and the others
// are woken.
func TestGiveUp(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var e Event
	var errs [5]error
	var tasks [5]*runtime.Task
	for i := range tasks {
		tasks[i] = rt.Workers()[i%2].Spawn(func() {
			switch i {
			case 1:
				errs[i] = runtime.WithTimeout(time.Microsecond, e.Wait)
			case 3:
				errs[i] = e.WaitUntil(runtime.Now().Add(time.Microsecond))
			default:
				errs[i] = e.Wait()
			}
		})
	}
	_ = tasks[1].Join()
	_ = tasks[3].Join()
	waits(t, &e, 3)
	tasks[2].Kill(nil)
	_ = tasks[2].Join()
	waits(t, &e, 2)
	e.Set()
	for _, task := range tasks {
		_ = task.Join()
	}
	for i, want := range []error{nil, runtime.ErrTimeout, runtime.ErrKilled, runtime.ErrTimeout, nil} {
		if !errors.Is(errs[i], want) {
			t.Errorf("party %d: %v", i, errs[i])
		}
	}
	waits(t, &e, 0)
}

// TestKilledMeanwhile: set and killed at one instant, a wait has one result.
func TestKilledMeanwhile(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for _, first := range []string{"set", "kill"} {
			var e Event
			var err error
			waited := false
			task := runtime.Spawn(func() { err = e.Wait(); waited = true })
			runtime.Yield()
			if first == "set" {
				e.Set()
				task.Kill(nil)
			} else {
				task.Kill(nil)
				e.Set()
			}
			_ = task.Join()
			if errors.Is(err, runtime.ErrKilled) != (first == "kill") || !waited {
				t.Errorf("%s first: %v", first, err)
			}
		}
	})
}

// TestOnHub: on the hub an event that is not set can't be waited for.
func TestOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var e Event
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		if err := e.Wait(); err != runtime.ErrNotInTask {
			t.Error(err)
		}
		e.Set()
		if err := e.Wait(); err != nil {
			t.Error(err)
		}
	})
	<-done
	waits(t, &e, 0)
}

// TestStress: parties wait, set and clear at once, some with deadlines, some
// killed. Nobody waits for ever once the event is set for good.
func TestStress(t *testing.T) {
	rt := runtimetest.New(t, 3)
	var e Event
	var rounds atomic.Int32
	var joins []func()
	var victims []*runtime.Task
	for i := range 24 {
		work := func() {
			for j := range 300 {
				switch (i + j) % 4 {
				case 0:
					e.Set()
				case 1:
					e.Clear()
				case 2:
					_ = e.WaitUntil(runtime.Now().Add(time.Duration(j) * time.Microsecond))
				case 3:
					e.Set()
					_ = e.WaitUntil(runtime.Now().Add(time.Hour)) // somebody sets it
				}
				rounds.Add(1)
			}
		}
		if i%4 == 0 {
			victims = append(victims, rt.Spawn(work))
			continue
		}
		joins = append(joins, runtimetest.Start(rt, i, work))
	}
	for i, task := range victims {
		runtimetest.Eventually(t, "progress", func() bool { return rounds.Load() > int32(i*50) })
		task.Kill(nil)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, join := range joins {
			join()
		}
		for _, task := range victims {
			_ = task.Join()
		}
	}()
	// Parties end, and with them those who set: so set for the last ones.
	runtimetest.Eventually(t, "the end", func() bool {
		e.Set()
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	waits(t, &e, 0)
}
