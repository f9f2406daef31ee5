package lock

import (
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestReentry (D67): the owner locks again without a wait, and the lock is free
// when it was unlocked as often; for tasks and goroutines.
func TestReentry(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		var r RLock
		runtimetest.Start(rt, i, func() {
			r.Lock()
			wantErr(t, "LockUntil", r.LockUntil(past), nil)
			want(t, "TryLock", r.TryLock(), true)
			for depth := 3; depth > 0; depth-- {
				runtimetest.Start(rt, i+1, func() {
					want(t, "TryLock of another", r.TryLock(), false)
					wantErr(t, "LockUntil of another", r.LockUntil(past), runtime.ErrTimeout)
				})()
				r.Unlock()
			}
			runtimetest.Start(rt, i+1, func() {
				want(t, "TryLock of another", r.TryLock(), true)
				r.Unlock()
			})()
		})()
		want(t, "waiting", r.waits(), 0)
	}
}

// TestNotOwner (D67): Unlock by one that does not own the lock panics, and the
// owner keeps it.
func TestNotOwner(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		var r RLock
		wantPanic(t, "lock: Unlock of an unlocked RLock", r.Unlock)
		runtimetest.Start(rt, i, func() {
			r.Lock()
			for other := range 3 {
				runtimetest.Start(rt, other, func() {
					wantPanic(t, "lock: Unlock of an RLock by one that does not own it", r.Unlock)
				})()
			}
			r.Unlock()
			wantPanic(t, "lock: Unlock of an unlocked RLock", r.Unlock)
		})()
	}
}

// TestOwnerIsTheTask: a later task on the coroutine of one that has ended with
// the lock is not its owner.
func TestOwnerIsTheTask(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var r RLock
		_ = runtime.Spawn(r.Lock).Join()
		got := true
		_ = runtime.Spawn(func() { got = r.TryLock() }).Join()
		want(t, "TryLock", got, false)
	})
}

// TestRLockOrder (D64, D65): the lock passes on in the order of the Lock calls,
// and nobody overtakes, not even the last owner.
func TestRLockOrder(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var r RLock
	var order []int // r guards
	var joins []func()
	runtimetest.Start(rt, 0, func() {
		r.Lock()
		r.Lock()
		for i := range 9 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				r.Lock()
				r.Lock()
				order = append(order, i)
				r.Unlock()
				r.Unlock()
			}))
			queued(t, &r, i+1)
		}
		r.Unlock()
		want(t, "owned still: TryLock", r.TryLock(), true)
		r.Unlock()
		r.Unlock()
		r.Lock()
		order = append(order, 9)
		r.Unlock()
	})()
	for _, join := range joins {
		join()
	}
	if !slices.IsSorted(order) || len(order) != 10 {
		t.Errorf("order %v", order)
	}
}

// TestRLockKill (9 of our own): one that is killed while it waits does not get
// the lock, its LockUntil returns the cause, its Lock unwinds; and those behind
// it get their turns.
func TestRLockKill(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var r RLock
		r.Lock()
		var err error
		returned, got := false, false
		tasks := []*runtime.Task{
			runtime.Spawn(func() { err = r.LockUntil(0) }),
			runtime.Spawn(func() { r.Lock(); returned = true }),
			runtime.Spawn(func() { r.Lock(); got = true; r.Unlock() }),
		}
		runtime.Yield()
		tasks[0].Kill(errCause)
		tasks[1].Kill(errCause)
		r.Unlock()
		_ = tasks[0].Join()
		wantErr(t, "LockUntil", err, errCause)
		wantErr(t, "Join", tasks[1].Join(), errCause)
		wantErr(t, "Join", tasks[2].Join(), nil)
		want(t, "Lock of the killed returned", returned, false)
		want(t, "the last got it", got, true)
		want(t, "TryLock", r.TryLock(), true)
		r.Unlock()
	})
}

// TestRLockOnHub: the hub of a worker is an owner of its own, which can't wait.
func TestRLockOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var r RLock
	r.Lock()
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		want(t, "TryLock", r.TryLock(), false)
		wantErr(t, "LockUntil", r.LockUntil(0), runtime.ErrNotInTask)
	})
	<-done
	r.Unlock()
	want(t, "waiting", r.waits(), 0)
}
