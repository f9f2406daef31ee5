package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// Conn is a secured connection: crypto/tls's, used such that a task that waits
// holds up no other. Its methods may be called from tasks of any worker and
// goroutines at once: one reads and one writes at a time, others queue.
//
// Calls park as those of the connection below do; waits for a turn are ended by a
// kill, too. Read, Write and the like first make the handshake if nobody has.
type Conn struct {
	raw       stdnet.Conn
	inner     *tls.Conn
	transport transport
	roots     bool // it needs the system's

	// crypto/tls has three Go locks: one of the handshake, and one of each
	// direction. They are held as follows, where "wait" means that the holder may
	// be parked:
	//
	//	call                     handshake  in    out
	//	Handshake                wait       wait  wait
	//	Read                                wait  briefly (an answer, an alert)
	//	Write, CloseWrite                         briefly
	//	ConnectionState and such briefly
	//
	// So a call must not enter crypto/tls while another is in the handshake, nor a
	// Read while another is in Read. The locks here see to that; they park. Close
	// enters crypto/tls only as a CloseWrite.
	handshaking lock.Mutex
	complete    atomic.Bool // the handshake is: handshaking need not be locked
	failed      error       // of the handshake; handshaking guards
	reading     lock.Mutex

	// writing is held by the one who sends what is queued, and waits for the peer to
	// take it.
	writing  lock.Mutex
	unsent   []byte // the part of buffer to be sent next; writing guards this and the rest
	buffer   []byte
	broken   error // the stream is: nothing can be sent any more
	notified bool  // CloseWrite has been called
	notice   error // its result

	writeDeadline atomic.Int64 // a runtime.Instant, 0: none
	closed        atomic.Bool
}

var _ stdnet.Conn = (*Conn)(nil)

const (
	// chunk is how much of a Write is encrypted before it is sent: two records in one
	// system call. More of them leave the processor's nearer caches before they are
	// sent, which costs more than the calls.
	chunk = 32 << 10

	// bufferSize is the size of a chunk when it is encrypted, with the many small
	// records that crypto/tls makes of the first data on a connection.
	bufferSize = chunk + chunk/8

	// maxQueued bounds what a peer may make a Read queue while nobody can send:
	// more than any Write.
	maxQueued = 4 * bufferSize
)

// noticeTime is how long the peer may take for a close_notify, as in crypto/tls. A
// test changes it.
var noticeTime = 5 * time.Second

var (
	errEarlyCloseWrite = errors.New("tls: CloseWrite called before handshake complete")
	errUnwound         = errors.New("tls: a task was ended in the midst of a write")
)

// Client returns the client side of a TLS connection over conn. config must have
// a ServerName, or InsecureSkipVerify. It does not park.
func Client(conn stdnet.Conn, config *Config) *Conn {
	if config != nil && config.Renegotiation != RenegotiateNever {
		config = config.Clone()
		config.Renegotiation = RenegotiateNever
	}
	c := newConn(conn)
	c.roots = needsRoots(config)
	c.inner = tls.Client(&c.transport, config)
	return c
}

// Server returns the server side of a TLS connection over conn. config must have
// a certificate, or a way to get one. It does not park.
func Server(conn stdnet.Conn, config *Config) *Conn {
	c := newConn(conn)
	c.inner = tls.Server(&c.transport, config)
	return c
}

func newConn(conn stdnet.Conn) *Conn {
	c := &Conn{raw: conn}
	c.transport.Conn, c.transport.owner = conn, c
	return c
}

// Handshake makes the handshake, or waits for the one who does, or returns the
// result of one that is over. It parks, and is bounded by the deadlines.
func (c *Conn) Handshake() error {
	if c.complete.Load() {
		return nil
	}
	return c.HandshakeContext(context.Background())
}

// HandshakeContext is Handshake, interrupted when ctx is done: the connection is
// closed then, and the result is ctx's error. An interrupted handshake can't be
// resumed: those who call after it get an error.
func (c *Conn) HandshakeContext(ctx context.Context) (err error) {
	if c.complete.Load() {
		return nil
	}
	if !c.handshaking.TryLock() {
		if ctx.Done() != nil {
			stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
			defer func() {
				if !stop() {
					err = ctx.Err()
				}
			}()
		}
		if err := c.handshaking.LockUntil(0); err != nil {
			return err
		}
	}
	defer c.handshaking.Unlock()
	if c.complete.Load() || c.failed != nil {
		return c.failed
	}
	return c.handshake(ctx)
}

