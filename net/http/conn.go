package http

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/textproto"
	"runtime/debug"
	"sync"
	"time"

	stdnet "net"

	wefttls "github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
)

// A conn is the server's side of a connection. All but what mu guards belongs to its
// task, and to handlers as the rules of ResponseWriter have it.
type conn struct {
	server *Server
	rwc    stdnet.Conn
	worker *runtime.Worker
	task   *runtime.Task

	base       context.Context // from which those of requests are derived
	remoteAddr string
	tls        *tls.ConnectionState

	in   input
	br   *bufio.Reader // of in
	text *textproto.Reader
	out  output
	body []byte // that of a response, until it is known how it is sent

	current  *exchange
	whole    time.Time // when the request must have been read
	hijacked bool
	shared   bool // others may still use the buffers

	watcher *runtime.Task // reads the byte ahead of in, see watch

	mu       sync.Mutex // guards the rest
	idle     bool       // it waits for a request
	deadline bool       // a read deadline may be set
}

// handshakeTimeout bounds that of TLS if nothing else does.
const handshakeTimeout = 10 * time.Second

// lingering is how long a connection that is closed with input unread goes on
// reading. A reset would take from the client what we have sent.
const lingering = 500 * time.Millisecond

// maxLinger bounds what is read meanwhile.
const maxLinger = 1 << 20

// maxUnread is how much of a request's body that the handler left is read, so that
// the connection can be kept.
const maxUnread = 256 << 10

var (
	readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}
	bodies  = sync.Pool{New: func() any { return new([maxHeld]byte) }}
)

// serveConn is the handler of a connection.
func (s *Server) serveConn(rwc stdnet.Conn) {
	c := &conn{server: s, rwc: rwc, task: runtime.Current(), worker: runtime.CurrentWorker(), base: context.Background()}
	if b, ok := rwc.(basedConn); ok {
		c.rwc, c.base = b.Conn, b.base
	}
	if s.ConnContext != nil {
		if c.base = s.ConnContext(c.base, c.rwc); c.base == nil {
			panic("http: ConnContext returned a nil context")
		}
	}
	s.enter(c)
	c.report(StateNew)
	defer c.leave()
	if a := c.rwc.RemoteAddr(); a != nil {
		c.remoteAddr = a.String()
	}
	if !c.handshake() {
		return
	}
	c.in.conn = c
	c.br = readers.Get().(*bufio.Reader)
	c.br.Reset(&c.in)
	c.text = textproto.NewReader(c.br)
	c.out = output{conn: c.rwc, buf: outputs.Get().(*[outputSize]byte), failed: c.fail}
	held := bodies.Get().(*[maxHeld]byte)
	c.body = held[:0]
	c.serve()
	if !c.hijacked && !c.shared {
		c.br.Reset(nil)
		readers.Put(c.br)
		outputs.Put(c.out.buf)
		bodies.Put(held)
	}
}

// serve answers requests, until the connection is to be closed, or the handler has
// taken it.
func (c *conn) serve() {
	for first := true; ; first = false {
		if !c.await(first) {
			return
		}
		x, err := c.readRequest()
		if err != nil {
			c.refuse(err)
			return
		}
		c.current = x
		if !x.serve() {
			return
		}
		c.report(StateIdle)
	}
}

// await waits for a request, and reports false if there is to be none.
func (c *conn) await(first bool) bool {
	s := c.server
	header := firstPositive(s.ReadHeaderTimeout, s.ReadTimeout)
	c.in.remain = s.headLimit()
	if c.br.Buffered() == 0 {
		wait := firstPositive(s.IdleTimeout, s.ReadTimeout)
		if first {
			wait = header
		}
		if !c.setIdle(wait) {
			return false
		}
		_, err := c.br.Peek(1)
		c.mu.Lock()
		c.idle = false
		c.mu.Unlock()
		if err != nil {
			return false
		}
	} else if s.closing.Load() {
		return false
	}
	c.report(StateActive)
	if s.ReadTimeout > 0 {
		c.whole = time.Now().Add(s.ReadTimeout)
	}
	if !first || header == 0 { // it has begun with the connection, else
		c.setReadDeadline(header)
	}
	return true
}

