package process

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime/event"
)

var errManyTakers = errors.New("pipe ends can't be given to a worker of a pool")

// A jobGroup is a number of jobs that call the same function.
type jobGroup struct {
	// immutable
	name    string
	n       int
	args    []byte
	offsets []int         // of the arguments in args, and the end
	size    int           // or that of each
	hear    func(segment) // if not nil gets the results instead of results; it does not wait

	// the engine's
	next    int           // jobs from here on were not given to a worker
	returns []spans       // jobs that were, and came back
	took    time.Duration // by a job, at most; 0: not known

	mu      sync.Mutex // held for a few instructions
	results []segment  // mu guards this and the rest
	settled int        // jobs that have a result

	done event.Event // all have
}

// spans are jobs from..to-1.
type spans struct{ from, to int }

// A segment is the results of a run of jobs, or the error of each.
type segment struct {
	from, n int
	encoded []byte
	err     error
}

// bytes returns the arguments of the jobs from..to-1.
func (g *jobGroup) bytes(from, to int) []byte {
	if g.offsets == nil {
		return g.args[from*g.size : to*g.size]
	}
	return g.args[g.offsets[from]:g.offsets[to]]
}

// left is how many jobs wait to be given to a worker.
func (g *jobGroup) left() int {
	n := g.n - g.next
	for _, s := range g.returns {
		n += s.to - s.from
	}
	return n
}

// cut takes up to n jobs, of no more than so many bytes unless it is one.
func (g *jobGroup) cut(n, bytes int) spans {
	s := spans{g.next, g.n}
	back := len(g.returns) > 0
	if back {
		s = g.returns[0]
	}
	all := s
	s.to = min(s.to, s.from+n)
	for s.to > s.from+1 && len(g.bytes(s.from, s.to)) > bytes {
		s.to = s.from + max((s.to-s.from)/2, 1)
	}
	switch {
	case !back:
		g.next = s.to
	case s.to == all.to:
		g.returns = slices.Delete(g.returns, 0, 1)
	default:
		g.returns[0].from = s.to
	}
	return s
}

// giveBack takes jobs back that no worker has begun.
func (g *jobGroup) giveBack(s spans) {
	if s.from < s.to {
		g.returns = append(g.returns, s)
	}
}

// deliver settles jobs. It does not wait.
func (g *jobGroup) deliver(s segment) {
	if s.n == 0 {
		return
	}
	g.mu.Lock()
	if g.hear == nil {
		g.results = append(g.results, s)
	}
	g.settled += s.n
	all := g.settled == g.n
	g.mu.Unlock()
	if g.hear != nil {
		g.hear(s)
	}
	if all {
		g.done.Set()
	}
}

// fail settles the jobs that wait to be given to a worker.
func (g *jobGroup) fail(err error) {
	for g.left() > 0 {
		s := g.cut(g.n, 1<<62)
		g.deliver(segment{from: s.from, n: s.to - s.from, err: err})
	}
}

// encodeJobs makes a group of calls of f.
func encodeJobs[A, R any](f *Func[A, R], args []A) (*jobGroup, error) {
	g := &jobGroup{name: f.name, n: len(args)}
	if f.args.Carries {
		return nil, &EncodeError{What: f.what("argument"), Err: errManyTakers}
	}
	var err error
	if g.args, g.offsets, err = f.args.AppendEach(nil, args); err != nil {
		return nil, &EncodeError{What: f.what("argument"), Err: err}
	}
	if g.offsets == nil && len(args) > 0 {
		g.size = len(g.args) / len(args)
	}
	return g, nil
}

// decodeSegment decodes the results of a segment that is no error.
func decodeSegment[A, R any](f *Func[A, R], s segment, results []R) error {
	if err := f.results.DecodeAll(s.encoded, results); err != nil {
		return &EncodeError{What: f.what("result"), Err: err}
	}
	return nil
}

// collect decodes all results of a group that is done. The error is that of the job that
// failed first.
func collect[A, R any](f *Func[A, R], g *jobGroup) ([]R, error) {
	results := make([]R, g.n)
	for _, s := range g.results {
		err := s.err
		if err == nil {
			err = decodeSegment(f, s, results[s.from:s.from+s.n])
		}
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
