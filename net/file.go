package net

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// FileConn returns the connection that f is, on a duplicate of its descriptor:
// closing one does not affect the other. They share the non-blocking mode, which
// FileConn turns on. Unlike the standard library's it leaves f itself in the mode
// in which package os has it. It does not park.
func FileConn(f *os.File) (Conn, error) {
	s, err := fileSocket(f)
	if err != nil {
		return nil, fileError(f, err)
	}
	switch {
	case s.inet() && s.kind == unix.SOCK_STREAM:
		c := &TCPConn{}
		c.fd.Init(s.fd, true)
		c.origin = &origin{network: "tcp", laddr: tcpAddr(s.own)}
		if s.peer != nil {
			c.peer = tcpAddrPort(s.peer)
		}
		c.configure(keepAliveOf(0, KeepAliveConfig{}))
		return c, nil
	case s.family == unix.AF_UNIX:
		return s.unixConn(), nil
	case s.inet() && s.kind == unix.SOCK_DGRAM:
		c := &UDPConn{family: s.family}
		s.datagrams(&c.conn, &endpoint{network: "udp", sotype: s.kind})
		return c, nil
	case s.inet() && s.kind == unix.SOCK_RAW:
		c := &IPConn{family: s.family}
		s.datagrams(&c.conn, &endpoint{network: "ip", sotype: s.kind})
		return c, nil
	}
	_ = unix.Close(s.fd)
	return nil, fileError(f, syscall.EINVAL)
}

// FilePacketConn returns the socket for messages that f is, on a duplicate of its
// descriptor, as FileConn does.
func FilePacketConn(f *os.File) (PacketConn, error) {
	c, err := FileConn(f)
	if err != nil {
		return nil, err
	}
	if p, ok := c.(PacketConn); ok {
		return p, nil
	}
	_ = c.Close()
	return nil, fileError(f, syscall.EINVAL)
}

// FileListener returns the listener that f is, on a duplicate of its descriptor,
// as FileConn does. Its Close does not remove a unix socket's file.
func FileListener(f *os.File) (Listener, error) {
	s, err := fileSocket(f)
	if err != nil {
		return nil, fileError(f, err)
	}
	l, err := s.listener()
	if err != nil {
		_ = unix.Close(s.fd)
		return nil, fileError(f, err)
	}
	return l, nil
}

// passedSocket is a socket that was not made here.
type passedSocket struct {
	fd, family, kind int
	own, peer        unix.Sockaddr // peer is nil for none
}

// fileSocket returns a duplicate of f's descriptor, and what it is.
func fileSocket(f *os.File) (passedSocket, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return passedSocket{}, err
	}
	dup, err := -1, error(unix.EBADF) // what a closed file has
	_ = raw.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		return passedSocket{}, os.NewSyscallError("fcntl", err)
	}
	s, err := passed(dup)
	if err != nil {
		_ = unix.Close(dup)
	}
	return s, err
}

// passed finds out what socket fd is, and makes it non-blocking.
func passed(fd int) (s passedSocket, err error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return s, os.NewSyscallError("setnonblock", err)
	}
	s.fd = fd
	if s.kind, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return s, os.NewSyscallError("getsockopt", err)
	}
	if s.own, err = getsockname(fd); err != nil {
		return s, os.NewSyscallError("getsockname", err)
	}
	if peer, err := getpeername(fd); err == nil {
		s.peer = peer
	}
	switch s.own.(type) {
	case *unix.SockaddrInet4:
		s.family = unix.AF_INET
	case *unix.SockaddrInet6:
		s.family = unix.AF_INET6
	case *unix.SockaddrUnix:
		s.family = unix.AF_UNIX
	default:
		return s, syscall.EPROTONOSUPPORT
	}
	return s, nil
}

func (s passedSocket) inet() bool { return s.family == unix.AF_INET || s.family == unix.AF_INET6 }

// unixNetwork is the network of a unix socket.
func (s passedSocket) unixNetwork() string {
	switch s.kind {
	case unix.SOCK_DGRAM:
		return "unixgram"
	case unix.SOCK_SEQPACKET:
		return "unixpacket"
	}
	return "unix"
}

// unixConn takes over a unix socket.
func (s passedSocket) unixConn() *UnixConn {
	c := new(UnixConn)
	network := s.unixNetwork()
	if network == "unixgram" {
		s.datagrams(&c.conn, &endpoint{network: network, sotype: s.kind})
		return c
	}
	c.fd.Init(s.fd, network == "unix")
	c.origin = &origin{network: network, laddr: unixAddr(s.own, network)}
	if s.peer != nil {
		c.origin.raddr = unixAddr(s.peer, network)
	}
	return c
}

// datagrams makes c of a socket of e's kind.
func (s passedSocket) datagrams(c *conn, e *endpoint) {
	c.fd.InitDatagrams(s.fd)
	c.origin = &origin{network: e.network, laddr: e.addrOf(s.own)}
	if s.peer != nil {
		c.origin.raddr = e.addrOf(s.peer)
	}
}

// listener takes over a socket that listens.
func (s passedSocket) listener() (Listener, error) {
	if s.kind != unix.SOCK_STREAM && (s.inet() || s.kind != unix.SOCK_SEQPACKET) {
		return nil, syscall.EINVAL
	}
	addr, network := tcpAddr(s.own), "tcp"
	if !s.inet() {
		network = s.unixNetwork()
		addr = unixAddr(s.own, network)
	}
	l := newListener(s.fd, network, addr)
	if s.inet() {
		return &TCPListener{listener: l, keepAlive: keepAliveOf(0, KeepAliveConfig{})}, nil
	}
	return &UnixListener{listener: l, path: addr.String()}, nil
}

// fileAddr is the address of a file, in errors.
type fileAddr string

func (fileAddr) Network() string  { return "file+net" }
func (a fileAddr) String() string { return string(a) }

func fileError(f *os.File, err error) error {
	return &OpError{Op: "file", Net: "file+net", Addr: fileAddr(f.Name()), Err: err}
}