// handshake is called by the holder of handshaking.
func (c *Conn) handshake(ctx context.Context) error {
	if c.roots {
		if err := loadRoots(); err != nil {
			return err
		}
	}
	c.failed = errors.New("tls: a task was ended in the midst of the handshake")
	err := c.inner.HandshakeContext(ctx) // a callback may unwind
	result := err
	if err != nil {
		// The result of the handshake, which is kept, may be another: ctx may have
		// ended just after it.
		result = c.inner.Handshake()
	}
	if e, ok := result.(RecordHeaderError); ok && e.Conn != nil {
		e.Conn = c.raw // crypto/tls means the one it was given
		result = e
		if ctx.Err() == nil {
			err = e
		}
	}
	switch {
	case result == nil:
		c.failed = nil
		c.transport.queueing = true
		c.complete.Store(true)
	case !isInterrupt(result):
		c.failed = result
	}
	return bare(err)
}

// Read reads what there is, and parks until there is something. It returns
// io.EOF after the peer's close_notify, and io.ErrUnexpectedEOF if its stream ends
// without one.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.read(p)
	// crypto/tls may have an answer for the peer, or an alert. (What it queued before it
	// went on reading has been sent by the transport.)
	if c.transport.queued.Load() > 0 {
		if sendErr := c.deliver(); err == nil {
			err = sendErr
		}
	}
	return n, err
}

func (c *Conn) read(p []byte) (int, error) {
	if err := c.reading.LockUntil(0); err != nil {
		return 0, err
	}
	defer c.reading.Unlock()
	n, err := c.inner.Read(p)
	if err == io.EOF && c.transport.ended {
		err = io.ErrUnexpectedEOF
	}
	return n, bare(err)
}

// Write writes all of p, and parks while the peer does not take it. When a deadline
// or kill ends it, the result tells how much was accepted: of that, what was not sent
// goes out with the next Write or Close.
func (c *Conn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, stdnet.ErrClosed
	}
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	n, err := c.write(p)
	if err == nil && c.transport.queued.Load() > 0 {
		err = c.deliver()
	}
	return n, err
}

