package server

import (
	"crypto/rand"
	"log/slog"
	stdnet "net"
	"slices"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/internal/wire"
	"github.com/weft-go/weft/net/tls"
)

// Reuse says what is wanted of the TLS sessions of data connections: that they
// resume the one of the control connection, which shows that both are of the same
// client.
type Reuse uint8

const (
	// ReuseLog logs a data connection that resumes none, and goes on. Many clients
	// can't, or not always.
	ReuseLog Reuse = iota
	// ReuseOff does not look.
	ReuseOff
	// ReuseRequire refuses the transfer with 522.
	ReuseRequire
)

// TLS says how a server secures connections (RFC 4217). The zero value means not at
// all.
type TLS struct {
	// Config has the certificates; nil means no TLS. TLS 1.2 is the least, unless it
	// says otherwise. A client that offers application protocols must offer "ftp".
	Config *tls.Config

	// RequireControl refuses USER in clear, and RequireData transfers.
	RequireControl, RequireData bool

	// AllowCCC lets a client take the control connection back to clear, so that a
	// gateway on the way can read addresses and ports in it. Whoever is on the way can
	// then send commands, too. Data connections stay as they are.
	AllowCCC bool

	// DataReuse is what is wanted of data connections.
	DataReuse Reuse
}

// sessionTLS is the TLS side of a session.
type sessionTLS struct {
	config  *tls.Config // nil: none
	conn    *tls.Conn   // nil: in clear
	under   *records    // what conn is on, or was
	begun   bool        // there was a handshake, and those to come are of data connections
	mark    []byte      // in the tickets of this session
	marked  bool        // the ticket of the last handshake was one of them
	sized   bool        // PBSZ was sent
	private bool        // PROT P
}

// closeNotifyTime is how long the peer of a data connection may take to end its side
// after ours.
const closeNotifyTime = time.Second

// accessDenied is the fatal alert of that name, in the record of a server that has said
// nothing yet (RFC 8446 section 6.2): who is turned away is not worth a handshake, and
// could not read a reply in clear.
var accessDenied = []byte{21, 3, 1, 0, 2, 2, 49}

// newSessionTLS returns the configuration of one session: its tickets carry a mark, so
// that a data connection that resumes one of them shows whose it is.
func newSessionTLS(cfg *TLS) *sessionTLS {
	if cfg.Config == nil {
		return new(sessionTLS)
	}
	s := &sessionTLS{mark: []byte("weft-ftp:" + rand.Text())}
	c := cfg.Config.Clone()
	if len(c.NextProtos) == 0 {
		c.NextProtos = []string{"ftp"}
	}
	keys := cfg.Config // which has the keys of tickets, and rotates them
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = nil
		// Whoever has made a data connection without one of the session's tickets may be
		// anybody, and must not get one by it for the next try.
		if !s.begun || cs.DidResume && s.marked {
			ss.Extra = [][]byte{s.mark}
		}
		return keys.EncryptTicket(cs, ss)
	}
	c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := keys.DecryptTicket(identity, cs)
		if err != nil || ss == nil {
			return nil, err
		}
		// On the control connection any session of this server will do. For data only
		// the session's own tells who it is.
		s.marked = s.own(ss)
		if s.begun && cfg.DataReuse == ReuseRequire && !s.marked {
			return nil, nil
		}
		return ss, nil
	}
	s.config = c
	return s
}

// own reports whether a ticket was made in this session.
func (s *sessionTLS) own(ss *tls.SessionState) bool {
	return slices.ContainsFunc(ss.Extra, func(extra []byte) bool { return string(extra) == string(s.mark) })
}

