package main

import (
	"github.com/weft-go/weft/net/tls"
	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

func (weftEngine) run(s service, announce func(addr string)) error {
	h := host{
		listen: net.Listen,
		dial:   net.Dial,
		spawn:  func(fn func()) { runtime.Spawn(fn) },
		secure: func(c stdnet.Conn, config *tls.Config) secured { return tls.Server(c, config) },
		udp: func() (datagramServer, error) {
			c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			return weftDatagrams{c}, err
		},
	}
	return inTask(func() error { return h.serve(s, announce) })
}

type weftDatagrams struct{ *net.UDPConn }

func (c weftDatagrams) LocalAddr() stdnet.Addr { return c.UDPConn.LocalAddr() }

func (c weftDatagrams) echo() error {
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

func (c weftDatagrams) echoBatches() error {
	all := make([]net.Message, 2*burst)
	for i := range all {
		all[i].Buffers = [][]byte{make([]byte, 2*datagram)}
	}
	for {
		n, err := c.ReadBatch(all, 0)
		if err != nil {
			return err
		}
		for i := range all[:n] {
			all[i].Buffers[0] = all[i].Buffers[0][:all[i].N]
		}
		if _, err := c.WriteBatch(all[:n], 0); err != nil {
			return err
		}
		for i := range all[:n] {
			all[i].Buffers[0] = all[i].Buffers[0][:2*datagram]
		}
	}
}
