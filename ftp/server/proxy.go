package server

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/weft-go/weft/ftp/internal/wire"
)

// proxyPatience is how long a trusted proxy may take to tell whose connection
// it passes on.
const proxyPatience = 5 * time.Second

// fromProxy reads what a trusted proxy tells of the connection, before anything
// else is done, and makes the session the client's. From anybody else the same
// bytes are a command that is not understood: whoever could name his own
// address would have that of another's limits, bans and data connections.
func (s *session) fromProxy() error {
	deadline := time.Now().Add(proxyPatience)
	if s.loginBy.Before(deadline) {
		deadline = s.loginBy
	}
	_ = s.conn.SetReadDeadline(deadline) // the read tells if it is closed
	if s.srv.stopping.Load() {
		return errStopping
	}
	h, err := wire.ReadProxyHeader(s.conn)
	if err != nil {
		s.log.Warn("proxy without a header", slog.String("error", escaped(err.Error())))
		return err
	}
	if !h.From.IsValid() {
		return nil // the proxy's own: it looks whether we live
	}
	proxy := s.peer
	s.peer, s.reached = h.From, h.To.Addr()
	// The client's data connections do not come the proxy's way.
	s.dataAddr = netip.IPv6Unspecified()
	if s.reached.Is4() {
		s.dataAddr = netip.IPv4Unspecified()
	}
	s.log = s.srv.log.With(slog.String("peer", s.peer.String()), slog.String("proxy", proxy.String()))
	if refusal := s.srv.enter(s); refusal != nil {
		s.srv.refused.tell(s.log, "connection refused", slog.String("reason", refusal.Msg))
		return refusal
	}
	return nil
}
