package server

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	stdnet "net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp"
)

// passive waits for the client to connect (PASV, EPSV).
type passive struct {
	listener stdnet.Listener
	peer     netip.Addr // who may connect
	patience time.Duration
	log      *slog.Logger
}

func (s *session) cmdPASV(string) (reply, error) {
	if s.only {
		return reply{}, errEPSVOnly
	}
	if !s.local.Addr().Is4() {
		return reply{}, errPASVForIPv4
	}
	port, err := s.listen()
	if err != nil {
		return reply{}, err
	}
	addr := s.local.Addr()
	if s.cfg.PublicAddr.IsValid() {
		addr = s.cfg.PublicAddr
	}
	return answer(ftp.CodePassive, ftp.Text227(netip.AddrPortFrom(addr, port))), nil
}

// cmdEPSV: RFC 2428 section 3. The family is the control connection's, and
// asking for the other one gets 522 with the one to use.
func (s *session) cmdEPSV(arg string) (reply, error) {
	family, all, err := ftp.ParseEPSV(arg)
	own := ftp.FamilyOf(s.local.Addr())
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

// listen replaces the session's listener by one on another port.
func (s *session) listen() (port uint16, err error) {
	s.dropWay()
	if !s.local.IsValid() {
		return 0, errNoPassive // the control connection is not TCP
	}
	l, err := listenInRange(s.engine, s.local.Addr(), s.cfg.PassivePorts)
	if err != nil {
		s.log.Warn("no passive port", slog.String("ports", s.cfg.PassivePorts.String()), slog.String("error", err.Error()))
		return 0, errNoPassive
	}
	s.setWay(&passive{l, s.peer.Addr(), s.cfg.DataTimeout, s.log})
	return addrPort(l.Addr()).Port(), nil
}

// maxPortTries bounds the search for a free port, which does not park.
const maxPortTries = 1024

// dynamicPorts are used if no range is configured (RFC 6335 section 6).
//
// The system would pick one, too, but each transfer leaves a port in TIME_WAIT,
// on the side of who closes first, which is the sender's, and Linux then looks
// through thousands of them. BenchmarkRETR, run for a minute, shows it.
var dynamicPorts = PortRange{49152, 65535}

// listenInRange listens on a port of the range that can't be guessed (RFC 2577
// section 7).
func listenInRange(e Engine, addr netip.Addr, ports PortRange) (stdnet.Listener, error) {
	network := "tcp6"
	if addr.Is4() {
		network = "tcp4"
	}
	listenOn := func(port int) (stdnet.Listener, error) {
		return e.Listen(network, stdnet.JoinHostPort(addr.String(), strconv.Itoa(port)))
	}
	anyPort := ports == (PortRange{})
	if anyPort {
		ports = dynamicPorts
	}
	n := int(ports.Hi) - int(ports.Lo) + 1
	first, stride := rand.IntN(n), randomStride(n)
	var err error
	for i := range min(n, maxPortTries) {
		var l stdnet.Listener
		l, err = listenOn(int(ports.Lo) + (first+i*stride)%n)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	if anyPort {
		return listenOn(0)
	}
	return nil, err
}

// randomStride returns a step by which one comes to each of n places.
func randomStride(n int) int {
	for {
		stride := 1 + rand.IntN(n)
		a, b := stride, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return stride
		}
	}
}

// open waits for the client. Whoever connects from another address is turned
// away and the wait goes on, so that nobody can take, or spoil, the transfer
// (RFC 2577 section 7).
func (p *passive) open(t *transfer) (stdnet.Conn, error) {
	defer p.drop()
	if err := t.hold(p.listener); err != nil {
		return nil, err
	}
	if l, ok := p.listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = l.SetDeadline(time.Now().Add(p.patience)) // Accept tells if it is closed
	}
	stolen := false
	for {
		c, err := p.listener.Accept()
		if err != nil {
			p.log.Debug("no data connection", slog.String("error", err.Error()))
			return nil, errNoData
		}
		from := addrPort(c.RemoteAddr())
		if from.Addr() == p.peer {
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
