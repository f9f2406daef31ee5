package main

import (
	stdnet "net"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"
)

// goroutineEngine is the canonical Go program: goroutines, channels and the standard net package.
type goroutineEngine struct{}

func (goroutineEngine) yield(tasks, yields int) (time.Duration, error) {
	var done sync.WaitGroup
	start := time.Now()
	for range tasks {
		done.Go(func() {
			for range yields {
				goruntime.Gosched()
			}
		})
	}
	done.Wait()
	return time.Since(start), nil
}

func (goroutineEngine) token(trips int) (time.Duration, error) {
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for range ping {
			pong <- struct{}{}
		}
	}()
	start := time.Now()
	for range trips {
		ping <- struct{}{}
		<-pong
	}
	elapsed := time.Since(start)
	close(ping)
	return elapsed, nil
}

func (goroutineEngine) spawn(batch, batches int) (time.Duration, error) {
	var done sync.WaitGroup
	start := time.Now()
	for range batches {
		done.Add(batch)
		for range batch {
			go done.Done()
		}
		done.Wait()
	}
	return time.Since(start), nil
}

func (goroutineEngine) park(n int, parked func()) error {
	var done sync.WaitGroup
	var started atomic.Int64
	release := make(chan struct{})
	done.Add(n)
	for range n {
		go func() {
			started.Add(1)
			<-release
			done.Done()
		}()
	}
	// The process's time limit bounds this loop.
	for started.Load() < int64(n) {
		goruntime.Gosched()
	}
	goruntime.Gosched()
	parked()
	close(release)
	done.Wait()
	return nil
}

func (goroutineEngine) sleep(n, times int, d time.Duration) error {
	var done sync.WaitGroup
	for range n {
		done.Go(func() {
			for range times {
				time.Sleep(d)
			}
		})
	}
	done.Wait()
	return nil
}

func (goroutineEngine) serve(announce func(addr string)) error {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go echo(c)
	}
}
