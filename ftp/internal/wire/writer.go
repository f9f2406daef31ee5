package wire

import "io"

// maxPending is how much a LineWriter collects before it writes by itself.
const maxPending = 4096

// LineWriter collects whole lines and writes them in one piece, so that the
// answers to pipelined commands leave in one segment.
//
// After an error the stream may end inside a line and nothing can follow: the
// error stays, and every later call returns it. A LineWriter belongs to one
// task at a time.
type LineWriter struct {
	w   io.Writer
	buf []byte
	err error
}

// NewLineWriter returns a LineWriter on w.
func NewLineWriter(w io.Writer) *LineWriter { return &LineWriter{w: w} }

// Reset makes lw write to w, drops what was not flushed, and forgets the error.
func (lw *LineWriter) Reset(w io.Writer) {
	lw.w, lw.buf, lw.err = w, lw.buf[:0], nil
}

// Available returns an empty slice with room to append a line to, for Write.
// It is valid until the next call.
func (lw *LineWriter) Available() []byte { return lw.buf[len(lw.buf):] }

// Write takes p, one or more whole lines with their CRLF, without changing it.
// It writes to the connection only when much has been collected.
func (lw *LineWriter) Write(p []byte) (int, error) {
	if lw.err != nil {
		return 0, lw.err
	}
	lw.buf = append(lw.buf, p...)
	if len(lw.buf) >= maxPending {
		if err := lw.Flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Buffered returns the number of bytes that wait for Flush.
func (lw *LineWriter) Buffered() int { return len(lw.buf) }

// Flush writes what was collected.
func (lw *LineWriter) Flush() error {
	if lw.err != nil || len(lw.buf) == 0 {
		return lw.err
	}
	n, err := lw.w.Write(lw.buf)
	if err == nil && n < len(lw.buf) {
		err = io.ErrShortWrite
	}
	lw.err = err
	// One long reply must not make an idle session heavy for ever.
	if cap(lw.buf) > 4*maxPending {
		lw.buf = nil
	}
	lw.buf = lw.buf[:0]
	return err
}
