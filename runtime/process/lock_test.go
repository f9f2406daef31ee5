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

type condArgs struct {
	Cond  *Cond
	Lock  *Lock
	RLock *RLock
	Value *Value[int]
}

func (a condArgs) locker() Locker {
	if a.RLock != nil {
		return a.RLock
	}
	return a.Lock
}

var waitsForValue = Register("test wait for value", func(a condArgs) (int, error) {
	if err := a.locker().Lock(); err != nil {
		return 0, err
	}
	n := 0
	err := a.Cond.WaitFor(func() bool { n, _ = a.Value.Get(); return n >= 3 }, 0)
	if err == nil {
		err = a.locker().Unlock()
	}
	return n, err
})

func TestCond(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		for _, recursive := range []bool{false, true} {
			a := condArgs{Value: ok(NewValue(at, 0))}
			if recursive {
				a.RLock = ok(NewRLock(at))
			} else {
				a.Lock = ok(NewLock(at))
			}
			l := a.locker()
			a.Cond = ok(NewCond(l))
			wantErr(t, "notify without the lock", a.Cond.Notify(1), ErrNotHeld)
			wantErr(t, "wait without the lock", a.Cond.Wait(), ErrNotHeld)
			var children []*Running[int]
			for range 2 {
				children = append(children, ok(Start(waitsForValue, a)))
			}
			for n := 1; n <= 3; n++ {
				check(t, l.Lock())
				check(t, a.Value.Set(n))
				check(t, a.Cond.NotifyAll())
				check(t, l.Unlock())
			}
			for _, p := range children {
				want(t, "value", ok(p.Result()), 3)
			}
			check(t, l.Lock())
			if recursive {
				check(t, l.Lock())
			}
			wantErr(t, "timeout", a.Cond.WaitUntil(soon()), runtime.ErrTimeout)
			wantErr(t, "predicate", a.Cond.WaitFor(func() bool { return false }, soon()), runtime.ErrTimeout)
			if recursive {
				check(t, l.Unlock())
			}
			check(t, l.Unlock()) // it is held after a timeout
			task := runtime.Async(func() (int, error) {
				if err := l.Lock(); err != nil {
					return 0, err
				}
				err := a.Cond.Wait()
				check(t, l.Unlock()) // and after a kill
				return 0, err
			})
			runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&task.Task, "condition between processes") })
			task.Kill(nil)
			_, err := task.Get()
			wantErr(t, "killed", err, runtime.ErrKilled)
			check(t, l.Lock())
			check(t, l.Unlock())
			check(t, a.Cond.Close())
			check(t, l.semaphore().Close())
			check(t, a.Value.Close())
		}
	})
}

// TestCondWaiterKilled: a notice goes to one that lives.
func TestCondWaiterKilled(t *testing.T) {
	inTask(t, func() {
		a := condArgs{Value: ok(NewValue(Here, 0)), Lock: ok(NewLock(Here))}
		a.Cond = ok(NewCond(a.Lock))
		object := objects.get(a.Cond.at.object).(*cond)
		waiting := func(n int) {
			runtimetest.Eventually(t, "the wait", func() bool {
				object.mu.Lock()
				defer object.mu.Unlock()
				return len(object.waiting) == n
			})
		}
		dead := ok(Start(waitsForValue, a))
		waiting(1)
		alive := ok(Start(waitsForValue, a))
		waiting(2)
		check(t, dead.Kill())
		check(t, dead.Join())
		check(t, a.Lock.Lock())
		check(t, a.Value.Set(3))
		check(t, a.Cond.Notify(1))
		check(t, a.Lock.Unlock())
		want(t, "value", ok(alive.Result()), 3)
		check(t, a.Cond.Close())
		check(t, a.Lock.Close())
		check(t, a.Value.Close())
	})
}

var waitsForEvent = Register("test wait for event", func(e *Event) (int, error) { return 5, e.Wait() })

func TestEvent(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		e := ok(NewEvent(at))
		want(t, "set", ok(e.IsSet()), false)
		wantErr(t, "timeout", e.WaitUntil(soon()), runtime.ErrTimeout)
		p := ok(Start(waitsForEvent, e))
		task := runtime.Async(func() (int, error) { return 0, e.Wait() })
		runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&task.Task, "event between processes") })
		check(t, e.Set())
		ok(task.Get())
		want(t, "child", ok(p.Result()), 5)
		want(t, "set", ok(e.IsSet()), true)
		check(t, e.Wait())
		check(t, e.Clear())
		want(t, "set", ok(e.IsSet()), false)
		check(t, e.Close())
		wantErr(t, "closed", e.Set(), ErrGone)
	})
}

type barrierArgs struct {
	Barrier *Barrier
	N       int
}

var passes = Register("test pass barrier", func(a barrierArgs) (int, error) {
	last := 0
	for range a.N {
		i, err := a.Barrier.Wait()
		if err != nil {
			return 0, err
		}
		if i == 2 {
			last++
		}
	}
	return last, nil
})

func TestBarrier(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		b := ok(NewBarrier(at, 3))
		children := []*Running[int]{ok(Start(passes, barrierArgs{b, 20})), ok(Start(passes, barrierArgs{b, 20}))}
		last := ok(passes.fn(barrierArgs{b, 20}))
		for _, p := range children {
			last += ok(p.Result())
		}
		want(t, "each round has a last one", last, 20)

		_, err := b.WaitUntil(soon())
		wantErr(t, "timeout", err, runtime.ErrTimeout)
		_, broken, err := b.State()
		check(t, err)
		want(t, "broken", broken, true)
		_, err = b.Wait()
		wantErr(t, "broken", err, lock.ErrBroken)
		check(t, b.Reset())
		task := runtime.Async(b.Wait)
		waiting := func(n int) {
			runtimetest.Eventually(t, "the wait", func() bool { k, _, _ := b.State(); return k == n })
		}
		waiting(1)
		p := ok(Start(passes, barrierArgs{b, 1}))
		waiting(2)
		check(t, p.Kill()) // which breaks it
		_, err = task.Get()
		wantErr(t, "a party died", err, lock.ErrBroken)
		check(t, p.Join())
		check(t, b.Reset())
		task = runtime.Async(b.Wait)
		waiting(1)
		check(t, b.Abort())
		_, err = task.Get()
		wantErr(t, "abort", err, lock.ErrBroken)
		check(t, b.Close())
	})
}

func TestBarrierAction(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		b := ok(NewBarrier(at, 2))
		acted := 0
		for round := range 3 {
			task := runtime.Async(func() (int, error) { return b.WaitThen(func() error { acted++; return nil }) })
			i := ok(b.WaitThen(func() error { acted++; return nil }))
			want(t, "sum of indices", i+ok(task.Get()), 1)
			want(t, "acted", acted, round+1)
		}
		task := runtime.Async(b.Wait)
		runtimetest.Eventually(t, "the wait", func() bool { k, _, _ := b.State(); return k == 1 })
		_, err := b.WaitThen(func() error { return errKnown })
		wantErr(t, "action", err, errKnown)
		_, err = task.Get()
		wantErr(t, "the other", err, lock.ErrBroken)
		check(t, b.Close())
	})
}
