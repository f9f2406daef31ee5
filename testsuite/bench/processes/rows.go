package main

import (
	"context"
	"errors"
	"io"
	stdnet "net"
	"net/netip"
	"net/textproto"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/ftp"
)

const (
	smallSize = 1 << 10
	largeSize = 16 << 20
	megabyte  = 1e6
)

// A row is one kind of load.
type row struct {
	name    string
	unit    string
	clients int
	// step does one piece of work in a session, and returns how many units that is.
	step func(c *client) (units float64, err error)
}

var rows = []row{
	{"download of 1 KiB", "transfers/s", 16, func(c *client) (float64, error) { return 1, c.get("small", smallSize) }},
	{"upload of 1 KiB", "transfers/s", 16, func(c *client) (float64, error) { return 1, c.put() }},
	{"download of 16 MiB", "MB/s", 8, func(c *client) (float64, error) {
		return largeSize / megabyte, c.get("large", largeSize)
	}},
	{"command on 64 connections", "commands/s", 64, func(c *client) (float64, error) {
		_, err := c.ask(200, "NOOP")
		return 1, err
	}},
	{"session without a login", "sessions/s", 16, func(c *client) (float64, error) {
		other, err := dial(c.addr)
		if err == nil {
			_, err = other.ask(221, "QUIT")
			_ = other.Close()
		}
		return 1, err
	}},
}

// A rate is how much was done.
type rate struct{ perSecond, perCPU float64 }

// warm is how long a server is loaded before that counts.
const warm = 300 * time.Millisecond

// measure starts a server, loads it for a while, and ends it.
func measure(r row, program, root string, args []string) (rate, error) {
	s, err := startServer(program, root, args)
	if err != nil {
		return rate{}, err
	}
	defer s.stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var clients []*client
	for i := range r.clients {
		c, err := logIn(s.addr, i)
		if err != nil {
			return rate{}, err
		}
		defer c.Close()
		clients = append(clients, c)
	}
	var milli atomic.Int64 // units done, by the thousandth
	failed := make(chan error, r.clients)
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				units, err := r.step(c)
				if err != nil {
					failed <- err
					return
				}
				milli.Add(int64(1000 * units))
			}
		})
	}
	time.Sleep(warm)
	began, done := time.Now(), milli.Load()
	used, err := s.cpu()
	time.Sleep(*window)
	units, elapsed := float64(milli.Load()-done)/1000, time.Since(began)
	after, afterErr := s.cpu()
	cancel()
	all.Wait()
	close(failed)
	if err = errors.Join(err, afterErr, <-failed); err != nil {
		return rate{}, err
	}
	return rate{units / elapsed.Seconds(), units / (after - used).Seconds()}, nil
}

// A client is a session.
type client struct {
	*textproto.Conn
	addr string
	name string // of the file it uploads
}

func dial(addr string) (*client, error) {
	conn, err := textproto.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, _, err := conn.ReadResponse(220); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &client{Conn: conn, addr: addr}, nil
}

func logIn(addr string, id int) (*client, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	c.name = "upload" + strconv.Itoa(id)
	for _, step := range []struct {
		code int
		line string
	}{{331, "USER " + user}, {230, "PASS " + password}, {200, "TYPE I"}} {
		if _, err := c.ask(step.code, step.line); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *client) ask(code int, line string) (string, error) {
	if err := c.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, text, err := c.ReadResponse(code)
	return text, err
}

// data opens a data connection and has the server begin a transfer.
func (c *client) data(line string) (stdnet.Conn, error) {
	text, err := c.ask(229, "EPSV")
	if err != nil {
		return nil, err
	}
	port, err := ftp.Parse229(text)
	if err != nil {
		return nil, err
	}
	d, err := stdnet.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddrPort(c.addr).Addr(), port).String())
	if err != nil {
		return nil, err
	}
	if _, err := c.ask(150, line); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

var errSize = errors.New("a file of another size has come")

func (c *client) get(name string, size int64) error {
	d, err := c.data("RETR " + name)
	if err != nil {
		return err
	}
	defer d.Close()
	n, err := io.Copy(io.Discard, d)
	if err == nil && n != size {
		err = errSize
	}
	if err == nil {
		_, _, err = c.ReadResponse(226)
	}
	return err
}

func (c *client) put() error {
	d, err := c.data("STOR " + c.name)
	if err != nil {
		return err
	}
	_, err = d.Write(make([]byte, smallSize))
	if err = errors.Join(err, d.Close()); err == nil {
		_, _, err = c.ReadResponse(226)
	}
	return err
}
