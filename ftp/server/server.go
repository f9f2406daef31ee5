package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	stdnet "net"
	"net/netip"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime"
)

// ErrServerClosed is what Serve and ListenAndServe return after Shutdown or
// Close.
var ErrServerClosed = errors.New("server: closed")

// A Server serves FTP. Its methods may be called from any task or goroutine.
type Server struct {
	// immutable
	cfg    Config
	log    *slog.Logger
	ctx    context.Context // ends with the server
	cancel context.CancelFunc

	logins   gate
	public   *publicHosts
	ports    ports
	refused  rarely // connections
	calls    gate   // of Config.Root
	hashes   gate   // reading for hashes, a buffer at a time
	deflates gate   // transfers in MODE Z
	trees    trees
	stopping atomic.Bool // no session goes on but for its transfer

	// mu guards. It is held for a few instructions only.
	mu        sync.Mutex
	listeners map[stdnet.Listener]struct{}
	places    places
	shared    map[netip.Addr]*sharedPorts // by the address they listen on
}

// New returns a server. The errors are *ConfigError.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	srv := &Server{
		cfg:       cfg,
		log:       cfg.Logger,
		logins:    gate{free: 2 * goruntime.GOMAXPROCS(0)},
		listeners: make(map[stdnet.Listener]struct{}),
		shared:    make(map[netip.Addr]*sharedPorts),
		places: places{
			sessions: make(map[*session]struct{}),
			users:    make(map[string]*userPlace),
		},
		hashes:   gate{free: maxHashes},
		deflates: gate{free: maxDeflates * goruntime.GOMAXPROCS(0)},
		calls:    gate{free: cfg.MaxStoreCalls},
	}
	srv.ports.used = make(map[netip.Addr]map[uint16]struct{})
	srv.public = newPublicHosts(srv)
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	return srv, nil
}

// ListenAndServe listens on a TCP address, "127.0.0.1:2121", and serves; see
// Serve.
func (srv *Server) ListenAndServe(addr string) error {
	l, err := srv.cfg.Engine.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return srv.Serve(l)
}

// Serve accepts connections from l, which must be one of the engine's, and
// starts a session for each. It parks the calling task, or blocks the calling
// goroutine, until the server is shut down (ErrServerClosed) or l fails. l is
// closed then. A shortage of descriptors or memory does not end it.
func (srv *Server) Serve(l stdnet.Listener) error {
	return srv.serve(l, func(c stdnet.Conn) { srv.admit(newSession(srv, c)) })
}

// ServeTLS is Serve for connections that begin with the TLS handshake: "implicit" TLS,
// on port 990 by custom. Data connections are secured unless PROT C is sent.
func (srv *Server) ServeTLS(l stdnet.Listener) error {
	if srv.cfg.TLS.Config == nil {
		return &ConfigError{"TLS", "ServeTLS needs a Config"}
	}
	return srv.serve(l, func(c stdnet.Conn) {
		s := newSession(srv, c)
		s.implicit = true
		srv.admit(s)
	})
}

// Prepare opens what Serve and ServeTLS need for connections to l beside l itself: the
// ports of SharedPorts. They do so, too; a program calls it before it says that it
// serves, to know by then of ports that are taken. It may be called from anywhere.
func (srv *Server) Prepare(l stdnet.Listener) error {
	return srv.openShared(addrPort(l.Addr()).Addr())
}

func (srv *Server) serve(l stdnet.Listener, admit func(stdnet.Conn)) error {
	defer l.Close()
	if !srv.addListener(l) {
		return ErrServerClosed
	}
	defer srv.removeListener(l)
	if err := srv.Prepare(l); err != nil {
		return err
	}
	srv.log.Info("serving", slog.String("address", l.Addr().String()), slog.String("engine", srv.cfg.Engine.Name()))
	err := srv.acceptEach(l, admit)
	if srv.stopping.Load() {
		return ErrServerClosed
	}
	return err
}

// acceptEach calls f with each connection, and returns the error by which the
// listener ended.
func (srv *Server) acceptEach(l stdnet.Listener, f func(stdnet.Conn)) error {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = shortest
			f(c)
		case isShortage(err):
			srv.log.Warn("accept", slog.String("error", err.Error()), slog.Duration("pause", pause))
			srv.cfg.Engine.Sleep(pause)
			pause = min(2*pause, longest)
		default:
			return err
		}
	}
}

// isShortage recognises errors of accept that say nothing against the listener
// (accept(2)).
func isShortage(err error) bool {
	for _, target := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.EINTR,
		syscall.ENETDOWN, syscall.ENOPROTOOPT, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// admit starts a session, in which the register is asked: that may take its time, in
// which others want to come in.
func (srv *Server) admit(s *session) {
	if refusal := srv.add(s); refusal != nil {
		s.turnAway(refusal)
		return
	}
	srv.cfg.Engine.GoBalanced(s.run)
}

func (srv *Server) addListener(l stdnet.Listener) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.stopping.Load() {
		return false
	}
	srv.listeners[l] = struct{}{}
	return true
}

func (srv *Server) removeListener(l stdnet.Listener) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.listeners, l)
}

const (
	// lastWords is how long sessions have to reply once Shutdown has aborted their
	// transfers.
	lastWords = time.Second
	// closeGrace is how long Close waits for sessions whose connections are
	// closed: a call of the store may take its time.
	closeGrace = 5 * time.Second
)

// Shutdown ends the server gracefully: listeners are closed, idle sessions
// get 421, and those with a transfer finish it first. When ctx is done before
// all have ended, transfers are aborted with 426 and 421, and after a second
// everything is closed. It waits for the end of the sessions as Close does, and
// returns nil, or the error of ctx.
func (srv *Server) Shutdown(ctx context.Context) error {
	for _, s := range srv.stop() {
		s.wake()
	}
	if srv.wait(ctx) {
		srv.cancel()
		srv.closeShared()
		return nil
	}
	for _, s := range srv.stop() {
		s.doom(errDrained)
	}
	last, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	srv.wait(last)
	if err := srv.Close(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// Close ends the server at once: listeners and all connections are closed. It
// waits up to five seconds for the sessions to end, and returns an error if some
// have not: then their calls of the store still run.
func (srv *Server) Close() error {
	sessions := srv.stop()
	srv.cancel()
	defer srv.closeShared()
	for _, s := range sessions {
		s.doom(errControlLost)
		_ = s.conn.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if !srv.wait(ctx) {
		return fmt.Errorf("server: %d sessions have not ended", srv.Sessions())
	}
	return nil
}

// stop lets no session begin any more, closes the listeners, and returns the
// sessions there are.
func (srv *Server) stop() []*session {
	srv.mu.Lock()
	srv.stopping.Store(true)
	listeners := srv.listeners
	srv.listeners = make(map[stdnet.Listener]struct{})
	sessions := make([]*session, 0, len(srv.places.sessions))
	for s := range srv.places.sessions {
		sessions = append(sessions, s)
	}
	srv.mu.Unlock()
	for l := range listeners {
		_ = l.Close()
	}
	return sessions
}

// wait waits until no session is left, and reports false if ctx is done first.
func (srv *Server) wait(ctx context.Context) bool {
	srv.mu.Lock()
	if len(srv.places.sessions) == 0 {
		srv.mu.Unlock()
		return true
	}
	w := runtime.NewWaiter().External() // the context's end is external
	srv.places.waiting = append(srv.places.waiting, w)
	srv.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { w.Ready() })
	defer stop()
	_ = w.Park("end of sessions") // a kill ends the wait as ctx does
	return srv.Sessions() == 0
}
