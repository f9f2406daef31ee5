package runtime

import (
	"runtime/debug"
	"slices"
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
	co := current()
	if co == nil {
		fn()
		return nil
	}
	return offload(co, newWaiter(co).External(), fn)
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
	return offload(co, newWaiter(co).External().Shielded(), fn)
}

// Await is Offload for a function with a result. The result is the zero value
// if the task was interrupted.
func Await[T any](fn func() (T, error)) (T, error) {
	co := current()
	if co == nil {
		return fn()
	}
	result := new(struct {
		value T
		err   error
	})
	err := offload(co, newWaiter(co).External(), func() { result.value, result.err = fn() })
	if err != nil {
		var zero T
		return zero, err
	}
	return result.value, result.err
}

func offload(co *coroutine, w Waiter, fn func()) error {
	if co.task == nil {
		return ErrNotInTask
	}
	job := &offloadJob{fn: fn, done: w}
	worker := co.w
	worker.rt.pool.submit(job)
	worker.offloads++
	err := w.Park("offload")
	worker.offloads--
	if err != nil {
		return err
	}
	return job.err
}

// offloadJob is one call.
type offloadJob struct {
	fn   func()
	err  error // by which fn did not return
	done Waiter
	next *offloadJob
}

func (job *offloadJob) do() {
	returned := false
	defer func() {
		if !returned {
			if r := recover(); r != nil {
				job.err = &PanicError{Value: r, Stack: debug.Stack()}
			} else {
				job.err = ErrGoexit
			}
		}
		job.done.Ready()
	}()
	job.fn()
	returned = true
}

// offloadPool is a bounded set of goroutines, started as needed. Those that were
// not needed for a while end.
type offloadPool struct {
	limit int

	mu          sync.Mutex
	first, last *offloadJob          // mu guards this and the rest: jobs that found all goroutines busy
	idle        []chan<- *offloadJob // the one used last at the end
	total       int
	low         int // the least number of idle ones since the last trim
	trimmer     *time.Timer
	closed      bool
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
func (p *offloadPool) submit(job *offloadJob) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.idle); {
	case n > 0:
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.low = min(p.low, n-1)
		c <- job // capacity 1, and empty
	case p.total < p.limit:
		p.total++
		go p.work(job)
	case p.last == nil:
		p.first, p.last = job, job
	default:
		p.last.next = job
		p.last = job
	}
}

// work is a goroutine of the pool.
func (p *offloadPool) work(job *offloadJob) {
	jobs := make(chan *offloadJob, 1)
	defer func() {
		if job != nil { // it called Goexit
			p.replace()
		}
	}()
	for job != nil {
		job.do()
		if job = p.next(jobs); job == nil {
			job = <-jobs // nil when closed
		}
	}
}

// next returns the job that waits longest, or notes that the goroutine of jobs is
// idle.
func (p *offloadPool) next(jobs chan *offloadJob) *offloadJob {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job := p.pop(); job != nil {
		return job
	}
	if p.closed {
		p.total--
		close(jobs)
		return nil
	}
	p.idle = append(p.idle, jobs)
	if p.trimmer == nil {
		p.trimmer = time.AfterFunc(offloadIdle, p.trim)
	}
	return nil
}

// pop takes the first job of the queue. mu is held.
func (p *offloadPool) pop() *offloadJob {
	job := p.first
	if job != nil {
		if p.first = job.next; p.first == nil {
			p.last = nil
		}
		job.next = nil
	}
	return job
}

// replace makes up for a goroutine that ended by Goexit.
func (p *offloadPool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job := p.pop(); job != nil {
		go p.work(job)
	} else {
		p.total--
	}
}

// trim ends the goroutines that were idle all the time since the last trim.
func (p *offloadPool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(p.low)
	p.low = len(p.idle)
	if p.total > 0 && !p.closed {
		p.trimmer.Reset(offloadIdle)
	} else {
		p.trimmer = nil
	}
}

// end ends the n idle goroutines that were used least. mu is held.
func (p *offloadPool) end(n int) {
	for _, c := range p.idle[:n] {
		close(c)
	}
	p.idle = slices.Delete(p.idle, 0, n)
	p.total -= n
}

// close lets the goroutines end once the queue is empty.
func (p *offloadPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.end(len(p.idle))
	if p.trimmer != nil {
		p.trimmer.Stop()
	}
}
