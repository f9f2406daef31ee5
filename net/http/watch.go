package http

import (
	"context"
	"errors"
	"os"

	"github.com/weft-go/weft/runtime"
)

// watch makes a task read the connection while a handler runs that wants to know
// when the client has gone: gone is called then. If the next request comes instead,
// its first byte is kept, and the end of the connection is not noticed any more. The
// caller holds the lock of the request's context.
func (c *conn) watch(gone context.CancelCauseFunc) {
	if c.watcher != nil || c.in.hasAhead {
		return
	}
	c.setReadDeadline(0)
	c.watcher = c.worker.Spawn(func() {
		n, err := c.rwc.Read(c.in.ahead[:])
		c.in.hasAhead = n > 0
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			gone(err)
		}
	})
}

// endWatch ends the task of watch, before the connection is used otherwise.
func (c *conn) endWatch() {
	if c.watcher == nil {
		return
	}
	c.mu.Lock()
	c.deadline = true
	_ = c.rwc.SetReadDeadline(aLongTimeAgo)
	c.mu.Unlock()
	// A killed task waits for it, too: the two share the input.
	for !c.watcher.Ended() {
		w := runtime.NewWaiter().Shielded()
		cancel := c.watcher.OnReady(func() { w.Ready() })
		_ = w.Park("end of a watch")
		cancel()
	}
	c.watcher = nil
	c.setReadDeadline(0)
}
