package tls

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	stdnet "net"
)

// transport is the connection that crypto/tls sees. During the handshake it passes
// all on. After it, Write only queues, so that crypto/tls, which calls it with its
// lock of the writing side held, never waits there.
type transport struct {
	stdnet.Conn

	owner *Conn

	// queueing is set by the one who made the handshake, before others may come.
	queueing bool

	// ended says that the stream has. The one who reads owns it.
	ended bool

	mu     sync.Mutex // held to copy, never across a wait
	queue  []byte     // mu guards: records to send
	queued atomic.Int64
}

// Read reads from the connection, and parks. crypto/tls holds then its lock of
// the reading side, and during the handshake all of its locks. What it has queued
// for the peer before it wants to read on, new keys, goes first: nothing might ever
// come otherwise.
func (t *transport) Read(p []byte) (int, error) {
	if t.queued.Load() > 0 {
		if err := t.owner.deliver(); err != nil {
			return 0, interrupted{err}
		}
	}
	n, err := t.Conn.Read(p)
	switch {
	case err == nil:
	case err == io.EOF:
		if n > 0 {
			return n, nil // there may be a close_notify in it
		}
		t.ended = true
	case isInterrupt(err):
		err = interrupted{err}
	}
	return n, err
}

func (t *transport) Write(p []byte) (int, error) {
	if !t.queueing {
		return t.Conn.Write(p)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue == nil {
		t.queue = *buffers.Get().(*[]byte)
	}
	t.queue = append(t.queue, p...)
	t.queued.Store(int64(len(t.queue)))
	return len(p), nil
}

// SetWriteDeadline does nothing where crypto/tls calls it, with a lock held, to
// bound a Write that does not wait.
func (t *transport) SetWriteDeadline(d time.Time) error {
	if t.queueing {
		return nil
	}
	return t.Conn.SetWriteDeadline(d)
}

// take returns the queue, and leaves an empty one. The result goes to recycle.
func (t *transport) take() []byte {
	if t.queued.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.queue
	t.queue = nil
	t.queued.Store(0)
	return queue
}

// buffers are queues that are not in use: only those who send have one.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, bufferSize)
	return &b
}}

// recycle takes back a queue of take.
func recycle(queue []byte) {
	if cap(queue) > 2*bufferSize {
		return
	}
	queue = queue[:0]
	buffers.Put(&queue)
}

// isInterrupt reports whether err ended a wait, by a kill or the failure of a
// scope, and says nothing about the connection.
func isInterrupt(err error) bool { return errors.Is(err, context.Canceled) }

// interrupted is such an error on its way through crypto/tls, which keeps errors
// that are not temporary, and returns them ever after.
type interrupted struct{ error }

func (interrupted) Timeout() bool   { return false }
func (interrupted) Temporary() bool { return true }
func (i interrupted) Unwrap() error { return i.error }

// bare returns the error of a call into crypto/tls as its caller shall see it.
func bare(err error) error {
	if i, ok := err.(interrupted); ok {
		return i.error
	}
	return err
}
