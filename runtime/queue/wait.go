package queue

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
)

// node is one party in a list of those that wait, with the item that it brings
// or is given. While it is in a list the queue's mutex guards it. Afterwards it
// is the party's alone: whoever took it out has written to it before that, and
// ended the wait then.
type node[T any] struct {
	w          runtime.Waiter
	next, prev *node[T]
	listed     bool
	peeks      bool // the party waits in Peek
	closed     bool // its wait ended because the queue was closed
	value      T
}

// list is those that wait for one thing, the first for longest. The queue's
// mutex guards it.
type list[T any] struct {
	first, last *node[T]
}

func (l *list[T]) push(n *node[T]) {
	n.listed = true
	n.prev = l.last
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
}

// remove takes n out, if it is in the list.
func (l *list[T]) remove(n *node[T]) {
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

// close takes all out, marked as closed, and adds to waiters those that are to
// be made ready. That is done without the mutex, and needs a copy: a party
// whose wait ends otherwise meanwhile may use its node again.
func (l *list[T]) close(waiters []runtime.Waiter) []runtime.Waiter {
	for n := l.first; n != nil; n = l.first {
		l.remove(n)
		n.closed = true
		waiters = append(waiters, n.w)
	}
	return waiters
}

// park parks the party of n, which is in l. It leaves n out of the list in
// every case: when a task that swallowed a kill waits again, ParkUntil
// unwinds it. mu is the queue's mutex, and not held.
func (l *list[T]) park(mu *sync.Mutex, n *node[T], reason string, deadline runtime.Instant) error {
	taken := false
	defer func() {
		if !taken {
			mu.Lock()
			l.remove(n)
			mu.Unlock()
		}
	}()
	if err := n.w.ParkUntil(reason, deadline); err != nil {
		return err
	}
	taken = true
	if n.closed {
		return ErrClosed
	}
	return nil
}

// spares are nodes for reuse, so that waiting allocates nothing. A party gives
// its node back without the mutex: that is one atomic operation instead of two
// at the end of each wait.
type spares[T any] struct {
	returned atomic.Pointer[node[T]] // a stack: anyone pushes, the mutex's holder takes all
	ready    *node[T]                // the queue's mutex guards it
}

// maxSpares bounds what a queue keeps after many have waited on it at once.
const maxSpares = 1024

// take returns a node for the wait w. The mutex is held.
func (s *spares[T]) take(w runtime.Waiter) *node[T] {
	n := s.ready
	if n == nil {
		if n = s.refill(); n == nil {
			return &node[T]{w: w}
		}
	}
	s.ready = n.next
	n.next = nil
	n.w = w
	return n
}

func (s *spares[T]) refill() *node[T] {
	if s.returned.Load() == nil {
		return nil
	}
	first := s.returned.Swap(nil)
	last := first
	for i := 1; i < maxSpares && last.next != nil; i++ {
		last = last.next
	}
	last.next = nil
	return first
}

// give takes back a node that is in no list.
func (s *spares[T]) give(n *node[T]) {
	*n = node[T]{}
	for {
		n.next = s.returned.Load()
		if s.returned.CompareAndSwap(n.next, n) {
			return
		}
	}
}
