package server

import (
	"errors"
	"log/slog"
	stdnet "net"
	"net/netip"
	"time"

	"github.com/weft-go/weft/ftp"
)

// passive waits for the client to connect (PASV, EPSV).
type passive struct {
	listener stdnet.Listener
	may      func(from netip.Addr) bool // who may connect
	patience time.Duration
	log      *slog.Logger
}

func (s *session) cmdPASV(string) (reply, error) {
	if s.only {
		return reply{}, errEPSVOnly
	}
	if !s.reached.Is4() {
		return reply{}, errPASVForIPv4
	}
	addr, err := s.srv.public.addr(s.peer.Addr(), s.reached)
	if err != nil || !addr.Is4() {
		return reply{}, errNoPublicAddr
	}
	port, err := s.listen()
	if err != nil {
		return reply{}, err
	}
	told := netip.AddrPortFrom(addr, port)
	// What a client sees may differ: some routers rewrite it.
	s.log.Debug("passive", slog.String("told", told.String()))
	return answer(ftp.CodePassive, ftp.Text227(told)), nil
}

// cmdEPSV: RFC 2428 section 3. The family is the control connection's, and
// asking for the other one gets 522 with the one to use.
func (s *session) cmdEPSV(arg string) (reply, error) {
	family, all, err := ftp.ParseEPSV(arg)
	own := ftp.FamilyOf(s.dataAddr)
	switch {
	case errors.Is(err, ftp.ErrProtocol), err == nil && family != 0 && family != own:
		return reply{}, &ftp.Error{Code: ftp.CodeBadProtocol, Msg: ftp.ProtocolText(own)}
	case err != nil:
		return reply{}, err
	case all:
		s.only = true
		return answer(ftp.CodeOK, "EPSV it is."), nil
	}
	port, err := s.listen()
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeExtendedPassive, ftp.Text229(port)), nil
}

// listen replaces the session's way to the next data connection by another
// port.
func (s *session) listen() (port uint16, err error) {
	s.dropWay()
	if !s.local.IsValid() {
		return 0, errNoPassive // the control connection is not TCP
	}
	way, port, err := s.passiveWay()
	if err != nil {
		s.log.Warn("no passive port", slog.String("ports", s.cfg.PassivePorts.String()), slog.String("error", err.Error()))
		return 0, errNoPassive
	}
	s.setWay(way)
	return port, nil
}

func (s *session) passiveWay() (dataWay, uint16, error) {
	if s.cfg.SharedPorts {
		sp := s.srv.sharedAt(s.local.Addr())
		if sp == nil {
			return nil, 0, stdnet.ErrClosed
		}
		c, err := sp.claim(s.peer.Addr(), s.cfg.DataTimeout, s.log)
		if err != nil {
			return nil, 0, err
		}
		return c, c.key.port, nil
	}
	l, err := s.srv.ports.listen(s.engine, s.dataAddr, s.cfg.PassivePorts)
	if err != nil {
		return nil, 0, err
	}
	return &passive{l, s.mayConnect, s.cfg.DataTimeout, s.log}, addrPort(l.Addr()).Port(), nil
}

// mayConnect reports whether a data connection may come from an address.
func (s *session) mayConnect(from netip.Addr) bool {
	return from == s.peer.Addr() || containedIn(s.cfg.FXP, from)
}

// open waits for the client. Whoever connects from another address is turned
// away and the wait goes on, so that nobody can take, or spoil, the transfer
// (RFC 2577 section 7).
func (p *passive) open(t *transfer) (stdnet.Conn, error) {
	defer p.drop()
	if err := t.hold(p.listener); err != nil {
		return nil, err
	}
	_ = setAcceptDeadline(p.listener, time.Now().Add(p.patience)) // Accept tells if it is closed
	stolen := false
	for {
		c, err := p.listener.Accept()
		if err != nil {
			p.log.Debug("no data connection", slog.String("error", err.Error()))
			return nil, errNoData
		}
		from := addrPort(c.RemoteAddr())
		if p.may(from.Addr()) {
			return c, nil
		}
		if !stolen {
			p.log.Warn("data connection from another address", slog.String("from", from.String()))
		}
		stolen = true // told once: there may be thousands
		reset(c)
	}
}

func (p *passive) drop() { _ = p.listener.Close() }
