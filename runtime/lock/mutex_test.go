package lock

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestFIFO (D64): the lock passes on in the order of Lock calls, wherever they come
// from.
func TestFIFO(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var m Mutex
	m.Lock()
	const parties = 12
	var order []int // m guards
	var joins []func()
	for i := range parties {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			m.Lock()
			order = append(order, i)
			m.Unlock()
		}))
		queued(t, &m, i+1)
	}
	m.Unlock()
	for _, join := range joins {
		join()
	}
	if !slices.IsSorted(order) || len(order) != parties {
		t.Errorf("order %v", order)
	}
	unlocked(t, &m)
}

// TestNoBarging (D65): one that comes when the lock was passed on, and its new holder
// has not run yet, does not overtake it.
func TestNoBarging(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var m Mutex
		m.Lock()
		ran := false
		task := runtime.Spawn(func() { m.Lock(); ran = true; m.Unlock() })
		for m.waits() == 0 {
			runtime.Yield()
		}
		m.Unlock()
		if m.TryLock() {
			t.Error("TryLock overtook the waiting one")
		}
		m.Lock()
		if !ran {
			t.Error("Lock overtook the waiting one")
		}
		m.Unlock()
		_ = task.Join()
		unlocked(t, &m)
	})
}

// TestGiveUp (D68, 9 of our own): one that is killed, or times out, while it waits does not get the
// lock, and those behind it do.
func TestGiveUp(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var m Mutex
	m.Lock()
	var errs [6]error
	var got atomic.Int32
	var tasks [6]*runtime.Task
	for i := range tasks {
		tasks[i] = rt.Workers()[i%2].Spawn(func() {
			switch i {
			case 1: // WithTimeout
				errs[i] = runtime.WithTimeout(time.Microsecond, func() error { return m.LockUntil(0) })
			case 3: // a deadline
				errs[i] = m.LockUntil(runtime.Now().Add(time.Microsecond))
			default:
				errs[i] = m.LockUntil(0)
			}
			if errs[i] == nil {
				got.Add(1)
				m.Unlock()
			}
		})
		switch i {
		case 0:
			queued(t, &m, 1)
		case 1, 3:
			_ = tasks[i].Join()
		case 2:
			queued(t, &m, 2)
		case 4, 5:
			queued(t, &m, i-1)
		}
	}
	cause := errors.New("cause")
	tasks[0].Kill(cause) // the first
	tasks[5].Kill(cause) // the last
	_ = tasks[0].Join()
	_ = tasks[5].Join()
	queued(t, &m, 2)
	m.Unlock()
	for _, task := range tasks {
		_ = task.Join()
	}
	for i, want := range []error{runtime.ErrKilled, runtime.ErrTimeout, nil, runtime.ErrTimeout, nil, runtime.ErrKilled} {
		if !errors.Is(errs[i], want) {
			t.Errorf("party %d: %v", i, errs[i])
		}
	}
	if !errors.Is(errs[0], cause) || errs[3] != runtime.ErrTimeout {
		t.Error(errs[0], errs[3])
	}
	if got.Load() != 2 {
		t.Errorf("%d got the lock", got.Load())
	}
	unlocked(t, &m)
}

// TestKilledMeanwhile (9 of our own): the lock comes to one that was killed just before, and
// has not run since. It passes on to the next, or to nobody.
func TestKilledMeanwhile(t *testing.T) {
	for _, survivors := range []int{0, 1} {
		runtimetest.Run(t, 1, func() {
			var m Mutex
			m.Lock()
			got := 0
			var tasks []*runtime.Task
			for range 2 + survivors {
				tasks = append(tasks, runtime.Spawn(func() { m.Lock(); got++; m.Unlock() }))
			}
			for m.waits() < len(tasks) {
				runtime.Yield()
			}
			tasks[0].Kill(nil)
			tasks[1].Kill(nil)
			m.Unlock()
			for i, task := range tasks {
				if err := task.Join(); errors.Is(err, runtime.ErrKilled) != (i < 2) {
					t.Errorf("task %d: %v", i, err)
				}
			}
			if got != survivors {
				t.Errorf("%d got the lock", got)
			}
			unlocked(t, &m)
		})
	}
}

