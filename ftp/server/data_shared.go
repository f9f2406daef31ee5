package server

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	stdnet "net"
	"net/netip"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

// sharedPorts are listeners that live as long as the server and take the data
// connections of all sessions, so that a few ports do for many clients. A
// connection belongs to the session that has been told its port and whose
// client it comes from: two sessions of one address have different ports.
type sharedPorts struct {
	// immutable once the server has them
	log       *slog.Logger
	listeners []stdnet.Listener
	ended     []*event.Event // of each listener's loop

	strangers rarely

	mu     sync.Mutex // held for a few instructions only
	claims map[claimKey]*claim
}

type claimKey struct {
	port   uint16
	client netip.Addr
}

// A claim is a session's right to the next connection from its client to a
// port.
type claim struct {
	ports    *sharedPorts
	key      claimKey
	patience time.Duration
	log      *slog.Logger

	came event.Event // conn is there, or the claim was dropped

	mu      sync.Mutex // held for a few instructions only
	conn    stdnet.Conn
	dropped bool
}

// openShared listens on each port of the range.
func (srv *Server) openShared(addr netip.Addr) error {
	if !srv.cfg.SharedPorts || !addr.IsValid() {
		return nil
	}
	srv.mu.Lock()
	_, there := srv.shared[addr]
	srv.mu.Unlock()
	if there {
		return nil
	}
	sp := &sharedPorts{log: srv.log, claims: make(map[claimKey]*claim)}
	r := srv.cfg.PassivePorts
	for port := int(r.Lo); port <= int(r.Hi); port++ {
		l, err := srv.listenShared(addr, uint16(port))
		if err != nil {
			sp.close()
			return err
		}
		sp.listeners = append(sp.listeners, l)
	}
	srv.mu.Lock()
	if srv.stopping.Load() || srv.shared[addr] != nil {
		srv.mu.Unlock()
		sp.close()
		return nil
	}
	srv.shared[addr] = sp
	for _, l := range sp.listeners {
		ended := new(event.Event)
		sp.ended = append(sp.ended, ended)
		srv.cfg.Engine.GoBalanced(func() {
			defer ended.Set()
			_ = srv.acceptEach(l, sp.deliver) // ends when it is closed
		})
	}
	srv.mu.Unlock()
	return nil
}

// listenShared listens on the families that the control listener's address
// stands for.
func (srv *Server) listenShared(addr netip.Addr, port uint16) (stdnet.Listener, error) {
	if addr == netip.IPv6Unspecified() {
		return srv.cfg.Engine.Listen("tcp", netip.AddrPortFrom(addr, port).String())
	}
	return listenOn(srv.cfg.Engine, addr, port)
}

// sharedAt returns the shared ports at an address, nil if there are none.
func (srv *Server) sharedAt(addr netip.Addr) *sharedPorts {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if sp := srv.shared[addr]; sp != nil {
		return sp
	}
	if addr.Is4() {
		if sp := srv.shared[netip.IPv4Unspecified()]; sp != nil {
			return sp
		}
	}
	return srv.shared[netip.IPv6Unspecified()]
}

// closeShared ends the shared ports. Sessions have ended, or lose what they wait
// for.
func (srv *Server) closeShared() {
	srv.mu.Lock()
	shared := srv.shared
	srv.shared = nil
	srv.mu.Unlock()
	for _, sp := range shared {
		sp.close()
	}
}

func (sp *sharedPorts) close() {
	for _, l := range sp.listeners {
		_ = l.Close()
	}
	for _, e := range sp.ended {
		_ = e.Wait() // a kill ends the caller's wait only
	}
}

// claim picks a port that the client has not been told of by another session.
func (sp *sharedPorts) claim(client netip.Addr, patience time.Duration, log *slog.Logger) (*claim, error) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	n := len(sp.listeners)
	first, stride := rand.IntN(n), randomStride(n)
	for i := range n {
		key := claimKey{addrPort(sp.listeners[(first+i*stride)%n].Addr()).Port(), client}
		if sp.claims[key] == nil {
			c := &claim{ports: sp, key: key, patience: patience, log: log}
			sp.claims[key] = c
			return c, nil
		}
	}
	return nil, errors.New("all shared ports are claimed by sessions of that address")
}

// deliver gives a connection to the session that waits for it.
func (sp *sharedPorts) deliver(conn stdnet.Conn) {
	from, to := addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr())
	key := claimKey{to.Port(), from.Addr()}
	sp.mu.Lock()
	c := sp.claims[key]
	delete(sp.claims, key)
	sp.mu.Unlock()
	if c != nil && c.take(conn) {
		return
	}
	if c == nil {
		sp.strangers.tell(sp.log, "data connection that nobody waits for", slog.String("from", from.String()), slog.Int("port", int(key.port)))
	}
	reset(conn)
}

// take reports whether the connection is the claim's.
func (c *claim) take(conn stdnet.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped {
		return false
	}
	c.conn = conn
	c.came.Set()
	return true
}

// open waits for the connection, which may have come before.
func (c *claim) open(t *transfer) (stdnet.Conn, error) {
	defer c.drop()
	if err := t.hold(closeFunc(c.drop)); err != nil {
		return nil, err
	}
	err := c.came.WaitUntil(runtime.Now().Add(c.patience))
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.conn
	c.conn = nil
	if conn == nil {
		c.log.Debug("no data connection", slog.Any("error", err))
		return nil, errNoData
	}
	return conn, nil
}

// drop gives the claim up, and the connection if nobody has taken it.
func (c *claim) drop() {
	c.ports.mu.Lock()
	if c.ports.claims[c.key] == c {
		delete(c.ports.claims, c.key)
	}
	c.ports.mu.Unlock()
	c.mu.Lock()
	conn := c.conn
	c.conn, c.dropped = nil, true
	c.mu.Unlock()
	c.came.Set()
	if conn != nil {
		reset(conn)
	}
}
