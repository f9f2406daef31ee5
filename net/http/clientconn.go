package http

import (
	"bufio"
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// A clientConn is a connection of a Transport. Whoever has acquired it uses it alone,
// but for the writer of a long request.
type clientConn struct {
	t    *Transport
	key  hostKey
	conn stdnet.Conn
	raw  stdnet.Conn          // conn without TLS
	tls  *tls.ConnectionState // nil without
	br   *bufio.Reader
	bw   *bufio.Writer

	place *list.Element // in the list of idle ones; Transport.mu guards
	since time.Time     // when it became idle

	// Of the request under way:
	reused  bool        // it is not the first
	silent  bool        // nothing of the response has come
	remain  int64       // how much may be read
	stop    func() bool // the watch of the context
	sending *sending    // nil if there is no writer

	written atomic.Int64 // bytes of it

	mu      sync.Mutex // guards the rest
	closed  bool
	cause   error // with which it was aborted
	failed  error // of a write; cause wins
	headed  bool  // the head of the response has come
	waiting bool  // a read deadline is set for that head
}

const (
	// lateAnswer is how long an answer is waited for when the request could not be
	// sent: a server may have said why it does not read on.
	lateAnswer = time.Second
	// lateWriter is how long a writer may take after the response to be at its end.
	lateWriter = 50 * time.Millisecond
)

// roundTrip sends a request and reads the head of its response.
func (c *clientConn) roundTrip(o *outgoing, r *route) (resp *Response, err error) {
	ctx := o.original.Context()
	c.silent, c.sending, c.headed, c.waiting = true, nil, false, false
	c.written.Store(0)
	c.remain = c.t.maxHead()
	c.stop = func() bool { return true }
	if ctx.Done() != nil {
		c.stop = context.AfterFunc(ctx, func() { c.abort(context.Cause(ctx)) })
	}
	defer func() { // it may be unwound
		if resp == nil {
			c.stop()
			c.close()
		}
	}()
	req := o.request(r)
	if o.inline() {
		o.touched.Store(true)
		c.wrote(c.write(req, r))
	} else {
		c.startSending(o, req, r)
	}
	resp, err = c.readResponse(o, req)
	if err != nil {
		return nil, c.failure(err)
	}
	resp.TLS = c.tls
	keep := !resp.Close && !req.Close
	switch {
	case resp.StatusCode == StatusSwitchingProtocols:
		c.remain = 1<<63 - 1
		c.stop()
		resp.Body = &upgraded{c}
	case req.Method == "HEAD" || resp.Body == stdhttp.NoBody:
		c.release(keep)
		resp.Body = stdhttp.NoBody
	default:
		c.remain = 1<<63 - 1
		resp.Body = newResponseBody(c, resp, keep, o.gzip)
	}
	return resp, nil
}

// write writes the request.
func (c *clientConn) write(req *Request, r *route) error {
	write := req.Write
	if r.viaProxy {
		write = req.WriteProxy
	}
	if err := write(c.bw); err != nil {
		return err
	}
	return c.bw.Flush()
}

// wrote is called when all has been written, or could not be.
func (c *clientConn) wrote(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.t.ResponseHeaderTimeout
	if err != nil {
		c.failed, limit = err, lateAnswer
	}
	if limit > 0 && !c.headed {
		c.waiting = true
		_ = c.conn.SetReadDeadline(time.Now().Add(limit))
	}
}

// readResponse reads the head of the response proper.
func (c *clientConn) readResponse(o *outgoing, req *Request) (*Response, error) {
	if _, err := c.br.Peek(1); err != nil {
		return nil, err
	}
	c.silent = false
	if o.trace.GotFirstResponseByte != nil {
		o.trace.GotFirstResponseByte()
	}
	for {
		resp, err := stdhttp.ReadResponse(c.br, req)
		if err != nil {
			if c.remain <= 0 {
				err = fmt.Errorf("net/http: server response headers exceeded %d bytes; aborted", c.t.maxHead())
			}
			return nil, err
		}
		status := resp.StatusCode
		if status < 100 || status > 199 || status == StatusSwitchingProtocols {
			c.answered()
			return resp, nil
		}
		if status == StatusContinue {
			if o.trace.Got100Continue != nil {
				o.trace.Got100Continue()
			}
			c.sending.consent(true)
		}
		if o.trace.Got1xxResponse != nil {
			if err := o.trace.Got1xxResponse(status, textproto.MIMEHeader(resp.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// answered is called when the head has come.
func (c *clientConn) answered() {
	c.mu.Lock()
	c.headed = true
	if c.waiting {
		_ = c.conn.SetReadDeadline(time.Time{})
	}
	c.mu.Unlock()
	c.sending.consent(false)
}

// failure returns the error of the request for that of a read.
func (c *clientConn) failure(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var scope *runtime.Timeout
	switch {
	case c.cause != nil:
		return c.cause
	case errors.Is(err, runtime.ErrKilled) || errors.As(err, &scope):
		return err
	case c.failed != nil:
		return c.failed
	case c.waiting && !c.headed && errors.Is(err, os.ErrDeadlineExceeded):
		return errHeaderTimeout
	}
	return err
}

// release ends the use of c. keep says that HTTP allows another.
func (c *clientConn) release(keep bool) {
	if c.stop() && keep && c.sent() && c.br.Buffered() == 0 {
		c.reused = true
		c.t.put(c)
	} else {
		c.close()
	}
}

// sent reports whether the request has been written, and waits a little for that.
func (c *clientConn) sent() bool {
	if s := c.sending; s != nil && s.done.WaitUntil(runtime.Now().Add(lateWriter)) != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed == nil && c.cause == nil
}

// abort ends whatever waits on c, which fails with err then. It may be called from
// anywhere.
func (c *clientConn) abort(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	c.mu.Unlock()
	c.end(c.raw) // TLS would want to say goodbye, and wait
}

func (c *clientConn) aborted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause != nil
}

// close closes c. It is called by the one who has it.
func (c *clientConn) close() {
	c.sending.consent(false)
	if c.sending != nil && !c.sending.done.IsSet() {
		c.end(c.raw)
	} else {
		c.end(c.conn)
	}
}

// end closes c, unless that was done, and makes room for another.
func (c *clientConn) end(layer io.Closer) {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if !closed {
		defer c.t.gone(c.key)
		_ = layer.Close()
	}
}

// alive reports whether the peer of an idle connection is silent, as it should be:
// what else it may have sent is an end, or an answer to nothing.
func (c *clientConn) alive() bool {
	socket, ok := c.raw.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		silent = err == unix.EAGAIN
	})
	return err == nil && silent
}

// clientInput is what a connection's buffer reads from.
type clientInput clientConn

func (in *clientInput) Read(p []byte) (int, error) {
	if in.remain <= 0 {
		return 0, io.EOF
	}
	n, err := in.conn.Read(p[:min(int64(len(p)), in.remain)])
	in.remain -= int64(n)
	return n, err
}

// clientOutput is what a connection's buffer writes to.
type clientOutput clientConn

func (out *clientOutput) Write(p []byte) (int, error) {
	n, err := out.conn.Write(p)
	out.written.Add(int64(n))
	return n, err
}

// ReadFrom lets the kernel copy a file.
func (out *clientOutput) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(out.conn, r)
	out.written.Add(n)
	return n, err
}

// upgraded is the body of a response with status 101: the connection, which is the
// caller's from then on.
type upgraded struct{ c *clientConn }

func (u *upgraded) Read(p []byte) (int, error)  { return u.c.br.Read(p) }
func (u *upgraded) Write(p []byte) (int, error) { return u.c.conn.Write(p) }
func (u *upgraded) Close() error                { u.c.close(); return nil }
