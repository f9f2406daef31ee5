package main

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/weft-go/weft/net/selectors"
	"github.com/weft-go/weft/runtime"
)

// serveEpoll registers each connection once, and the kernel keeps the list of those that are ready. One
// task serves them all.
func serveEpoll(announce func(string)) error {
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		return err
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	return rt.Run(func() error {
		listener, address, err := listen(unix.SOCK_NONBLOCK)
		if err != nil {
			return err
		}
		s, err := selectors.New[*conn]()
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := s.Register(listener, selectors.Read, nil); err != nil {
			return err
		}
		announce(address)
		for {
			ready, err := s.Select(runtime.Forever)
			if err != nil {
				return err
			}
			for _, r := range ready {
				if c := r.Key.Data; c != nil {
					err = stepSelected(s, r.Key)
				} else {
					err = acceptAll(listener, func(c *conn) error {
						_, err := s.Register(c.fd, selectors.Read, c)
						return err
					})
				}
				if err != nil {
					return err
				}
			}
		}
	})
}

// stepSelected moves a ready connection on, and changes what it is registered for if that is something
// else now.
func stepSelected(s *selectors.Selector[*conn], key *selectors.Key[*conn]) error {
	c := key.Data
	if _, err := c.step(); err != nil {
		_, err := s.Unregister(c.fd)
		unix.Close(c.fd)
		return err
	}
	want := selectors.Read
	if len(c.out) > 0 {
		want = selectors.Write
	}
	if want == key.Events {
		return nil
	}
	_, err := s.Modify(c.fd, want, c)
	return err
}
