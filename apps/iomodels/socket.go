package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// bufferSize is how much each of the servers reads at a time.
const bufferSize = 4096

// upper puts ASCII letters in upper case. Other bytes stay, so a character that is split by the edge of a
// read is safe.
func upper(p []byte) {
	for i, b := range p {
		if 'a' <= b && b <= 'z' {
			p[i] = b - 'a' + 'A'
		}
	}
}

// listen makes a listening socket on a free port, outside of Go's own network poller. flags may be
// SOCK_NONBLOCK. Connections inherit TCP_NODELAY, which Go's net sets as well.
func listen(flags int) (fd int, address string, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		return -1, "", os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return -1, "", os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return -1, "", os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(fd, unix.SOMAXCONN); err != nil {
		return -1, "", os.NewSyscallError("listen", err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return -1, "", os.NewSyscallError("getsockname", err)
	}
	return fd, fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port), nil
}

// accept is accept4(2) that does not fail because of one caller who has gone again.
func accept(listener, flags int) (int, error) {
	for {
		fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|flags)
		if err != unix.EINTR && err != unix.ECONNABORTED {
			return fd, err
		}
	}
}

// acceptAll accepts from a non-blocking listener until nobody is left, and passes each connection, which
// does not block either, to add.
func acceptAll(listener int, add func(c *conn) error) error {
	for {
		fd, err := accept(listener, unix.SOCK_NONBLOCK)
		if err == unix.EAGAIN {
			return nil
		}
		if err != nil {
			return os.NewSyscallError("accept4", err)
		}
		if err := add(&conn{fd: fd}); err != nil {
			return err
		}
	}
}

// A conn is a non-blocking connection: what the models of one thread have in place of a stack.
type conn struct {
	fd  int
	buf [bufferSize]byte
	out []byte // of buf, still to be written; while there is something nothing is read
}

// A need says what a conn waits for.
type need int

const (
	nothing  need = iota // it made progress, and may make more
	readable             // there was nothing to read
	writable             // there was no room to write
)

// step writes what is left to write; if that is nothing, it reads once and writes the answer. The error is
// io.EOF at the end, or that of the system call; the conn has to be closed then.
func (c *conn) step() (need, error) {
	if len(c.out) == 0 {
		n, err := retry(unix.Read, c.fd, c.buf[:])
		switch {
		case err == unix.EAGAIN:
			return readable, nil
		case err != nil:
			return nothing, err
		case n == 0:
			return nothing, io.EOF
		}
		upper(c.buf[:n])
		c.out = c.buf[:n]
	}
	n, err := retry(unix.Write, c.fd, c.out)
	switch {
	case err == unix.EAGAIN:
		return writable, nil
	case err != nil:
		return nothing, err
	}
	c.out = c.out[n:]
	return nothing, nil
}

// retry repeats a call that a signal interrupted.
func retry(call func(fd int, p []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}
