package net

import (
	"context"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// UnixConn is a unix socket: a stream ("unix"), a sequence of packets
// ("unixpacket"), or one for datagrams ("unixgram"), which is connected only if it
// was made by Dial.
type UnixConn struct {
	conn
	connected bool // by Dial: it has one destination
}

// unixTypes are the types of sockets of the networks.
var unixTypes = map[string]int{"unix": unix.SOCK_STREAM, "unixgram": unix.SOCK_DGRAM, "unixpacket": unix.SOCK_SEQPACKET}

// UnixListener listens on a unix socket for streams or sequences of packets.
type UnixListener struct {
	listener
	path       string
	unlink     bool
	unlinkOnce sync.Once
}

// Accept waits for the next connection.
func (l *UnixListener) Accept() (Conn, error) {
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptUnix is Accept with the connection's own type.
func (l *UnixListener) AcceptUnix() (*UnixConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	var peer unix.RawSockaddrAny
	n, err := l.accept(&peer)
	if err != nil {
		return nil, err
	}
	c := new(UnixConn)
	initFD(&c.fd, n, unixTypes[l.network], false)
	c.origin = &origin{network: l.network, laddr: l.addr, raddr: unixAddrOf(&peer, l.network)}
	return c, nil
}

// Close stops listening, and removes the socket's file if Listen made it.
func (l *UnixListener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	l.unlinkOnce.Do(func() {
		// Removed first, so that nobody finds a socket where none listens.
		if l.unlink && l.path != "" && l.path[0] != '@' {
			_ = syscall.Unlink(l.path)
		}
	})
	return l.listener.Close()
}

// SetUnlinkOnClose sets whether Close removes the socket's file.
func (l *UnixListener) SetUnlinkOnClose(unlink bool) { l.unlink = unlink }

// ListenUnix listens on laddr. A name that begins with '@' is in Linux' abstract
// name space.
func ListenUnix(network string, laddr *UnixAddr) (*UnixListener, error) {
	if laddr == nil {
		return nil, &OpError{Op: "listen", Net: network, Err: errMissingAddress}
	}
	var lc ListenConfig
	return lc.listenUnix(context.Background(), network, laddr)
}

// File returns a duplicate of the listening descriptor; see TCPConn.File.
func (l *UnixListener) File() (*os.File, error) { return l.file() }
