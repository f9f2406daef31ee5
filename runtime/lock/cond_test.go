package lock

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// eachLocker runs fn with a Cond of each kind of lock.
func eachLocker(t *testing.T, fn func(t *testing.T, c *Cond)) {
	for name, l := range map[string]sync.Locker{
		"Mutex": new(Mutex), "RLock": new(RLock), "RWMutex": new(RWMutex), "sync.Mutex": new(sync.Mutex),
	} {
		t.Run(name, func(t *testing.T) { fn(t, NewCond(l)) })
	}
}

// TestCondSignal: a Signal ends one wait, that of the longest waiting, a Broadcast
// all; each holds the lock when its Wait returns.
func TestCondSignal(t *testing.T) {
	eachLocker(t, func(t *testing.T, c *Cond) {
		rt := runtimetest.New(t, 2)
		var order []int // c.L guards
		var joins []func()
		for i := range 9 {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				c.L.Lock()
				defer c.L.Unlock()
				wantErr(t, "Wait", c.Wait(), nil)
				order = append(order, i)
			}))
			queued(t, c, i+1)
		}
		c.Signal()
		runtimetest.Eventually(t, "one goes on", func() bool {
			c.L.Lock()
			defer c.L.Unlock()
			return len(order) == 1
		})
		want(t, "waiting", c.waits(), 8)
		c.L.Lock()
		c.Broadcast()
		c.L.Unlock()
		for _, join := range joins {
			join()
		}
		if order[0] != 0 {
			t.Errorf("order %v", order)
		}
		slices.Sort(order)
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Errorf("gone on: %v", order)
		}
		c.Signal() // none waits: it is lost
		c.Broadcast()
		c.L.Lock()
		wantErr(t, "WaitUntil", c.WaitUntil(past), runtime.ErrTimeout)
		c.L.Unlock()
	})
}

// TestCondHoldsTheLock (9 of our own): the lock is held again on return, however
// the wait ended, and though another holds it at that time; also while a task
// that swallowed a kill is unwound.
func TestCondHoldsTheLock(t *testing.T) {
	for _, how := range []string{"deadline", "timeout", "kill", "two kills", "swallowed"} {
		for _, l := range []sync.Locker{new(Mutex), new(RLock), new(RWMutex)} {
			runtimetest.Run(t, 1, func() {
				c := NewCond(l)
				holder := ""
				var err error
				task := runtime.Spawn(func() {
					defer l.Unlock() // panics unless it is held
					defer func() {
						want(t, how+": also held by", holder, "")
						holder = "the waiting one"
						settle()
						holder = ""
					}()
					l.Lock()
					switch how {
					case "deadline":
						err = c.WaitUntil(runtime.Now().Add(20 * time.Millisecond))
					case "timeout":
						err = runtime.WithTimeout(20*time.Millisecond, c.Wait)
					case "swallowed":
						func() {
							defer func() { _ = recover() }()
							runtime.Sleep(time.Hour)
						}()
						err = c.Wait()
						t.Error("Wait returned to one that is unwound")
					default:
						err = c.Wait()
					}
				})
				runtime.Yield()
				if how == "swallowed" {
					task.Kill(errCause)
					_ = task.Join()
					wantErr(t, how, task.Err(), errCause)
					return
				}
				l.Lock()
				holder = "another"
				switch how {
				case "kill", "two kills":
					task.Kill(errCause)
				}
				queued(t, l.(interface{ waits() int }), 1)
				if how == "two kills" {
					task.Kill(nil) // when it waits for the lock: no effect on that
					settle()
				}
				want(t, how+": waiting for a signal", c.waits(), 0)
				want(t, how+": waiting for the lock", l.(interface{ waits() int }).waits(), 1)
				holder = ""
				l.Unlock()
				_ = task.Join()
				switch how {
				case "deadline", "timeout":
					wantErr(t, how, err, runtime.ErrTimeout)
					wantErr(t, how, task.Err(), nil)
				default:
					wantErr(t, how, err, errCause)
				}
			})
		}
	}
}

// TestCondPassesSignalOn (9 of our own): a Signal does not go to one that was
// killed before it, and has not run since.
func TestCondPassesSignalOn(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var m Mutex
		c := NewCond(&m)
		errs := make([]error, 3)
		var tasks []*runtime.Task
		for i := range errs {
			tasks = append(tasks, runtime.Spawn(func() {
				m.Lock()
				defer m.Unlock()
				errs[i] = c.Wait()
			}))
		}
		settle()
		tasks[0].Kill(errCause)
		c.Signal()
		settle()
		want(t, "waiting", c.waits(), 1)
		c.Signal()
		for _, task := range tasks {
			_ = task.Join()
		}
		wantErr(t, "the killed", errs[0], errCause)
		wantErr(t, "the second", errs[1], nil)
		wantErr(t, "the third", errs[2], nil)
	})
}

