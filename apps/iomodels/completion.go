package main

import (
	"fmt"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// maxOperations is how many may be under way: their completions always find room.
const maxOperations = 8000

// serveCompletion hands the reads, writes and accepts themselves to the kernel, by io_uring, which does
// them and tells when each is done. One system call hands over any number and takes what is done.
func serveCompletion(announce func(string)) error {
	goruntime.LockOSThread() // the kernel cancels what a thread has under way when that ends
	r, err := newRing(256, 2*maxOperations)
	if err != nil {
		return err
	}
	listener, address, err := listen(0)
	if err != nil {
		return err
	}
	announce(address)
	// Each connection has one operation under way, and its descriptor is the mark of that. The map keeps
	// the buffers alive which the kernel reads and writes.
	conns := map[int]*conn{}
	if err := r.accept(listener); err != nil {
		return err
	}
	for {
		fd, n, err := r.wait()
		if err != nil {
			return err
		}
		if fd == listener {
			if n >= 0 {
				c := &conn{fd: n}
				conns[n] = c
				err = r.receive(n, c.buf[:])
			} else if e := unix.Errno(-n); e != unix.EINTR && e != unix.ECONNABORTED {
				return fmt.Errorf("accept: %w", e)
			}
			if err == nil {
				err = r.accept(listener)
			}
		} else {
			err = completed(r, conns, conns[fd], n)
		}
		if err != nil {
			return err
		}
	}
}

// completed goes on with a connection whose operation has ended with n, a number of bytes or an error.
func completed(r *ring, conns map[int]*conn, c *conn, n int) error {
	sent := len(c.out) > 0
	if n < 0 || n == 0 && !sent {
		delete(conns, c.fd)
		return unix.Close(c.fd)
	}
	if sent {
		c.out = c.out[n:]
	} else {
		upper(c.buf[:n])
		c.out = c.buf[:n]
	}
	if len(c.out) > 0 {
		return r.send(c.fd, c.out)
	}
	return r.receive(c.fd, c.buf[:])
}
