package main

import (
	goruntime "runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// servePolling asks the listener and every connection in turn, without ever waiting: most answers are
// EAGAIN, and it takes a whole processor also when nobody says anything.
func servePolling(announce func(string)) error {
	goruntime.LockOSThread()
	listener, address, err := listen(unix.SOCK_NONBLOCK)
	if err != nil {
		return err
	}
	announce(address)
	var conns []*conn
	for {
		err := acceptAll(listener, func(c *conn) error {
			conns = append(conns, c)
			return nil
		})
		if err != nil {
			return err
		}
		conns = slices.DeleteFunc(conns, func(c *conn) bool {
			_, err := c.step()
			if err != nil {
				unix.Close(c.fd)
			}
			return err != nil
		})
	}
}
