package server

import (
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	stdnet "net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/internal/wire"
	"github.com/weft-go/weft/runtime"
)

// A session is one control connection. Its task alone uses it, but for what is
// said to be shared; a transfer's task uses what is immutable.
type session struct {
	// immutable
	srv         *Server
	cfg         *Config
	engine      Engine
	conn        stdnet.Conn
	peer, local netip.AddrPort // IPv4 in its own form
	proxied     bool           // by a trusted proxy, which tells who and what these are:
	implicit    bool           // TLS from the start
	reached     netip.Addr     // what the client has connected to, else local's
	dataAddr    netip.Addr     // where passive ports are and active connections come from
	log         *slog.Logger

	entered bool         // the register has let it in,
	network netip.Prefix // and counts it for this one

	// The control connection.
	in     *wire.LineReader
	out    *wire.LineWriter
	tls    *sessionTLS
	queue  []command // read during a transfer, to be carried out after it
	lost   error     // why the connection is of no use any more
	leave  bool      // the last reply has been written
	streak int       // commands since others had their turn

	// Who and where.
	login    login
	claimed  string // the argument of USER, until PASS
	hasUser  bool   // USER was sent
	failures int
	loginBy  time.Time

	// Parameters, and what one command leaves for the next.
	cwd     string
	typ     ftp.Type
	mode    ftp.Mode
	level   int // of ModeDeflate
	facts   ftp.Facts
	hash    ftp.Hash
	idle    time.Duration
	only    bool // EPSV ALL was sent
	way     dataWay
	wayTime time.Time // when it is given up
	rename  string    // the source of RNFR, "" for none
	copied  string    // the source of SITE CPFR, "" for none
	restart int64
	length  int64 // of RANG, 0 for none

	allo int64 // of ALLO, 0 for none

	umask fs.FileMode // SITE UMASK
	host  *Host       // HOST, nil for none

	// lingering is the last secured data connection, the present transfer's task's.
	lingering stdnet.Conn

	// mu guards what Shutdown and Close use too. It is held for a few
	// instructions only.
	mu      sync.Mutex
	running *transfer
	doomed  error // why no transfer may begin any more
}

// login is who has logged in; the zero value is nobody.
type login struct {
	identity *auth.Identity
	store    *store
	place    *userPlace
}

const (
	// maxQueued bounds the commands that wait for the end of a transfer. A
	// client that sends more is read no further until then.
	maxQueued = 32
	// controlTimeout is how long a client may take to accept a reply.
	controlTimeout = 30 * time.Second
	// maxStreak is the number of commands after which others have their turn: a
	// client that sends ahead would keep its worker for ever.
	maxStreak = 32
)

// longAgo is a deadline that wakes who reads.
var longAgo = time.Unix(1, 0)

// errWoken is no error: the reader was woken to look at something else.
// errAnswered is none either: the handler has replied.
var (
	errWoken    = errors.New("server: woken")
	errAnswered = errors.New("server: answered")
)

func newSession(srv *Server, conn stdnet.Conn) *session {
	s := &session{
		srv:    srv,
		cfg:    &srv.cfg,
		engine: srv.cfg.Engine,
		conn:   conn,
		peer:   addrPort(conn.RemoteAddr()),
		local:  addrPort(conn.LocalAddr()),
	}
	s.reached, s.dataAddr = s.local.Addr(), s.local.Addr()
	s.proxied = containedIn(srv.cfg.TrustedProxies, s.peer.Addr())
	s.log = srv.log.With(slog.String("peer", s.peer.String()))
	s.tls = newSessionTLS(&srv.cfg.TLS)
	s.wire(conn)
	s.reset()
	return s
}

// replyConn bounds the time of each write.
type replyConn struct{ stdnet.Conn }

func (c replyConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(controlTimeout)) // Write tells if c is closed
	return c.Conn.Write(p)
}

