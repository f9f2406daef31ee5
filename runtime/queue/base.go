package queue

import (
	"iter"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// base is what all queues that store items have in common: their methods are
// its own.
//
// getters wait only while nothing is stored, putters only while there is no
// room, so at most one of the lists is filled. Whoever brings an item hands it to
// the getter that has waited longest; whoever makes room stores the item of the
// putter that has waited longest. Either ends the other's wait, with the mutex
// held: if Ready reports that it had ended already, by a timeout or a kill,
// nothing is handed over. So the wait's outcome and the item's place agree.
type base[T any] struct {
	max int // immutable; 0: no bound

	mu      waitlist.Mutex
	items   items[T]                // mu guards this and the rest
	getters waitlist.List[party[T]] // in Get and Peek
	putters waitlist.List[party[T]] // in Put, with their items
	closed  bool

	unfinished int // items put and not Done, for Joinable
}

// party is one that waits: in Put with the item that it brings, in Get or Peek
// with the one that it is given.
type party[T any] struct {
	item   T
	peeks  bool
	closed bool // its wait ended because the queue was closed
}

// Put adds an item. While the queue is full it waits; those that wait are
// served in the order they came. It returns nil if and only if the item has been
// added; else ErrClosed if the queue is closed, or becomes so during the wait, or
// the error of a kill or timeout that ended the wait.
func (q *base[T]) Put(item T) error { return q.PutUntil(item, 0) }

// PutUntil is Put that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (q *base[T]) PutUntil(item T, deadline runtime.Instant) error {
	c := q.mu.Lock()
	err := q.add(c, item)
	if err != ErrFull {
		q.mu.Unlock()
		return err
	}
	n := q.putters.Push(c.NewWaiter(), party[T]{item: item})
	q.mu.Unlock()
	if err := n.Park("queue put", deadline); err != nil {
		return q.putters.GiveUp(&q.mu, n, err)
	}
	if n.Take().closed {
		return ErrClosed
	}
	return nil
}

// TryPut adds an item if that needs no wait, else returns ErrFull; ErrClosed if
// the queue is closed. It never parks, and may be called from anywhere, the
// hub included.
func (q *base[T]) TryPut(item T) error {
	err := q.add(q.mu.Lock(), item)
	q.mu.Unlock()
	return err
}

// Get takes the next item out. While there is none it waits; those that wait
// are served in the order they came. It returns ErrClosed if the queue is closed
// and empty, or the error of a kill or timeout that ended the wait, and has taken
// no item then.
func (q *base[T]) Get() (T, error) { return q.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (q *base[T]) GetUntil(deadline runtime.Instant) (T, error) {
	c := q.mu.Lock()
	if q.items.n > 0 {
		item := q.next(c)
		q.mu.Unlock()
		return item, nil
	}
	if q.closed {
		return q.over()
	}
	n := q.getters.Push(c.NewWaiter(), party[T]{})
	q.mu.Unlock()
	if err := n.Park("queue get", deadline); err != nil {
		return q.failed(n, err)
	}
	p := n.Take()
	if p.closed {
		return p.item, ErrClosed
	}
	return p.item, nil
}

// TryGet takes the next item out if there is one, else returns ErrEmpty;
// ErrClosed if the queue is closed and empty. It never parks, and may be called
// from anywhere, the hub included.
func (q *base[T]) TryGet() (item T, err error) {
	c := q.mu.Lock()
	if q.items.n == 0 {
		err = q.nothing()
	} else {
		item = q.next(c)
	}
	q.mu.Unlock()
	return item, err
}

// Peek is Get that leaves the item in the queue.
func (q *base[T]) Peek() (T, error) { return q.PeekUntil(0) }

// PeekUntil is Peek that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (q *base[T]) PeekUntil(deadline runtime.Instant) (T, error) {
	c := q.mu.Lock()
	if q.items.n > 0 {
		item := q.items.peek()
		q.mu.Unlock()
		return item, nil
	}
	if q.closed {
		return q.over()
	}
	p, err := q.getters.Wait(&q.mu, c.NewWaiter(), party[T]{peeks: true}, "queue peek", deadline)
	if err == nil && p.closed {
		err = ErrClosed
	}
	return p.item, err
}

