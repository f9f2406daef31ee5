package process

import (
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// places runs fn with objects of this process and of a manager.
func places(t *testing.T, fn func(t *testing.T, at Place)) {
	t.Run("here", func(t *testing.T) { inTask(t, func() { fn(t, Here) }) })
	t.Run("manager", func(t *testing.T) {
		inTask(t, func() {
			m := ok(StartManager())
			fn(t, m)
			check(t, m.Shutdown())
		})
	})
}

type lockArgs struct {
	Lock  *Lock
	Value *Value[int]
	N     int
}

var (
	increments = Register("test increments", func(a lockArgs) (int, error) {
		for range a.N {
			err := a.Lock.With(func(bool) error {
				v, err := a.Value.Get()
				if err != nil {
					return err
				}
				return a.Value.Set(v + 1)
			})
			if err != nil {
				return 0, err
			}
		}
		return a.N, nil
	})
	locksAndTells = Register("test lock and tell", func(a tellArgs) (int, error) {
		if err := a.Lock.Lock(); err != nil {
			return 0, err
		}
		_ = a.Up.Send(1)
		forever()
		return 0, nil
	})
	unlocks     = Register("test unlock", func(l *Lock) (int, error) { return 0, l.Unlock() })
	acquireTell = Register("test acquire and tell", func(a tellArgs) (int, error) {
		for range 2 {
			if err := a.Semaphore.Acquire(); err != nil {
				return 0, err
			}
		}
		_ = a.Up.Send(1)
		forever()
		return 0, nil
	})
)

type tellArgs struct {
	Lock      *Lock
	Semaphore *Semaphore
	Up        *Sender[int]
}

// TestLock: mutual exclusion between three processes and tasks of this one.
func TestLock(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		l, v := ok(NewLock(at)), ok(NewValue(at, 0))
		var children []*Running[int]
		for range 3 {
			children = append(children, ok(Start(increments, lockArgs{l, v, 50})))
		}
		var tasks []*runtime.Future[int]
		for range 3 {
			tasks = append(tasks, runtime.Async(func() (int, error) { return increments.fn(lockArgs{l, v, 50}) }))
		}
		for i := range 3 {
			ok(children[i].Result())
			ok(tasks[i].Get())
		}
		want(t, "increments", ok(v.Get()), 300)
		check(t, l.Close())
		check(t, v.Close())
	})
}

func TestLockMethods(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		l := ok(NewLock(at))
		wantErr(t, "unlock", l.Unlock(), ErrNotHeld)
		want(t, "try", ok(l.TryLock()), true)
		want(t, "try again", ok(l.TryLock()), false)
		wantErr(t, "timeout", l.LockUntil(soon()), runtime.ErrTimeout)
		wantErr(t, "past", l.LockUntil(1), runtime.ErrTimeout)
		waiter := runtime.Async(func() (int, error) { return 0, l.Lock() })
		runtime.Yield()
		waiter.Kill(nil)
		_, err := waiter.Get()
		wantErr(t, "killed", err, runtime.ErrKilled)

		// FIFO, and each gets it.
		var order []int
		var tasks []*runtime.Future[int]
		for i := range 3 {
			tasks = append(tasks, runtime.Async(func() (int, error) {
				err := l.Lock()
				order = append(order, i)
				return 0, err
			}))
			runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&tasks[i].Task, "lock between processes") })
		}
		for _, task := range tasks {
			check(t, l.Unlock())
			ok(task.Get())
		}
		want(t, "order", fmt.Sprint(order), "[0 1 2]")
		// Any process may unlock it.
		ok(ok(Start(unlocks, l)).Result())
		want(t, "try", ok(l.TryLock()), true)

		waiter = runtime.Async(func() (int, error) { return 0, l.Lock() })
		runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&waiter.Task, "lock between processes") })
		check(t, l.Close())
		_, err = waiter.Get()
		wantErr(t, "closed", err, ErrGone)
		wantErr(t, "lock", l.Lock(), ErrGone)
		wantErr(t, "close", l.Close(), ErrGone)
	})
}

