package lock

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// sem is what all semaphores have in common.
type sem interface {
	Acquire() error
	AcquireUntil(runtime.Instant) error
	TryAcquire() bool
	Release()
	Count() int
}

var (
	_ sem = (*Semaphore)(nil)
	_ sem = (*BoundedSemaphore)(nil)
	_ sem = DummySemaphore{}
)

// eachSemaphore runs fn with each kind that has n units.
func eachSemaphore(t *testing.T, n int, fn func(t *testing.T, s sem)) {
	t.Run("Semaphore", func(t *testing.T) { fn(t, NewSemaphore(n)) })
	t.Run("BoundedSemaphore", func(t *testing.T) { fn(t, NewBoundedSemaphore(n)) })
}

// TestSemaphoreGivesUp (D63): an Acquire that times out, and a TryAcquire that
// finds nothing, leave the count as it is; from tasks and goroutines.
func TestSemaphoreGivesUp(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		eachSemaphore(t, 1, func(t *testing.T, s sem) {
			runtimetest.Start(rt, i, func() {
				wantErr(t, "Acquire", s.AcquireUntil(past), nil) // no wait, so no deadline
				for _, deadline := range []runtime.Instant{past, soon()} {
					wantErr(t, "AcquireUntil", s.AcquireUntil(deadline), runtime.ErrTimeout)
					want(t, "TryAcquire", s.TryAcquire(), false)
					want(t, "Count", s.Count(), 0)
					want(t, "waiting", s.(interface{ waits() int }).waits(), 0)
				}
				s.Release()
				want(t, "Count", s.Count(), 1)
				want(t, "TryAcquire", s.TryAcquire(), true)
			})()
		})
	}
}

// TestSemaphoreOrder (D64): units go to those that wait in the order they came,
// wherever they come from, and an Acquire between does not overtake.
func TestSemaphoreOrder(t *testing.T) {
	rt := runtimetest.New(t, 2)
	eachSemaphore(t, 1, func(t *testing.T, s sem) {
		_ = s.Acquire()
		var order []int // the unit guards
		var joins []func()
		for i := range 12 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				wantErr(t, "Acquire", s.Acquire(), nil)
				order = append(order, i)
				s.Release()
			}))
			queued(t, s.(interface{ waits() int }), i+1)
		}
		s.Release()
		for _, join := range joins {
			join()
		}
		if !slices.IsSorted(order) || len(order) != 12 {
			t.Errorf("order %v", order)
		}
		want(t, "Count", s.Count(), 1)
	})
}

// TestSemaphoreThreeTasks (D64): three tasks that release and acquire in a loop,
// on one worker without any other switch, all have their turns.
func TestSemaphoreThreeTasks(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := NewSemaphore(1)
		var turns [3]int
		total := 0
		var tasks []*runtime.Task
		for i := range turns {
			tasks = append(tasks, runtime.Spawn(func() {
				for total < 300 {
					_ = s.Acquire()
					turns[i]++
					total++
					runtime.Yield() // the others come to wait
					s.Release()
				}
			}))
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		for i, n := range turns {
			if n < 99 {
				t.Errorf("task %d had %d turns: %v", i, n, turns)
			}
		}
	})
}

// TestSemaphoreNoBarging (D65): a unit that was released is the waiting party's
// before that has run.
func TestSemaphoreNoBarging(t *testing.T) {
	eachSemaphore(t, 1, func(t *testing.T, s sem) {
		runtimetest.Run(t, 1, func() {
			_ = s.Acquire()
			ran := false
			task := runtime.Spawn(func() { _ = s.Acquire(); ran = true; s.Release() })
			runtime.Yield()
			s.Release()
			want(t, "Count", s.Count(), 0)
			want(t, "TryAcquire", s.TryAcquire(), false)
			_ = s.Acquire()
			want(t, "the other had its turn first", ran, true)
			s.Release()
			_ = task.Join()
		})
	})
}

// TestOverRelease (D66): a BoundedSemaphore refuses a Release too many, and
// harms nothing; a Semaphore takes it as one unit more.
func TestOverRelease(t *testing.T) {
	s := NewBoundedSemaphore(2)
	_ = s.Acquire()
	s.Release()
	for range 2 {
		func() {
			defer func() {
				err, _ := recover().(error)
				if !errors.Is(err, ErrOverRelease) || !strings.HasPrefix(err.Error(), "lock: ") {
					t.Errorf("panic %v", err)
				}
			}()
			s.Release()
			t.Error("Release returned")
		}()
		want(t, "Count", s.Count(), 2)
	}
	var free Semaphore
	want(t, "TryAcquire of the zero Semaphore", free.TryAcquire(), false)
	free.Release()
	free.Release()
	want(t, "Count", free.Count(), 2)
}

