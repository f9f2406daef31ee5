package server

import (
	"log/slog"
	"strings"

	"github.com/weft-go/weft/ftp"
)

// cmdAUTH begins TLS (RFC 4217). The session begins anew after it: what was sent
// before in clear, and by whom, is not known (section 5).
func (s *session) cmdAUTH(arg string) (reply, error) {
	if s.tls.config == nil {
		return reply{}, errUnserved
	}
	private := false
	switch strings.ToUpper(arg) {
	case "TLS", "TLS-C":
	case "SSL", "TLS-P":
		private = true // data connections are secured from the start
	default:
		return reply{}, errNoMechanism
	}
	if s.tls.conn != nil {
		return reply{}, errSecured
	}
	s.reply(answer(ftp.CodeAuthAccepted, "Begin the TLS handshake."))
	if s.flush(); s.lost != nil {
		return reply{}, s.lost
	}
	s.dropWay()
	s.logout()
	s.reset()
	// What the client has sent ahead could come from anybody (CVE-2011-1575).
	s.queue = nil
	if err := s.secure(newRecords(s.conn)); err != nil {
		return reply{}, err
	}
	if private {
		s.tls.sized, s.tls.private = true, true
	}
	return reply{}, errAnswered
}

// cmdPBSZ: TLS has no buffers to agree on, and the size is 0 (RFC 4217 section 9).
func (s *session) cmdPBSZ(arg string) (reply, error) {
	if s.tls.conn == nil {
		return reply{}, errNeedAUTH
	}
	if _, err := ftp.ParseOffset(arg); err != nil {
		return reply{}, err
	}
	s.tls.sized = true
	return answer(ftp.CodeOK, "PBSZ=0"), nil
}

// cmdPROT says whether data connections are secured, P, or not, C.
func (s *session) cmdPROT(arg string) (reply, error) {
	if s.tls.conn == nil {
		return reply{}, errNeedAUTH
	}
	if !s.tls.sized {
		return reply{}, errNeedPBSZ
	}
	switch strings.ToUpper(arg) {
	case "C":
		if s.cfg.TLS.RequireData {
			return reply{}, errProtDenied
		}
		s.tls.private = false
	case "P":
		s.tls.private = true
	case "S", "E":
		return reply{}, errProtUnsupported
	default:
		return reply{}, errProtUnknown
	}
	s.log.Debug("protection", slog.Bool("private", s.tls.private))
	return answer(ftp.CodeOK, "Protection set."), nil
}

// cmdCCC lets the control connection go on in clear, where the configuration does.
func (s *session) cmdCCC(string) (reply, error) {
	switch {
	case s.tls.conn == nil:
		return reply{}, errNeedAUTH
	case !s.cfg.TLS.AllowCCC:
		return reply{}, errCCC
	}
	s.reply(answer(ftp.CodeOK, "The control connection goes on in clear."))
	if s.flush(); s.lost != nil {
		return reply{}, s.lost
	}
	clear, err := s.unsecure()
	if err != nil {
		s.lost = err
		return reply{}, err
	}
	s.wire(clear)
	s.log.Info("control connection in clear")
	return reply{}, errAnswered
}
