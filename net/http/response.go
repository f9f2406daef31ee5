package http

import (
	"bufio"
	"io"
	"strconv"
	"sync"
	"syscall"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime/lock"
)

// maxHeld is how much of a response's body is held back until its end is known: one
// that is not longer gets a Content-Length.
const maxHeld = 2048

// copySize is the size of a buffer to copy with.
const copySize = 32 << 10

var copies = sync.Pool{New: func() any { return new([copySize]byte) }}

// A response is the ResponseWriter of a handler. Unlike the request's body it is for one
// task or goroutine at a time.
type response struct {
	x *exchange

	header   Header // the handler's
	snapshot Header // that of the call of WriteHeader, if the handler may change it
	trailers []string
	status   int   // 0 before WriteHeader
	length   int64 // declared; -1: none
	written  int64 // of the body, by the handler

	done        bool // the handler has returned
	committed   bool // the head is in the connection's buffer
	chunked     bool
	closes      bool // the connection, after this
	keepAlive10 bool // asked for, in HTTP/1.0
	fullDuplex  bool // the handler reads and writes by turns

	// continuing orders the interim 100 of a Read after the response has begun.
	continuing lock.Mutex
}

// Header returns the header that WriteHeader sends.
func (w *response) Header() Header {
	if w.header == nil {
		w.header = make(Header)
	}
	if w.status != 0 && !w.committed && w.snapshot == nil {
		w.snapshot = w.header.Clone()
	}
	return w.header
}

// sent returns the header as it was when WriteHeader was called.
func (w *response) sent() Header {
	if w.snapshot != nil {
		return w.snapshot
	}
	return w.header
}

// WriteHeader sets the status. One of 100 to 199, but for 101, is sent at once, with
// the header as it is, before the response proper.
func (w *response) WriteHeader(status int) {
	c := w.x.conn
	switch {
	case c.hijacked:
		c.server.logf("http: WriteHeader on a hijacked connection, of %s", w.x.req.URL.Path)
		return
	case w.status != 0:
		c.server.logf("http: superfluous WriteHeader, of %s", w.x.req.URL.Path)
		return
	case status < 100 || status > 999:
		panic("http: invalid status " + strconv.Itoa(status))
	}
	if status < 200 && status != StatusSwitchingProtocols {
		w.writeInterim(status)
		return
	}
	w.noContinue()
	w.status = status
	if cl := w.header.Get("Content-Length"); cl != "" {
		n, err := strconv.ParseInt(cl, 10, 64)
		if err != nil || n < 0 {
			c.server.logf("http: invalid Content-Length of %q", cl)
			w.header.Del("Content-Length")
			return
		}
		w.length = n
	}
}

// writeInterim sends an informational response.
func (w *response) writeInterim(status int) {
	if !w.x.req.ProtoAtLeast(1, 1) {
		return // RFC 9110, 15.2
	}
	if status == StatusContinue {
		w.noContinue()
	}
	out := &w.x.conn.out
	writeStatusLine(out, true, status)
	writeFields(out, w.header, []string{"Content-Length", "Transfer-Encoding"})
	out.writeString("\r\n")
	out.flush()
}