// TestSemaphoreMisuse has sizes that make no sense.
func TestSemaphoreMisuse(t *testing.T) {
	wantPanic(t, "lock: negative number of units", func() { NewSemaphore(-1) })
	wantPanic(t, "lock: negative number of units", func() { NewBoundedSemaphore(-1) })
	wantPanic(t, "lock: BoundedSemaphore of 0 released more often than acquired", new(BoundedSemaphore).Release)
}

func TestDummySemaphore(t *testing.T) {
	var s DummySemaphore
	for range 3 {
		want(t, "Acquire", s.Acquire(), nil)
		want(t, "AcquireUntil", s.AcquireUntil(past), nil)
		want(t, "TryAcquire", s.TryAcquire(), true)
	}
	s.Release()
	want(t, "Count", s.Count(), math.MaxInt)
}

// TestSemaphoreKill (9 of our own): a unit that comes to one that was killed just
// before, and has not run since, passes on to the next, or is there to take.
func TestSemaphoreKill(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for _, survivors := range []int{0, 1} {
			s := NewSemaphore(0)
			errs := make([]error, 2+survivors)
			var tasks []*runtime.Task
			for i := range errs {
				tasks = append(tasks, runtime.Spawn(func() { errs[i] = s.Acquire() }))
			}
			runtime.Yield()
			tasks[0].Kill(errCause)
			tasks[1].Kill(errCause)
			s.Release()
			for i, task := range tasks {
				_ = task.Join()
				if i < 2 {
					wantErr(t, "Acquire", errs[i], errCause)
				} else {
					wantErr(t, "Acquire", errs[i], nil)
				}
			}
			want(t, "Count", s.Count(), 1-survivors)
			want(t, "waiting", s.waits(), 0)
		}
	})
}

// TestSemaphoreOnHub: on the hub units can be had and released, not waited for.
func TestSemaphoreOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	s := NewSemaphore(0)
	done := make(chan struct{})
	join := runtimetest.Start(rt, 0, func() { wantErr(t, "Acquire", s.Acquire(), nil) })
	queued(t, s, 1)
	rt.Workers()[0].Post(func() {
		defer close(done)
		s.Release()
		want(t, "TryAcquire", s.TryAcquire(), false)
		wantErr(t, "Acquire", s.Acquire(), runtime.ErrNotInTask)
		s.Release()
		want(t, "TryAcquire", s.TryAcquire(), true)
	})
	<-done
	join()
	want(t, "waiting", s.waits(), 0)
}

// TestSemaphoreStress: never are there more holders than units, and no unit is
// lost, while parties come, time out and are killed.
func TestSemaphoreStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	const units = 3
	s := NewBoundedSemaphore(units)
	var holders, rounds atomic.Int32
	work := func(i int) {
		for j := range 200 {
			var deadline runtime.Instant
			if (i+j)%3 == 0 {
				deadline = runtime.Now().Add(time.Duration(j) * time.Microsecond)
			}
			if s.AcquireUntil(deadline) != nil {
				continue
			}
			func() {
				defer s.Release() // a kill may unwind Yield
				defer holders.Add(-1)
				if n := holders.Add(1); n > units {
					t.Errorf("%d holders", n)
				}
				rounds.Add(1)
				if j%5 == 0 {
					runtime.Yield()
				}
			}()
		}
	}
	var joins []func()
	var victims []*runtime.Task
	for i := range 18 {
		if i%6 == 0 {
			victims = append(victims, rt.Spawn(func() { work(i) }))
			continue
		}
		joins = append(joins, runtimetest.Start(rt, i, func() { work(i) }))
	}
	for i, task := range victims {
		runtimetest.Eventually(t, "progress", func() bool { return rounds.Load() > int32(i*20) })
		task.Kill(nil)
	}
	for _, join := range joins {
		join()
	}
	for _, task := range victims {
		_ = task.Join()
	}
	want(t, "Count", s.Count(), units)
	want(t, "waiting", s.waits(), 0)
}
