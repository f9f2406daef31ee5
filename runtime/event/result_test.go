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

var errCause = errors.New("cause")

// got fails the test unless what a call returned is what it should.
func got[T comparable](t *testing.T, value T, err error, wantValue T, wantErr error) {
	t.Helper()
	if value != wantValue || !errors.Is(err, wantErr) {
		t.Errorf("got %v, %v; want %v, %v", value, err, wantValue, wantErr)
	}
}

// TestResultValue: all that wait get the value, and those that come later, too;
// it is set once.
func TestResultValue(t *testing.T) { // D46
	rt := runtimetest.New(t, 2)
	var r Result[string]
	_, err := r.TryGet()
	got(t, "", err, "", ErrNotReady) // D49
	if r.Ready() || r.Successful() {
		t.Error("the zero Result is ready")
	}
	var joins []func()
	for i := range 12 {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			value, err := r.Get()
			got(t, value, err, "value", nil)
		}))
	}
	runtimetest.Eventually(t, "all wait", func() bool { return r.flag.waits() == 12 })
	if !r.Set("value") || r.Set("another") || r.Fail(errCause) {
		t.Error("set not once")
	}
	for _, join := range joins {
		join()
	}
	for range 2 {
		for i := range 3 {
			runtimetest.Start(rt, i, func() {
				value, err := r.Get()
				got(t, value, err, "value", nil)
				value, err = r.TryGet()
				got(t, value, err, "value", nil)
				value, err = r.GetUntil(1) // no wait, so no deadline
				got(t, value, err, "value", nil)
			})()
		}
	}
	if !r.Ready() || !r.Successful() {
		t.Error("not ready after Set")
	}
}

// TestResultError (D48): Get returns the same error every time, to those that
// waited and those that come later.
func TestResultError(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var r Result[int]
	err := errors.New("failed")
	var joins []func()
	for i := range 6 {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			for range 2 {
				if value, e := r.Get(); value != 0 || e != err {
					t.Error(value, e)
				}
			}
		}))
	}
	runtimetest.Eventually(t, "all wait", func() bool { return r.flag.waits() == 6 })
	if !r.Fail(err) || r.Fail(errCause) || r.Set(1) {
		t.Error("set not once")
	}
	for _, join := range joins {
		join()
	}
	if value, e := r.TryGet(); value != 0 || e != err {
		t.Error(value, e)
	}
	if !r.Ready() || r.Successful() {
		t.Error("Ready, Successful:", r.Ready(), r.Successful())
	}
	defer func() {
		if text := recover(); text != "event: Fail without an error" {
			t.Errorf("panic %v", text)
		}
	}()
	new(Result[int]).Fail(nil)
}

// TestResultGiveUp (D45, D49): a Get that times out, or is killed, returns its
// own error and leaves the result as it is.
func TestResultGiveUp(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var r Result[int]
	for i := range 3 {
		runtimetest.Start(rt, i, func() {
			for _, deadline := range []runtime.Instant{1, runtime.Now().Add(time.Millisecond)} {
				value, err := r.GetUntil(deadline)
				got(t, value, err, 0, runtime.ErrTimeout)
			}
		})()
	}
	task := rt.Spawn(func() {
		value, err := r.Get()
		got(t, value, err, 0, errCause)
	})
	runtimetest.Eventually(t, "a wait", func() bool { return r.flag.waits() == 1 })
	task.Kill(errCause)
	_ = task.Join()
	if r.Ready() || r.flag.waits() != 0 || !r.Set(1) {
		t.Error("not as it was")
	}
}

// TestResultOnHub: on the hub a result can be set and tried, not waited for.
func TestResultOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var r Result[int]
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		value, err := r.Get()
		got(t, value, err, 0, runtime.ErrNotInTask)
		r.Set(1)
		value, err = r.Get()
		got(t, value, err, 1, nil)
	})
	<-done
}

// TestSetOnce: of many that set at once, one does.
func TestSetOnce(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for range 50 {
		var r Result[int]
		var winner atomic.Int32
		var joins []func()
		for i := range 6 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				if i == 5 {
					if r.Fail(errCause) {
						winner.Add(100)
					}
				} else if r.Set(i + 1) {
					winner.Add(int32(i + 1))
				}
			}), runtimetest.Start(rt, i+1, func() {
				value, err := r.Get()
				if err == nil && (value < 1 || value > 5) || err != nil && err != errCause {
					t.Error(value, err)
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		want := winner.Load()
		if value, err := r.TryGet(); err == nil && int32(value) != want || err != nil && want != 100 {
			t.Errorf("%v, %v; winner %d", value, err, want)
		}
	}
}

// TestSetFromGoroutine (D50): a Set from a goroutine wakes a task, whether its
// worker is busy with other tasks or asleep.
func TestSetFromGoroutine(t *testing.T) {
	for _, busy := range []bool{false, true} {
		rt := runtimetest.New(t, 1)
		stop := false // of rt's worker alone
		if busy {
			rt.Spawn(func() {
				for !stop {
					runtime.Yield()
				}
			})
		}
		for range 200 {
			var e Event
			var r Result[int]
			task := rt.Spawn(func() {
				if err := e.Wait(); err != nil {
					t.Error(err)
				}
				value, err := r.Get()
				got(t, value, err, 1, nil)
			})
			runtimetest.Eventually(t, "a wait", func() bool { return e.flag.waits() == 1 })
			e.Set()
			runtimetest.Eventually(t, "a wait", func() bool { return r.flag.waits() == 1 })
			r.Set(1)
			_ = task.Join()
		}
		_ = rt.Spawn(func() { stop = true }).Join()
	}
}

// TestManyWaiters (D43): a Set followed by a Clear at once wakes all that wait, in
// the order they came, be it 1, 100 or 1000; and again in a second round.
func TestManyWaiters(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for _, n := range []int{1, 100, 1000} {
			var e Event
			for range 2 {
				var order []int
				var tasks []*runtime.Task
				for i := range n {
					tasks = append(tasks, runtime.Spawn(func() {
						if err := e.Wait(); err != nil {
							t.Error(err)
						}
						order = append(order, i)
					}))
				}
				for e.flag.waits() < n {
					runtime.Yield()
				}
				e.Set()
				e.Clear()
				for _, task := range tasks {
					_ = task.Join()
				}
				if len(order) != n || !slices.IsSorted(order) {
					t.Errorf("of %d, %d went on: %v", n, len(order), order)
				}
			}
		}
	})
}

// TestWaitOnSet (D44, D46): Wait on an event that is set returns at once, without
// a turn of the other tasks, time and again; those that waited before have been
// made ready earlier.
func TestWaitOnSet(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var e Event
		var order []string
		waiting := runtime.Spawn(func() { _ = e.Wait(); order = append(order, "earlier") })
		runtime.Yield()
		e.Set()
		other := runtime.Spawn(func() { order = append(order, "other") })
		for range 2 {
			if err := e.Wait(); err != nil {
				t.Error(err)
			}
		}
		order = append(order, "at once")
		_, _ = waiting.Join(), other.Join()
		if !slices.Equal(order, []string{"at once", "earlier", "other"}) {
			t.Errorf("order %v", order)
		}
	})
}
