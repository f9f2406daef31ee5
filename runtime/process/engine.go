package process

import (
	"encoding/binary"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// localEngine runs the jobs of a Pool in processes of this machine.
type localEngine struct {
	// immutable
	size          int
	tasksPerChild int // 0: no limit
	start         workerStart
	procs         int // how many processors a worker uses; 0: all

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

// A jobLoan is a run of jobs that a worker has.
type jobLoan struct {
	w        *poolWorker
	g        *jobGroup
	from     int
	lent     int // jobs from here on that are the worker's
	reported int // of those, jobs that are settled
	lease    lease
	since    runtime.Instant // when it was lent
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

// A worker has at most loanDepth loans: the next one, so that it need not wait for it. A loan
// has at most so many bytes of arguments, to fit into a message.
const (
	loanDepth = 2
	loanBytes = 128 << 10
)

// employLocked gives jobs to workers. mu is held.
func (e *localEngine) employLocked() {
	defer e.calmLocked()
	for depth := 1; depth <= loanDepth; depth++ {
		for _, w := range e.workers {
			if w.ready && !w.ends && len(w.loans) < depth && !e.giveLocked(w, depth) {
				return
			}
		}
	}
}

// calmLocked keeps this process from looking for answers when the workers need all
// processors. mu is held.
func (e *localEngine) calmLocked() {
	busy := 0
	for _, w := range e.workers {
		if len(w.loans) > 0 {
			busy++
		}
	}
	calm := busy >= goruntime.NumCPU()
	if calm == e.calm.Load() {
		return
	}
	e.calm.Store(calm)
	for _, w := range e.workers {
		w.p.link.calm.Store(calm)
	}
}

// giveLocked gives jobs to a worker. It reports false if there are none to give. mu is held.
func (e *localEngine) giveLocked(w *poolWorker, depth int) bool {
	for len(e.groups) > 0 && e.groups[0].left() == 0 {
		e.groups = slices.Delete(e.groups, 0, 1)
	}
	if len(e.groups) == 0 && (depth > 1 || !e.stealLocked(w)) {
		if depth == 1 && e.closed && len(w.loans) == 0 {
			w.endLocked()
			return true
		}
		return false
	}
	g := e.groups[0]
	// An even part for each worker, as far as that goes into a message; but none in
	// advance, if that is all there is.
	n := (g.n + e.size - 1) / e.size
	if depth > 1 && g.left() < loanAhead {
		return false
	}
	if w.e.tasksPerChild > 0 {
		n = min(n, w.left)
	}
	s := g.cut(n, loanBytes)
	if w.e.tasksPerChild > 0 {
		if w.left -= s.to - s.from; w.left == 0 {
			w.ends = true // when these are done
		}
	}
	w.lendLocked(g, s)
	return true
}

// loanAhead is how many jobs must be left that workers are given some in advance.
const loanAhead = 64

// stealLocked takes back half of the jobs that the worker with most of them has not begun,
// for w. It reports whether there are any. mu is held.
func (e *localEngine) stealLocked(w *poolWorker) bool {
	var victim *jobLoan
	most, next := 0, false
	for _, other := range e.workers {
		for k, loan := range other.loans {
			if left := loan.lease.left(); other != w && left > most {
				victim, most, next = loan, left, k == 0
			}
		}
	}
	if victim == nil {
		return false
	}
	// Jobs that will be done before w could begin them stay where they are. If that turns
	// out wrong they are looked at again.
	took := victim.g.took
	if taken := victim.lease.taken(); taken > 0 {
		if now := runtime.Now().Sub(victim.since) / time.Duration(taken); took == 0 || now < took {
			took = now
		}
	}
	if took*time.Duration(most) < worthStealing {
		if !e.retrying {
			e.retrying = true
			time.AfterFunc(retryStealing, func() {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.retrying = false
				e.employLocked()
			})
		}
		return false
	}
	// The first job of the worker's next loan is about to begin.
	lent, some := victim.lease.halve(next)
	if !some {
		return false
	}
	victim.g.giveBack(spans{victim.from + lent, victim.from + victim.lent})
	victim.lent = lent
	e.groups = append(e.groups, victim.g)
	return true
}

const (
	worthStealing = 100 * time.Microsecond
	retryStealing = time.Millisecond
)

// lendLocked sends jobs to the worker. mu is held.
func (w *poolWorker) lendLocked(g *jobGroup, s spans) {
	n := s.to - s.from
	word := 0
	for len(w.loans) > 0 && slices.ContainsFunc(w.loans, func(l *jobLoan) bool { return l.lease.word == word }) {
		word++
	}
	loan := &jobLoan{w: w, g: g, from: s.from, lent: n, lease: lease{page: w.p.link.lending, word: word}, since: runtime.Now()}
	loan.lease.grant(n)
	w.loans = append(w.loans, loan)
	head := binary.LittleEndian.AppendUint32(nil, uint32(n))
	head = binary.LittleEndian.AppendUint32(head, uint32(word))
	w.request(rootJobs, loan.hear, codec.AppendBytes(head, []byte(g.name)), g.bytes(s.from, s.to))
}

// hear is called with each reply to a loan.
func (l *jobLoan) hear(r reply) {
	switch {
	case r.status == statusMore && len(r.body) >= 4:
		n := int(binary.LittleEndian.Uint32(r.body))
		s := segment{from: l.from + l.reported, n: n, encoded: r.body[4:]}
		if n == 0 {
			s.n, s.err, s.encoded = 1, decodeError(r.body[4:]), nil
		}
		l.w.e.mu.Lock()
		s.n = min(s.n, l.lent-l.reported)
		l.reported += s.n
		l.w.e.mu.Unlock()
		l.g.deliver(s)
	case r.status == statusGone: // ended sees to it
	default:
		e := l.w.e
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.lent > 0 {
			if took := runtime.Now().Sub(l.since) / time.Duration(l.lent); l.g.took == 0 || took < l.g.took {
				l.g.took = took
			}
		}
		l.w.loans = slices.DeleteFunc(l.w.loans, func(other *jobLoan) bool { return other == l })
		if l.w.ends && len(l.w.loans) == 0 {
			l.w.endLocked()
		}
		e.employLocked()
	}
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
