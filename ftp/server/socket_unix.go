//go:build unix

package server

import (
	stdnet "net"
	"syscall"
)

// inlineUrgent makes urgent data part of the stream. Clients send the Synch
// before ABOR as urgent data (RFC 959 section 4.1.3), and some the whole line:
// left out of the stream it would lose its end.
func inlineUrgent(c stdnet.Conn) {
	onSocket(c, func(fd int) {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1)
	})
}

// hungUp reports whether the peer has closed its side of c and nothing it sent
// before is left to read. It takes nothing from the stream and may be called
// while another party reads.
func hungUp(c stdnet.Conn) bool {
	gone := false
	onSocket(c, func(fd int) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch err {
		case nil:
			gone = n == 0
		case syscall.EAGAIN, syscall.EINTR:
		default:
			gone = true
		}
	})
	return gone
}

// onSocket calls f with the descriptor of c, if there is one.
func onSocket(c stdnet.Conn, f func(fd int)) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { f(int(fd)) })
}

// reuseAddress lets a socket have a port that others of the program have.
func reuseAddress(_, _ string, c syscall.RawConn) error {
	var err error
	cerr := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	})
	if cerr != nil {
		return cerr
	}
	return err
}
