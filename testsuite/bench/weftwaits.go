package main

import (
	"errors"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/queue"
)

func (weftEngine) waits() []wait {
	return []wait{
		{"queue, put and get", taskAlone(func(n int) error {
			q := queue.New[int](16)
			for i := range n {
				if err := q.Put(i); err != nil {
					return err
				}
				if _, err := q.Get(); err != nil {
					return err
				}
			}
			return nil
		})},
		{"queue of 1, put or get", queueStream(1)},
		{"queue of 64, put or get", queueStream(64)},
		{"queue of 1,024, put or get", queueStream(1024)},
		{"rendezvous, put or get", func(workers, n int) (time.Duration, error) {
			c := new(queue.Channel[int])
			return stream(workers, n, c.Put, c.Get)
		}},
		{"queue, there and back", func(workers, n int) (time.Duration, error) {
			there, back := queue.New[int](1), queue.New[int](1)
			return bothTasks(workers, func() error {
				for i := range n {
					if err := there.Put(i); err != nil {
						return err
					}
					if _, err := back.Get(); err != nil {
						return err
					}
				}
				return nil
			}, func() error {
				for range n {
					i, err := there.Get()
					if err != nil {
						return err
					}
					if err := back.Put(i); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"semaphore, there and back", func(workers, n int) (time.Duration, error) {
			there, back := lock.NewSemaphore(0), lock.NewSemaphore(0)
			return bothTasks(workers, func() error {
				for range n {
					there.Release()
					if err := back.Acquire(); err != nil {
						return err
					}
				}
				return nil
			}, func() error {
				for range n {
					if err := there.Acquire(); err != nil {
						return err
					}
					back.Release()
				}
				return nil
			})
		}},
		{"event, there and back", func(workers, n int) (time.Duration, error) {
			var there, back event.Event
			return bothTasks(workers, func() error {
				for range n {
					there.Set()
					if err := back.Wait(); err != nil {
						return err
					}
					back.Clear()
				}
				return nil
			}, func() error {
				for range n {
					if err := there.Wait(); err != nil {
						return err
					}
					there.Clear()
					back.Set()
				}
				return nil
			})
		}},
		{"mutex, lock and unlock", taskAlone(func(n int) error {
			var mu lock.Mutex
			sections := 0
			for range n {
				mu.Lock()
				sections++
				mu.Unlock()
			}
			return nil
		})},
		{"mutex, handed on", func(workers, n int) (time.Duration, error) {
			var mu lock.Mutex
			section := func() error {
				for range n / 2 {
					mu.Lock()
					runtime.Yield()
					mu.Unlock()
				}
				return nil
			}
			return bothTasks(workers, section, section)
		}},
		{"offload", taskAlone(func(n int) error {
			for range n {
				if err := runtime.Offload(func() {}); err != nil {
					return err
				}
			}
			return nil
		})},
	}
}

// taskAlone is one task on one worker.
func taskAlone(body func(n int) error) func(workers, n int) (time.Duration, error) {
	return func(_, n int) (elapsed time.Duration, err error) {
		err = inTask(func() error {
			start := time.Now()
			err := body(n)
			elapsed = time.Since(start)
			return err
		})
		return elapsed, err
	}
}

// bothTasks runs two tasks, on one worker or on one each.
func bothTasks(workers int, a, b func() error) (elapsed time.Duration, err error) {
	err = inTaskOf(workers, func() error {
		ws := runtime.Current().Runtime().Workers()
		var errs [2]error
		start := time.Now()
		tasks := []*runtime.Task{
			ws[0].Spawn(func() { errs[0] = a() }),
			ws[workers-1].Spawn(func() { errs[1] = b() }),
		}
		err := joinAll(tasks)
		elapsed = time.Since(start)
		return errors.Join(err, errs[0], errs[1])
	})
	return elapsed, err
}

func queueStream(size int) func(workers, n int) (time.Duration, error) {
	return func(workers, n int) (time.Duration, error) {
		q := queue.New[int](size)
		return stream(workers, n, q.Put, q.Get)
	}
}

// stream has one task put n items and the other get them.
func stream(workers, n int, put func(int) error, get func() (int, error)) (time.Duration, error) {
	return bothTasks(workers, func() error {
		for i := range n {
			if err := put(i); err != nil {
				return err
			}
		}
		return nil
	}, func() error {
		for range n {
			if _, err := get(); err != nil {
				return err
			}
		}
		return nil
	})
}
