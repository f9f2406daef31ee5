package lock_test

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// benchGoroutines runs first and second on goroutines: at GOMAXPROCS=procs, and
// if that is 2 also on two threads, as the two workers are, called "locked".
func benchGoroutines(b *testing.B, name string, procs int, first, second func(n int)) {
	run := func(b *testing.B, lock, unlock func()) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
		b.ReportAllocs()
		var wg sync.WaitGroup
		for _, fn := range []func(int){first, second} {
			wg.Go(func() {
				lock()
				defer unlock()
				fn(b.N)
			})
		}
		wg.Wait()
	}
	b.Run(name, func(b *testing.B) { run(b, func() {}, func() {}) })
	if procs > 1 {
		b.Run(name+"/locked", func(b *testing.B) { run(b, goruntime.LockOSThread, goruntime.UnlockOSThread) })
	}
}

// BenchmarkUncontended is one party that locks and unlocks.
func BenchmarkUncontended(b *testing.B) {
	for name, l := range map[string]sync.Locker{
		"Mutex": new(lock.Mutex), "RLock": new(lock.RLock), "RWMutex": new(lock.RWMutex), "sync.Mutex": new(sync.Mutex),
	} {
		b.Run(name, func(b *testing.B) {
			runtimetest.BenchTwo(b, 1, func() {
				counter := 0
				for range b.N {
					l.Lock()
					counter++
					l.Unlock()
				}
			}, func() {})
		})
	}
}

// BenchmarkMutex is two parties, each of which lets the other come to wait while
// it holds the lock: so each Unlock hands it over, if the lock is fair. A
// sync.Mutex mostly is not: it passes on when one has waited for a millisecond.
func BenchmarkMutex(b *testing.B) {
	for _, procs := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d/weft", procs), func(b *testing.B) {
			var m lock.Mutex
			work := func() {
				for range b.N {
					m.Lock()
					runtime.Yield()
					m.Unlock()
				}
			}
			runtimetest.BenchTwo(b, procs, work, work)
		})
		var m sync.Mutex
		work := func(n int) {
			for range n {
				m.Lock()
				goruntime.Gosched()
				m.Unlock()
			}
		}
		benchGoroutines(b, fmt.Sprintf("workers=%d/sync", procs), procs, work, work)
	}
}

// BenchmarkSemaphore is two parties that wait for each other in every step. The
// goroutines have buffered channels for semaphores.
func BenchmarkSemaphore(b *testing.B) {
	for _, procs := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d/weft", procs), func(b *testing.B) {
			there, back := lock.NewSemaphore(0), lock.NewSemaphore(0)
			runtimetest.BenchTwo(b, procs, func() {
				for range b.N {
					there.Release()
					_ = back.Acquire()
				}
			}, func() {
				for range b.N {
					_ = there.Acquire()
					back.Release()
				}
			})
		})
		there, back := make(chan struct{}, 1), make(chan struct{}, 1)
		benchGoroutines(b, fmt.Sprintf("workers=%d/channel", procs), procs, func(n int) {
			for range n {
				there <- struct{}{}
				<-back
			}
		}, func(n int) {
			for range n {
				<-there
				back <- struct{}{}
			}
		})
	}
}
