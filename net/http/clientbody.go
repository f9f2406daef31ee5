package http

import (
	"compress/gzip"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime/lock"
)

// A responseBody is the Body of a response. It gives the connection back at its end,
// or closes it. Tasks and goroutines may share it: one reads, others wait for their
// turn, but for Close, which ends a Read under way.
type responseBody struct {
	c      *clientConn
	keep   bool // HTTP allows another request
	closed atomic.Bool

	turn   lock.Mutex // guards the rest
	plain  io.Reader  // as it came
	packed bool       // with gzip,
	src    io.Reader  // which this unpacks
	err    error      // of Read; the connection is not ours any more then
}

func newResponseBody(c *clientConn, resp *Response, keep, asked bool) *responseBody {
	b := &responseBody{c: c, keep: keep, plain: resp.Body}
	b.src = b.plain
	if asked && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		resp.Uncompressed = true
		b.packed, b.src = true, nil
	}
	return b
}

// Read reads from the body, and parks.
func (b *responseBody) Read(p []byte) (int, error) {
	if err := b.turn.LockUntil(0); err != nil {
		return 0, err
	}
	defer b.turn.Unlock()
	if b.closed.Load() {
		return 0, errReadClosed
	}
	return b.read(p)
}

// read is called by the holder of turn.
func (b *responseBody) read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.src == nil {
		if b.src, err = gzip.NewReader(b.plain); err != nil {
			return 0, b.end(err)
		}
	}
	if n, err = b.src.Read(p); err != nil {
		err = b.end(err)
	}
	return n, err
}

// end is called with the error of the last read.
func (b *responseBody) end(err error) error {
	if err == io.EOF {
		b.err = err
		b.c.release(b.keep)
		return err
	}
	b.err = b.c.failure(err)
	if b.closed.Load() {
		b.err = errReadClosed
	}
	b.c.stop()
	b.c.close()
	return b.err
}

// maxLeft is how much of a body Close reads, of what has come.
const maxLeft = 4 << 10

// Close ends the reading. If the rest of the body is there already, as after a
// decoder that stops at the end of its value, the connection is kept.
func (b *responseBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	if !b.turn.TryLock() {
		b.c.abort(errReadClosed)
		return nil
	}
	defer b.turn.Unlock()
	if b.err != nil {
		return nil
	}
	if b.keep && b.c.br.Buffered() > 0 {
		_ = b.c.conn.SetReadDeadline(aLongTimeAgo) // nothing is waited for
		n, err := io.CopyN(io.Discard, b.plain, maxLeft)
		_ = b.c.conn.SetReadDeadline(time.Time{})
		if err == io.EOF && n < maxLeft {
			b.err = io.EOF
			b.c.release(true)
			return nil
		}
	}
	b.err = errReadClosed
	b.c.stop()
	b.c.close()
	return nil
}