func (c *Conn) write(p []byte) (n int, err error) {
	if err := c.writing.LockUntil(0); err != nil {
		return 0, err
	}
	defer c.writing.Unlock()
	if c.closed.Load() {
		return 0, stdnet.ErrClosed
	}
	// What an interrupted Write has left goes first. It is looked at before anything
	// is accepted, as the deadline is.
	if err := c.flush(); err != nil {
		return 0, err
	}
	for {
		if err := c.expired(); err != nil {
			return n, err
		}
		m, err := c.inner.Write(p[n:min(n+chunk, len(p))])
		n += m
		if err == nil {
			err = c.flush()
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// expired returns an error if the deadline of writing has passed.
func (c *Conn) expired() error {
	deadline := runtime.Instant(c.writeDeadline.Load())
	if deadline == 0 || deadline > runtime.Now() {
		return nil
	}
	addr := c.raw.LocalAddr()
	return &stdnet.OpError{Op: "write", Net: addr.Network(), Source: addr, Addr: c.raw.RemoteAddr(), Err: os.ErrDeadlineExceeded}
}

// flush sends what is queued. The caller holds writing. After an error that ends a
// wait only, the rest stays.
func (c *Conn) flush() error {
	for c.broken == nil {
		if len(c.unsent) == 0 {
			c.recycle()
			if c.buffer = c.transport.take(); c.buffer == nil {
				return nil
			}
			c.unsent = c.buffer
		}
		c.broken = errUnwound // unless Write returns
		n, err := c.raw.Write(c.unsent)
		c.broken = nil
		c.unsent = c.unsent[n:]
		if err == nil {
			continue
		}
		if isInterrupt(err) || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		c.broken = err
	}
	c.recycle()
	c.buffer = c.transport.take()
	c.recycle()
	return c.broken
}

func (c *Conn) recycle() {
	if c.buffer != nil {
		recycle(c.buffer)
		c.buffer, c.unsent = nil, nil
	}
}

// deliver sends what is queued, unless somebody sends already: that one calls
// deliver after it, and so finds what was queued meanwhile. Only the error of an
// interrupt is for the caller; any other will be met by the next Write.
func (c *Conn) deliver() error {
	for c.transport.queued.Load() > 0 {
		if !c.writing.TryLock() {
			if c.transport.queued.Load() < maxQueued {
				return nil
			}
			if err := c.writing.LockUntil(0); err != nil {
				return err
			}
		}
		if err := c.flushAndUnlock(); err != nil {
			if isInterrupt(err) {
				return err
			}
			return nil
		}
	}
	return nil
}

func (c *Conn) flushAndUnlock() error {
	defer c.writing.Unlock()
	return c.flush()
}

// CloseWrite sends a close_notify: the peer's Read returns io.EOF, and it may go on
// writing. It does not shut down the connection below. It parks until a Write
// under way is over, and then for 5 s at most. It fails before the handshake.
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return errEarlyCloseWrite
	}
	if err := c.writing.LockUntil(0); err != nil {
		return err
	}
	return c.notifyAndUnlock()
}

func (c *Conn) notifyAndUnlock() error {
	defer c.writing.Unlock()
	if !c.notified {
		c.notified = true
		_ = c.raw.SetWriteDeadline(time.Now().Add(noticeTime))
		if c.notice = c.inner.CloseWrite(); c.notice == nil {
			c.notice = c.flush()
		}
		_ = c.raw.SetWriteDeadline(time.Now()) // no more writes
	}
	return c.notice
}

// Close closes the connection, after a close_notify if the handshake is complete.
// Calls under way return net.ErrClosed; if one of them is a Write there is no
// close_notify. It parks for 5 s at most if the peer does not read, and until
// those calls have returned.
func (c *Conn) Close() (err error) {
	if c.closed.Swap(true) {
		return stdnet.ErrClosed
	}
	var notice error
	defer func() { // also when the close_notify unwinds a killed task
		if err = c.raw.Close(); err == nil && notice != nil {
			err = fmt.Errorf("tls: failed to send closeNotify alert (but connection was closed anyway): %w", notice)
		}
	}()
	if c.complete.Load() && c.writing.TryLock() {
		notice = c.notifyAndUnlock()
	}
	return nil
}

// NetConn returns the connection below. Reading from it, or writing to it, spoils
// the TLS stream.
func (c *Conn) NetConn() stdnet.Conn { return c.raw }

// LocalAddr returns the own address.
func (c *Conn) LocalAddr() stdnet.Addr { return c.raw.LocalAddr() }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() stdnet.Addr { return c.raw.RemoteAddr() }

// SetDeadline sets both deadlines. They wake calls under way.
func (c *Conn) SetDeadline(t time.Time) error {
	c.writeDeadline.Store(int64(runtime.InstantOf(t)))
	return c.raw.SetDeadline(t)
}

// SetReadDeadline sets the deadline of Read.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.raw.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of Write.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeDeadline.Store(int64(runtime.InstantOf(t)))
	return c.raw.SetWriteDeadline(t)
}

// ConnectionState tells about the connection. It parks while a handshake is
// under way.
func (c *Conn) ConnectionState() ConnectionState {
	defer c.awaitHandshake()()
	return c.inner.ConnectionState()
}

// OCSPResponse returns the stapled OCSP response from the TLS server, if any. It
// parks while a handshake is under way.
func (c *Conn) OCSPResponse() []byte {
	defer c.awaitHandshake()()
	return c.inner.OCSPResponse()
}

// VerifyHostname checks that the server's certificate is valid for host. It
// parks while a handshake is under way.
func (c *Conn) VerifyHostname(host string) error {
	defer c.awaitHandshake()()
	return c.inner.VerifyHostname(host)
}

// awaitHandshake waits while one is under way, and keeps others from beginning one
// until done is called.
func (c *Conn) awaitHandshake() (done func()) {
	if c.complete.Load() {
		return func() {}
	}
	c.handshaking.Lock()
	return c.handshaking.Unlock
}
