package net

import (
	"os"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
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
	c, err := s.conn()
	if err != nil {
		_ = unix.Close(s.fd)
		return nil, fileError(f, err)
	}
	return c, nil
}

// FilePacketConn returns the socket for messages that f is, on a duplicate of its
// descriptor, as FileConn does.
func FilePacketConn(f *os.File) (PacketConn, error) {
	s, err := fileSocket(f)
	if err != nil {
		return nil, fileError(f, err)
	}
	err = syscall.EINVAL
	if !s.inet() || s.kind != unix.SOCK_STREAM {
		var c Conn
		if c, err = s.conn(); err == nil {
			return c.(PacketConn), nil
		}
	}
	_ = unix.Close(s.fd)
	return nil, fileError(f, err)
}

// FileListener returns the listener that f is, on a duplicate of its descriptor,
// as FileConn does. Its Close does not remove a unix socket's file. A socket for
// datagrams is none: the standard library takes a unix one, whose Accept fails.
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

// network returns the network of the socket, without a family: "" for one that
// package net has none for.
func (s passedSocket) network() string {
	if !s.inet() {
		for network, sotype := range unixTypes {
			if sotype == s.kind {
				return network
			}
		}
	}
	switch s.kind {
	case unix.SOCK_STREAM:
		return "tcp"
	case unix.SOCK_DGRAM:
		return "udp"
	case unix.SOCK_RAW:
		return "ip"
	}
	return ""
}

// conn takes over the socket, unless it returns an error.
func (s passedSocket) conn() (Conn, error) {
	var c *conn
	var whole Conn
	network := s.network()
	switch network {
	case "tcp":
		t := new(TCPConn)
		c, whole = &t.conn, t
	case "udp":
		u := &UDPConn{family: s.family}
		c, whole = &u.conn, u
	case "ip":
		i := &IPConn{family: s.family}
		c, whole = &i.conn, i
	case "unix", "unixgram", "unixpacket":
		u := new(UnixConn)
		c, whole = &u.conn, u
	default:
		return nil, syscall.EINVAL
	}
	initFD(&c.fd, s.fd, s.kind, false)
	c.origin = &origin{network: network, laddr: addrOf(s.kind, network, s.own)}
	if s.peer != nil {
		c.origin.raddr = addrOf(s.kind, network, s.peer)
	}
	if t, ok := whole.(*TCPConn); ok {
		t.configure(keepAliveOf(0, KeepAliveConfig{}))
	}
	return whole, nil
}

// listener takes over the socket, unless it returns an error.
func (s passedSocket) listener() (Listener, error) {
	network := s.network()
	addr := addrOf(s.kind, network, s.own)
	switch network {
	case "tcp":
		l := newListener(poll.New(s.fd, false), network, addr)
		return &TCPListener{listener: l, keepAlive: keepAliveOf(0, KeepAliveConfig{})}, nil
	case "unix", "unixpacket":
		l := newListener(poll.New(s.fd, false), network, addr)
		return &UnixListener{listener: l, path: addr.String()}, nil
	}
	return nil, syscall.EINVAL
}

// fileAddr is the address of a file, in errors.
type fileAddr string

func (fileAddr) Network() string  { return "file+net" }
func (a fileAddr) String() string { return string(a) }

func fileError(f *os.File, err error) error {
	return &OpError{Op: "file", Net: "file+net", Addr: fileAddr(f.Name()), Err: err}
}
