package main

import (
	goruntime "runtime"
	"sync"
	"time"
)

func (goroutineEngine) waits() []wait {
	return []wait{
		{"queue, put and get", alone(func(n int) {
			c := make(chan int, 16)
			for i := range n {
				c <- i
				<-c
			}
		})},
		{"queue of 1, put or get", channelStream(1)},
		{"queue of 64, put or get", channelStream(64)},
		{"queue of 1,024, put or get", channelStream(1024)},
		{"rendezvous, put or get", channelStream(0)},
		{"queue, there and back", func(workers, n int) (time.Duration, error) {
			there, back := make(chan int, 1), make(chan int, 1)
			return bothGo(workers, func() {
				for i := range n {
					there <- i
					<-back
				}
			}, func() {
				for range n {
					back <- <-there
				}
			})
		}},
		{"semaphore, there and back", func(workers, n int) (time.Duration, error) {
			there, back := make(chan struct{}, 1), make(chan struct{}, 1)
			return bothGo(workers, func() {
				for range n {
					there <- struct{}{}
					<-back
				}
			}, func() {
				for range n {
					<-there
					back <- struct{}{}
				}
			})
		}},
		{"event, there and back", func(workers, n int) (time.Duration, error) {
			there, back := newUpFlag(), newUpFlag()
			return bothGo(workers, func() {
				for range n {
					there.set()
					back.take()
				}
			}, func() {
				for range n {
					there.take()
					back.set()
				}
			})
		}},
		{"mutex, lock and unlock", alone(func(n int) {
			var mu sync.Mutex
			sections := 0
			for range n {
				mu.Lock()
				sections++
				mu.Unlock()
			}
		})},
		{"mutex, handed on", func(workers, n int) (time.Duration, error) {
			var mu sync.Mutex
			section := func() {
				for range n / 2 {
					mu.Lock()
					goruntime.Gosched()
					mu.Unlock()
				}
			}
			return bothGo(workers, section, section)
		}},
		{"offload", alone(func(n int) {
			for range n {
				done := make(chan struct{})
				go close(done)
				<-done
			}
		})},
	}
}

// alone is one goroutine, on one processor.
func alone(body func(n int)) func(workers, n int) (time.Duration, error) {
	return func(_, n int) (time.Duration, error) {
		start := time.Now()
		body(n)
		return time.Since(start), nil
	}
}

// bothGo runs two goroutines on so many processors.
func bothGo(processors int, a, b func()) (time.Duration, error) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(processors))
	var done sync.WaitGroup
	start := time.Now()
	done.Go(a)
	done.Go(b)
	done.Wait()
	return time.Since(start), nil
}

func channelStream(size int) func(workers, n int) (time.Duration, error) {
	return func(workers, n int) (time.Duration, error) {
		c := make(chan int, size)
		return bothGo(workers, func() {
			for i := range n {
				c <- i
			}
		}, func() {
			for range n {
				<-c
			}
		})
	}
}

// upFlag is what goroutines have for an event that comes again.
type upFlag struct {
	mu   sync.Mutex
	cond *sync.Cond
	up   bool // mu guards
}

func newUpFlag() *upFlag {
	f := new(upFlag)
	f.cond = sync.NewCond(&f.mu)
	return f
}

func (f *upFlag) set() {
	f.mu.Lock()
	f.up = true
	f.mu.Unlock()
	f.cond.Broadcast()
}

// take waits until the flag is up, and lowers it.
func (f *upFlag) take() {
	f.mu.Lock()
	for !f.up {
		f.cond.Wait()
	}
	f.up = false
	f.mu.Unlock()
}
