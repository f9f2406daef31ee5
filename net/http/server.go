package http

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"sync"
	"sync/atomic"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	wefttls "github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
)

// A Server serves HTTP/1.1 and 1.0, each connection in a task of its own, which calls
// the Handler: so a handler that waits, in package net say, parks that task only. The
// zero Server serves DefaultServeMux on port 80. Set its fields before it serves. It
// must not be copied after first use. Its methods may be called from any task or
// goroutine.
//
// The fields are those of the standard library's Server, but for its parts of
// HTTP/2, with Limit and Place in addition.
type Server struct {
	// Addr is the address of ListenAndServe, ":http" if empty, and of
	// ListenAndServeTLS, ":https" if empty.
	Addr string

	// Handler answers; nil means DefaultServeMux.
	Handler Handler

	// DisableGeneralOptionsHandler passes "OPTIONS *" to the Handler, which is
	// answered with 200 and no content otherwise.
	DisableGeneralOptionsHandler bool

	// TLSConfig is that of ServeTLS and ListenAndServeTLS. It is not changed.
	TLSConfig *tls.Config

	// ReadTimeout bounds the reading of a request with its body, from its first
	// byte on; for the first request of a connection from the connection on. 0 means
	// no bound, here and with the other three. ReadHeaderTimeout bounds the
	// head alone; 0 means ReadTimeout. WriteTimeout bounds all writes of an answer,
	// from the end of the request's head on. IdleTimeout bounds the wait for the
	// next request; 0 means ReadTimeout. A TLS handshake is bounded by the shortest of
	// the first three, or by ten seconds.
	ReadTimeout       time.Duration
	ReadHeaderTimeout time.Duration
	WriteTimeout      time.Duration
	IdleTimeout       time.Duration

	// MaxHeaderBytes bounds the head of a request, with a tolerance of 4 KiB;
	// 0 means DefaultMaxHeaderBytes.
	MaxHeaderBytes int

	// ConnState is told of each change of a connection's state, in its task.
	ConnState func(stdnet.Conn, ConnState)

	// ErrorLog gets panics of handlers and failures of connections; nil means
	// package log's own logger.
	ErrorLog *log.Logger

	// BaseContext returns the context from which those of requests on a listener
	// are derived; nil means context.Background.
	BaseContext func(stdnet.Listener) context.Context

	// ConnContext changes the context of a new connection.
	ConnContext func(ctx context.Context, c stdnet.Conn) context.Context

	// Limit is how many connections are served at a time; 0 means any number.
	// Others wait in the kernel.
	Limit int

	// Place starts the tasks of connections; nil means runtime.SpawnBalanced. It
	// must not wait.
	Place func(fn func()) *runtime.Task

	stream server.StreamServer
	once   sync.Once // fills stream

	closing      atomic.Bool // Shutdown or Close was called
	noKeepAlives atomic.Bool

	mu         sync.Mutex // guards the rest
	conns      map[*conn]struct{}
	onShutdown []func()
}

// prepare fills what is derived from the fields.
func (s *Server) prepare() {
	s.once.Do(func() {
		s.stream.Handler = s.serveConn
		s.stream.Limit = s.Limit
		s.stream.Place = s.Place
		s.stream.OnError = func(err error) { s.logf("http: %v", err) }
	})
}

// ListenAndServe listens on s.Addr and serves: see Serve.
func (s *Server) ListenAndServe() error {
	return s.listenAndServe(":http", s.Serve)
}

// ListenAndServeTLS listens on s.Addr and serves TLS: see ServeTLS.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	return s.listenAndServe(":https", func(l stdnet.Listener) error {
		return s.ServeTLS(l, certFile, keyFile)
	})
}

