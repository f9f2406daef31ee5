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
func (c *Channel[T]) Put(item T) error { return c.PutUntil(item, 0) }

// PutUntil is Put that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (c *Channel[T]) PutUntil(item T, deadline runtime.Instant) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	w := runtime.NewWaiter()
	if w == (runtime.Waiter{}) {
		c.mu.Unlock()
		return runtime.ErrNotInTask // on the hub, where no wait is possible
	}
	if c.serve(parcel[T]{item: item, ack: w}) {
		c.mu.Unlock()
		return w.Shielded().Park("channel put")
	}
	p, err := c.putters.Wait(&c.mu, w, parcel[T]{item: item}, "channel put", deadline)
	if err == nil && p.closed {
		err = ErrClosed
	}
	return err
}

// TryPut gives item to a getter that waits, else returns ErrFull; ErrClosed if
// the channel is closed. It never parks, and may be called from anywhere, the
// hub included.
func (c *Channel[T]) TryPut(item T) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case c.serve(parcel[T]{item: item}):
		return nil
	}
	return ErrFull
}

// serve gives p to the first getter, if there is one.
func (c *Channel[T]) serve(p parcel[T]) bool {
	for n := c.getters.Pop(); n != nil; n = c.getters.Pop() {
		n.Value = p
		if n.Ready() {
			return true
		}
	}
	return false
}

// Get takes the item of the putter that has waited longest, or waits for one;
// those that wait are served in the order they came. It returns ErrClosed if the
// channel is closed, or becomes so during the wait, or the error of a kill or
// timeout that ended the wait, and has taken no item then.
func (c *Channel[T]) Get() (T, error) { return c.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (c *Channel[T]) GetUntil(deadline runtime.Instant) (item T, err error) {
	c.mu.Lock()
	if item, err = c.take(); err != ErrEmpty {
		c.mu.Unlock()
		return item, err
	}
	p, err := c.getters.Wait(&c.mu, runtime.NewWaiter(), parcel[T]{}, "channel get", deadline)
	switch {
	case err != nil:
		return item, err
	case p.closed:
		return item, ErrClosed
	}
	p.ack.Ready()
	return p.item, nil
}

// TryGet takes the item of the putter that has waited longest, else returns
// ErrEmpty; ErrClosed if the channel is closed. It never parks, and may be called
// from anywhere, the hub included.
func (c *Channel[T]) TryGet() (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.take()
}

func (c *Channel[T]) take() (item T, err error) {
	for n := c.putters.Pop(); n != nil; n = c.putters.Pop() {
		put := n.Value.item
		if n.Ready() {
			return put, nil
		}
	}
	if c.closed {
		return item, ErrClosed
	}
	return item, ErrEmpty
}

// Close closes the channel: every Put and Get returns ErrClosed, also those that
// wait. Close returns ErrClosed if the channel was closed before. It never parks,
// and may be called from anywhere.
func (c *Channel[T]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.closed = true
	for n := c.getters.Pop(); n != nil; n = c.getters.Pop() {
		n.Value.closed = true
		n.Ready()
	}
	for n := c.putters.Pop(); n != nil; n = c.putters.Pop() {
		n.Value.closed = true
		n.Ready()
	}
	return nil
}

// All returns an iterator that takes items, waiting for them as Get does, until
// the channel is closed. A kill of the calling task, or an enclosing WithTimeout
// that expires, during a wait unwinds the task. The loop may be left early, and
// All called again, also by several at once.
func (c *Channel[T]) All() iter.Seq[T] { return all(c.Get) }

// Len returns 0, as a Channel stores nothing.
func (c *Channel[T]) Len() int { return 0 }

// Cap returns 0.
func (c *Channel[T]) Cap() int { return 0 }

// Empty returns true.
func (c *Channel[T]) Empty() bool { return true }

// Full returns true.
func (c *Channel[T]) Full() bool { return true }
