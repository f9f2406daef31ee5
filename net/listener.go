package net

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// listener is what all listeners share.
type listener struct {
	fd      *poll.FD
	network string
	addr    Addr
	common  *origin // of its connections
}

func newListener(fd *poll.FD, network string, addr Addr) listener {
	return listener{fd: fd, network: network, addr: addr, common: &origin{network: network, laddr: addr}}
}

func (l *listener) ok() bool { return l != nil && l.fd != nil }

// accept waits for a connection and returns its descriptor, and its peer in sa.
func (l *listener) accept(sa *unix.RawSockaddrAny) (int, error) {
	fd, err := l.fd.Accept(sa)
	if err != nil {
		return -1, l.opError("accept", "accept4", err)
	}
	return fd, nil
}

// originOf returns the origin of the accepted connection fd, which is the same
// for all if the listener has one address.
func (l *listener) originOf(fd int) (*origin, error) {
	if !l.wildcard() {
		return l.common, nil
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return nil, l.opError("accept", "getsockname", err)
	}
	return &origin{network: l.network, laddr: tcpAddr(own)}, nil
}

// wildcard reports whether connections have own addresses that the listener's
// does not tell.
func (l *listener) wildcard() bool {
	a, ok := l.addr.(*TCPAddr)
	return ok && isWildcard(a.IP)
}

func (l *listener) opError(op, call string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Net: l.network, Addr: l.addr, Err: callError(call, err)}
}

// Close stops listening: a waiting Accept returns net.ErrClosed.
func (l *listener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	return l.opError("close", "close", l.fd.Close())
}

// Addr returns the address listened on.
func (l *listener) Addr() Addr { return l.addr }

// SetDeadline sets the deadline of Accept.
func (l *listener) SetDeadline(t time.Time) error {
	if !l.ok() {
		return syscall.EINVAL
	}
	return callError("setdeadline", l.fd.SetDeadline(t)) // bare, as in the standard library
}

// SyscallConn returns the descriptor for system calls of the caller's own.
func (l *listener) SyscallConn() (syscall.RawConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	return rawConn{l.fd, l.network, l.addr, nil}, nil
}

func (l *listener) file() (*os.File, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	f, err := dupFile(l.fd, l.network, l.addr, nil)
	if err != nil {
		return nil, &OpError{Op: "file", Net: l.network, Addr: l.addr, Err: err}
	}
	return f, nil
}

// File returns a duplicate of the listening descriptor; see TCPConn.File.
func (l *TCPListener) File() (*os.File, error) { return l.file() }

// ListenConfig says how Listen makes a socket, as the standard library's does.
type ListenConfig struct {
	// Control is called with the socket before it is bound.
	Control func(network, address string, c syscall.RawConn) error

	// KeepAlive is the period of keep-alive probes of accepted connections, 0
	// the default, negative none. KeepAliveConfig, when enabled, says more.
	KeepAlive       time.Duration
	KeepAliveConfig KeepAliveConfig
}

// Listen listens on a "tcp", "tcp4", "tcp6", "unix" or "unixpacket" address. A TCP address
// without a host means all; port 0 means any.
func Listen(network, address string) (Listener, error) {
	var lc ListenConfig
	return lc.Listen(context.Background(), network, address)
}

// Listen listens on address. The context bounds the lookup of a host's name.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {
	switch {
	case isTCP(network):
		addrs, err := resolveTCP(ctx, network, address, true)
		if err != nil {
			return nil, &OpError{Op: "listen", Net: network, Err: err}
		}
		l, err := lc.listenTCP(ctx, network, preferIPv4(addrs))
		if err != nil {
			return nil, err
		}
		return l, nil
	case network == "unix" || network == "unixpacket":
		l, err := lc.listenUnix(ctx, network, &UnixAddr{Name: address, Net: network})
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	return nil, &OpError{Op: "listen", Net: network, Err: UnknownNetworkError(network)}
}

func (lc *ListenConfig) listenTCP(ctx context.Context, network string, laddr *TCPAddr) (*TCPListener, error) {
	fd, addr, err := lc.listen(ctx, network, laddr)
	if err != nil {
		return nil, err
	}
	return &TCPListener{
		listener:  newListener(fd, network, addr),
		keepAlive: keepAliveOf(lc.KeepAlive, lc.KeepAliveConfig),
	}, nil
}

func (lc *ListenConfig) listenUnix(ctx context.Context, network string, laddr *UnixAddr) (*UnixListener, error) {
	if network != "unix" && network != "unixpacket" {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: UnknownNetworkError(network)}
	}
	fd, addr, err := lc.listen(ctx, network, laddr)
	if err != nil {
		return nil, err
	}
	return &UnixListener{
		listener: newListener(fd, network, addr),
		path:     laddr.Name,
		unlink:   true,
	}, nil
}

// listen makes a listening socket.
func (lc *ListenConfig) listen(ctx context.Context, network string, laddr Addr) (*poll.FD, Addr, error) {
	fail := func(call string, err error) (*poll.FD, Addr, error) {
		return nil, nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: callError(call, err)}
	}
	s, err := openListening(network, laddr)
	if err != nil {
		return fail("socket", err)
	}
	fd := poll.New(s.fd, false)
	bad := func(call string, err error) (*poll.FD, Addr, error) {
		_ = fd.Close()
		return fail(call, err)
	}
	if lc.Control != nil {
		if err := lc.Control(s.network, laddr.String(), rawConn{fd, network, laddr, nil}); err != nil {
			return bad("", err)
		}
	}
	if err := unix.Bind(s.fd, s.sockaddr); err != nil {
		return bad("bind", err)
	}
	if err := unix.Listen(s.fd, backlog()); err != nil {
		return bad("listen", err)
	}
	own, err := unix.Getsockname(s.fd)
	if err != nil {
		return bad("getsockname", err)
	}
	return fd, s.addrOf(own), nil
}

// keepAliveOf joins the two ways to ask for keep-alive probes.
func keepAliveOf(period time.Duration, config KeepAliveConfig) KeepAliveConfig {
	if config.Enable || period < 0 {
		return config
	}
	return KeepAliveConfig{Enable: true, Idle: period}
}
