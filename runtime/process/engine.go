package process

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// localEngine runs the jobs of a Pool in processes of this machine.
type localEngine struct {
	// immutable
	poolConfig
	procs int // how many processors a worker uses; 0: all

	over event.Event // closed or terminated, and all workers have ended
	spin ring.Spinner
	calm atomic.Bool // see calmLocked

	mu      sync.Mutex // held for a few instructions
	groups  []*jobGroup
	workers []*poolWorker
	alive   int   // processes that have not ended, or are being started
	crashes int   // in a row, of workers that were not ready
	closed  bool  // no more jobs
	broken  error // no job can be run any more

	retrying bool // stealLocked will be tried again
}

// A workerStart is what a worker is told at its start.
type workerStart struct {
	Init string // name of the initializer, or empty
	Arg  []byte
}

// A poolWorker is one process.
type poolWorker struct {
	e     *localEngine
	p     *Running[struct{}]
	ready bool // e.mu guards this and the rest
	ends  bool // it was told to, or will be when it is idle
	left  int  // jobs it may still be given, if there is a limit
	loans []*jobLoan
}

// work is the function of a worker.
var work = Register("weft worker", func(start workerStart) (struct{}, error) {
	err := start.initialise()
	if err != nil {
		root.ready.Fail(err)
	} else {
		root.ready.Set(struct{}{})
	}
	return struct{}{}, root.stop.Wait()
})

func (s *workerStart) initialise() error {
	if s.Init == "" {
		return nil
	}
	f, err := functionOf(s.Init)
	if err == nil {
		_, err = f.call(s.Arg, new(baggage))
	}
	return err
}

// open starts the workers.
func (e *localEngine) open() error {
	for range e.size {
		e.alive++
		if err := e.hire(); err != nil {
			e.terminate()
			_ = e.over.Wait()
			return err
		}
	}
	return nil
}

// hire starts a worker, which was counted in alive.
func (e *localEngine) hire() error {
	w := &poolWorker{e: e, left: e.tasksPerChild}
	var err error
	w.p = New(work, e.start, Daemon(), Named("worker"))
	w.p.procs = e.procs
	err = w.p.Start()
	e.mu.Lock()
	if err != nil {
		e.leftLocked()
		e.mu.Unlock()
		return err
	}
	e.workers = append(e.workers, w)
	w.p.link.calm.Store(e.calm.Load())
	terminated := e.broken != nil
	e.mu.Unlock()
	if terminated {
		_ = w.p.Kill()
	}
	w.p.OnReady(func() { e.ended(w) })
	w.request(rootReady, w.wasReady)
	return nil
}

// request makes a request to the worker. then must not wait.
func (w *poolWorker) request(op op, then func(reply), parts ...[]byte) {
	l := w.p.link
	c := &call{then: then}
	if !l.calls.add(c) {
		then(reply{status: statusGone})
		return
	}
	l.post(header{kind: kindRequest, code: byte(op), obj: rootID, id: c.id}, nil, parts...)
}

func (w *poolWorker) wasReady(r reply) {
	if r.status == statusGone {
		return // it has died
	}
	e := w.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := r.err(); err != nil {
		e.breakLocked(fmt.Errorf("process: initializer: %w", err))
		return
	}
	w.ready, e.crashes = true, 0
	e.employLocked()
}

// submit takes jobs over.
func (e *localEngine) submit(g *jobGroup) error {
	if g.n == 0 {
		g.done.Set()
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil && !e.closed {
		return e.broken
	}
	if e.closed {
		return ErrPoolClosed
	}
	e.groups = append(e.groups, g)
	e.employLocked()
	return nil
}

// endLocked lets an idle worker end. mu is held.
func (w *poolWorker) endLocked() {
	w.ends, w.ready = true, false
	w.request(rootStop, func(reply) {})
}

// ended is called when a worker's process has ended, and all that it said was heard.
func (e *localEngine) ended(w *poolWorker) {
	code, _ := w.p.ExitCode()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.workers = slices.DeleteFunc(e.workers, func(other *poolWorker) bool { return other == w })
	died := &WorkerDiedError{PID: w.p.PID(), ExitCode: code}
	for _, loan := range w.loans {
		loan.lease.revoke(0)
		begun := min(loan.lease.taken(), loan.lent)
		var err error = died
		if e.broken != nil {
			err = e.broken
		}
		loan.g.deliver(segment{from: loan.from + loan.reported, n: begun - loan.reported, err: err})
		loan.g.giveBack(spans{loan.from + begun, loan.from + loan.lent})
		if e.broken != nil {
			loan.g.fail(e.broken)
		} else if loan.g.left() > 0 && !slices.Contains(e.groups, loan.g) {
			e.groups = slices.Insert(e.groups, 0, loan.g)
		}
	}
	w.loans = nil
	if !w.ready && !w.ends {
		if e.crashes++; e.crashes >= mostCrashes {
			e.breakLocked(fmt.Errorf("process: initializer: %w", died))
		}
	}
	if e.broken != nil || e.closed && len(e.groups) == 0 {
		e.leftLocked()
		return
	}
	runtime.Default().Spawn(func() {
		if err := e.hire(); err != nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.alive == 0 { // nobody is left who could run a job
				e.breakLocked(err)
			}
		}
	})
	e.employLocked()
}

// mostCrashes is how many workers in a row may die before they are ready.
const mostCrashes = 3

// leftLocked notes that there is a worker less, and none will take its place. mu is held.
func (e *localEngine) leftLocked() {
	if e.alive--; e.alive == 0 && (e.closed || e.broken != nil) {
		e.over.Set()
	}
}

// breakLocked fails all jobs, now and later, and kills the workers. mu is held.
func (e *localEngine) breakLocked(err error) {
	if e.broken != nil {
		return
	}
	e.broken = err
	for _, g := range e.groups {
		g.fail(err)
	}
	e.groups = nil
	for _, w := range e.workers {
		_ = w.p.Kill()
	}
	if e.alive == 0 {
		e.over.Set()
	}
}

// mostHelped is the largest number of workers for whose answers it pays to look oneself.
const mostHelped = 8

// help takes in what the workers say, for a moment, until done reports true.
func (e *localEngine) help(done func() bool) {
	if e.calm.Load() {
		return
	}
	e.mu.Lock()
	ls := make([]*link, 0, mostHelped)
	if len(e.workers) <= mostHelped {
		for _, w := range e.workers {
			ls = append(ls, w.p.link)
		}
	}
	e.mu.Unlock()
	look(&e.spin, ls, done)
}

// hungry reports whether a worker has nothing to do. It is a guess.
func (e *localEngine) hungry() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.groups) == 0 && slices.ContainsFunc(e.workers, func(w *poolWorker) bool {
		return w.ready && !w.ends && len(w.loans) == 0
	})
}

// drop fails the jobs of g that no worker was given.
func (e *localEngine) drop(g *jobGroup, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g.fail(err)
}

func (e *localEngine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.alive == 0 {
		e.over.Set()
	}
	e.employLocked()
}

func (e *localEngine) terminate() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.breakLocked(ErrTerminated)
}

func (e *localEngine) joinUntil(deadline runtime.Instant) error {
	e.mu.Lock()
	running := !e.closed && e.broken == nil
	e.mu.Unlock()
	if running {
		return ErrRunning
	}
	return e.over.WaitUntil(deadline)
}

func (e *localEngine) processes() []*Process {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*Process, 0, len(e.workers))
	for _, w := range e.workers {
		all = append(all, &w.p.Process)
	}
	return all
}
