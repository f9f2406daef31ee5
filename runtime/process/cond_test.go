package process

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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
