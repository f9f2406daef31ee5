package queue_test

import (
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
)

func TestTimedOutGetterEatsNoItem(t *testing.T) { // D53
	eachAndChannel(t, 0, func(t *testing.T, q face) {
		for _, deadline := range []runtime.Instant{past, soon()} {
			_, err := q.GetUntil(deadline)
			wantErr(t, "GetUntil", err, runtime.ErrTimeout)
			noTrace(t, q)
		}
		putter := runtime.Spawn(func() { put(t, q, 7) })
		settle()
		want(t, "item", get(t, q), 7)
		joinAll(t, []*runtime.Task{putter})
	})
}

// dead has tasks that wait in fn until they are ended by a deadline, a
// WithTimeout and a kill, and calls meanwhile in the turn of the worker in which
// they have been ended, but have not run since.
func dead(t *testing.T, fn func(runtime.Instant) error, meanwhile func()) {
	t.Helper()
	d := time.Millisecond
	for !deadWithin(t, d, fn, meanwhile) {
		d *= 2 // the machine is busy: not all waited before the first timer was due
	}
}

// deadWithin is dead with timers that are due after d. It reports false, and has
// not called meanwhile, if they were due too early.
func deadWithin(t *testing.T, d time.Duration, fn func(runtime.Instant) error, meanwhile func()) bool {
	t.Helper()
	errs := make([]error, 3)
	due := runtime.Now().Add(d)
	deadline := due.Add(d) // behind all that first needs
	last := deadline       // when all timers are due
	inTime := false
	var timed, within, killed *runtime.Task
	first := runtime.Spawn(func() {
		runtime.Sleep(due.Sub(runtime.Now()))
		if inTime {
			killed.Kill(errCause)
			meanwhile()
		}
	})
	timed = runtime.Spawn(func() { errs[0] = fn(deadline) })
	within = runtime.Spawn(func() {
		left := deadline.Sub(runtime.Now())
		errs[1] = runtime.WithTimeout(left, func() error {
			last = runtime.Now().Add(left) // no earlier than the timer
			return fn(0)
		})
	})
	killed = runtime.Spawn(func() { errs[2] = fn(0) })
	settle()
	if inTime = runtime.Now() < due; !inTime {
		for _, task := range []*runtime.Task{first, timed, within, killed} {
			task.Kill(nil)
			_ = task.Join()
		}
		return false
	}
	for runtime.Now() < last.Add(time.Millisecond) {
		// The worker is held up, so that all timers fire at once, first's first.
	}
	joinAll(t, []*runtime.Task{first, timed, within, killed})
	wantErr(t, "own deadline", errs[0], runtime.ErrTimeout)
	wantErr(t, "WithTimeout", errs[1], runtime.ErrTimeout)
	wantErr(t, "kill", errs[2], runtime.ErrKilled)
	wantErr(t, "kill", errs[2], errCause)
	return true
}

func TestDeadGettersLeaveTheItem(t *testing.T) { // D53
	each(t, 0, func(t *testing.T, q face) {
		dead(t, func(deadline runtime.Instant) error { _, err := q.GetUntil(deadline); return err },
			func() { put(t, q, 7) })
		noTrace(t, q)
		want(t, "Len", q.Len(), 1)
		want(t, "item", get(t, q), 7)
	})
}

func TestDeadPuttersLeaveNoItem(t *testing.T) { // D54
	each(t, 1, func(t *testing.T, q face) {
		put(t, q, 1)
		dead(t, func(deadline runtime.Instant) error { return q.PutUntil(2, deadline) },
			func() { want(t, "item", get(t, q), 1) })
		noTrace(t, q)
		want(t, "Len", q.Len(), 0)
		put(t, q, 3)
		want(t, "item", get(t, q), 3)
	})
}

// TestTheOneBehindTheDeadIsServed has one that has been killed, and has not run
// since, in front of another.
func TestTheOneBehindTheDeadIsServed(t *testing.T) { // D53 D54
	eachAndChannel(t, 1, func(t *testing.T, q face) {
		gone := runtime.Spawn(func() { _, _ = q.Get() })
		got := 0
		next := runtime.Spawn(func() { got = get(t, q) })
		settle()
		gone.Kill(nil)
		put(t, q, 5)
		joinAll(t, []*runtime.Task{gone, next})
		want(t, "item", got, 5)

		if q.Cap() == 1 {
			put(t, q, 6)
		}
		gone = runtime.Spawn(func() { _ = q.Put(7) })
		next = runtime.Spawn(func() { put(t, q, 8) })
		settle()
		gone.Kill(nil)
		if q.Cap() == 1 {
			want(t, "item", get(t, q), 6)
		}
		want(t, "item", get(t, q), 8)
		joinAll(t, []*runtime.Task{gone, next})
		noTrace(t, q)
	})
}

// TestSwallowedKill has a task that caught the panic of a kill. Its next wait
// unwinds it, and must leave the queue, too.
func TestSwallowedKill(t *testing.T) { // own behaviour 2
	eachAndChannel(t, 0, func(t *testing.T, q face) {
		after := false
		task := runtime.Spawn(func() {
			func() {
				defer func() { _ = recover() }()
				runtime.Sleep(time.Hour)
			}()
			_, _ = q.Get()
			after = true
		})
		settle()
		task.Kill(nil)
		wantErr(t, "Join", task.Join(), runtime.ErrKilled)
		want(t, "went on", after, false)
		noTrace(t, q)
		if q.TryPut(1) == nil {
			want(t, "Len", q.Len(), 1)
		}
	})
}
