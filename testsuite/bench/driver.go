package main

import (
	"crypto/tls"
	"fmt"
	stdnet "net"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
)

// A driver keeps a service busy from plain goroutines, from its start to the end of the process.
type driver struct {
	service service
	address string
	done    atomic.Int64 // bytes, connections, or datagrams
	failed  atomic.Pointer[error]
}

// burst is how many datagrams are under way per socket.
const burst = 32

// start begins.
func (d *driver) start() error {
	switch d.service {
	case receiveService:
		return d.each(dialers, func() error {
			c, err := d.dial()
			if err != nil {
				return err
			}
			d.run(func() error { return d.write(c, true) })
			return nil
		})
	case sendService:
		return d.each(dialers, func() error {
			c, err := d.dial()
			if err != nil {
				return err
			}
			d.run(func() error { return d.read(c) })
			return nil
		})
	case proxyService, copyService:
		return d.each(dialers/2, func() error {
			in, err := d.dial()
			if err != nil {
				return err
			}
			out, err := d.dial()
			if err != nil {
				return err
			}
			d.run(func() error { return d.write(in, false) })
			d.run(func() error { return d.read(out) })
			return nil
		})
	case acceptService:
		return d.each(dialers, func() error {
			d.run(func() error {
				for {
					c, err := d.dial()
					if err != nil {
						return err
					}
					hangUp(c)
					d.done.Add(1)
				}
			})
			return nil
		})
	case secretService:
		return d.each(dialers, func() error {
			c, err := tls.Dial("tcp", d.address, clientTLS())
			if err != nil {
				return err
			}
			d.run(func() error { return d.write(c, true) })
			return nil
		})
	case handService:
		return d.each(dialers, func() error {
			d.run(func() error {
				for {
					c, err := d.dial()
					if err != nil {
						return err
					}
					s := tls.Client(c, clientTLS())
					if err := s.Handshake(); err != nil {
						return err
					}
					hangUp(c)
					d.done.Add(1)
				}
			})
			return nil
		})
	case connectService:
		return d.takeConnections()
	case udpService, batchService:
		return d.each(dialers, d.datagrams)
	}
	return fmt.Errorf("no service %q", d.service)
}

func (d *driver) each(n int, fn func() error) error {
	for range n {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) dial() (stdnet.Conn, error) { return stdnet.Dial("tcp", d.address) }

// run runs fn beside, and keeps its error.
func (d *driver) run(fn func() error) {
	go func() {
		if err := fn(); err != nil {
			d.failed.CompareAndSwap(nil, &err)
		}
	}()
}

func (d *driver) write(c stdnet.Conn, count bool) error {
	buf := make([]byte, 4*bulk)
	for {
		n, err := c.Write(buf)
		if err != nil {
			return err
		}
		if count {
			d.done.Add(int64(n))
		}
	}
}

func (d *driver) read(c stdnet.Conn) error {
	buf := make([]byte, 4*bulk)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		d.done.Add(int64(n))
	}
}

// takeConnections has the server connect to a listener here.
func (d *driver) takeConnections() error {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c, err := d.dial()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c, l.Addr()); err != nil {
		return err
	}
	d.run(func() error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			c.Close()
			d.done.Add(1)
		}
	})
	return nil
}

// datagrams sends bursts from one socket, and waits for what comes back, or as long as a datagram that
// was dropped deserves.
func (d *driver) datagrams() error {
	c, err := stdnet.Dial("udp4", d.address)
	if err != nil {
		return err
	}
	batch := ipv4.NewPacketConn(c.(*stdnet.UDPConn))
	out, in := make([]ipv4.Message, burst), make([]ipv4.Message, burst)
	for i := range burst {
		out[i].Buffers = [][]byte{make([]byte, datagram)}
		in[i].Buffers = [][]byte{make([]byte, datagram)}
	}
	d.run(func() error {
		for {
			if _, err := batch.WriteBatch(out, 0); err != nil {
				return err
			}
			if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
				return err
			}
			for back := 0; back < burst; {
				n, err := batch.ReadBatch(in, 0)
				if err, ok := err.(stdnet.Error); ok && err.Timeout() {
					break
				}
				if err != nil {
					return err
				}
				back += n
				d.done.Add(int64(n))
			}
		}
	})
	return nil
}

// carryOut counts what is done in a window, and reads the server's CPU clock at both edges of it.
func (d *driver) carryOut(order loadOrder) (loadReport, error) {
	var r loadReport
	time.Sleep(order.Warm)
	began, done := time.Now(), d.done.Load()
	used, err := cpuTime(order.ServerPID)
	if err != nil {
		return r, err
	}
	time.Sleep(order.Length)
	r.Requests, r.Elapsed = int(d.done.Load()-done), time.Since(began)
	after, err := cpuTime(order.ServerPID)
	r.ServerCPU = after - used
	if failed := d.failed.Load(); failed != nil {
		err = *failed
	}
	return r, err
}
