package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
)

// loginPatience bounds the check of one login.
const loginPatience = 30 * time.Second

// cmdUSER takes any name: whether it is known shows in nothing (RFC 2577 section
// 6). Who is logged in already stays so until PASS succeeds.
func (s *session) cmdUSER(arg string) (reply, error) {
	if s.cfg.TLS.RequireControl && s.tls.conn == nil {
		return reply{}, errNeedTLS
	}
	s.claimed, s.hasUser = arg, true
	return answer(ftp.CodeNeedPassword, "Password required."), nil
}

func (s *session) cmdPASS(arg string) (reply, error) {
	if !s.hasUser {
		return reply{}, errNeedUser
	}
	name := s.claimed
	s.claimed, s.hasUser = "", false
	s.flush()

	network := networkOf(s.peer.Addr())
	switch v := s.cfg.Register.MayTry(network, name); v {
	case Granted:
	case Locked:
		return reply{}, s.denied(name)
	default:
		return reply{}, verdicts[v]
	}
	cfg := s.hosted()
	id, err := s.srv.authenticate(cfg.Auth, name, arg, auth.Peer{Addr: s.peer})
	switch {
	case err == errBanned || err == errUnanswered:
		return reply{}, err
	case errors.Is(err, auth.ErrDenied):
		return reply{}, s.denied(name)
	case err != nil:
		s.log.Error("login not checked", userAttr(name), slog.String("error", escaped(err.Error())))
		return reply{}, errLoginNotKnown
	}
	place, refusal := s.srv.takeUser(network, name, id.Name)
	if refusal != nil {
		s.log.Warn("login refused", userAttr(id.Name), slog.String("reason", refusal.Msg))
		return reply{}, refusal
	}
	st, err := openStore(s.srv, s.host, &cfg, id, place)
	if err != nil {
		s.srv.leaveUser(place)
		s.log.Error("no root for user", userAttr(name), slog.String("error", escaped(err.Error())))
		return reply{}, errNoHome
	}
	s.logout()
	s.login, s.cwd = login{id, st, place}, "/"
	s.log.Info("login", userAttr(id.Name))
	return answer(ftp.CodeLoggedIn, "Logged in."), nil
}

// authenticate checks a login, few at a time: no more than these can be under way
// when the ban comes.
func (srv *Server) authenticate(by auth.Authenticator, name, password string, from auth.Peer) (*auth.Identity, error) {
	srv.logins.enter()
	defer srv.logins.leave()
	switch v := srv.cfg.Register.MayTry(networkOf(from.Addr.Addr()), name); v {
	case Granted, Locked: // the lock came after he had begun
	default:
		return nil, verdicts[v]
	}
	ctx, cancel := context.WithTimeout(srv.ctx, loginPatience)
	defer cancel()
	return authenticate(ctx, srv.cfg.Engine, by, name, password, from)
}

// denied answers a failed login, late (RFC 2577 section 5), and the last one by
// closing the connection.
func (s *session) denied(name string) error {
	s.failures++
	// A success does not reset the count: it may be the guesser's own account.
	s.log.Warn("login denied", userAttr(name), slog.Int("attempt", s.failures))
	network := networkOf(s.peer.Addr())
	ban, lock := s.cfg.Register.Failed(network, name)
	if ban {
		s.log.Warn("banned", slog.String("network", network.String()), slog.Duration("time", s.cfg.BanTime))
	}
	if lock {
		s.log.Warn("locked", userAttr(name), slog.Duration("time", s.cfg.BanTime))
	}
	if s.cfg.LoginDelay > 0 {
		s.engine.Sleep(s.cfg.LoginDelay)
	}
	if s.failures >= s.cfg.MaxLoginAttempts {
		return errManyAttempts
	}
	return errLoginWrong
}

func (s *session) cmdACCT(string) (reply, error) {
	return answer(ftp.CodeSuperfluous, "No account needed."), nil
}

// cmdREIN logs out. The connection is as after the greeting, but the failed
// logins count on: in clear, and where it began with TLS the client begins that anew
// (RFC 4217 section 13).
func (s *session) cmdREIN(string) (reply, error) {
	s.dropWay()
	s.logout()
	s.reset()
	ready := answer(ftp.CodeReady, s.greeting())
	if s.tls.conn == nil {
		return ready, nil
	}
	s.reply(ready)
	if s.flush(); s.lost != nil {
		return reply{}, s.lost
	}
	clear, err := s.unsecure()
	switch {
	case err != nil:
	case !s.implicit:
		s.wire(clear)
	default:
		_ = s.conn.SetReadDeadline(s.loginBy) // the read tells if it is closed
		if err = clear.skipEnd(); err == nil {
			err = s.secure(clear.records)
		}
	}
	if err != nil {
		s.lost = err
		return reply{}, err
	}
	return reply{}, errAnswered
}

func (s *session) cmdQUIT(string) (reply, error) {
	return answer(ftp.CodeClosing, "Goodbye."), nil
}
