package main

import (
	"os"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// serveSelect waits in select(2). The sets of descriptors are bit fields of FD_SETSIZE bits, which are
// filled, copied to the kernel, looked at by it bit by bit and copied back, each time.
func serveSelect(announce func(string)) error {
	goruntime.LockOSThread()
	listener, address, err := listen(unix.SOCK_NONBLOCK)
	if err != nil {
		return err
	}
	announce(address)
	conns := map[int]*conn{}
	for {
		var toRead, toWrite unix.FdSet
		toRead.Set(listener)
		highest := listener
		for fd, c := range conns {
			if len(c.out) > 0 {
				toWrite.Set(fd)
			} else {
				toRead.Set(fd)
			}
			highest = max(highest, fd)
		}
		_, err := unix.Select(highest+1, &toRead, &toWrite, nil, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return os.NewSyscallError("select", err)
		}
		for fd, c := range conns {
			if !toRead.IsSet(fd) && !toWrite.IsSet(fd) {
				continue
			}
			if _, err := c.step(); err != nil {
				delete(conns, fd)
				unix.Close(fd)
			}
		}
		if !toRead.IsSet(listener) {
			continue
		}
		err = acceptAll(listener, func(c *conn) error {
			if c.fd >= unix.FD_SETSIZE {
				return unix.Close(c.fd) // it could not be waited for
			}
			conns[c.fd] = c
			return nil
		})
		if err != nil {
			return err
		}
	}
}