// reset puts everything but the connection to its state before the first
// command (RFC 959 section 4.1.1, REIN). It leaves the login's store to the
// caller.
func (s *session) reset() {
	s.login, s.claimed, s.hasUser = login{}, "", false
	s.loginBy = time.Now().Add(s.cfg.LoginTimeout)
	s.cwd, s.typ, s.mode, s.level = "/", ftp.TypeASCII, ftp.ModeStream, zlib.DefaultCompression
	s.facts, s.hash, s.idle = ftp.DefaultFacts, 0, s.cfg.IdleTimeout
	s.only, s.rename, s.copied, s.restart, s.length = false, "", "", 0, 0
	s.umask, s.host, s.allo = 0, nil, 0
	s.tls.sized, s.tls.private = false, false
}

// run is the session's task: greeting, commands, farewell.
func (s *session) run() {
	defer s.end()
	defer s.contain() // what the next two do, too
	defer s.logout()
	defer s.dropWay()
	inlineUrgent(s.conn)
	if refusal := s.srv.enter(s); refusal != nil {
		s.turnAway(refusal)
		return
	}
	if s.proxied {
		if err := s.fromProxy(); err != nil {
			s.farewell(err)
			s.flush()
			return
		}
	}
	if s.implicit {
		if err := s.secure(newRecords(s.conn)); err != nil {
			return
		}
	}
	s.log.Debug("session begins")
	s.reply(answer(ftp.CodeReady, s.cfg.Greeting))
	for !s.leave && s.lost == nil {
		c, err := s.next()
		if err != nil {
			s.farewell(err)
			break
		}
		s.execute(c)
	}
	s.flush()
}

// turnAway tells the client why there will be no session, where it would begin with TLS
// without a handshake: that is what a flood wants.
func (s *session) turnAway(why *ftp.Error) {
	s.srv.refused.tell(s.log, "connection refused", slog.String("reason", why.Msg))
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	words := ftp.AppendReply(nil, why.Code, why.Msg)
	if s.implicit {
		words = accessDenied
	}
	_, _ = s.conn.Write(words) // fits into any new connection's buffer
	_ = s.conn.Close()
}

func (s *session) end() {
	if s.tls.conn != nil && s.lost == nil {
		_ = s.tls.conn.CloseWrite() // the client may be gone
	}
	_ = s.conn.Close()
	s.srv.remove(s)
	s.log.Debug("session ends")
}

// contain keeps a panic of a handler, a store or a transfer inside the session.
// A task that is killed goes on unwinding.
func (s *session) contain() {
	r := recover()
	if r == nil {
		return
	}
	if err, ok := r.(error); ok && errors.Is(err, runtime.ErrKilled) {
		panic(r)
	}
	c, ok := r.(*crash)
	if !ok {
		c = &crash{r, debug.Stack()}
	}
	s.log.Error("session panicked", slog.String("panic", escaped(fmt.Sprint(c.value))), slog.String("stack", string(c.stack)))
	s.reply(answer(errBroken.Code, errBroken.Msg))
	s.flush()
}

// crash is a panic on its way to the session's task.
type crash struct {
	value any
	stack []byte
}

// next returns the next command to carry out.
func (s *session) next() (command, error) {
	if s.streak++; s.streak > maxStreak {
		s.streak = 0
		s.engine.Sleep(0)
	}
	if s.srv.stopping.Load() {
		return command{}, errStopping
	}
	if len(s.queue) > 0 {
		c := s.queue[0]
		s.queue = s.queue[1:]
		return c, nil
	}
	s.queue = nil
	deadline, late := time.Now().Add(s.idle), errIdle
	if s.login.identity == nil && s.loginBy.Before(deadline) {
		deadline, late = s.loginBy, errNoLogin
	}
	for {
		until := s.expireWay(deadline)
		c, err := s.read(until, s.srv.stopping.Load)
		switch {
		case errors.Is(err, errWoken):
			return command{}, errStopping
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return c, err
		case until.Equal(deadline):
			return command{}, late
		}
	}
}

// read reads a command from the connection. The zero deadline means none. When
// woken reports true the result is errWoken.
//
// Whoever wants to wake the reader makes woken report true first and then sets
// the read deadline to longAgo. The reader sets its own deadline first and asks
// woken then: so either it sees what woken says, or its deadline is longAgo.
func (s *session) read(deadline time.Time, woken func() bool) (command, error) {
	for {
		if !s.in.HasLine() {
			if s.flush(); s.lost != nil {
				return command{}, s.lost
			}
			_ = s.conn.SetReadDeadline(deadline) // ReadLine tells if it is closed
		}
		if woken() {
			return command{}, errWoken
		}
		line, err := s.in.ReadLine()
		switch {
		case err == nil:
			return parse(line), nil
		case errors.Is(err, wire.ErrLineTooLong):
			return command{err: errLineTooLong}, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return command{}, err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return command{}, err
		}
	}
}