func (s *Server) listenAndServe(address string, serve func(stdnet.Listener) error) error {
	if s.closing.Load() {
		return ErrServerClosed
	}
	if s.Addr != "" {
		address = s.Addr
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return serve(l)
}

// Serve serves the connections that l, a listener of our package net, accepts. It
// parks the calling task, or blocks the calling goroutine, until the server is
// stopped and the last handler has ended, where the standard library's returns
// before: it returns ErrServerClosed then. If l fails first, or the calling task is
// killed or timed out, that is the error, and handlers go on. l is closed in any
// case. Serve may be called for any number of listeners.
func (s *Server) Serve(l stdnet.Listener) error {
	s.prepare()
	if s.BaseContext != nil {
		base := s.BaseContext(l)
		if base == nil {
			panic("http: BaseContext returned a nil context")
		}
		l = &basedListener{l, base}
	}
	return closedError(s.stream.Serve(l))
}

// ServeTLS is Serve with TLS. The certificate comes from the files, which are read
// by runtime.Offload, unless s.TLSConfig has one.
func (s *Server) ServeTLS(l stdnet.Listener, certFile, keyFile string) error {
	config := s.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.NextProtos = []string{"http/1.1"}
	if len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil ||
		certFile != "" || keyFile != "" {
		certificate, err := runtime.Await(func() (tls.Certificate, error) { return tls.LoadX509KeyPair(certFile, keyFile) })
		if err != nil {
			_ = l.Close()
			return err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return s.Serve(wefttls.NewListener(l, config))
}

// Shutdown stops accepting, closes the connections that wait for a request, and
// waits until the others have answered theirs. It returns nil then. When ctx is
// done first it kills the tasks of those that are left, and returns ctx's cause: see
// server.StreamServer's Shutdown, whose rules hold. The standard library's leaves
// them alive.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close()
	return closedError(s.stream.Shutdown(ctx))
}

// Close stops accepting, kills the tasks of all connections, closes these, and
// waits until the tasks have ended.
func (s *Server) Close() error {
	s.close()
	return closedError(s.stream.Close())
}

// closedError has the standard library's error for that of package server.
func closedError(err error) error {
	if err == server.ErrServerClosed {
		return ErrServerClosed
	}
	return err
}

// close ends idle connections, and lets others end with their answer.
func (s *Server) close() {
	s.prepare()
	first := s.closing.CompareAndSwap(false, true)
	s.stream.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.endIdle()
	}
	if first {
		for _, fn := range s.onShutdown {
			go fn()
		}
	}
}

// Pause stops accepting until Resume; see server.StreamServer. Connections that
// are there go on.
func (s *Server) Pause() {
	s.prepare()
	s.stream.Pause()
}

// Resume ends Pause.
func (s *Server) Resume() {
	s.prepare()
	s.stream.Resume()
}

// Active returns the number of connections that are served.
func (s *Server) Active() int { return s.stream.Active() }

// RegisterOnShutdown makes fn be called, on a goroutine, by Shutdown and Close: for
// connections that were hijacked, which these two leave alone.
func (s *Server) RegisterOnShutdown(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onShutdown = append(s.onShutdown, fn)
}

// SetKeepAlivesEnabled says whether connections serve more than one request. They
// do by default. Turned off, it ends those that wait for the next one.
func (s *Server) SetKeepAlivesEnabled(on bool) {
	s.noKeepAlives.Store(!on)
	if on {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.endIdle()
	}
}

func (s *Server) keepsAlive() bool { return !s.noKeepAlives.Load() && !s.closing.Load() }

func (s *Server) enter(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) logf(format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}

func (s *Server) headLimit() int64 {
	limit := s.MaxHeaderBytes
	if limit <= 0 {
		limit = DefaultMaxHeaderBytes
	}
	return int64(limit) + 4096
}

// firstPositive returns the first of the durations that is set.
func firstPositive(durations ...time.Duration) time.Duration {
	for _, d := range durations {
		if d > 0 {
			return d
		}
	}
	return 0
}

// serveHTTP calls the handler.
func (s *Server) serveHTTP(w *response, r *Request) {
	if r.RequestURI == "*" && r.Method == "OPTIONS" && !s.DisableGeneralOptionsHandler {
		w.Header().Set("Content-Length", "0")
		return
	}
	handler := s.Handler
	if handler == nil {
		handler = DefaultServeMux
	}
	handler.ServeHTTP(w, r)
}

// A basedListener passes the context of its connections on with them.
type basedListener struct {
	stdnet.Listener
	base context.Context
}

type basedConn struct {
	stdnet.Conn
	base context.Context
}

func (l *basedListener) Accept() (stdnet.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return basedConn{c, l.base}, nil
}

// SetDeadline is for Pause.
func (l *basedListener) SetDeadline(t time.Time) error {
	if inner, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return inner.SetDeadline(t)
	}
	return errors.ErrUnsupported
}
