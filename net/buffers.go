package net

import (
	"io"
	"syscall"

	stdnet "net"
)

// Buffers are runs of bytes to write, as the standard library's are.
//
// It is a type of its own, since the standard library's Buffers take the way of
// one system call for many runs (writev) with its own connections only: to ours
// they write run by run. Convert them: (*net.Buffers)(&b).WriteTo(conn).
type Buffers [][]byte

var (
	_ io.WriterTo = (*Buffers)(nil)
	_ io.Reader   = (*Buffers)(nil)
)

// WriteTo writes the contents to w, and parks as a Write to w does. To a TCP or
// unix connection, of this package or the standard library's, that is one system
// call for up to 1024 runs; to another Writer a Write for each. It takes out of v
// what it has written, and sets v's elements, but not their bytes.
func (v *Buffers) WriteTo(w io.Writer) (n int64, err error) {
	if c, ok := w.(buffersWriter); ok {
		return c.writeBuffers(v)
	}
	return (*stdnet.Buffers)(v).WriteTo(w)
}

// Read reads from the contents, and takes out of v what it has read. It never
// parks.
func (v *Buffers) Read(p []byte) (n int, err error) { return (*stdnet.Buffers)(v).Read(p) }

type buffersWriter interface {
	writeBuffers(v *Buffers) (int64, error)
}

func (c *conn) writeBuffers(v *Buffers) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Writev((*[][]byte)(v))
	return n, c.opError("writev", "writev", err)
}