// farewell ends a session that can't be read any more, with a last reply if
// the client may still want one.
func (s *session) farewell(err error) {
	switch e := (*ftp.Error)(nil); {
	case errors.As(err, &e):
		s.reply(answer(e.Code, e.Msg))
		s.log.Debug("session closed", slog.String("reason", e.Msg))
	case errors.Is(err, wire.ErrLineFlood):
		s.reply(answer(errLineTooLong.Code, errLineTooLong.Msg))
		s.log.Warn("session closed", slog.String("reason", "endless line"))
	default:
		s.lost = err
	}
}

// execute carries out a command and replies.
func (s *session) execute(c command) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("command", slog.Any("line", c.line))
	}
	r, err := s.dispatch(c)
	if err == errAnswered {
		return
	}
	if errors.Is(err, runtime.ErrKilled) || errors.Is(err, errControlLost) {
		s.lost = err
	}
	if err != nil && s.lost == nil {
		e, odd := refusal(err)
		if odd {
			s.log.Error("command failed", slog.Any("line", c.line), slog.String("error", escaped(err.Error())))
		}
		r = answer(lawful(c.row, e.Code), e.Msg)
	}
	s.reply(r)
	if errors.Is(err, ftp.ErrForeign) {
		s.leave = true
	}
}

// reply writes a reply. It is sent when the next command has to be waited for.
// A reply that closes the connection (221, 421) is the session's last.
func (s *session) reply(r reply) {
	if s.lost != nil && r.body == nil {
		return
	}
	if r.body == nil {
		s.write(ftp.AppendReply(s.out.Available(), r.code, r.lines...))
	} else {
		s.write(fmt.Appendf(s.out.Available(), "%s-%s\r\n", r.code, r.lines[0]))
		err := r.body(func(line string) error {
			b := wire.AppendText(s.out.Available(), line)
			s.write(append(b, '\r', '\n'))
			return s.lost
		})
		last := r.lines[len(r.lines)-1]
		if err != nil {
			// The code has been sent; only the text can tell.
			last = "Incomplete."
		}
		s.write(ftp.AppendReply(s.out.Available(), r.code, last))
	}
	if r.code == ftp.CodeClosing || r.code == ftp.CodeServiceClosing {
		s.leave = true
	}
}

func (s *session) write(lines []byte) {
	if s.lost != nil {
		return
	}
	if _, err := s.out.Write(lines); err != nil {
		s.lost = err
	}
}

// flush sends what was written.
func (s *session) flush() {
	if s.lost != nil {
		return
	}
	if err := s.out.Flush(); err != nil {
		s.lost = err
	}
}

// wake makes read look at its woken function. It may be called from anywhere.
func (s *session) wake() { _ = s.conn.SetReadDeadline(longAgo) }

// doom aborts the present transfer and every later one. It may be called from
// anywhere.
func (s *session) doom(cause error) {
	s.mu.Lock()
	s.doomed = cause
	t := s.running
	s.mu.Unlock()
	if t != nil {
		t.abort(cause)
	}
	s.wake()
}

// logout closes the tree of the user, if there is one.
func (s *session) logout() {
	old := s.login
	s.login = login{}
	if old.place != nil {
		s.srv.leaveUser(old.place)
	}
	if old.store != nil {
		if err := old.store.close(); err != nil {
			s.log.Warn("closing a root", slog.String("error", escaped(err.Error())))
		}
	}
}

// resolve returns the virtual path that an argument stands for.
func (s *session) resolve(arg string) (string, error) { return ftp.Resolve(s.cwd, arg) }

// store returns the tree of the user. Dispatch has seen to it that there is one.
func (s *session) store() *store { return s.login.store }

// addrPort returns a TCP address with IPv4 in its own form, and the zero
// value for another kind of address.
func addrPort(a stdnet.Addr) netip.AddrPort {
	tcp, ok := a.(*stdnet.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