// setIdle says that the connection waits for a request.
func (c *conn) setIdle(wait time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server.closing.Load() {
		return false
	}
	c.idle = true
	c.setReadDeadlineLocked(wait)
	return true
}

// fail tells a handler whose context is used that nothing can be sent any more.
func (c *conn) fail(err error) { c.current.ctx.fail(err) }

// endIdle ends the wait for a request, if there is one. It is called by others.
func (c *conn) endIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle {
		c.deadline = true
		_ = c.rwc.SetReadDeadline(aLongTimeAgo)
	}
}

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// setReadDeadline sets the deadline of reads, 0 for none.
func (c *conn) setReadDeadline(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setReadDeadlineLocked(d)
}

func (c *conn) setReadDeadlineLocked(d time.Duration) {
	switch {
	case d > 0:
		c.deadline = true
		_ = c.rwc.SetReadDeadline(time.Now().Add(d))
	case c.deadline:
		c.deadline = false
		_ = c.rwc.SetReadDeadline(time.Time{})
	}
}

// handshake makes that of TLS, so that its failure is not taken for one of HTTP.
func (c *conn) handshake() bool {
	secured, ok := c.rwc.(*wefttls.Conn)
	if !ok {
		if other, ok := c.rwc.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := other.ConnectionState()
			c.tls = &state
		}
		return true
	}
	limit := cmp.Or(shortest(c.server.ReadHeaderTimeout, c.server.ReadTimeout, c.server.WriteTimeout), handshakeTimeout)
	_ = secured.SetWriteDeadline(time.Now().Add(limit))
	if !c.setIdle(limit) {
		return false
	}
	err := secured.Handshake()
	c.mu.Lock()
	c.idle = false
	c.mu.Unlock()
	if err != nil {
		if plain := new(tls.RecordHeaderError); errors.As(err, plain) && looksLikeHTTP(plain.RecordHeader) {
			_, _ = io.WriteString(secured.NetConn(), "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
			err = errors.New("client sent an HTTP request to an HTTPS server")
		}
		if !errors.Is(err, runtime.ErrKilled) {
			c.server.logf("http: TLS handshake error from %s: %v", c.remoteAddr, err)
		}
		return false
	}
	_ = secured.SetWriteDeadline(time.Time{})
	c.setReadDeadline(0)
	state := secured.ConnectionState()
	c.tls = &state
	return true
}

// shortest returns the shortest of the durations that are set.
func shortest(durations ...time.Duration) (least time.Duration) {
	for _, d := range durations {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// looksLikeHTTP reports whether what came in place of a TLS record is the beginning
// of a request.
func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// leave ends the connection in the server's eyes.
func (c *conn) leave() {
	c.server.leave(c)
	if c.hijacked {
		return
	}
	_ = c.rwc.Close()
	c.endWatch()
	c.report(StateClosed)
}

func (c *conn) report(state ConnState) {
	if c.server.ConnState != nil {
		c.server.ConnState(c.rwc, state)
	}
}

// contain keeps a handler's panic from the rest of the program. A task that is killed
// goes on unwinding.
func (c *conn) contain() {
	p := recover()
	if p == nil || p == ErrAbortHandler {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, runtime.ErrKilled) {
		panic(p)
	}
	c.server.logf("http: panic serving %v: %v\n%s", c.remoteAddr, p, debug.Stack())
}

// linger closes the connection such that the client can read what has been sent,
// though we do not read what it still sends.
func (c *conn) linger() {
	half, ok := c.rwc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.setReadDeadline(lingering)
	c.in.remain = maxLinger
	_, _ = io.Copy(io.Discard, c.br)
}

// An input is what a connection's buffer reads from. It bounds heads, which are
// else of any size.
type input struct {
	conn   *conn
	remain int64 // how much may be read

	// A watcher has read this byte.
	ahead    [1]byte
	hasAhead bool
}

func (in *input) Read(p []byte) (int, error) {
	if in.remain <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > in.remain {
		p = p[:in.remain]
	}
	if in.hasAhead && len(p) > 0 {
		in.hasAhead = false
		p[0] = in.ahead[0]
		return 1, nil
	}
	n, err := in.conn.rwc.Read(p)
	in.remain -= int64(n)
	return n, err
}
