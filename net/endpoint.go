package net

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	stdnet "net"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

var errMissingAddress = errors.New("missing address")

// endpoint says which socket to make.
type endpoint struct {
	network   string // without a protocol: "tcp", "udp6", "ip4", "unixgram"
	sotype    int
	proto     int
	laddr     Addr // nil for any
	raddr     Addr // nil for none
	listens   bool // for connections, or messages from anyone
	reusePort bool
	control   controlFunc // nil for none
}

// controlFunc is called with a socket before it is bound.
type controlFunc func(network, address string, c syscall.RawConn) error

// control returns the function of a Dialer that is called with a socket.
func (d *Dialer) control(ctx context.Context) controlFunc {
	if d.ControlContext == nil {
		return d.Control
	}
	return func(network, address string, c syscall.RawConn) error {
		return d.ControlContext(ctx, network, address, c)
	}
}

// opened is what is known of a socket that was made.
type opened struct {
	family    int
	own, peer unix.Sockaddr // peer is nil for none
}

// open makes fd the socket. It waits for a connection, if there is one to make.
func (e *endpoint) open(ctx context.Context, fd *poll.FD) (o opened, err error) {
	family, v6only := e.family()
	s, err := unix.Socket(family, e.sotype|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, e.proto)
	if err != nil {
		return o, os.NewSyscallError("socket", err)
	}
	initFD(fd, s, e.sotype, e.listens)
	done := false
	defer func() { // also when control panics, or a wait unwinds a killed task
		if !done {
			_ = fd.Close()
		}
	}()
	o.family = family
	if err := e.setDefaults(s, family, v6only); err != nil {
		return o, os.NewSyscallError("setsockopt", err)
	}
	if err := e.bind(fd, s, family); err != nil {
		return o, err
	}
	switch {
	case e.raddr != nil:
		o.peer, err = e.connect(ctx, fd, s, family)
	case e.listens && e.connects():
		err = os.NewSyscallError("listen", unix.Listen(s, backlog()))
	}
	if err != nil {
		return o, err
	}
	if o.own, err = getsockname(s); err != nil {
		return o, os.NewSyscallError("getsockname", err)
	}
	done = true
	return o, nil
}

// initFD makes fd the descriptor of a socket of that type.
func initFD(fd *poll.FD, s, sotype int, listens bool) {
	switch sotype {
	case unix.SOCK_DGRAM, unix.SOCK_RAW:
		fd.InitDatagrams(s)
	default:
		fd.Init(s, sotype == unix.SOCK_STREAM && !listens)
	}
}

// connects reports whether the socket is for connections, not for messages.
func (e *endpoint) connects() bool {
	return e.sotype == unix.SOCK_STREAM || e.sotype == unix.SOCK_SEQPACKET
}

// open makes c the socket, and returns its address family.
func (c *conn) open(ctx context.Context, e *endpoint) (family int, err error) {
	o, err := e.open(ctx, &c.fd)
	if err != nil {
		return 0, err
	}
	c.origin = &origin{network: e.network, laddr: addrOf(e.sotype, e.network, o.own)}
	if o.peer != nil {
		c.origin.raddr = addrOf(e.sotype, e.network, o.peer)
	}
	return o.family, nil
}

func (e *endpoint) setDefaults(s, family int, v6only bool) error {
	if family == unix.AF_INET6 && e.sotype != unix.SOCK_RAW {
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(v6only))
	}
	for _, o := range []struct {
		option int
		on     bool
	}{
		{unix.SO_BROADCAST, !e.connects() && family != unix.AF_UNIX},
		// A port in TIME_WAIT may be listened on again, and several may listen on
		// the port of a group.
		{unix.SO_REUSEADDR, e.listens && e.connects() || e.multicast()},
		{unix.SO_REUSEPORT, e.reusePort},
	} {
		if !o.on {
			continue
		}
		if err := unix.SetsockoptInt(s, unix.SOL_SOCKET, o.option, 1); err != nil {
			return err
		}
	}
	return nil
}

// multicast reports whether the socket listens to a group.
func (e *endpoint) multicast() bool {
	a, ok := e.laddr.(*UDPAddr)
	return ok && e.raddr == nil && a.IP.IsMulticast()
}

// bind calls control and then gives the socket its own address.
func (e *endpoint) bind(fd *poll.FD, s, family int) error {
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
		if err := e.control(e.familyNetwork(family), address.String(), rawConn{fd, e.network, nil, nil}); err != nil {
			return err
		}
	}
	if laddr == nil {
		return nil
	}
	sa, err := sockaddrOf(family, laddr)
	if err != nil {
		return err
	}
	return os.NewSyscallError("bind", unix.Bind(s, sa))
}

// connect connects to raddr, and returns the peer's address.
func (e *endpoint) connect(ctx context.Context, fd *poll.FD, s, family int) (unix.Sockaddr, error) {
	sa, err := sockaddrOf(family, e.raddr)
	if err != nil {
		return nil, err
	}
	peer, err := connectSocket(ctx, fd, s, sa)
	if err != nil || peer != nil {
		return peer, err
	}
	if peer, err = getpeername(s); err != nil {
		return sa, nil // it is gone already, as the first use will tell
	}
	return peer, nil
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

// backlog is the length of the queue of connections not yet accepted: the
// system's limit.
var backlog = sync.OnceValue(func() int {
	data, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return syscall.SOMAXCONN
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || n <= 0 {
		return syscall.SOMAXCONN
	}
	return n
})
