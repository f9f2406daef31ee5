package lock

import (
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// duel runs a and b at once: as tasks of two workers, and as a task and a
// goroutine.
func duel(t *testing.T, name string, fresh func() (a, b func())) {
	for second, i := range map[string]int{"task": 1, "goroutine": 2} {
		t.Run(name+"/"+second, func(t *testing.T) {
			rt := runtimetest.New(t, 2)
			a, b := fresh()
			first := runtimetest.Start(rt, 0, a)
			runtimetest.Start(rt, i, b)()
			first()
		})
	}
}

// TestDuel (D68): two parties on different threads lock the same lock, or wake
// each other, 10,000 times, and no wake is lost.
func TestDuel(t *testing.T) {
	const times = 10_000
	for name, l := range map[string]sync.Locker{"Mutex": new(Mutex), "RLock": new(RLock), "RWMutex": new(RWMutex)} {
		counter := 0 // l guards: the race detector watches
		duel(t, name, func() (a, b func()) {
			counter = 0
			count := func() {
				for range times {
					l.Lock()
					counter++
					l.Unlock()
				}
			}
			return count, count
		})
		want(t, name, counter, 2*times)
	}
	duel(t, "Semaphore", func() (a, b func()) {
		ping, pong := NewSemaphore(0), NewSemaphore(0)
		return func() {
				for range times {
					ping.Release()
					_ = pong.Acquire()
				}
			}, func() {
				for range times {
					_ = ping.Acquire()
					pong.Release()
				}
			}
	})
	duel(t, "Cond", func() (a, b func()) {
		var m Mutex
		c := NewCond(&m)
		turn := 0
		side := func(self int) func() {
			return func() {
				for range times {
					m.Lock()
					_ = c.WaitFor(func() bool { return turn == self }, 0)
					turn = 1 - self
					c.Signal()
					m.Unlock()
				}
			}
		}
		return side(0), side(1)
	})
	duel(t, "Barrier", func() (a, b func()) {
		barrier := NewBarrier(2, nil)
		side := func() {
			for range times {
				if _, err := barrier.Wait(); err != nil {
					t.Error(err)
				}
			}
		}
		return side, side
	})
}

// TestDuelWithDeadlines (D68): one that gives up at the instant of the release
// either has the unit or has left it: none is lost, and none is made.
func TestDuelWithDeadlines(t *testing.T) {
	const times = 10_000
	var s *BoundedSemaphore
	duel(t, "Semaphore", func() (a, b func()) {
		s = NewBoundedSemaphore(1)
		return func() {
				for range times {
					_ = s.Acquire()
					s.Release()
				}
			}, func() {
				for i := range times {
					if s.AcquireUntil(runtime.Now().Add(1<<(i%16))) == nil {
						s.Release()
					}
				}
			}
	})
	want(t, "Count", s.Count(), 1)
	want(t, "waiting", s.waits(), 0)
}

// TestGaveUpIsNotNotified (D68): a release from another thread does not go to one
// that has given up.
func TestGaveUpIsNotNotified(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for i := range 3 {
		s := NewSemaphore(0)
		runtimetest.Start(rt, i, func() {
			wantErr(t, "AcquireUntil", s.AcquireUntil(soon()), runtime.ErrTimeout)
		})()
		join := runtimetest.Start(rt, i, func() { wantErr(t, "Acquire", s.Acquire(), nil) })
		queued(t, s, 1)
		runtimetest.Start(rt, i+1, s.Release)()
		join()
		want(t, "Count", s.Count(), 0)
	}
}