// TestLockUnwinds: Lock, which returns no error, unwinds a killed task, and its
// deferred functions run.
func TestLockUnwinds(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var m Mutex
		m.Lock()
		deferred, returned := false, false
		task := runtime.Spawn(func() {
			defer func() { deferred = true }()
			m.Lock()
			returned = true
		})
		runtime.Yield()
		task.Kill(nil)
		if err := task.Join(); !errors.Is(err, runtime.ErrKilled) || !deferred || returned {
			t.Errorf("Join: %v, deferred %v, returned %v", err, deferred, returned)
		}
		err := runtime.WithTimeout(time.Microsecond, func() error { m.Lock(); return nil })
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Errorf("WithTimeout: %v", err)
		}
		m.Unlock()
		unlocked(t, &m)
	})
}

// TestLockUntil: a deadline that has passed matters only if there is a wait; on
// goroutines, too.
func TestLockUntil(t *testing.T) {
	rt := runtimetest.New(t, 1)
	for i := range 3 {
		runtimetest.Start(rt, i, func() {
			var m Mutex
			if err := m.LockUntil(1); err != nil {
				t.Error(err)
			}
			for _, deadline := range []runtime.Instant{1, runtime.Now().Add(time.Millisecond)} {
				if err := m.LockUntil(deadline); err != runtime.ErrTimeout {
					t.Error(err)
				}
			}
			m.Unlock()
			unlocked(t, &m)
		})()
	}
}

// TestTryLock (D63): a TryLock that fails changes nothing.
func TestTryLock(t *testing.T) {
	var m Mutex
	if !m.TryLock() || m.TryLock() {
		t.Error("TryLock")
	}
	m.Unlock()
	if !m.TryLock() {
		t.Error("TryLock after Unlock")
	}
	m.Unlock()
}

// TestOverUnlock: to unlock more than was locked panics, and harms nothing.
func TestOverUnlock(t *testing.T) {
	var m Mutex
	for range 2 {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || text != "lock: Unlock of an unlocked Mutex" {
					t.Errorf("panic %q", text)
				}
			}()
			m.Unlock()
		}()
		if !m.TryLock() {
			t.Error("locked by an Unlock that panicked")
		}
		m.Unlock()
	}
}

// TestOtherUnlocks: the one who unlocks need not be the one who locked.
func TestOtherUnlocks(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var m Mutex
	for i := range 9 {
		runtimetest.Start(rt, i, m.Lock)()
		runtimetest.Start(rt, i+1, m.Unlock)()
	}
	unlocked(t, &m)
}

// TestOnHub: on the hub a lock that is free can be had; one that is not can't be
// waited for.
func TestOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var m Mutex
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		m.Lock()
		if err := m.LockUntil(0); err != runtime.ErrNotInTask {
			t.Error(err)
		}
		m.Unlock()
	})
	<-done
	unlocked(t, &m)
}

// TestStress: tasks of several workers and goroutines lock, some with deadlines,
// some killed; never do two hold the lock, and nobody waits for ever.
func TestStress(t *testing.T) {
	rt := runtimetest.New(t, 3)
	var m Mutex
	var holders, rounds atomic.Int32
	counter := 0 // m guards: the race detector watches
	critical := func() {
		if holders.Add(1) != 1 {
			t.Error("two at once")
		}
		counter++
		holders.Add(-1)
		rounds.Add(1)
		m.Unlock()
	}
	const parties, steps = 24, 200
	var joins []func()
	var victims []*runtime.Task
	for i := range parties {
		work := func() {
			for j := range steps {
				if (i+j)%3 == 0 {
					if m.LockUntil(runtime.Now().Add(time.Duration(j)*time.Microsecond)) != nil {
						continue
					}
				} else {
					m.Lock()
				}
				critical()
				if j%10 == 0 {
					runtime.Yield()
				}
			}
		}
		if i%4 == 0 {
			victims = append(victims, rt.Spawn(work))
			continue
		}
		joins = append(joins, runtimetest.Start(rt, i, work))
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
	unlocked(t, &m)
	if int(rounds.Load()) != counter {
		t.Errorf("%d rounds, counted %d", rounds.Load(), counter)
	}
}
