package runtime

import "iter"

// timer is one entry of a worker's timers. It is embedded in what it belongs
// to, so that starting one allocates nothing, and a stopped one is let go at
// once. Worker-only.
type timer struct {
	seq   uint64 // order of start, for equal instants
	place int    // positive in the heap, negative in the row, 0: not started
	fire  func(*timer)
	task  *Task
}

// timers are the started timers of a worker, in the order of when, then seq.
//
// Most waits last as long as others do, an idle timeout say, so each new one ends
// last of all. Such timers stand in a row: they come to its end and go from its
// beginning, without a look at the others. The rest is in a heap.
type timers struct {
	heap  timerHeap
	row   timerRow
	seq   uint64
	floor Instant // no timer is started earlier than this, while others fire
}

// timerEntry has when in it, so that the comparisons of a level of the heap stay
// within one cache line.
type timerEntry struct {
	when Instant
	*timer
}

func (a *timerEntry) before(b *timerEntry) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

func (s *timers) start(t *timer, when Instant) {
	if t.place != 0 {
		panic("runtime: timer started twice")
	}
	s.seq++
	t.seq = s.seq
	e := timerEntry{max(when, s.floor), t}
	if last := s.row.last(); last != nil && e.when < last.when {
		if s.row.len() > 1 {
			s.heap.push(e)
			return
		}
		// One that ends late is alone: that is no row.
		late := *last
		s.row.stop(late.timer)
		s.heap.push(late)
	}
	s.row.push(e)
}

// stop takes t out, if it is started.
func (s *timers) stop(t *timer) {
	switch {
	case t.place > 0:
		s.heap.stop(t)
	case t.place < 0:
		s.row.stop(t)
	}
}

// first returns the timer that fires next, nil if there is none.
func (s *timers) first() *timerEntry {
	first := s.row.first()
	if len(s.heap) > 0 && (first == nil || s.heap[0].before(first)) {
		return &s.heap[0]
	}
	return first
}

// next returns when the first timer fires, 0 if there is none.
func (s *timers) next() Instant {
	if e := s.first(); e != nil {
		return e.when
	}
	return 0
}

func (s *timers) len() int { return len(s.heap) + s.row.len() }

// all yields the started timers, in no order. None may be started or stopped
// meanwhile.
func (s *timers) all() iter.Seq[*timer] {
	return func(yield func(*timer) bool) {
		for _, entries := range [][]timerEntry{s.heap, s.row.entries[s.row.begin:]} {
			for _, e := range entries {
				if e.timer != nil && !yield(e.timer) {
					return
				}
			}
		}
	}
}

// expire fires the timers due at now. A timer started meanwhile with an
// instant that is past waits for the next call, so expire ends, and holds up no
// other.
func (s *timers) expire(now Instant) {
	s.floor = now + 1
	for e := s.first(); e != nil && e.when <= now; e = s.first() {
		t := e.timer
		s.stop(t)
		t.fire(t)
	}
	s.floor = 0
}
