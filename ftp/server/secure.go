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

	// DataReuse is what is wanted of data connections.
	DataReuse Reuse
}

// sessionTLS is the TLS side of a session.
type sessionTLS struct {
	config  *tls.Config // nil: none
	conn    *tls.Conn   // nil: in clear
	mark    []byte      // in the tickets of this session
	sized   bool        // PBSZ was sent
	private bool        // PROT P
}

// closeNotifyTime is how long the peer of a data connection may take to end its side
// after ours.
const closeNotifyTime = time.Second

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
		ss.Extra = append(ss.Extra[:0:0], s.mark)
		return keys.EncryptTicket(cs, ss)
	}
	c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := keys.DecryptTicket(identity, cs)
		if err != nil || ss == nil {
			return nil, err
		}
		// On the control connection any session of this server will do, but only the
		// session's own for data.
		if s.conn == nil || cfg.DataReuse == ReuseOff || s.own(ss) {
			return ss, nil
		}
		return nil, nil
	}
	s.config = c
	return s
}

// own reports whether a ticket was made in this session.
func (s *sessionTLS) own(ss *tls.SessionState) bool {
	return slices.ContainsFunc(ss.Extra, func(extra []byte) bool { return string(extra) == string(s.mark) })
}

// secure makes the handshake on the control connection, which from then on goes
// through TLS. It takes no longer than a login may.
func (s *session) secure() error {
	c := tls.Server(s.conn, s.tls.config)
	_ = s.conn.SetDeadline(s.loginBy) // the handshake tells if it is closed
	if err := c.Handshake(); err != nil {
		s.log.Info("no TLS", slog.String("error", escaped(err.Error())))
		return errControlLost
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.tls.conn = c
	s.wire(c)
	s.log.Debug("TLS", slog.String("version", tls.VersionName(c.ConnectionState().Version)))
	return nil
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
	case "AUTH", "PBSZ", "PROT", "CCC":
		return s.tls.config != nil
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
	if !secured.ConnectionState().DidResume {
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

// part ends a secured data connection such that the peer gets to know of the end,
// and what it still sends makes no reset of it: a close_notify, the end of our side,
// and then a moment for the peer's end.
func part(secured *tls.Conn, c stdnet.Conn) error {
	if err := secured.CloseWrite(); err != nil {
		return &dataError{err}
	}
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return nil
	}
	_ = c.SetReadDeadline(time.Now().Add(closeNotifyTime))
	for buf := make([]byte, 512); ; {
		if _, err := c.Read(buf); err != nil {
			return nil // its end, or it takes too long: all is sent
		}
	}
}

// checkTLS is a part of Config's check.
func checkTLS(c *TLS) error {
	switch {
	case c.Config == nil && (c.RequireControl || c.RequireData):
		return &ConfigError{"TLS", "required, but there is no Config"}
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
