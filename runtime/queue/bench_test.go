package queue_test

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// BenchmarkPutGet is one party that puts an item and takes it out: no one
// waits.
func BenchmarkPutGet(b *testing.B) {
	b.Run("weft", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() {
			q := queue.New[int](16)
			for i := range b.N {
				_ = q.Put(i)
				_, _ = q.Get()
			}
		})
	})
	b.Run("channel", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		c := make(chan int, 16)
		for i := range b.N {
			c <- i
			<-c
		}
	})
}

// BenchmarkPingPong is two parties that wait for each other in every step.
func BenchmarkPingPong(b *testing.B) {
	type face interface {
		Put(int) error
		Get() (int, error)
	}
	weft := func(there, back face) func(*testing.B) {
		return func(b *testing.B) {
			runtimetest.Bench(b, 1, func() {
				echo := runtime.Spawn(func() {
					for range b.N {
						v, _ := there.Get()
						_ = back.Put(v)
					}
				})
				b.ResetTimer()
				for i := range b.N {
					_ = there.Put(i)
					_, _ = back.Get()
				}
				_ = echo.Join()
			})
		}
	}
	channels := func(size int) func(*testing.B) {
		return func(b *testing.B) {
			defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
			there, back := make(chan int, size), make(chan int, size)
			var wg sync.WaitGroup
			wg.Go(func() {
				for range b.N {
					back <- <-there
				}
			})
			b.ResetTimer()
			for i := range b.N {
				there <- i
				<-back
			}
			wg.Wait()
		}
	}
	b.Run("buffered/weft", weft(queue.New[int](1), queue.New[int](1)))
	b.Run("buffered/channel", channels(1))
	b.Run("unbuffered/weft", weft(new(queue.Channel[int]), new(queue.Channel[int])))
	b.Run("unbuffered/channel", channels(0))
}

// BenchmarkStream is one that puts and one that gets, on one worker, and on two.
// "locked" are goroutines on two threads, as the two workers are; the others
// the scheduler keeps on one while it can.
func BenchmarkStream(b *testing.B) {
	for _, procs := range []int{1, 2} {
		for _, size := range []int{0, 1, 64, 1024} {
			name := fmt.Sprintf("workers=%d/size=%d", procs, size)
			b.Run(name+"/weft", func(b *testing.B) {
				runtimetest.Bench(b, procs, func() {
					put, get := streamOf(size)
					workers := runtime.Current().Runtime().Workers()
					b.ResetTimer()
					producer := workers[0].Spawn(func() {
						for i := range b.N {
							_ = put(i)
						}
					})
					consumer := workers[procs-1].Spawn(func() {
						for range b.N {
							_, _ = get()
						}
					})
					_, _ = producer.Join(), consumer.Join()
				})
			})
			channel := func(b *testing.B, lock, unlock func()) {
				defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
				c := make(chan int, size)
				var wg sync.WaitGroup
				wg.Go(func() {
					lock()
					defer unlock()
					for i := range b.N {
						c <- i
					}
				})
				wg.Go(func() {
					lock()
					defer unlock()
					for range b.N {
						<-c
					}
				})
				wg.Wait()
			}
			b.Run(name+"/channel", func(b *testing.B) { channel(b, func() {}, func() {}) })
			if procs > 1 {
				b.Run(name+"/locked", func(b *testing.B) {
					channel(b, goruntime.LockOSThread, goruntime.UnlockOSThread)
				})
			}
		}
	}
}

// streamOf returns the ends of a Queue, or of a Channel if size is 0.
func streamOf(size int) (put func(int) error, get func() (int, error)) {
	if size == 0 {
		c := new(queue.Channel[int])
		return c.Put, c.Get
	}
	q := queue.New[int](size)
	return q.Put, q.Get
}
