package http

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"sync/atomic"

	"github.com/weft-go/weft/runtime/lock"
	"golang.org/x/net/http/httpguts"
)

// A body is that of a request to the server. Tasks and goroutines may share it: one
// reads, others wait for their turn.
type body struct {
	x        *exchange
	expected atomic.Bool // the client waits for 100 Continue

	turn   lock.Mutex // guards the rest
	chunks io.Reader  // nil for a body of known length,
	left   int64      // of which this much is to come
	err    error      // of Read; io.EOF at the end
	closed bool
	ended  atomic.Bool // err is io.EOF; set with turn held
}

// Read reads from the body, and parks. The first call tells a client that waits
// for that to go on.
func (b *body) Read(p []byte) (int, error) {
	if err := b.turn.LockUntil(0); err != nil {
		return 0, err
	}
	defer b.turn.Unlock()
	if b.closed {
		return 0, ErrBodyReadAfterClose
	}
	return b.read(p)
}

// read is called by the holder of turn.
func (b *body) read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.expected.Load() {
		if err := b.x.res.sendContinue(); err != nil {
			b.err = err
			return 0, err
		}
	}
	if b.chunks != nil {
		if n, err = b.chunks.Read(p); err == io.EOF {
			err = b.readTrailer()
		}
	} else {
		if int64(len(p)) > b.left {
			p = p[:b.left]
		}
		n, err = b.x.conn.br.Read(p)
		b.left -= int64(n)
		switch {
		case b.left == 0:
			err = io.EOF
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
	}
	b.err = err
	if err == io.EOF {
		b.ended.Store(true)
		b.x.ctx.bodyEnded()
	}
	return n, err
}

// readTrailer reads what comes after the last chunk.
func (b *body) readTrailer() error {
	c := b.x.conn
	c.in.remain = c.server.headLimit()
	lines, err := readLines(c.br)
	if c.in.remain <= 0 {
		return errTrailerTooLong
	}
	if err != nil {
		return err
	}
	c.in.remain = 1<<63 - 1
	if len(lines) == len("\r\n") {
		return io.EOF
	}
	fields, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(lines))).ReadMIMEHeader()
	if err != nil {
		return err
	}
	r := b.x.req
	for name, values := range fields {
		if !httpguts.ValidTrailerHeader(name) {
			continue // RFC 9110, 6.5.1
		}
		if r.Trailer == nil {
			r.Trailer = make(Header)
		}
		r.Trailer[name] = values
	}
	return io.EOF
}

// readLines reads lines up to an empty one, and returns them with it. A line must end in
// CRLF: where another reader does not take a bare LF for its end, it sees the end of the
// message elsewhere.
func readLines(r *bufio.Reader) (lines []byte, err error) {
	for begin := true; ; {
		part, err := r.ReadSlice('\n')
		lines = append(lines, part...)
		switch {
		case err == bufio.ErrBufferFull:
			begin = false
			continue
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case !bytes.HasSuffix(lines, []byte("\r\n")):
			return nil, errBadTrailer
		case begin && len(part) == len("\r\n"):
			return lines, nil
		}
		begin = true
	}
}

var errBadTrailer = &refusal{StatusBadRequest, "http: a line of the trailer does not end in CRLF"}

var errTrailerTooLong = &refusal{StatusRequestHeaderFieldsTooLarge, "http: trailer too long"}

// Close ends the reading by the handler. What it has not read the server reads, or
// closes the connection.
func (b *body) Close() error {
	if err := b.turn.LockUntil(0); err != nil {
		return err
	}
	defer b.turn.Unlock()
	b.closed = true
	return nil
}

// drain reads up to limit bytes that the handler has left, and reports whether the
// body is at its end then. A handler that goes on reading gets ErrBodyReadAfterClose,
// not an end that is none.
func (b *body) drain(limit int64) (ended bool) {
	if b.ended.Load() {
		return true
	}
	if !b.turn.TryLock() { // somebody who reads beside the handler
		return false
	}
	defer b.turn.Unlock()
	if b.chunks == nil && b.left > limit {
		return false
	}
	b.closed = true
	buf := copies.Get().(*[copySize]byte)
	defer copies.Put(buf)
	for limit > 0 && b.err == nil {
		n, _ := b.read(buf[:min(copySize, limit)])
		limit -= int64(n)
	}
	return b.err == io.EOF
}
