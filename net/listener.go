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

func newListener(sysfd int, network string, addr Addr) listener {
	return listenerOn(poll.New(sysfd, false), network, addr)
}

func listenerOn(fd *poll.FD, network string, addr Addr) listener {
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
	own, err := getsockname(fd)
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

// SyscallConn returns the descriptor for system calls of the caller's own, by
// Control; a listener's Read and Write fail.
func (l *listener) SyscallConn() (syscall.RawConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	return rawListener{rawConn{l.fd, l.network, l.addr, nil}}, nil
}

type rawListener struct{ rawConn }

func (rawListener) Read(func(uintptr) bool) error  { return syscall.EINVAL }
func (rawListener) Write(func(uintptr) bool) error { return syscall.EINVAL }

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
// The zero ListenConfig listens as Listen does.
type ListenConfig struct {
	// Control is called with the socket before it is bound.
	Control func(network, address string, c syscall.RawConn) error

	// KeepAlive is the period of keep-alive probes of accepted connections, 0
	// the default, negative none. KeepAliveConfig, when enabled, says more.
	KeepAlive       time.Duration
	KeepAliveConfig KeepAliveConfig

	// ReusePort, which the standard library has not got, sets SO_REUSEPORT before
	// Control is called: several sockets of one user may listen on one address, in
	// one process or many, and the kernel spreads the connections over them. That
	// is one accept queue for each worker, say, or a new process that takes over
	// from an old one. A port in use is no error then, so it is off by default.
	ReusePort bool

	multipath choice
}

// Listen listens on a "tcp", "tcp4", "tcp6", "unix" or "unixpacket" address. A TCP address
// without a host means all; port 0 means any.
func Listen(network, address string) (Listener, error) {
	var lc ListenConfig
	return lc.Listen(context.Background(), network, address)
}

// Listen listens on address. It parks while a host's name is looked up, with
// DefaultResolver; the context bounds that.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {
	addrs, err := DefaultResolver.resolveAddrList(ctx, "listen", network, address, nil)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Err: err}
	}
	switch laddr := addrs.first(true).(type) {
	case *TCPAddr:
		l, err := lc.listenTCP(network, laddr)
		if err != nil {
			return nil, err
		}
		return l, nil
	case *UnixAddr:
		l, err := lc.listenUnix(network, laddr)
		if err != nil {
			return nil, err
		}
		return l, nil
	default:
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: &AddrError{Err: "unexpected address type", Addr: address}}
	}
}

func (lc *ListenConfig) listenTCP(network string, laddr *TCPAddr) (*TCPListener, error) {
	if lc.MultipathTCP() && hasMPTCP() {
		// Whatever the error is, plain TCP may do.
		if l, err := lc.listenProto(network, laddr, unix.IPPROTO_MPTCP); err == nil {
			return l, nil
		}
	}
	return lc.listenProto(network, laddr, 0)
}

func (lc *ListenConfig) listenProto(network string, laddr *TCPAddr, proto int) (*TCPListener, error) {
	fd, addr, err := lc.listen(network, laddr, proto)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	return &TCPListener{
		listener:  listenerOn(fd, network, addr),
		keepAlive: keepAliveOf(lc.KeepAlive, lc.KeepAliveConfig),
	}, nil
}

func (lc *ListenConfig) listenUnix(network string, laddr *UnixAddr) (*UnixListener, error) {
	if network != "unix" && network != "unixpacket" {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: UnknownNetworkError(network)}
	}
	fd, addr, err := lc.listen(network, laddr, 0)
	if err != nil {
		return nil, &OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	return &UnixListener{
		listener: listenerOn(fd, network, addr),
		path:     addr.String(),
		unlink:   true,
	}, nil
}

// listen makes a listening socket, and returns its own address.
func (lc *ListenConfig) listen(network string, laddr Addr, proto int) (*poll.FD, Addr, error) {
	s, err := openListening(network, laddr, proto)
	if err != nil {
		return nil, nil, err
	}
	fd := poll.New(s.fd, false)
	listening := false
	defer func() { // also when Control panics
		if !listening {
			_ = fd.Close()
		}
	}()
	sockaddr, err := s.sockaddr(laddr)
	if err != nil {
		return nil, nil, err
	}
	if lc.ReusePort {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return nil, nil, callError("setsockopt", err)
		}
	}
	if lc.Control != nil {
		if err := lc.Control(s.network, laddr.String(), rawConn{fd, network, laddr, nil}); err != nil {
			return nil, nil, err
		}
	}
	if err := unix.Bind(s.fd, sockaddr); err != nil {
		return nil, nil, callError("bind", err)
	}
	if err := unix.Listen(s.fd, backlog()); err != nil {
		return nil, nil, callError("listen", err)
	}
	own, err := getsockname(s.fd)
	if err != nil {
		return nil, nil, callError("getsockname", err)
	}
	listening = true
	return fd, s.addrOf(own), nil
}

// keepAliveOf joins the two ways to ask for keep-alive probes.
func keepAliveOf(period time.Duration, config KeepAliveConfig) KeepAliveConfig {
	if config.Enable || period < 0 {
		return config
	}
	return KeepAliveConfig{Enable: true, Idle: period}
}