// sendContinue tells the client to send the request's body, unless the response has
// begun. It is called by whoever reads the body, who may be another task.
func (w *response) sendContinue() error {
	w.continuing.Lock()
	defer w.continuing.Unlock()
	if !w.x.body.expected.CompareAndSwap(true, false) {
		return nil
	}
	// Not by the buffer, which belongs to the handler.
	_, err := io.WriteString(w.x.conn.rwc, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// noContinue is called before the response begins: after that, no 100.
func (w *response) noContinue() {
	b := w.x.body
	if b == nil || !b.expected.Load() {
		return
	}
	w.continuing.Lock()
	defer w.continuing.Unlock()
	if b.expected.CompareAndSwap(true, false) {
		w.closes = true // it may send the body or not
	}
}

// Write sends a part of the body, and parks while the client does not take it.
func (w *response) Write(p []byte) (int, error) { return write(w, p) }

// WriteString is Write.
func (w *response) WriteString(s string) (int, error) { return write(w, s) }

func write[T []byte | string](w *response, p T) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	if w.status == 0 {
		w.WriteHeader(StatusOK)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if !bodyAllowed(w.status) {
		return 0, ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.length != -1 && w.written > w.length {
		return 0, ErrContentLength
	}
	c := w.x.conn
	if (!w.committed || w.chunked) && len(c.body)+len(p) <= maxHeld {
		c.body = append(c.body, p...)
		return len(p), nil
	}
	if !w.committed {
		first := c.body
		if len(first) == 0 {
			first = []byte(p[:min(len(p), sniffed)])
		}
		w.commit(first)
	}
	w.emitHeld()
	if w.chunked && len(p) <= maxHeld/2 { // several may make a chunk
		c.body = append(c.body, p...)
	} else {
		emit(w, p)
	}
	return len(p), c.out.err
}

// usable returns why the handler may not write, nil if it may.
func (w *response) usable() error {
	switch {
	case w.x.conn.hijacked:
		return ErrHijacked
	case w.done: // the buffers serve others
		return errReturned
	}
	return nil
}

// emit writes a part of the body to the connection's buffer.
func emit[T []byte | string](w *response, p T) {
	if len(p) == 0 || w.x.req.Method == "HEAD" {
		return
	}
	out := &w.x.conn.out
	if w.chunked {
		out.writeInt(int64(len(p)), 16)
		out.writeString("\r\n")
	}
	switch p := any(p).(type) {
	case []byte:
		out.write(p)
	case string:
		out.writeString(p)
	}
	if w.chunked {
		out.writeString("\r\n")
	}
}

func (w *response) emitHeld() {
	c := w.x.conn
	emit(w, c.body)
	c.body = c.body[:0]
}

// FlushError sends what has been written so far.
func (w *response) FlushError() error {
	if err := w.usable(); err != nil {
		return err
	}
	c := w.x.conn
	if w.status == 0 {
		w.WriteHeader(StatusOK)
	}
	if !w.committed {
		w.commit(c.body)
	}
	w.emitHeld()
	c.out.flush()
	return c.out.err
}

// Flush is FlushError.
func (w *response) Flush() { _ = w.FlushError() }

// ReadFrom sends what src gives as a part of the body. Where the length is known, and
// TLS does not stand between, the kernel copies from what it can: see
// net.TCPConn.ReadFrom.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	buf := copies.Get().(*[copySize]byte)
	defer copies.Put(buf)
	to, ok := w.x.conn.rwc.(io.ReaderFrom)
	if !ok || !hasDescriptor(src) {
		return io.CopyBuffer(onlyWriter{w}, src, buf[:])
	}
	if !w.committed { // the type is guessed by its beginning, and it may fail
		n, err = io.CopyBuffer(onlyWriter{w}, io.LimitReader(src, sniffed), buf[:])
		if err != nil || n < sniffed {
			return n, err
		}
	}
	if w.status == 0 {
		w.WriteHeader(StatusOK)
	}
	if w.length >= 0 && bodyAllowed(w.status) && w.x.req.Method != "HEAD" {
		if err := w.FlushError(); err != nil {
			return n, err
		}
		m, err := w.readFrom(to, src)
		n += m
		w.written += m
		if err != nil {
			return n, err
		}
	}
	m, err := io.CopyBuffer(onlyWriter{w}, src, buf[:]) // what is too much is an error
	return n + m, err
}

// hasDescriptor reports whether the kernel may be able to read from src, or from what
// it is a part of.
func hasDescriptor(src io.Reader) bool {
	if limited, ok := src.(*io.LimitedReader); ok {
		src = limited.R
	}
	_, ok := src.(syscall.Conn)
	return ok
}

// readFrom sends no more than the declared length.
func (w *response) readFrom(to io.ReaderFrom, src io.Reader) (int64, error) {
	limit := &io.LimitedReader{R: src, N: w.length - w.written}
	inner, limited := src.(*io.LimitedReader)
	if limited {
		limit.R, limit.N = inner.R, min(inner.N, limit.N)
	}
	n, err := to.ReadFrom(limit)
	if limited {
		inner.N -= n
	}
	if err != nil {
		w.x.conn.out.fail(err)
	}
	return n, err
}

// onlyWriter hides ReadFrom from io.Copy.
type onlyWriter struct{ io.Writer }

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are for ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	c := w.x.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = true
	return c.rwc.SetReadDeadline(t)
}

func (w *response) SetWriteDeadline(t time.Time) error {
	return w.x.conn.rwc.SetWriteDeadline(t)
}

func (w *response) EnableFullDuplex() error {
	w.fullDuplex = true
	return nil
}

// Hijack gives the connection to the handler, which closes it. It must be called in
// the handler's task.
func (w *response) Hijack() (stdnet.Conn, *bufio.ReadWriter, error) {
	c := w.x.conn
	if w.done {
		panic("http: Hijack called after ServeHTTP finished")
	}
	if c.hijacked || !c.server.stream.Hijack() {
		return nil, nil, ErrHijacked
	}
	w.noContinue()
	if w.status != 0 {
		_ = w.FlushError()
	}
	w.x.ctx.taken()
	c.endWatch()
	c.hijacked = true
	c.server.leave(c)
	_ = c.rwc.SetDeadline(time.Time{})
	c.in.remain = 1<<63 - 1
	c.report(StateHijacked)
	return c.rwc, bufio.NewReadWriter(c.br, bufio.NewWriter(c.rwc)), nil
}

// finish sends the rest when the handler has returned.
func (w *response) finish() {
	c := w.x.conn
	if w.status == 0 {
		w.WriteHeader(StatusOK)
	}
	if !w.committed {
		w.commit(c.body)
	}
	w.emitHeld()
	if w.chunked {
		c.out.writeString("0\r\n")
		w.writeTrailers()
		c.out.writeString("\r\n")
	}
	c.out.flush()
}

// reusable reports whether the connection may serve another request.
func (w *response) reusable() bool {
	c := w.x.conn
	if w.closes || c.out.err != nil {
		return false
	}
	if w.length != -1 && w.written != w.length && w.x.req.Method != "HEAD" && bodyAllowed(w.status) {
		return false // the client waits for more
	}
	return w.x.body == nil || w.x.body.drain(maxUnread)
}
