package process

import (
	"encoding/binary"
	goruntime "runtime"
	"slices"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/codec"
)

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