// TestLockHolderKilled: the lock of a process that dies passes on, and its next holder is
// told, once. Python's stays locked for ever.
func TestLockHolderKilled(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		for _, waits := range []bool{false, true} {
			l := ok(NewLock(at))
			r, w, err := OneWay[int]()
			check(t, err)
			p := ok(Start(locksAndTells, tellArgs{Lock: l, Up: w}))
			ok(r.Recv())
			want(t, "try", ok(l.TryLock()), false)
			var waiter *runtime.Future[int]
			if waits {
				waiter = runtime.Async(func() (int, error) { return 0, l.Lock() })
				runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&waiter.Task, "lock between processes") })
			}
			check(t, p.Kill())
			check(t, p.Join())
			if waits {
				_, err = waiter.Get()
			} else {
				err = l.Lock()
			}
			wantErr(t, "the next holder", err, ErrAbandoned)
			want(t, "it is held", ok(l.TryLock()), false)
			check(t, l.Unlock())
			check(t, l.Lock()) // told once
			check(t, l.Unlock())
			check(t, l.Close())
			check(t, r.Close())
		}
	})
}

// TestWaiterKilled: a process that dies while it waits for a lock is forgotten.
func TestWaiterKilled(t *testing.T) {
	inTask(t, func() {
		l := ok(NewLock(Here))
		check(t, l.Lock())
		r, w, err := OneWay[int]()
		check(t, err)
		p := ok(Start(locksAndTells, tellArgs{Lock: l, Up: w}))
		s := objects.get(l.object).(*semaphore)
		runtimetest.Eventually(t, "the wait", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.waiting) == 1 })
		check(t, p.Kill())
		check(t, p.Join())
		check(t, l.Unlock())
		check(t, l.Lock())
		check(t, l.Close())
		check(t, r.Close())
	})
}

func TestSemaphore(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		s := ok(NewSemaphore(at, 2))
		check(t, s.Acquire())
		want(t, "try", ok(s.TryAcquire()), true)
		want(t, "try", ok(s.TryAcquire()), false)
		want(t, "count", ok(s.Count()), 0)
		wantErr(t, "timeout", s.AcquireUntil(soon()), runtime.ErrTimeout)
		for range 3 {
			check(t, s.Release())
		}
		want(t, "count", ok(s.Count()), 3)
		r, w, err := OneWay[int]()
		check(t, err)
		p := ok(Start(acquireTell, tellArgs{Semaphore: s, Up: w}))
		ok(r.Recv())
		want(t, "count", ok(s.Count()), 1)
		check(t, p.Kill())
		check(t, p.Join())
		abandoned := 0
		for range 3 {
			if err := s.Acquire(); err == ErrAbandoned {
				abandoned++
			} else {
				check(t, err)
			}
		}
		want(t, "abandoned", abandoned, 2)
		check(t, s.Close())
		check(t, r.Close())

		b := ok(NewBoundedSemaphore(at, 1))
		wantErr(t, "over-release", b.Release(), lock.ErrOverRelease)
		check(t, b.Acquire())
		check(t, b.Release())
		want(t, "count", ok(b.Count()), 1)
		check(t, b.Close())
	})
}

func TestRLock(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		l := ok(NewRLock(at))
		check(t, l.Lock())
		check(t, l.Lock())
		want(t, "try", ok(l.TryLock()), true)
		other := runtime.Async(func() (bool, error) {
			wantErr(t, "unlock by another", l.Unlock(), ErrNotHeld)
			return l.TryLock()
		})
		want(t, "another task", ok(other.Get()), false)
		for range 3 {
			other = runtime.Async(l.TryLock)
			want(t, "another task", ok(other.Get()), false)
			check(t, l.Unlock())
		}
		wantErr(t, "unlock", l.Unlock(), ErrNotHeld)
		other = runtime.Async(func() (bool, error) {
			locked, err := l.TryLock()
			if locked {
				err = l.Unlock()
			}
			return locked, err
		})
		want(t, "another task", ok(other.Get()), true)
		p := ok(Start(rlocks, l))
		ok(p.Result()) // which dies with it
		wantErr(t, "lock", l.Lock(), ErrAbandoned)
		check(t, l.Unlock())
		check(t, l.Close())
	})
}

var rlocks = Register("test rlock", func(l *RLock) (int, error) {
	for range 2 {
		if err := l.Lock(); err != nil {
			return 0, err
		}
	}
	return 0, l.Unlock()
})
