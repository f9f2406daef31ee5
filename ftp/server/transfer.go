package server

import (
	"errors"
	"io"
	"log/slog"
	stdnet "net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

// A transfer is one use of a data connection, by a task of its own.
//
// It ends in one of three ways: its body returns; it is aborted, which closes
// what the body waits on; or it panics. In each case its task sets ended, at
// last, and wakes the session's task.
type transfer struct {
	session *session
	name    string // what is done, for STAT and the log
	began   time.Time
	mode    ftp.Mode
	level   int // of ModeDeflate
	private bool

	receives bool // body has read, and does not write

	// atomic
	moved atomic.Int64 // bytes on the data connection
	ended atomic.Bool

	// unattended is set when no more commands are read during the transfer. If
	// that is because of QUIT, leaving is true by then: the client may hang up.
	unattended event.Event
	leaving    atomic.Bool

	// The transfer's task writes them before it sets ended.
	result  error
	crashed *crash
	short   bool // complete, with fewer bytes than ALLO said

	// mu guards. It is held for a few instructions only.
	mu    sync.Mutex
	cause error     // why it was aborted
	open  io.Closer // what to close to end the present wait
}

// errControlLost aborts a transfer whose client is gone. No reply follows.
var errControlLost = errors.New("server: control connection lost")

// transfer announces a transfer with text, runs body on its data connection and
// returns the error by which it ended. body may be called on another task; it
// returns nil only if the transfer is complete, and does not close the
// connection.
func (s *session) transfer(name, text string, body func(*transfer, stdnet.Conn) error) error {
	t := &transfer{session: s, name: name, began: time.Now(), mode: s.mode, level: s.level, private: s.tls.private}
	t.result = errControlLost // if the task is killed before it begins
	way := s.way
	s.way = nil
	defer way.drop()
	if t.mode == ftp.ModeDeflate {
		if !s.srv.deflates.tryEnter() {
			return errManyDeflates
		}
		defer s.srv.deflates.leave()
	}
	if err := s.begin(t); err != nil {
		return err
	}
	defer s.finish(t)
	s.reply(answer(ftp.CodeOpeningData, text))
	if s.flush(); s.lost != nil {
		return s.lost
	}
	s.attend(t, s.engine.Go(func() { t.carry(way, body) }))
	if t.crashed != nil {
		panic(t.crashed)
	}
	return t.result
}

// work runs body, which takes long, as a transfer without a data connection: STAT
// tells of it and ABOR ends it, if body looks at aborted now and then.
func (s *session) work(name string, body func(*transfer) error) error {
	t := &transfer{session: s, name: name, began: time.Now(), result: errControlLost}
	if err := s.begin(t); err != nil {
		return err
	}
	defer s.finish(t)
	s.attend(t, s.engine.Go(func() { t.run(func() error { return body(t) }) }))
	if t.crashed != nil {
		panic(t.crashed)
	}
	return t.result
}

// begin makes t the running transfer, for doom to find.
func (s *session) begin(t *transfer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doomed == nil {
		s.running = t
	}
	return s.doomed
}

func (s *session) finish(t *transfer) {
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
	attrs := []any{
		slog.String("transfer", escaped(t.name)),
		slog.String("outcome", t.outcome()),
		slog.Int64("bytes", t.moved.Load()),
		slog.Duration("time", time.Since(t.began)),
	}
	if t.result != nil {
		s.log.Warn("transfer failed", append(attrs, slog.String("error", escaped(t.result.Error())))...)
		return
	}
	s.log.Info("transfer", attrs...)
}

// attend reads commands while t runs, and returns when it has ended: what may
// act at once does, everything else is queued.
func (s *session) attend(t *transfer, a Activity) {
	last := false // a command after which nothing is read: QUIT
	for !last && len(s.queue) < maxQueued && s.lost == nil && !t.ended.Load() {
		c, err := s.read(time.Time{}, t.ended.Load)
		switch {
		case errors.Is(err, errWoken):
		case err != nil:
			s.lost = err
			t.abort(errControlLost)
		case c.row == nil || c.row.Check(c.line.Arg) != nil:
			s.queue = append(s.queue, c)
		case c.row.Busy == ftp.BusyNow:
			// It ends the transfer now and is answered in its turn.
			t.abort(errAborted)
			s.queue = append(s.queue, c)
		case c.row.Urgent(c.line.Arg) && len(s.queue) == 0:
			s.execute(c)
		default:
			s.queue = append(s.queue, c)
			last = c.row.Busy == ftp.BusyLast
			t.leaving.Store(last)
		}
	}
	t.unattended.Set()
	for a.Wait() != nil { // killed: the transfer is, too, or is aborted here
		s.lost = errControlLost
		t.abort(errControlLost)
	}
}

// carry is the transfer's task.
func (t *transfer) carry(way dataWay, body func(*transfer, stdnet.Conn) error) {
	t.run(func() error {
		c, err := way.open(t)
		if err != nil {
			return err
		}
		return t.use(c, body)
	})
}

// run does what the task is for, and says how it ended.
func (t *transfer) run(body func() error) {
	defer func() {
		t.ended.Store(true)
		t.session.wake()
	}()
	defer t.contain()
	err := body()
	if cause := t.aborted(); err != nil && cause != nil {
		err = cause
	}
	t.result = err
}

// use runs body on the connection and closes it, or lets it linger: a transfer that
// failed must not look complete to the peer.
func (t *transfer) use(c stdnet.Conn, body func(*transfer, stdnet.Conn) error) error {
	done := false
	defer func() {
		if !done {
			reset(c)
		}
	}()
	if err := t.hold(c); err != nil {
		return err
	}
	if err := t.inLevel(c, body); err != nil {
		return err
	}
	done = true
	if t.private {
		t.session.linger(c)
		return nil
	}
	_ = c.Close() // the data is the kernel's
	return nil
}

// inLevel runs body on the connection at the level of protection of the session.
func (t *transfer) inLevel(c stdnet.Conn, body func(*transfer, stdnet.Conn) error) error {
	if !t.private {
		return t.inMode(c, body)
	}
	secured, err := t.protect(c)
	if err != nil {
		return err
	}
	if err := t.inMode(secured, body); err != nil {
		return err
	}
	if err := part(secured, c); err != nil && !t.receives {
		return err
	}
	// A client that has ended its side of an upload may be gone by now, and what it has
	// not read of ours, a session ticket say, makes a reset of that.
	return nil
}

// inMode runs body on the connection in the mode of the session.
func (t *transfer) inMode(c stdnet.Conn, body func(*transfer, stdnet.Conn) error) error {
	if t.mode != ftp.ModeDeflate {
		return body(t, c)
	}
	z := t.deflate(c, t.level)
	defer z.release()
	if err := body(t, z); err != nil || t.receives {
		return err
	}
	return z.finish()
}

// contain keeps a panic for the session's task. A task that is killed goes on
// unwinding.
func (t *transfer) contain() {
	r := recover()
	if r == nil {
		return
	}
	if err, ok := r.(error); ok && errors.Is(err, runtime.ErrKilled) {
		t.result = err
		panic(r)
	}
	c, ok := r.(*crash)
	if !ok {
		c = &crash{r, debug.Stack()}
	}
	t.crashed = c
}

// orphaned reports whether the client has hung up without QUIT. A client that
// dies closes all its connections, so that the end of the data alone does not
// tell that an upload is complete; which of the ends is seen first is chance.
func (t *transfer) orphaned() bool {
	if !hungUp(t.session.conn) {
		return false
	}
	// Now the session's task comes to the end soon, or to QUIT before it.
	return t.unattended.Wait() != nil || !t.leaving.Load()
}

// hold says what abort must close from now on. If the transfer has been aborted
// already hold returns the cause, and the caller closes c.
func (t *transfer) hold(c io.Closer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause == nil {
		t.open = c
	}
	return t.cause
}

// abort ends the transfer soon, unless it is complete. The first cause counts. It
// may be called from anywhere.
func (t *transfer) abort(cause error) {
	t.mu.Lock()
	var c io.Closer
	if t.cause == nil {
		t.cause, c = cause, t.open
	}
	t.mu.Unlock()
	switch c := c.(type) {
	case nil:
	case stdnet.Conn:
		reset(c)
	default:
		_ = c.Close()
	}
}

// aborted returns the cause if the transfer has been aborted.
func (t *transfer) aborted() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}
