package queue

import (
	"iter"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// A Channel passes items from hand to hand: a Put and a Get wait for each other,
// and nothing is stored, so it is empty and full at once. The zero Channel is
// ready for use. It must not be copied after first use. Its methods may be called
// from any task or goroutine.
//
// A Put ends after the Get that took its item: if the getter had been waiting,
// the putter goes on when the getter has had its turn.
type Channel[T any] struct {
	mu      sync.Mutex      // held for a few instructions, never across a wait
	getters list[parcel[T]] // mu guards this and the rest
	putters list[parcel[T]]
	spares  spares[parcel[T]]
	closed  bool
}

// parcel is an item on its way.
type parcel[T any] struct {
	item T
	ack  runtime.Waiter // the putter that waits for the getter's turn, if it does
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
	if c.serve(parcel[T]{item, w}) {
		c.mu.Unlock()
		return w.Shielded().Park("channel put")
	}
	n := c.spares.take(w)
	n.value.item = item
	c.putters.push(n)
	c.mu.Unlock()
	err := c.putters.park(&c.mu, n, "channel put", deadline)
	c.spares.give(n)
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
	for n := c.getters.first; n != nil; n = c.getters.first {
		c.getters.remove(n)
		n.value = p
		if n.w.Ready() {
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
	n := c.spares.take(runtime.NewWaiter())
	c.getters.push(n)
	c.mu.Unlock()
	err = c.getters.park(&c.mu, n, "channel get", deadline)
	if err != nil {
		c.spares.give(n)
		return item, err
	}
	p := n.value
	c.spares.give(n)
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
	for n := c.putters.first; n != nil; n = c.putters.first {
		c.putters.remove(n)
		put := n.value.item
		if n.w.Ready() {
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
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.closed = true
	waiters := c.putters.close(c.getters.close(nil))
	c.mu.Unlock()
	for _, w := range waiters {
		w.Ready()
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
