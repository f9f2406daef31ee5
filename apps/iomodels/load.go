package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	stdnet "net"
)

// A client sends messages over a connection, one at a time, and checks the answers. It is the same for all
// models: an ordinary goroutine.
type client struct {
	id   int
	conn *stdnet.TCPConn
	sent int
	size int
}

// dial connects a client, which gives up when the context is done.
func dial(ctx context.Context, address string, id, size int) (*client, error) {
	conn, err := new(stdnet.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &client{id: id, conn: conn.(*stdnet.TCPConn), size: size}, nil
}

// message is the next message, unlike those of other clients and those before it.
func (c *client) message() []byte {
	m := fmt.Appendf(make([]byte, 0, c.size+64), "client %d says for the %d. time: ", c.id, c.sent)
	for i := c.sent + c.id; len(m) < c.size; i++ {
		m = append(m, 'a'+byte(i%26))
	}
	return m[:c.size]
}

// exchange sends a message and checks the answer.
func (c *client) exchange() error {
	m := c.message()
	if _, err := c.conn.Write(m); err != nil {
		return err
	}
	answer := make([]byte, len(m))
	if n, err := io.ReadFull(c.conn, answer); err != nil {
		return fmt.Errorf("client %d, message %d: %d of %d bytes answered: %w", c.id, c.sent, n, len(m), err)
	}
	if want := bytes.ToUpper(m); !bytes.Equal(answer, want) {
		return fmt.Errorf("client %d, message %d: answer %q, want %q", c.id, c.sent, answer, want)
	}
	c.sent++
	return nil
}

// half sends the first half of a message.
func (c *client) half() error {
	_, err := c.conn.Write(c.message()[:(c.size+1)/2])
	return err
}

// A crowd is a number of clients.
type crowd []*client

// dialCrowd connects n clients, and has each send a message, so that the server has accepted it.
func dialCrowd(ctx context.Context, address string, n, size int) (crowd, error) {
	var all crowd
	for id := range n {
		c, err := dial(ctx, address, id, size)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, c)
	}
	if err := all.exchange(1); err != nil {
		all.close()
		return nil, err
	}
	return all, nil
}

// exchange has all clients send so many messages, at once. The error is the first client's that has one.
func (all crowd) exchange(messages int) error {
	var wg sync.WaitGroup
	errs := make([]error, len(all))
	for i, c := range all {
		wg.Go(func() {
			for range messages {
				if errs[i] = c.exchange(); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (all crowd) close() {
	for _, c := range all {
		c.conn.Close()
	}
}

// reset cuts all off by force: the kernel forgets the connection, and tells the server so.
func (all crowd) reset() error {
	var errs []error
	for _, c := range all {
		errs = append(errs, c.half(), c.conn.SetLinger(0), c.conn.Close())
	}
	return errors.Join(errs...)
}
