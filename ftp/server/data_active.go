package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	stdnet "net"
	"net/netip"
	"time"

	"github.com/weft-go/weft/ftp"
)

// active connects to the client (PORT, EPRT).
type active struct {
	engine   Engine
	from     netip.AddrPort
	to       netip.AddrPort
	patience time.Duration
	log      *slog.Logger
}

func (s *session) cmdPORT(arg string) (reply, error) {
	to, err := ftp.ParsePORT(arg)
	if err != nil {
		return reply{}, err
	}
	return s.connectTo(to)
}

func (s *session) cmdEPRT(arg string) (reply, error) {
	to, err := ftp.ParseEPRT(arg)
	own := ftp.FamilyOf(s.dataAddr)
	switch {
	case errors.Is(err, ftp.ErrProtocol), err == nil && ftp.FamilyOf(to.Addr()) != own:
		return reply{}, &ftp.Error{Code: ftp.CodeBadProtocol, Msg: ftp.ProtocolText(own)}
	case err != nil:
		return reply{}, err
	}
	return s.connectTo(to)
}

// firstPort is the lowest port a client may ask to be connected to (RFC 2577
// section 3).
const firstPort = 1024

// connectTo arranges for a connection to the client, and to nobody else but
// whom the operator allows: a server that connects elsewhere on request is a
// tool for scans and attacks (the bounce attack, RFC 2577 section 3).
func (s *session) connectTo(to netip.AddrPort) (reply, error) {
	switch {
	case s.only:
		return reply{}, errEPSVOnly
	case to.Addr() != s.peer.Addr().WithZone("") && !containedIn(s.cfg.FXP, to.Addr()):
		s.log.Warn("data connection elsewhere refused", slog.String("to", to.String()))
		return reply{}, errForeignHost
	case to.Port() < firstPort:
		return reply{}, errReservedPort
	}
	if to.Addr() == s.peer.Addr().WithZone("") {
		to = netip.AddrPortFrom(s.peer.Addr(), to.Port()) // with its zone
	}
	from := netip.AddrPortFrom(s.dataAddr, s.cfg.ActivePort)
	s.setWay(&active{s.engine, from, to, s.cfg.DataTimeout, s.log})
	return answer(ftp.CodeOK, "Will connect there."), nil
}

// open connects from the control connection's own address, as the client
// expects (RFC 1123 section 4.1.2.12), but not from port 20, which takes
// privileges, unless it is configured.
func (a *active) open(t *transfer) (stdnet.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), a.patience)
	defer cancel()
	if err := t.hold(closeFunc(cancel)); err != nil {
		return nil, err
	}
	c, err := a.engine.Dial(ctx, "tcp", stdnet.TCPAddrFromAddrPort(a.from), a.to.String())
	if err != nil {
		a.log.Debug("no data connection", slog.String("error", err.Error()))
		return nil, errNoData
	}
	if addrPort(c.LocalAddr()) == a.to {
		// The system picked the very port that was asked for, and as nobody listens
		// there TCP connected it to itself.
		reset(c)
		return nil, errNoData
	}
	return c, nil
}

func (*active) drop() {}

// closeFunc is a function to be called by Close.
type closeFunc func()

func (f closeFunc) Close() error {
	f()
	return nil
}

// containedIn reports whether one of the networks contains the address.
func containedIn(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// checkActivePort looks whether the port may be used. The system lets privileged
// programs only use ports below 1024.
func checkActivePort(port uint16) error {
	if port == 0 {
		return nil
	}
	lc := stdnet.ListenConfig{Control: reuseAddress}
	l, err := lc.Listen(context.Background(), "tcp4", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("port %d takes privileges: start with CAP_NET_BIND_SERVICE, or leave it at 0 for any port", port)
	}
	return nil // in use, maybe: data connections can share it
}
