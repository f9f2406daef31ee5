// Package waitlist has lists of parties that wait for one thing, first come,
// first served. Locks, events, queues and pools are made of it.
package waitlist

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
)

// A Mutex guards a List and what is waited for. It is held for a few
// instructions, or to make all that wait ready, and never across a wait.
type Mutex = sync.Mutex

// A Node is one party in a List, with a value that it brings or is given. While
// it is listed the list's mutex guards it. Whoever takes it out may use it until
// Ready has ended its wait: from then on it is the party's.
type Node[T any] struct {
	Value T

	w          runtime.Waiter
	next, prev *Node[T]
	listed     bool
	kept       bool // one of those that the list uses again
}

// Ready ends the wait of a party that was taken out, and reports false if that
// had ended before, by a kill or timeout.
func (n *Node[T]) Ready() bool { return n.w.Ready() }

// A List is those that wait for one thing, the first for longest. The zero List
// is empty. A mutex of the caller guards it: all methods but Wait leave that to
// whom calls them.
type List[T any] struct {
	first, last *Node[T]
	length      int

	// Nodes are used again, so that waiting allocates nothing. A party whose
	// wait ended by Ready gives its node back without the mutex: that is one
	// atomic operation instead of two.
	kept     int
	spare    *Node[T]
	returned atomic.Pointer[Node[T]] // a stack: anyone pushes, the mutex's holder takes all
}

// maxKept bounds how many nodes a list uses again after many have waited at
// once.
const maxKept = 1024

// Push lists w, with a value.
func (l *List[T]) Push(w runtime.Waiter, value T) *Node[T] {
	n := l.spare
	if n == nil {
		n = l.refill()
	}
	l.spare = n.next
	n.Value, n.w = value, w
	n.next, n.prev = nil, l.last
	n.listed = true
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
	l.length++
	return n
}

// refill returns what has been given back, or a new node.
func (l *List[T]) refill() *Node[T] {
	if l.returned.Load() != nil {
		return l.returned.Swap(nil)
	}
	if l.kept == maxKept {
		return new(Node[T])
	}
	l.kept++
	return &Node[T]{kept: true}
}

// giveBack takes back a node that no one else knows any more.
func (l *List[T]) giveBack(n *Node[T]) {
	if !n.kept {
		return
	}
	var zero T
	n.Value, n.w = zero, runtime.Waiter{}
	for {
		n.next = l.returned.Load()
		if l.returned.CompareAndSwap(n.next, n) {
			return
		}
	}
}

// Remove takes n out, and reports whether it was listed.
func (l *List[T]) Remove(n *Node[T]) bool {
	if !n.listed {
		return false
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
	l.length--
	return true
}

// Empty reports whether no one is listed.
func (l *List[T]) Empty() bool { return l.first == nil }

// Len returns how many are listed. Those whose wait has ended by a kill or
// timeout, and who have not run since, count too.
func (l *List[T]) Len() int { return l.length }

// First returns the node that has been listed longest, nil if there is none.
func (l *List[T]) First() *Node[T] { return l.first }

// Pop takes out the first node and returns it, nil if there is none.
func (l *List[T]) Pop() *Node[T] {
	n := l.first
	if n == nil {
		return nil
	}
	n.listed = false
	l.length--
	if l.first = n.next; l.first == nil {
		l.last = nil
	} else {
		l.first.prev = nil
		n.next = nil
	}
	return n
}

// WakeFirst takes out the first party that still waits, and those before it, and
// ends its wait. It reports whether there was one.
func (l *List[T]) WakeFirst() bool {
	for n := l.Pop(); n != nil; n = l.Pop() {
		if n.Ready() {
			return true
		}
	}
	return false
}

// WakeAll takes all parties out, and ends their waits in their order.
func (l *List[T]) WakeAll() {
	for n := l.Pop(); n != nil; n = l.Pop() {
		n.Ready()
	}
}

// Wait lists w, a wait that the caller has begun, with a value, unlocks mu, which
// the caller holds, and parks until the wait ends. After Ready it returns what the
// value is then, after a kill or timeout the error.
//
// When Wait is left, the party is not listed; also by a panic: a killed task
// that swallowed its unwinding is unwound again by ParkUntil.
func (l *List[T]) Wait(mu *Mutex, w runtime.Waiter, value T, reason string, deadline runtime.Instant) (result T, err error) {
	n := l.Push(w, value)
	mu.Unlock()
	ready := false
	defer func() {
		if !ready {
			mu.Lock()
			l.Remove(n)
			mu.Unlock()
			l.giveBack(n)
		}
	}()
	if err := w.ParkUntil(reason, deadline); err != nil {
		return result, err
	}
	ready = true
	result = n.Value
	l.giveBack(n)
	return result, nil
}
