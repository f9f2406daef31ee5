// Package waitlist has lists of parties that wait for one thing, first come,
// first served. Locks, events, queues and pools are made of it.
//
//	c := x.mu.Lock()
//	n := x.waiting.Push(c.NewWaiter(), value)
//	x.mu.Unlock()
//	if err := n.Park("my reason", deadline); err != nil {
//		return x.waiting.GiveUp(&x.mu, n, err)
//	}
//	return n.Take()
//
// is a wait, and Wait does it in one call. Hot functions have it written out: each
// return to a frame from before a switch costs as much as all of Push.
package waitlist

import (
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/store"
)

// A Mutex guards a List and what is waited for.
type Mutex = runtime.Guard

// A Node is one party in a List, with a value that it brings or is given. While
// it is listed the list's mutex guards it. Whoever takes it out may use it until
// Ready has ended its wait: from then on it is the party's.
type Node[T any] struct {
	Value T

	w          runtime.Waiter
	next, prev *Node[T]
	listed     bool
	kept       bool   // one of those that the list uses again
	busy       uint32 // until its party has called Take
}

// Park parks the party until its wait ends. After an error it calls GiveUp, else
// Take.
func (n *Node[T]) Park(reason string, deadline runtime.Instant) error {
	return n.w.ParkUntil(reason, deadline)
}

// Take returns what the value is at the end of a wait, and leaves the node to the
// list.
func (n *Node[T]) Take() T {
	value := n.Value
	var zero T
	n.Value = zero
	store.Release(&n.busy, 0)
	return value
}

// A List is those that wait for one thing, the first for longest. The zero List
// is empty. A mutex of the caller guards it: all methods but Wait and GiveUp leave
// that to whom calls them.
type List[T any] struct {
	first, last *Node[T]
	length      int

	// Nodes are used again, so that waiting allocates nothing. A party whose
	// wait ended by Ready takes its value without the mutex: so its node is put in
	// line, and used when it is no longer busy.
	kept        int
	spare       *Node[T]
	used, newer *Node[T] // the line: used first, newer last
}

// maxKept bounds how many nodes a list uses again after many have waited at
// once.
const maxKept = 1024

// Push lists w, a wait that Caller.NewWaiter has begun, with a value.
func (l *List[T]) Push(w runtime.Waiter, value T) *Node[T] {
	n := l.used
	if n == nil || atomic.LoadUint32(&n.busy) != 0 {
		n = l.another()
	} else {
		l.used = n.next
	}
	n.Value, n.w = value, w
	n.next, n.prev = nil, l.last
	n.listed = true
	n.busy = 1
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
	l.length++
	return n
}

// another returns a spare or a new node.
func (l *List[T]) another() *Node[T] {
	if n := l.spare; n != nil {
		l.spare = n.next
		return n
	}
	if l.kept == maxKept {
		return new(Node[T])
	}
	l.kept++
	return &Node[T]{kept: true}
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

// Ready ends the wait of a party that was taken out, and reports false if that
// had ended before, by a kill or timeout. c is the caller, who holds the mutex.
func (l *List[T]) Ready(c runtime.Caller, n *Node[T]) bool {
	if !c.Ready(n.w) {
		return false // its party gives the node back, by GiveUp
	}
	if n.kept {
		if l.used == nil {
			l.used = n
		} else {
			l.newer.next = n
		}
		l.newer = n
	}
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
	if n != nil {
		l.Remove(n)
	}
	return n
}

// WakeFirst takes out the first party that still waits, and those before it, and
// ends its wait. It reports whether there was one.
func (l *List[T]) WakeFirst(c runtime.Caller) bool {
	for n := l.Pop(); n != nil; n = l.Pop() {
		if l.Ready(c, n) {
			return true
		}
	}
	return false
}

// WakeAll takes all parties out, and ends their waits in their order.
func (l *List[T]) WakeAll(c runtime.Caller) {
	for n := l.Pop(); n != nil; n = l.Pop() {
		l.Ready(c, n)
	}
}

// GiveUp takes n out, with the mutex, for its party, whose Park has returned err,
// and returns that. It does not return if the task was killed and swallowed that:
// see runtime.Resume.
func (l *List[T]) GiveUp(mu *Mutex, n *Node[T], err error) error {
	mu.Lock()
	l.Remove(n)
	if n.kept {
		var zero T
		n.Value = zero
		n.next = l.spare
		l.spare = n
	}
	mu.Unlock()
	runtime.Resume(err)
	return err
}

// Wait lists w, a wait that Caller.NewWaiter has begun, with a value, unlocks mu,
// which the caller holds, and parks until the wait ends. It returns how, and what
// the value is then, the zero one with an error.
//
// When Wait is left the party is not listed, also when a killed task that
// swallowed its unwinding is unwound again.
func (l *List[T]) Wait(mu *Mutex, w runtime.Waiter, value T, reason string, deadline runtime.Instant) (result T, err error) {
	n := l.Push(w, value)
	mu.Unlock()
	if err := n.Park(reason, deadline); err != nil {
		return result, l.GiveUp(mu, n, err)
	}
	return n.Take(), nil
}
