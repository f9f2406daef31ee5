package net

import (
	"context"
	"os"
	"strings"
	"sync"
	"syscall"

	stdnet "net"

	"golang.org/x/sys/unix"
)

// endpoint says which socket to make for messages.
type endpoint struct {
	network string // without a protocol: "udp", "ip4", "unixgram", "unixpacket"
	sotype  int
	proto   int
	laddr   Addr // nil for any
	raddr   Addr // nil for none
	listens bool
	control func(network, address string, c syscall.RawConn) error
}

// control returns the function of a Dialer that is called with a socket.
func (d *Dialer) control(ctx context.Context) func(network, address string, c syscall.RawConn) error {
	if d.ControlContext == nil {
		return d.Control
	}
	return func(network, address string, c syscall.RawConn) error {
		return d.ControlContext(ctx, network, address, c)
	}
}

// open makes c the socket, and returns its address family. Nothing in it waits.
func (e *endpoint) open(ctx context.Context, c *conn) (family int, err error) {
	family, v6only := e.family()
	s, err := unix.Socket(family, e.sotype|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, e.proto)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if e.sotype == unix.SOCK_SEQPACKET {
		c.fd.Init(s, false)
	} else {
		c.fd.InitDatagrams(s)
	}
	opened := false
	defer func() { // also when control panics
		if !opened {
			_ = c.fd.Close()
		}
	}()
	if err := e.setDefaults(s, family, v6only); err != nil {
		return 0, err
	}
	if err := e.bindAndConnect(s, family, c); err != nil {
		return 0, err
	}
	if e.raddr != nil && ctx.Err() != nil {
		return 0, contextError(ctx.Err())
	}
	c.origin = &origin{network: e.network}
	if own, err := getsockname(s); err == nil {
		c.origin.laddr = e.addrOf(own)
	}
	if e.raddr != nil {
		c.origin.raddr = e.raddr
		if peer, err := getpeername(s); err == nil {
			c.origin.raddr = e.addrOf(peer)
		}
	}
	opened = true
	return family, nil
}

func (e *endpoint) setDefaults(s, family int, v6only bool) error {
	if family == unix.AF_INET6 && e.sotype != unix.SOCK_RAW {
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(v6only))
	}
	if family == unix.AF_UNIX {
		return nil
	}
	err := unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
	if err == nil && e.multicast() {
		// Several may listen on the port of a group.
		err = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	return os.NewSyscallError("setsockopt", err)
}

// multicast reports whether the socket listens to a group.
func (e *endpoint) multicast() bool {
	a, ok := e.laddr.(*UDPAddr)
	return ok && e.raddr == nil && a.IP.IsMulticast()
}

func (e *endpoint) bindAndConnect(s, family int, c *conn) error {
	laddr := e.laddr
	if e.multicast() {
		a := *laddr.(*UDPAddr)
		a.IP = stdnet.IPv6unspecified
		if family == unix.AF_INET {
			a.IP = stdnet.IPv4zero
		}
		laddr = &a
	}
	if e.control != nil {
		address := laddr
		if e.raddr != nil {
			address = e.raddr
		}
		if err := e.control(e.familyNetwork(family), address.String(), rawConn{&c.fd, e.network, nil, nil}); err != nil {
			return err
		}
	}
	if laddr != nil {
		sa, err := sockaddrOf(family, laddr)
		if err != nil {
			return err
		}
		if err := unix.Bind(s, sa); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	if e.raddr == nil {
		return nil
	}
	sa, err := sockaddrOf(family, e.raddr)
	if err != nil {
		return err
	}
	for {
		// A socket for messages does not wait for its peer.
		switch err := unix.Connect(s, sa); err {
		case nil, unix.EISCONN:
			return nil
		case unix.EINTR:
		default:
			return os.NewSyscallError("connect", err)
		}
	}
}

// family returns the address family, and whether an IPv6 socket is for that alone.
func (e *endpoint) family() (family int, v6only bool) {
	switch {
	case strings.HasPrefix(e.network, "unix"):
		return unix.AF_UNIX, false
	case strings.HasSuffix(e.network, "4"):
		return unix.AF_INET, false
	case strings.HasSuffix(e.network, "6"):
		return unix.AF_INET6, true
	case e.listens && isWildcard(ipOf(e.laddr)) && dualStack():
		return unix.AF_INET6, false
	case isIPv6(ipOf(e.laddr)) || isIPv6(ipOf(e.raddr)):
		return unix.AF_INET6, false
	}
	return unix.AF_INET, false
}

// familyNetwork is the network with its family.
func (e *endpoint) familyNetwork(family int) string {
	switch {
	case family == unix.AF_UNIX, strings.HasSuffix(e.network, "4"), strings.HasSuffix(e.network, "6"):
		return e.network
	case family == unix.AF_INET:
		return e.network + "4"
	}
	return e.network + "6"
}

func isIPv6(ip IP) bool { return len(ip) > stdnet.IPv4len && ip.To4() == nil }

// dualStack reports whether an IPv6 socket can have IPv4 addresses.
var dualStack = sync.OnceValue(func() bool {
	s, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(s)
	mapped := &unix.SockaddrInet6{}
	copy(mapped.Addr[:], IPv4(127, 0, 0, 1).To16())
	return unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0) == nil && unix.Bind(s, mapped) == nil
})

func sockaddrOf(family int, a Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case *UDPAddr:
		return tcpSockaddr(family, &TCPAddr{IP: a.IP, Port: a.Port, Zone: a.Zone})
	case *IPAddr:
		return tcpSockaddr(family, &TCPAddr{IP: a.IP, Zone: a.Zone})
	case *UnixAddr:
		return &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return nil, mismatch(a)
}

func (e *endpoint) addrOf(sa unix.Sockaddr) Addr {
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &UnixAddr{Name: sa.Name, Net: e.network}
	}
	ap := tcpAddrPort(sa)
	switch {
	case !ap.IsValid():
		return nil
	case e.sotype == unix.SOCK_RAW:
		return &IPAddr{IP: ap.Addr().AsSlice(), Zone: ap.Addr().Zone()}
	}
	return stdnet.UDPAddrFromAddrPort(ap)
}

// opAddr returns a as an Addr that is nil if a is.
func opAddr[T any, A interface {
	*T
	Addr
}](a A) Addr {
	if a == nil {
		return nil
	}
	return a
}

// messageError completes the error of an operation that received a message.
// Unlike opError it wraps io.EOF too, as the standard library does.
func (c *conn) messageError(call string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: "read", Net: c.origin.network, Source: c.origin.laddr, Addr: c.remote(), Err: callError(call, err)}
}

// writeError completes the error of an operation that sent a message to addr.
func (c *conn) writeError(call string, addr Addr, err error) error {
	return &OpError{Op: "write", Net: c.origin.network, Source: c.origin.laddr, Addr: addr, Err: callError(call, err)}
}

// notMine is the error of a message to an address of another network. The errno
// is of no system call, and stands bare.
func (c *conn) notMine(addr Addr, errno syscall.Errno) error {
	return &OpError{Op: "write", Net: c.origin.network, Source: c.origin.laddr, Addr: addr, Err: errno}
}