// TestCondRLock: an RLock is unlocked entirely while its owner waits, and locked
// as often as before afterwards.
func TestCondRLock(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		var r RLock
		c := NewCond(&r)
		join := runtimetest.Start(rt, i, func() {
			r.Lock()
			r.Lock()
			wantErr(t, "Wait", c.Wait(), nil)
			r.Unlock()
			r.Unlock()
			wantPanic(t, "lock: Unlock of an unlocked RLock", r.Unlock)
		})
		queued(t, c, 1)
		runtimetest.Start(rt, i+1, func() {
			want(t, "TryLock", r.TryLock(), true)
			c.Signal()
			r.Unlock()
		})()
		join()
	}
}

// TestCondWaitFor asks before it waits, after each signal, and once more after a
// timeout.
func TestCondWaitFor(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var m Mutex
		c := NewCond(&m)
		asked, value := 0, 0
		at := func(n int) func() bool { return func() bool { asked++; return value >= n } }
		m.Lock()
		wantErr(t, "true at once", c.WaitFor(at(0), past), nil)
		want(t, "asked", asked, 1)
		wantErr(t, "false", c.WaitFor(at(1), past), runtime.ErrTimeout)
		want(t, "asked", asked, 3)
		late := 0
		wantErr(t, "true after the timeout", c.WaitFor(func() bool { late++; return late == 2 }, past), nil)
		m.Unlock()
		var err error
		asked = 0
		task := runtime.Spawn(func() {
			m.Lock()
			defer m.Unlock()
			err = c.WaitFor(at(3), 0)
		})
		for range 3 {
			settle()
			m.Lock()
			value++
			c.Signal()
			m.Unlock()
		}
		_ = task.Join()
		wantErr(t, "WaitFor", err, nil)
		want(t, "asked", asked, 4)
		killed := runtime.Spawn(func() {
			m.Lock()
			defer m.Unlock()
			err = c.WaitFor(at(4), 0)
		})
		settle()
		value = 4
		killed.Kill(errCause)
		_ = killed.Join()
		wantErr(t, "a killed WaitFor", err, errCause)
	})
}

// TestCondMisuse: to wait without the lock panics, and leaves nothing behind.
func TestCondMisuse(t *testing.T) {
	wantPanic(t, "lock: Cond without a lock", func() { NewCond(nil) })
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		runtimetest.Start(rt, i, func() {
			c := NewCond(new(Mutex))
			for range 2 {
				wantPanic(t, "lock: Unlock of an unlocked Mutex", func() { _ = c.Wait() })
				want(t, "waiting", c.waits(), 0)
			}
			c.L.Lock()
			wantErr(t, "WaitUntil", c.WaitUntil(past), runtime.ErrTimeout)
			c.L.Unlock()
		})()
	}
}

// TestCondOnHub: no wait is possible, and the lock stays held.
func TestCondOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var m Mutex
	c := NewCond(&m)
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		m.Lock()
		wantErr(t, "Wait", c.Wait(), runtime.ErrNotInTask)
		want(t, "TryLock", m.TryLock(), false)
		m.Unlock()
		c.Signal()
		c.Broadcast()
	})
	<-done
}

// TestCondStress is a bounded buffer with producers and consumers that are tasks
// and goroutines, some of whose waits time out: nothing is lost, and no wait goes
// without its signal.
func TestCondStress(t *testing.T) {
	eachLocker(t, func(t *testing.T, c *Cond) {
		rt := runtimetest.New(t, 2)
		space := NewCond(c.L)
		const each, parties = 300, 3
		stored, taken := 0, 0
		var joins []func()
		for i := range 2 * parties {
			joins = append(joins, runtimetest.Start(rt, i, func() {
				for j := range each {
					var deadline runtime.Instant
					if j%10 == 0 {
						deadline = runtime.Now().Add(50 * time.Microsecond)
					}
					c.L.Lock()
					if i < parties {
						for space.WaitFor(func() bool { return stored < 2 }, deadline) != nil {
							deadline = 0
						}
						stored++
						c.Signal()
					} else {
						for c.WaitFor(func() bool { return stored > 0 }, deadline) != nil {
							deadline = 0
						}
						stored--
						taken++
						space.Signal()
					}
					c.L.Unlock()
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		want(t, "taken", taken, each*parties)
		want(t, "stored", stored, 0)
	})
}