// TryPeek is TryGet that leaves the item in the queue.
func (q *base[T]) TryPeek() (item T, err error) {
	q.mu.Lock()
	if q.items.n == 0 {
		err = q.nothing()
	} else {
		item = q.items.peek()
	}
	q.mu.Unlock()
	return item, err
}

// add hands item to a getter or stores it.
func (q *base[T]) add(c runtime.Caller, item T) error {
	switch {
	case q.closed:
		return ErrClosed
	case !q.getters.Empty() && q.serve(c, item): // then nothing is stored
	case q.max > 0 && q.items.n >= q.max:
		return ErrFull
	default:
		q.items.push(item)
	}
	q.unfinished++
	return nil
}

// serve hands item to the first getter, and shows it to the peekers before
// that.
func (q *base[T]) serve(c runtime.Caller, item T) bool {
	for n := q.getters.Pop(); n != nil; n = q.getters.Pop() {
		n.Value.item = item
		peeks := n.Value.peeks
		if q.getters.Ready(c, n) && !peeks {
			return true
		}
	}
	return false
}

// next takes an item out, and lets the first putter have its room.
func (q *base[T]) next(c runtime.Caller) T {
	item := q.items.pop()
	for n := q.putters.Pop(); n != nil; n = q.putters.Pop() {
		put := n.Value.item
		if q.putters.Ready(c, n) {
			q.items.push(put)
			q.unfinished++
			break
		}
	}
	return item
}

func (q *base[T]) nothing() error {
	if q.closed {
		return ErrClosed
	}
	return ErrEmpty
}

// over ends a Get of a closed queue that is empty. It is called with the mutex
// held, and unlocks it.
func (q *base[T]) over() (item T, err error) {
	q.mu.Unlock()
	return item, ErrClosed
}

// failed ends a Get whose wait ended with err.
func (q *base[T]) failed(n *waitlist.Node[party[T]], err error) (item T, _ error) {
	return item, q.getters.GiveUp(&q.mu, n, err)
}

// Close closes the queue. Nothing can be put any more: every Put returns
// ErrClosed, also those that wait. What is stored can still be taken out; then
// Get returns ErrClosed as well. Close returns ErrClosed if the queue was closed
// before. It never parks, and may be called from anywhere.
func (q *base[T]) Close() error {
	c := q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.closed = true
	for n := q.getters.Pop(); n != nil; n = q.getters.Pop() {
		n.Value.closed = true
		q.getters.Ready(c, n)
	}
	for n := q.putters.Pop(); n != nil; n = q.putters.Pop() {
		n.Value.closed = true
		q.putters.Ready(c, n)
	}
	return nil
}

// All returns an iterator that takes items out, waiting for them as Get does,
// until the queue is closed and empty. A kill of the calling task, or an
// enclosing WithTimeout that expires, during a wait unwinds the task. The loop
// may be left early, and All called again, also by several at once.
func (q *base[T]) All() iter.Seq[T] { return all(q.Get) }

func all[T any](get func() (T, error)) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			item, err := get()
			if err == ErrClosed {
				return
			}
			if err != nil {
				runtime.Unwind(err)
			}
			if !yield(item) {
				return
			}
		}
	}
}

// Len returns the number of items stored. Those of waiting putters don't count.
func (q *base[T]) Len() int {
	q.mu.Lock()
	n := q.items.n
	q.mu.Unlock()
	return n
}

// Cap returns the largest number of items, 0 if there is no bound.
func (q *base[T]) Cap() int { return q.max }

// Empty reports whether no item is stored.
func (q *base[T]) Empty() bool { return q.Len() == 0 }

// Full reports whether there is no room for another item.
func (q *base[T]) Full() bool { return q.max > 0 && q.Len() >= q.max }
