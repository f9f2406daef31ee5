package runtime

import (
	"runtime/debug"
	"sync"
	"time"
)

// Offload runs fn on a goroutine of a bounded pool while the calling task
// parks: for what would block the worker's thread, such as file system calls,
// DNS, a Go channel. It returns nil when fn has returned, a *PanicError if it
// panicked, or the interrupt's error if the task was killed or timed out
// meanwhile: then fn goes on alone, so it must not share variables with the
// task without a lock. From a plain goroutine fn is called directly.
func Offload(fn func()) error {
	_, err := Await(func() (struct{}, error) {
		fn()
		return struct{}{}, nil
	})
	return err
}

// OffloadShielded is Offload that waits for fn whatever happens: a kill or
// timeout is delivered to the task's next wait. It is for short calls that must
// not go on alone, such as one on a descriptor that is then closed.
func OffloadShielded(fn func()) error {
	co := current()
	if co == nil {
		fn()
		return nil
	}
	_, err := await(co, NewWaiter().External().Shielded(), func() (struct{}, error) {
		fn()
		return struct{}{}, nil
	})
	return err
}

// Await is Offload for a function with a result. The result is the zero value
// if the task was interrupted.
func Await[T any](fn func() (T, error)) (T, error) {
	co := current()
	if co == nil {
		return fn()
	}
	return await(co, NewWaiter().External(), fn)
}

func await[T any](co *coroutine, w Waiter, fn func() (T, error)) (T, error) {
	var zero T
	if co.task == nil {
		return zero, ErrNotInTask
	}
	call := new(struct {
		value T
		err   error
	})
	co.w.rt.pool.submit(offloadJob{
		run:  func() { call.value, call.err = fn() },
		fail: func(err error) { call.err = err },
		done: w,
	})
	co.w.offloads++
	err := w.Park("offload")
	co.w.offloads--
	if err != nil {
		return zero, err
	}
	return call.value, call.err
}

type offloadJob struct {
	run  func()
	fail func(error)
	done Waiter
}

// offloadPool is a bounded set of goroutines, started as needed. An idle one
// ends after a while.
type offloadPool struct {
	limit int

	mu     sync.Mutex
	queue  []offloadJob // mu guards: jobs that found all goroutines busy
	idle   []chan offloadJob
	total  int // mu guards
	closed bool
}

const offloadIdle = 5 * time.Second

func newOffloadPool(limit int) *offloadPool { return &offloadPool{limit: limit} }

func (p *offloadPool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// submit hands job to an idle goroutine, the one used last, or a new one, or
// queues it.
func (p *offloadPool) submit(job offloadJob) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.idle); {
	case n > 0:
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		c <- job // capacity 1, and empty
	case p.total < p.limit:
		p.total++
		go p.work(job)
	default:
		p.queue = append(p.queue, job)
	}
}

func (p *offloadPool) work(job offloadJob) {
	jobs := make(chan offloadJob, 1)
	timer := time.NewTimer(offloadIdle)
	defer timer.Stop()
	working := true
	defer func() {
		if working {
			p.replace() // the job called Goexit
		}
	}()
	for {
		job.do()
		p.mu.Lock()
		if len(p.queue) > 0 {
			job = p.queue[0]
			p.queue[0] = offloadJob{}
			p.queue = p.queue[1:]
			p.mu.Unlock()
			continue
		}
		if p.closed {
			p.total--
			p.mu.Unlock()
			working = false
			return
		}
		working = false
		p.idle = append(p.idle, jobs)
		p.mu.Unlock()
		timer.Reset(offloadIdle)
		select {
		case next, ok := <-jobs:
			if !ok {
				return
			}
			job, working = next, true
			continue
		case <-timer.C:
		}
		if p.leave(jobs) {
			return
		}
		next, ok := <-jobs // handed over, or closed, at the same instant
		if !ok {
			return
		}
		job, working = next, true
	}
}

// replace makes up for a goroutine that ended by Goexit.
func (p *offloadPool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.total--
		return
	}
	job := p.queue[0]
	p.queue = p.queue[1:]
	go p.work(job)
}

// leave takes an idle goroutine out of the pool, unless a job is on its way to
// it.
func (p *offloadPool) leave(jobs chan offloadJob) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.idle {
		if c == jobs {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.total--
			return true
		}
	}
	return false
}

// close lets the goroutines end once the queue is empty.
func (p *offloadPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		close(c)
	}
	p.total -= len(p.idle)
	p.idle = nil
}

func (job offloadJob) do() {
	returned := false
	defer func() {
		if !returned {
			if r := recover(); r != nil {
				job.fail(&PanicError{Value: r, Stack: debug.Stack()})
			} else {
				job.fail(ErrGoexit)
			}
		}
		job.done.Ready()
	}()
	job.run()
	returned = true
}
