package pool

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// node is one party in a list of those that wait. The list's mutex guards it.
type node struct {
	w          runtime.Waiter
	next, prev *node
	listed     bool
}

// list is those that wait for one thing, the first for longest.
type list struct {
	first, last *node
	spare       *node // for reuse, linked by next
	spares      int
}

// maxSpares bounds what a list keeps after many have waited at once.
const maxSpares = 256

// add lists the caller. The mutex is held.
func (l *list) add() *node {
	n := l.spare
	if n == nil {
		n = new(node)
	} else {
		l.spare = n.next
		l.spares--
	}
	*n = node{w: runtime.NewWaiter(), prev: l.last, listed: true}
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
	return n
}

// remove takes n out, if it is listed.
func (l *list) remove(n *node) {
	if !n.listed {
		return
	}
	n.listed = false
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.next, n.prev = nil, nil
}

// wake ends the wait of the first that still waits, and reports whether there
// was one. The mutex is held.
func (l *list) wake() bool {
	for n := l.first; n != nil; n = l.first {
		l.remove(n)
		if n.w.Ready() {
			return true
		}
	}
	return false
}

// park parks the party of n, and leaves it out of l in every case: when a task
// that swallowed a kill waits again, ParkUntil unwinds it. mu is not held.
func (l *list) park(mu *sync.Mutex, n *node, reason string, deadline runtime.Instant) error {
	defer func() {
		mu.Lock()
		l.remove(n)
		if l.spares < maxSpares {
			l.spares++
			n.next = l.spare
			l.spare = n
		}
		mu.Unlock()
	}()
	return n.w.ParkUntil(reason, deadline)
}

// slots are handed out to at most so many at once. A slot that is given back
// goes directly to the one who has waited longest.
type slots struct {
	size int // immutable

	mu      sync.Mutex // held for a few instructions, never across a wait
	taken   int        // mu guards this and the rest
	waiting list
}

func (s *slots) try() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.size {
		return false
	}
	s.taken++
	return true
}

func (s *slots) take(reason string, deadline runtime.Instant) error {
	s.mu.Lock()
	if s.taken < s.size { // then nobody waits
		s.taken++
		s.mu.Unlock()
		return nil
	}
	n := s.waiting.add()
	s.mu.Unlock()
	return s.waiting.park(&s.mu, n, reason, deadline)
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting.wake() {
		s.taken--
	}
}

func (s *slots) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size - s.taken
}
