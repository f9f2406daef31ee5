package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	connectTimeout = 10 * time.Second
	drainTimeout   = 10 * time.Second
	stallTimeout   = 10 * time.Second

	// connectBatch is how many connections are opened before the server must have answered on each:
	// below every usual listen backlog, so that no handshake is dropped and sent again a second later.
	connectBatch = 128

	// tick bounds one epoll_wait, and so how late a window can end when nothing arrives.
	tickMillis = 100
)

// A Client holds connections to one server. It belongs to one goroutine.
type Client struct {
	epfd     int
	conns    []conn
	events   []unix.EpollEvent
	inFlight int
	stamp    uint64
}

// A Window says how long to load the server.
type Window struct {
	Warm   time.Duration // load before counting starts
	Length time.Duration // load that is counted
	// Edge, if not nil, is called right at the start and right at the end of the counted part.
	Edge func()
}

// A Result is what a window saw.
type Result struct {
	Requests int           // echoes that arrived within the counted part
	Elapsed  time.Duration // its exact length
	Total    int           // echoes in all, those while warming and draining too
}

// Dial opens conns connections to addr, an IPv4 address and port, and exchanges one message on each,
// so the server has accepted them all when it returns.
func Dial(addr string, conns int) (*Client, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if !ap.Addr().Unmap().Is4() {
		return nil, fmt.Errorf("%s is not an IPv4 address", addr)
	}
	if conns < 1 {
		return nil, fmt.Errorf("%d connections", conns)
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	c := &Client{epfd: epfd, conns: make([]conn, 0, conns), events: make([]unix.EpollEvent, 1024)}
	for len(c.conns) < conns {
		if err := c.dialBatch(ap, min(connectBatch, conns-len(c.conns))); err != nil {
			err = fmt.Errorf("after %d connections: %w", len(c.conns), err)
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// dialBatch opens n more connections and exchanges a message on each.
func (c *Client) dialBatch(addr netip.AddrPort, n int) error {
	for range n {
		fd, err := dial(addr)
		if err != nil {
			return err
		}
		index := len(c.conns)
		c.conns = append(c.conns, conn{fd: fd})
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)}
		if err := unix.EpollCtl(c.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return fmt.Errorf("epoll_ctl: %w", err)
		}
		if err := c.send(index); err != nil {
			return err
		}
	}
	_, err := c.drain()
	return err
}

// Run loads the server on every connection for the window, then waits for the messages in flight, so
// the connections are idle when it returns. An error leaves the client fit only for Close.
func (c *Client) Run(w Window) (Result, error) {
	for index := range c.conns {
		if err := c.send(index); err != nil {
			return Result{}, err
		}
	}
	var res Result
	warmed, _, err := c.load(w.Warm)
	res.Total += warmed
	if err != nil {
		return res, err
	}
	if w.Edge != nil {
		w.Edge()
	}
	res.Requests, res.Elapsed, err = c.load(w.Length)
	if w.Edge != nil {
		w.Edge()
	}
	res.Total += res.Requests
	if err != nil {
		return res, err
	}
	drained, err := c.drain()
	res.Total += drained
	return res, err
}

// load answers each echo with the next message for a time and returns how many echoes came.
func (c *Client) load(length time.Duration) (int, time.Duration, error) {
	echoes := 0
	start := time.Now()
	last := start
	for now := start; now.Sub(start) < length; {
		n, err := c.step(true)
		echoes += n
		if err != nil {
			return echoes, time.Since(start), err
		}
		now = time.Now()
		if n > 0 {
			last = now
		} else if now.Sub(last) > stallTimeout {
			return echoes, now.Sub(start), fmt.Errorf("no echo for %v", stallTimeout)
		}
	}
	return echoes, time.Since(start), nil
}

// drain waits until no message is in flight and returns how many echoes came.
func (c *Client) drain() (int, error) {
	echoes := 0
	for deadline := time.Now().Add(drainTimeout); c.inFlight > 0; {
		n, err := c.step(false)
		echoes += n
		if err != nil {
			return echoes, err
		}
		if time.Now().After(deadline) {
			return echoes, fmt.Errorf("%d messages without an echo after %v", c.inFlight, drainTimeout)
		}
	}
	return echoes, nil
}

// step waits for one batch of events and handles it: again says whether to send the next message
// for each echo that is complete. It returns how many were.
func (c *Client) step(again bool) (int, error) {
	n, err := unix.EpollWait(c.epfd, c.events, tickMillis)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, fmt.Errorf("epoll_wait: %w", err)
	}
	echoes := 0
	for i := range max(n, 0) {
		index := int(c.events[i].Fd)
		done, err := c.conns[index].receive()
		if err != nil {
			return echoes, fmt.Errorf("connection %d: %w", index, err)
		}
		if !done {
			continue
		}
		echoes++
		c.inFlight--
		if again {
			if err := c.send(index); err != nil {
				return echoes, err
			}
		}
	}
	return echoes, nil
}

// send puts a message in flight on one connection. No two messages of a client are the same.
func (c *Client) send(index int) error {
	c.stamp++
	if err := c.conns[index].send(c.stamp); err != nil {
		return fmt.Errorf("connection %d: %w", index, err)
	}
	c.inFlight++
	return nil
}

// Close resets all connections. It may be called once.
func (c *Client) Close() {
	for i := range c.conns {
		unix.Close(c.conns[i].fd)
	}
	unix.Close(c.epfd)
}