// secure makes the handshake on the control connection, read by way of from, which from
// then on goes through TLS. It takes no longer than a login may.
func (s *session) secure(from *records) error {
	s.tls.under, s.tls.begun = from, false
	c := tls.Server(from, s.tls.config)
	_ = s.conn.SetDeadline(s.loginBy) // the handshake tells if it is closed
	if err := c.Handshake(); err != nil {
		s.log.Info("no TLS", slog.String("error", escaped(err.Error())))
		return errControlLost
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.tls.conn, s.tls.begun = c, true
	s.tls.sized, s.tls.private = s.implicit, s.implicit
	s.wire(c)
	s.log.Debug("TLS", slog.String("version", tls.VersionName(c.ConnectionState().Version)))
	return nil
}

// unsecure ends TLS on the control connection, when all replies have been sent, and
// returns what it is from then on. The client has sent nothing ahead.
func (s *session) unsecure() (*afterTLS, error) {
	if s.in.HasLine() || len(s.queue) > 0 {
		return nil, errMoreTLS
	}
	c := s.tls.conn
	if err := c.CloseWrite(); err != nil {
		return nil, err
	}
	s.tls.conn = nil
	return &afterTLS{s.tls.under, c}, nil
}

// wire makes c what commands are read from and replies are written to. What was read
// before is dropped.
func (s *session) wire(c stdnet.Conn) {
	s.in = wire.NewLineReader(c)
	s.in.OnRefuse = func(p []byte) { _, _ = s.out.Write(p) }
	s.out = wire.NewLineWriter(replyConn{c})
}

// serverName is what the client called the server in the handshake, "" for nothing.
func (s *session) serverName() string {
	if s.tls.conn == nil {
		return ""
	}
	return strings.ToLower(s.tls.conn.ConnectionState().ServerName)
}

// features reports whether a row of the command table is served.
func (s *session) features(c *ftp.Command) bool {
	switch c.Name() {
	case "AUTH", "PBSZ", "PROT":
		return s.tls.config != nil
	case "CCC":
		return s.tls.config != nil && s.cfg.TLS.AllowCCC
	}
	return true
}

// protect makes the handshake on a data connection.
func (t *transfer) protect(c stdnet.Conn) (*tls.Conn, error) {
	s := t.session
	secured := tls.Server(c, s.tls.config)
	_ = c.SetDeadline(time.Now().Add(s.cfg.DataTimeout)) // the handshake tells if it is closed
	if err := secured.Handshake(); err != nil {
		s.log.Info("no TLS on a data connection", slog.String("error", escaped(err.Error())))
		return nil, errNoDataTLS
	}
	_ = c.SetDeadline(time.Time{})
	if !secured.ConnectionState().DidResume || !s.tls.marked {
		switch s.cfg.TLS.DataReuse {
		case ReuseRequire:
			s.log.Warn("data connection refused: it does not resume the session's TLS session")
			return nil, errNoReuse
		case ReuseLog:
			s.log.Info("data connection does not resume the session's TLS session")
		}
	}
	return secured, nil
}

// part ends our side of a secured data connection such that the peer gets to know of
// it: by a close_notify, and then by the end of the stream.
func part(secured *tls.Conn, c stdnet.Conn) error {
	if err := secured.CloseWrite(); err != nil {
		return &dataError{err}
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the close_notify counts
	}
	return nil
}

// linger closes a data connection that part has ended, when the client has ended its
// side, too, or after a moment: what it sends yet, its own close_notify, would make a
// reset of an earlier close, and cost it what it has not read. The reply does not wait
// for that. A session has one such connection: the next one ends it.
func (s *session) linger(c stdnet.Conn) {
	if s.lingering != nil {
		_ = s.lingering.Close() // it may be closed
	}
	s.lingering = c
	s.engine.Go(func() {
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(closeNotifyTime)) // Read tells if it is closed
		buf := make([]byte, 512)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
}

// checkTLS is a part of Config's check.
func checkTLS(c *TLS) error {
	switch {
	case c.Config == nil && (c.RequireControl || c.RequireData || c.AllowCCC):
		return &ConfigError{"TLS", "required or to be left, but there is no Config"}
	case c.Config == nil:
		return nil
	case len(c.Config.Certificates) == 0 && c.Config.GetCertificate == nil && c.Config.GetConfigForClient == nil:
		return &ConfigError{"TLS", "Config has no certificate"}
	case c.Config.WrapSession != nil || c.Config.UnwrapSession != nil || c.Config.GetConfigForClient != nil:
		return &ConfigError{"TLS", "Config must not have WrapSession, UnwrapSession or GetConfigForClient, which the server needs itself"}
	case c.DataReuse == ReuseRequire && c.Config.SessionTicketsDisabled:
		return &ConfigError{"TLS", "ReuseRequire needs session tickets"}
	case c.DataReuse > ReuseRequire:
		return &ConfigError{"TLS", "unknown DataReuse"}
	}
	return nil
}
