package main

import (
	"context"
	"errors"
	goruntime "runtime"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// weftEngine is the same on tasks of one worker and our own net package.
type weftEngine struct{}

// stopLimit is how long a runtime may take to end.
const stopLimit = 10 * time.Second

// inTask runs fn as the main task of a runtime with one worker. Tasks that fn spawns share the worker,
// so they and fn need no locks between them.
func inTask(fn func() error) error { return inTaskOf(1, fn) }

// inTaskOf is inTask with a number of workers, and as many processors.
func inTaskOf(workers int, fn func() error) error {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(workers))
	rt, err := runtime.New(runtime.Config{Workers: workers})
	if err != nil {
		return err
	}
	err = rt.Run(fn)
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	return errors.Join(err, rt.Stop(ctx))
}

// joinAll waits for the end of tasks.
func joinAll(tasks []*runtime.Task) error {
	for _, t := range tasks {
		if err := t.Join(); err != nil {
			return err
		}
	}
	return nil
}

func (weftEngine) yield(tasks, yields int) (elapsed time.Duration, err error) {
	err = inTask(func() error {
		all := make([]*runtime.Task, tasks)
		start := time.Now()
		for i := range all {
			all[i] = runtime.Spawn(func() {
				for range yields {
					runtime.Yield()
				}
			})
		}
		err := joinAll(all)
		elapsed = time.Since(start)
		return err
	})
	return elapsed, err
}

func (weftEngine) token(trips int) (elapsed time.Duration, err error) {
	err = inTask(func() error {
		var here, there runtime.Waiter // where each of the two waits for the token
		over := false
		peer := runtime.Spawn(func() {
			for !over {
				there = runtime.NewWaiter()
				here.Ready()
				if there.Park("token") != nil {
					return
				}
			}
		})
		// pass hands the token over and waits until it is back.
		pass := func() error {
			here = runtime.NewWaiter()
			there.Ready()
			return here.Park("token")
		}
		// The first wait is for the peer to start: it hands the token over without having had it.
		here = runtime.NewWaiter()
		if err := here.Park("token"); err != nil {
			return err
		}
		start := time.Now()
		for range trips {
			if err := pass(); err != nil {
				return err
			}
		}
		elapsed = time.Since(start)
		over = true
		there.Ready()
		return peer.Join()
	})
	return elapsed, err
}

func (weftEngine) spawn(batch, batches int) (elapsed time.Duration, err error) {
	err = inTask(func() error {
		all := make([]*runtime.Task, batch)
		start := time.Now()
		for range batches {
			for i := range all {
				all[i] = runtime.Spawn(func() {})
			}
			if err := joinAll(all); err != nil {
				return err
			}
		}
		elapsed = time.Since(start)
		return nil
	})
	return elapsed, err
}

func (weftEngine) park(n int, parked func()) error {
	return inTask(func() error {
		waiters := make([]runtime.Waiter, 0, n)
		live := n
		for range n {
			runtime.Spawn(func() {
				w := runtime.NewWaiter()
				waiters = append(waiters, w)
				// Readied or killed, it ends.
				_ = w.Park("bench")
				live--
			})
		}
		// The process's time limit bounds these loops.
		for len(waiters) < n {
			runtime.Yield()
		}
		parked()
		for _, w := range waiters {
			w.Ready()
		}
		for live > 0 {
			runtime.Yield()
		}
		return nil
	})
}

func (weftEngine) sleep(n, times int, d time.Duration) error {
	return inTask(func() error {
		all := make([]*runtime.Task, n)
		for i := range all {
			all[i] = runtime.Spawn(func() {
				for range times {
					runtime.Sleep(d)
				}
			})
		}
		return joinAll(all)
	})
}

func (weftEngine) serve(announce func(addr string)) error {
	return inTask(func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		announce(l.Addr().String())
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			runtime.Spawn(func() { echo(c) })
		}
	})
}
