package process

import (
	"iter"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/queue"
)

// IMap gives the pool a job for each element of in, a call of f, and yields the results in
// the order of the elements, each as soon as it and those before it are there:
//
//	for n, err := range process.IMap(p, 100, files, count) {
//
// The error of a job comes with its element, and the loop goes on. An error without an
// element is the last: of in, when it panicked, of a pool that runs no more jobs, or of the
// caller, whose wait was interrupted.
//
// in is iterated by a task of its own, which is never more than maxsize elements ahead of the
// loop. A maxsize of 0 means no bound; IMap panics if it is negative. When the loop is left
// early, jobs that were not begun are not done. Each loop iterates in anew.
func IMap[A, R any](p *Pool, maxsize int, in iter.Seq[A], f *Func[A, R]) iter.Seq2[R, error] {
	return imap(p, maxsize, in, f, true)
}

// IMapUnordered is IMap that yields the results in the order in which they come about.
func IMapUnordered[A, R any](p *Pool, maxsize int, in iter.Seq[A], f *Func[A, R]) iter.Seq2[R, error] {
	return imap(p, maxsize, in, f, false)
}

func imap[A, R any](p *Pool, maxsize int, in iter.Seq[A], f *Func[A, R], ordered bool) iter.Seq2[R, error] {
	positive(maxsize)
	return func(yield func(R, error) bool) {
		m := &mapping[A, R]{p: p, f: f, room: lock.NewSemaphore(maxsize), bounded: maxsize > 0, chunk: min(max(maxsize/8, 1), 256)}
		if !m.bounded {
			m.chunk = 256
		}
		feeder := runtime.Async(func() (struct{}, error) {
			for arg := range in {
				if err := m.add(arg); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, m.flush()
		})
		late := runtime.Async(m.flushLate)
		for _, f := range []*runtime.Future[struct{}]{feeder, late} {
			f.OnReady(func() { _ = m.settled.TryPut(segment{}) }) // to look whether all is over
		}
		defer func() {
			feeder.Kill(pool.ErrAbandoned)
			late.Kill(pool.ErrAbandoned)
			m.drop(pool.ErrAbandoned)
			_, _ = feeder.Join(), late.Join()
			m.drop(pool.ErrAbandoned) // what they were giving at that moment
		}()
		m.loop(feeder, late, ordered, yield)
	}
}

// flushDelay is how long an element may wait for others, which may take long to come, while the workers
// are about to need it.
const flushDelay = time.Millisecond

// flushLate is a task that gives the pool what has waited for long enough.
func (m *mapping[A, R]) flushLate() (none struct{}, err error) {
	for err == nil {
		if err = m.some.Wait(); err != nil {
			break
		}
		m.some.Clear()
		runtime.Sleep(flushDelay)
		err = m.flush()
	}
	return none, err
}

// A mapping is one loop.
type mapping[A, R any] struct {
	p       *Pool
	f       *Func[A, R]
	room    *lock.Semaphore
	bounded bool
	chunk   int // elements that are given to the pool at once, if nobody is hungry

	settled queue.Queue[segment] // results, by the number of the element
	some    event.Event          // there is something in args, for flushLate

	mu     sync.Mutex // held for a few instructions
	args   []A        // mu guards this and the rest: elements that were not given to the pool
	given  int        // elements that were
	groups []*jobGroup
}

// add takes an element in. It waits for room.
func (m *mapping[A, R]) add(arg A) error {
	if m.bounded {
		if err := m.room.Acquire(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.args = append(m.args, arg)
	first, full := len(m.args) == 1, len(m.args) >= m.chunk
	m.mu.Unlock()
	if full || m.p.engine.hungry() {
		return m.flush()
	}
	if first {
		m.some.Set()
	}
	return nil
}

// flush gives the pool what was taken in.
func (m *mapping[A, R]) flush() error {
	m.mu.Lock()
	args, base := m.args, m.given
	m.args = nil
	m.given += len(args)
	m.mu.Unlock()
	if len(args) == 0 {
		return nil
	}
	g, err := encodeJobs(m.f, args)
	if err != nil {
		return err
	}
	g.hear = func(s segment) {
		s.from += base
		_ = m.settled.TryPut(s) // it has no bound
	}
	m.mu.Lock()
	m.groups = append(m.groups, g)
	if len(m.groups) > 64 {
		kept := m.groups[:0]
		for _, g := range m.groups {
			if !g.done.IsSet() {
				kept = append(kept, g)
			}
		}
		clear(m.groups[len(kept):])
		m.groups = kept
	}
	m.mu.Unlock()
	return m.p.engine.submit(g)
}

// drop gives up what was not begun.
func (m *mapping[A, R]) drop(err error) {
	m.mu.Lock()
	groups := m.groups
	m.groups = nil
	m.mu.Unlock()
	for _, g := range groups {
		m.p.engine.drop(g, err)
	}
}

// loop yields the results.
func (m *mapping[A, R]) loop(feeder, late *runtime.Future[struct{}], ordered bool, yield func(R, error) bool) {
	early := make(map[int]segment) // whose turn has not come, by its first element
	next := 0                      // element
	for {
		if late.Ended() {
			var zero R
			yield(zero, late.Err())
			return
		}
		if feeder.Ended() {
			m.mu.Lock()
			over := next == m.given
			m.mu.Unlock()
			if err := feeder.Err(); over || err != nil {
				if err != nil {
					var zero R
					yield(zero, err)
				}
				return
			}
		}
		s, err := m.settled.Get()
		if err != nil {
			var zero R
			yield(zero, err)
			return
		}
		if s.n == 0 {
			continue
		}
		if ordered {
			early[s.from] = s
		}
		for s.n > 0 {
			if ordered {
				var there bool
				if s, there = early[next]; !there {
					break
				}
				delete(early, next)
			}
			next += s.n
			if !m.give(s, yield) {
				return
			}
			if !ordered {
				break
			}
		}
	}
}

// give yields the results of a segment.
func (m *mapping[A, R]) give(s segment, yield func(R, error) bool) bool {
	results := make([]R, s.n)
	err := s.err
	if err == nil {
		err = decodeSegment(m.f, s, results)
	}
	for _, result := range results {
		if m.bounded {
			m.room.Release()
		}
		if !yield(result, err) {
			return false
		}
	}
	return true
}
