package queue

import (
	"iter"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// A Channel passes items from hand to hand: a Put and a Get wait for each other,
// and nothing is stored, so it is empty and full at once. The zero Channel is
// ready for use. It must not be copied after first use. Its methods may be called
// from any task or goroutine.
//
// A Put ends after the Get that took its item: if the getter had been waiting,
// the putter goes on when the getter has had its turn.
type Channel[T any] struct {
	mu      waitlist.Mutex
	getters waitlist.List[parcel[T]] // mu guards this and the rest
	putters waitlist.List[parcel[T]]
	closed  bool
}

// parcel is an item on its way.
type parcel[T any] struct {
	item   T
	ack    runtime.Waiter // the putter that waits for the getter's turn, if it does
	closed bool           // the wait ended because the channel was closed
}

// Put gives item to a getter, and waits for one; those that wait are served in
// the order they came. It returns nil if and only if a getter got the item; else
// ErrClosed if the channel is closed, or becomes so during the wait, or the error
// of a kill or timeout that ended the wait.
//
// Once a waiting getter has been given the item, Put waits until that runs,
// which no kill or deadline ends.
func (ch *Channel[T]) Put(item T) error { return ch.PutUntil(item, 0) }

// PutUntil is Put that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (ch *Channel[T]) PutUntil(item T, deadline runtime.Instant) error {
	c := ch.mu.Lock()
	if ch.closed {
		ch.mu.Unlock()
		return ErrClosed
	}
	w := c.NewWaiter()
	if w.OnHub() {
		ch.mu.Unlock()
		return runtime.ErrNotInTask // on the hub, where no wait is possible
	}
	if ch.serve(c, parcel[T]{item: item, ack: w}) {
		ch.mu.Unlock()
		return w.Shielded().Park("channel put")
	}
	n := ch.putters.Push(w, parcel[T]{item: item})
	ch.mu.Unlock()
	if err := n.Park("channel put", deadline); err != nil {
		return ch.putters.GiveUp(&ch.mu, n, err)
	}
	if n.Take().closed {
		return ErrClosed
	}
	return nil
}

// TryPut gives item to a getter that waits, else returns ErrFull; ErrClosed if
// the channel is closed. It never parks, and may be called from anywhere, the
// hub included.
func (ch *Channel[T]) TryPut(item T) error {
	c := ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.closed:
		return ErrClosed
	case ch.serve(c, parcel[T]{item: item}):
		return nil
	}
	return ErrFull
}

// serve gives p to the first getter, if there is one.
func (ch *Channel[T]) serve(c runtime.Caller, p parcel[T]) bool {
	for n := ch.getters.Pop(); n != nil; n = ch.getters.Pop() {
		n.Value = p
		if ch.getters.Ready(c, n) {
			return true
		}
	}
	return false
}

// Get takes the item of the putter that has waited longest, or waits for one;
// those that wait are served in the order they came. It returns ErrClosed if the
// channel is closed, or becomes so during the wait, or the error of a kill or
// timeout that ended the wait, and has taken no item then.
func (ch *Channel[T]) Get() (T, error) { return ch.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (ch *Channel[T]) GetUntil(deadline runtime.Instant) (item T, err error) {
	c := ch.mu.Lock()
	if item, err = ch.take(c); err != ErrEmpty {
		ch.mu.Unlock()
		return item, err
	}
	n := ch.getters.Push(c.NewWaiter(), parcel[T]{})
	ch.mu.Unlock()
	if err := n.Park("channel get", deadline); err != nil {
		return item, ch.getters.GiveUp(&ch.mu, n, err)
	}
	p := n.Take()
	if p.closed {
		return item, ErrClosed
	}
	p.ack.Ready()
	return p.item, nil
}

// TryGet takes the item of the putter that has waited longest, else returns
// ErrEmpty; ErrClosed if the channel is closed. It never parks, and may be called
// from anywhere, the hub included.
func (ch *Channel[T]) TryGet() (T, error) {
	c := ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.take(c)
}

func (ch *Channel[T]) take(c runtime.Caller) (item T, err error) {
	for n := ch.putters.Pop(); n != nil; n = ch.putters.Pop() {
		put := n.Value.item
		if ch.putters.Ready(c, n) {
			return put, nil
		}
	}
	if ch.closed {
		return item, ErrClosed
	}
	return item, ErrEmpty
}

// Close closes the channel: every Put and Get returns ErrClosed, also those that
// wait. Close returns ErrClosed if the channel was closed before. It never parks,
// and may be called from anywhere.
func (ch *Channel[T]) Close() error {
	c := ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closed {
		return ErrClosed
	}
	ch.closed = true
	for n := ch.getters.Pop(); n != nil; n = ch.getters.Pop() {
		n.Value.closed = true
		ch.getters.Ready(c, n)
	}
	for n := ch.putters.Pop(); n != nil; n = ch.putters.Pop() {
		n.Value.closed = true
		ch.putters.Ready(c, n)
	}
	return nil
}

// All returns an iterator that takes items, waiting for them as Get does, until
// the channel is closed. A kill of the calling task, or an enclosing WithTimeout
// that expires, during a wait unwinds the task. The loop may be left early, and
// All called again, also by several at once.
func (ch *Channel[T]) All() iter.Seq[T] { return all(ch.Get) }

// Len returns 0, as a Channel stores nothing.
func (ch *Channel[T]) Len() int { return 0 }

// Cap returns 0.
func (ch *Channel[T]) Cap() int { return 0 }

// Empty returns true.
func (ch *Channel[T]) Empty() bool { return true }

// Full returns true.
func (ch *Channel[T]) Full() bool { return true }
