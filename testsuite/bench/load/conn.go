package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MessageSize is the length of a request and of its echo.
const MessageSize = 64

// errWrongEcho means that the server sent back something else than it was sent.
var errWrongEcho = errors.New("the echo differs from the message")

// A conn is one connection with at most one message in flight.
type conn struct {
	fd   int
	sent [MessageSize]byte // the message in flight
	got  [MessageSize]byte // its echo so far
	have int               // bytes of got that have arrived
}

// dial connects to addr, blocking for at most connectTimeout, and makes the descriptor non-blocking.
func dial(addr netip.AddrPort) (int, error) {
	sa := &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().Unmap().As4()}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err := connect(fd, sa); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func connect(fd int, sa unix.Sockaddr) error {
	timeout := unix.NsecToTimeval(connectTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
		return fmt.Errorf("setsockopt SO_SNDTIMEO: %w", err)
	}
	if err := unix.Connect(fd, sa); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("setsockopt TCP_NODELAY: %w", err)
	}
	// Closing resets: thousands of connections a round must not sit in TIME_WAIT.
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return fmt.Errorf("setsockopt SO_LINGER: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("set non-blocking: %w", err)
	}
	return nil
}

// send stamps the next message and writes it.
func (c *conn) send(stamp uint64) error {
	binary.LittleEndian.PutUint64(c.sent[:], stamp)
	n, errno := rawIO(unix.SYS_WRITE, c.fd, c.sent[:])
	if errno != 0 {
		return fmt.Errorf("write: %w", errno)
	}
	if n != MessageSize {
		// The kernel's buffer holds thousands of these and only one is in flight.
		return fmt.Errorf("wrote %d of %d bytes", n, MessageSize)
	}
	c.have = 0
	return nil
}

// receive reads what has arrived and reports whether that completes the echo.
func (c *conn) receive() (bool, error) {
	n, errno := rawIO(unix.SYS_READ, c.fd, c.got[c.have:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return false, nil
	case errno != 0:
		return false, fmt.Errorf("read: %w", errno)
	case n == 0:
		return false, errors.New("the server closed the connection")
	}
	c.have += n
	if c.have < len(c.got) {
		return false, nil
	}
	if c.got != c.sent {
		return false, errWrongEcho
	}
	return true, nil
}

// rawIO reads or writes without telling Go's scheduler: the descriptor is non-blocking, so the call
// is short, and the thread is ours.
func rawIO(trap uintptr, fd int, p []byte) (int, unix.Errno) {
	// SAFETY: p is not empty, and stays alive and in place for the call, as the conversion to uintptr
	// stands in the call's own argument list.
	n, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
