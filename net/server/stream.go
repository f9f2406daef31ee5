package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// handshakeTimeout is the default of StreamServer.HandshakeTimeout.
const handshakeTimeout = 10 * time.Second

// A StreamServer serves connections, each in a task of its own. Set its fields
// before Serve. It must not be copied after first use. Its methods may be called
// from any task or goroutine.
type StreamServer struct {
	// Handler serves a connection, which is closed when it returns, by a panic
	// too. See Hijack for one that is to live longer.
	Handler func(conn net.Conn)

	// Limit is how many handlers may run at a time; 0 means any number.
	Limit int

	// Wrap, if not nil, is called first in a handler's task, and its result is what
	// the Handler gets and what is closed, before the connection itself. For TLS it
	// calls Server of package net/tls, and then Handshake; or it reads a header of
	// the PROXY protocol. Who is slow there holds up nobody else, and counts as a
	// handler. If Wrap fails, the connection is closed and the error reported.
	Wrap func(conn net.Conn) (net.Conn, error)

	// HandshakeTimeout bounds the waits of Wrap; 0 means ten seconds, and a negative
	// value no bound.
	HandshakeTimeout time.Duration

	// Place starts the tasks of handlers; nil means runtime.SpawnBalanced. The Spawn
	// method of a Runtime or Worker may stand here. It must not wait.
	Place func(fn func()) *runtime.Task

	// OnError is told of each failure of Accept that passes, by the caller of
	// Serve, and of each failure of Wrap, by the handler's task. The error wraps
	// what has failed. Nil means to log it.
	OnError func(err error)

	core
}

// ListenAndServe listens on address, as net.Listen does, and serves: see Serve.
func (s *StreamServer) ListenAndServe(network, address string) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// Serve accepts connections from l and has the Handler serve each in a task. It
// parks the calling task, or blocks the calling goroutine, until the server is
// stopped, and then until the last handler has ended: it returns ErrServerClosed.
// If l fails before that, or the calling task is killed or timed out, that is the
// error, and handlers go on. l is closed in any case.
//
// Serve may be called for any number of listeners. The Limit is for all together.
func (s *StreamServer) Serve(l net.Listener) error {
	if s.Handler == nil {
		panic("server: StreamServer without a Handler")
	}
	r := rulesOf(s.Limit, s.Place, s.OnError)
	work := func(j *job) { s.serve(j, r.report) }
	return s.run(&listening{l, &s.core, work}, r)
}

// Hijack leaves the connection of the handler that calls it to the handler: the
// server does not close it any more, when the handler returns or is killed, nor in
// Close. It may be used as before, by any task or goroutine. Hijack reports false if
// the caller is not the task of one of s's handlers. It does not park.
func (s *StreamServer) Hijack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.inside() {
		return false
	}
	s.jobs[runtime.Current()].conn = nil
	return true
}

// serve is the work of a handler's task.
func (s *StreamServer) serve(j *job, report func(error)) {
	conn := j.conn
	defer j.close(conn)
	if s.Wrap != nil {
		wrapped, err := s.wrap(conn)
		if err != nil {
			if !errors.Is(err, runtime.ErrKilled) {
				report(fmt.Errorf("server: handshake with %v: %w", conn.RemoteAddr(), err))
			}
			return
		}
		defer j.close(wrapped)
		conn = wrapped
	}
	s.Handler(conn)
}

// close closes the job's connection, bare or wrapped, unless the handler keeps it.
func (j *job) close(conn net.Conn) {
	if j.conn != nil {
		_ = conn.Close()
	}
}

func (s *StreamServer) wrap(conn net.Conn) (wrapped net.Conn, err error) {
	err = runtime.WithTimeout(s.handshakeLimit(), func() (err error) {
		wrapped, err = s.Wrap(conn)
		return err
	})
	return wrapped, err
}

func (s *StreamServer) handshakeLimit() time.Duration {
	switch {
	case s.HandshakeTimeout == 0:
		return handshakeTimeout
	case s.HandshakeTimeout < 0:
		return runtime.Forever
	}
	return s.HandshakeTimeout
}

// listening is a listener as a source of jobs.
type listening struct {
	net.Listener
	core *core
	work func(*job)
}

func (l *listening) next() (*job, error) {
	conn, err := l.Accept()
	if err != nil {
		return nil, err
	}
	return &job{core: l.core, work: l.work, conn: conn}, nil
}

func (l *listening) setDeadline(t time.Time) {
	if l, ok := l.Listener.(interface{ SetDeadline(t time.Time) error }); ok {
		_ = l.SetDeadline(t)
	}
}

func (l *listening) stop() { _ = l.Close() }

func (l *listening) addr() net.Addr { return l.Addr() }
