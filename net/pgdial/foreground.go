package pgdial

import (
	"os"
	"sync/atomic"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// foreground is a connection, above TLS, that is not read in the background of a task.
type foreground struct {
	net.Conn

	// pending: a task has written, and has not read since. What a goroutine reads now it would read in the
	// background: a task, and a goroutine that does something in its own right, both write before they read, and
	// then read the answer.
	pending atomic.Bool
}

func (c *foreground) Write(p []byte) (int, error) {
	c.pending.Store(runtime.Current() != nil)
	return c.Conn.Write(p)
}

// Read reads. In the background it returns os.ErrDeadlineExceeded at once.
func (c *foreground) Read(p []byte) (int, error) {
	if runtime.Current() != nil {
		c.pending.Store(false)
	} else if c.pending.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(p)
}
