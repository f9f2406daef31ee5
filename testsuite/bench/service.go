package main

import (
	"crypto/tls"
	"fmt"
	"io"
	stdnet "net"
	"strings"
)

// A service is what a server child does with its connections. The sessions are the same functions on
// every engine.
type service string

const (
	receiveService service = "receive" // reads all there is
	sendService    service = "send"    // writes for ever
	proxyService   service = "proxy"   // moves what comes on one connection to the next one
	copyService    service = "copy"    // the same, through a buffer of the program's
	acceptService  service = "accept"  // accepts and closes
	connectService service = "connect" // connects to the address that it is sent, and closes
	secretService  service = "secret"  // reads all there is, over TLS
	handService    service = "hand"    // makes the TLS handshake and closes
	udpService     service = "udp"     // sends datagrams back
	batchService   service = "batch"   // the same, many at a time if the engine can
)

const (
	// bulk is how much a session moves at most at a time.
	bulk = 64 << 10

	// dialers is how many connections are made at a time.
	dialers = 4

	// datagram is the size of datagrams.
	datagram = 64
)

// A host is what sessions need of an engine.
type host struct {
	listen func(network, address string) (stdnet.Listener, error)
	dial   func(network, address string) (stdnet.Conn, error)
	spawn  func(fn func())
	secure func(c stdnet.Conn, config *tls.Config) secured
	udp    func() (datagramServer, error)
}

// secured is a TLS connection.
type secured interface {
	stdnet.Conn
	Handshake() error
}

// A datagramServer echoes what comes to one socket.
type datagramServer interface {
	LocalAddr() stdnet.Addr
	echo() error
	echoBatches() error
}

// serve runs a service for ever.
func (h host) serve(s service, announce func(addr string)) error {
	if s == udpService || s == batchService {
		c, err := h.udp()
		if err != nil {
			return err
		}
		announce(c.LocalAddr().String())
		if s == batchService {
			return c.echoBatches()
		}
		return c.echo()
	}
	l, err := h.listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		switch s {
		case receiveService:
			h.spawn(func() { receive(c) })
		case sendService:
			h.spawn(func() { send(c) })
		case proxyService, copyService:
			to, err := l.Accept()
			if err != nil {
				return err
			}
			h.spawn(func() { relay(to, c, s == copyService) })
		case acceptService:
			c.Close()
		case secretService:
			h.spawn(func() { receive(h.secure(c, serverTLS())) })
		case handService:
			h.spawn(func() {
				s := h.secure(c, serverTLS())
				_ = s.Handshake() // the driver sees a failure
				s.Close()
			})
		case connectService:
			if err := h.connect(c); err != nil {
				return err
			}
		default:
			return fmt.Errorf("no service %q", s)
		}
	}
}

func receive(c stdnet.Conn) {
	defer c.Close()
	buf := make([]byte, bulk)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

func send(c stdnet.Conn) {
	defer c.Close()
	buf := make([]byte, bulk)
	for {
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

// relay moves what comes from one connection to another.
func relay(to, from stdnet.Conn, buffered bool) {
	defer to.Close()
	defer from.Close()
	// How the driver ends it is of no interest.
	if buffered {
		_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, bulk))
		return
	}
	_, _ = io.Copy(to, from)
}

// connect starts dialers of the address that c says.
func (h host) connect(c stdnet.Conn) error {
	buf := make([]byte, 64)
	n, err := c.Read(buf)
	if err != nil {
		return err
	}
	address := strings.TrimSpace(string(buf[:n]))
	for range dialers {
		h.spawn(func() {
			for {
				c, err := h.dial("tcp", address)
				if err != nil {
					return
				}
				hangUp(c)
			}
		})
	}
	return nil
}

// hangUp waits for the peer's end, and closes so that no port stays in TIME_WAIT.
func hangUp(c stdnet.Conn) {
	defer c.Close()
	var b [1]byte
	_, _ = c.Read(b[:]) // the end
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0) // else ports run out a little earlier
	}
}
