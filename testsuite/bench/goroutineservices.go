package main

import (
	"crypto/tls"
	stdnet "net"
)

func (goroutineEngine) run(s service, announce func(addr string)) error {
	return host{
		listen: stdnet.Listen,
		dial:   stdnet.Dial,
		spawn:  func(fn func()) { go fn() },
		secure: func(c stdnet.Conn, config *tls.Config) secured { return tls.Server(c, config) },
		udp: func() (datagramServer, error) {
			c, err := stdnet.ListenUDP("udp4", &stdnet.UDPAddr{IP: stdnet.IPv4(127, 0, 0, 1)})
			return goroutineDatagrams{c}, err
		},
	}.serve(s, announce)
}

type goroutineDatagrams struct{ *stdnet.UDPConn }

func (c goroutineDatagrams) LocalAddr() stdnet.Addr { return c.UDPConn.LocalAddr() }

func (c goroutineDatagrams) echo() error {
	buf := make([]byte, 2*datagram)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		if _, err := c.WriteToUDPAddrPort(buf[:n], from); err != nil {
			return err
		}
	}
}

// echoBatches is echo: the standard library has no batches.
func (c goroutineDatagrams) echoBatches() error { return c.echo() }
