package peers

import (
	"context"
	stdnet "net"

	"github.com/cloudwego/netpoll"
)

// Netpoll serves on netpoll as it is meant to be used: one poller, and a goroutine from its pool
// for each request.
func Netpoll(announce func(addr string)) error {
	if err := netpoll.Configure(netpoll.Config{PollerNum: 1}); err != nil {
		return err
	}
	l, err := netpoll.CreateListener("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	loop, err := netpoll.NewEventLoop(func(_ context.Context, c netpoll.Connection) error {
		r, w := c.Reader(), c.Writer()
		buf, err := r.Next(r.Len())
		if err != nil {
			return err
		}
		if _, err := w.WriteBinary(buf); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		return r.Release()
	})
	if err != nil {
		return err
	}
	announce(l.Addr().String())
	return loop.Serve(l)
}

// freeAddress is one on which nobody listens at the moment.
func freeAddress() (string, error) {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
