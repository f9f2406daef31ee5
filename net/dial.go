package net

import (
	"context"
	"syscall"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// Dialer says how to connect, as the standard library's does.
type Dialer struct {
	// Timeout and Deadline bound the whole dial; zero means no bound.
	Timeout  time.Duration
	Deadline time.Time

	// LocalAddr is the address to connect from, nil for any.
	LocalAddr Addr

	// KeepAlive is the period of keep-alive probes, 0 the default, negative
	// none. KeepAliveConfig, when enabled, says more.
	KeepAlive       time.Duration
	KeepAliveConfig KeepAliveConfig

	// Control is called with the socket before it is bound and connected,
	// ControlContext instead of it if set.
	Control        func(network, address string, c syscall.RawConn) error
	ControlContext func(ctx context.Context, network, address string, c syscall.RawConn) error
}

// Dial connects to a "tcp", "tcp4", "tcp6", "unix" or "unixpacket" address, or
// makes a socket that sends to one of "udp", "udp4", "udp6", "unixgram", or "ip4:1"
// and the like. Of the addresses that a name has, each is tried until one answers.
func Dial(network, address string) (Conn, error) {
	var d Dialer
	return d.Dial(network, address)
}

// DialTimeout is Dial within a time.
func DialTimeout(network, address string, timeout time.Duration) (Conn, error) {
	d := Dialer{Timeout: timeout}
	return d.Dial(network, address)
}

// Dial connects to address.
func (d *Dialer) Dial(network, address string) (Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to address, and gives up when ctx is done. The
// connection does not depend on ctx afterwards.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (Conn, error) {
	deadline := d.deadline(ctx, time.Now())
	fail := func(err error) (Conn, error) {
		return nil, &OpError{Op: "dial", Net: network, Err: err}
	}
	switch {
	case isPackets(network):
		return d.dialPacket(ctx, network, address, deadline)
	case !isTCP(network) && network != "unix":
		return fail(UnknownNetworkError(network))
	case address == "":
		return fail(errMissingAddress)
	case network == "unix":
		if d.LocalAddr != nil && d.LocalAddr.Network() != network {
			return fail(mismatch(d.LocalAddr))
		}
		c, err := d.dialUnix(ctx, network, &UnixAddr{Name: address, Net: network}, deadline)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	lookup := ctx
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		lookup, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	addrs, err := resolveTCP(lookup, network, address, false)
	if err == nil {
		addrs, err = d.reachable(addrs)
	}
	if err != nil {
		return fail(err)
	}
	var first error
	for i, addr := range addrs {
		c, err := d.dialTCP(ctx, network, addr, share(deadline, time.Now(), len(addrs)-i))
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// reachable returns those of addrs that can be dialed from LocalAddr, at least
// one.
func (d *Dialer) reachable(addrs []*TCPAddr) ([]*TCPAddr, error) {
	if d.LocalAddr == nil {
		return addrs, nil
	}
	local, ok := d.LocalAddr.(*TCPAddr)
	if !ok {
		return nil, mismatch(d.LocalAddr)
	}
	var list []*TCPAddr
	for _, a := range addrs {
		if isWildcard(local.IP) || isWildcard(a.IP) || (local.IP.To4() == nil) == (a.IP.To4() == nil) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: local.String()}
	}
	return list, nil
}

func mismatch(local Addr) error {
	return &AddrError{Err: "mismatched local address type", Addr: local.String()}
}

// deadline returns the earliest of the three bounds.
func (d *Dialer) deadline(ctx context.Context, now time.Time) time.Time {
	earliest := d.Deadline
	if d.Timeout != 0 {
		earliest = earlier(earliest, now.Add(d.Timeout))
	}
	if t, ok := ctx.Deadline(); ok {
		earliest = earlier(earliest, t)
	}
	return earliest
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// share returns the part of the time left that the first of n addresses may
// take: an equal one, but 2 s at least, as in the standard library.
func share(deadline, now time.Time, n int) time.Time {
	if deadline.IsZero() {
		return deadline
	}
	left := deadline.Sub(now)
	return earlier(deadline, now.Add(max(left/time.Duration(n), 2*time.Second)))
}

func (d *Dialer) dialTCP(ctx context.Context, network string, raddr *TCPAddr, deadline time.Time) (*TCPConn, error) {
	for try := 0; ; try++ {
		c := new(TCPConn)
		own, peer, err := d.connect(ctx, &c.fd, network, raddr, deadline)
		if err != nil {
			return nil, err
		}
		// TCP lets a socket connect to itself when its own ephemeral port is
		// the one dialed. Nobody wants that, and trying again helps.
		c.peer = tcpAddrPort(peer)
		if d.anyPort() && try < 2 && c.peer == tcpAddrPort(own) {
			_ = c.fd.Close()
			continue
		}
		c.origin = &origin{network: network, laddr: tcpAddr(own)}
		c.configure(keepAliveOf(d.KeepAlive, d.KeepAliveConfig))
		return c, nil
	}
}

// anyPort reports whether the kernel chooses the own port.
func (d *Dialer) anyPort() bool {
	a, ok := d.LocalAddr.(*TCPAddr)
	return !ok || a == nil || a.Port == 0
}

func (d *Dialer) dialUnix(ctx context.Context, network string, raddr *UnixAddr, deadline time.Time) (*UnixConn, error) {
	if network != "unix" {
		return nil, &OpError{Op: "dial", Net: network, Source: d.LocalAddr, Addr: raddr, Err: UnknownNetworkError(network)}
	}
	c := new(UnixConn)
	own, peer, err := d.connect(ctx, &c.fd, network, raddr, deadline)
	if err != nil {
		return nil, err
	}
	c.origin, c.connected = &origin{network: network, laddr: unixAddr(own), raddr: unixAddr(peer)}, true
	return c, nil
}

// connect makes fd a connected socket.
func (d *Dialer) connect(ctx context.Context, fd *poll.FD, network string, raddr Addr, deadline time.Time) (own, peer unix.Sockaddr, err error) {
	fail := func(call string, err error) (own, peer unix.Sockaddr, _ error) {
		return nil, nil, &OpError{
			Op: "dial", Net: network, Source: d.LocalAddr, Addr: raddr,
			Err: callError(call, err),
		}
	}
	if err := ctx.Err(); err != nil {
		return fail("", contextError(err))
	}
	if !deadline.IsZero() && !time.Now().Before(deadline) {
		return fail("", timeoutError{})
	}
	s, err := openDialing(network, raddr)
	if err != nil {
		return fail("socket", err)
	}
	fd.Init(s.fd, true)
	connected := false
	defer func() { // also when a wait unwinds a killed task
		if !connected {
			_ = fd.Close()
		}
	}()
	raw := rawConn{fd, network, nil, raddr}
	switch {
	case d.ControlContext != nil:
		err = d.ControlContext(ctx, s.network, raddr.String(), raw)
	case d.Control != nil:
		err = d.Control(s.network, raddr.String(), raw)
	}
	if err != nil {
		return fail("", err)
	}
	if d.LocalAddr != nil {
		local, err := localSockaddr(s, d.LocalAddr)
		if err != nil {
			return fail("", err)
		}
		if err := unix.Bind(s.fd, local); err != nil {
			return fail("bind", err)
		}
	}
	if call, err := connectSocket(ctx, fd, s, deadline); err != nil {
		return fail(call, err)
	}
	if own, err = unix.Getsockname(s.fd); err != nil {
		return fail("getsockname", err)
	}
	if peer, err = unix.Getpeername(s.fd); err != nil {
		return fail("getpeername", err)
	}
	connected = true
	return own, peer, nil
}

func localSockaddr(s socket, laddr Addr) (unix.Sockaddr, error) {
	switch a := laddr.(type) {
	case *TCPAddr:
		switch s.sockaddr.(type) {
		case *unix.SockaddrInet4:
			return tcpSockaddr(unix.AF_INET, a)
		case *unix.SockaddrInet6:
			return tcpSockaddr(unix.AF_INET6, a)
		}
	case *UnixAddr:
		if s.network == "unix" {
			return &unix.SockaddrUnix{Name: a.Name}, nil
		}
	}
	return nil, mismatch(laddr)
}

// connectSocket connects, until deadline or the end of ctx.
func connectSocket(ctx context.Context, fd *poll.FD, s socket, deadline time.Time) (call string, err error) {
	switch err := unix.Connect(s.fd, s.sockaddr); err {
	case nil, unix.EISCONN:
		return "", nil
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
	default:
		return "connect", err
	}
	if err := fd.SetWriteDeadline(deadline); err != nil {
		return "connect", err
	}
	stop := context.AfterFunc(ctx, func() { _ = fd.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop() // also when the wait unwinds a killed task
	err = awaitConnect(fd, s.fd)
	if !stop() && ctx.Err() != nil {
		// The context has ended, and its function may yet set the deadline:
		// the connection can't be given out.
		return "", contextError(ctx.Err())
	}
	if err != nil {
		return "connect", err
	}
	return "", fd.SetWriteDeadline(time.Time{})
}

func awaitConnect(fd *poll.FD, sysfd int) error {
	for {
		if err := fd.WaitWrite(); err != nil {
			return err
		}
		n, err := unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return err
		}
		switch errno := syscall.Errno(n); errno {
		case 0:
			// A wait may end for nothing: look whether it is connected.
			if _, err := unix.Getpeername(sysfd); err == nil {
				return nil
			}
		case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		case unix.EISCONN:
			return nil
		default:
			return errno
		}
	}
}

// preferIPv4 returns the address to listen on of those that a name has.
func preferIPv4(addrs []*TCPAddr) *TCPAddr {
	for _, a := range addrs {
		if a.IP.To4() != nil {
			return a
		}
	}
	return addrs[0]
}

var _ stdnet.Conn = (*TCPConn)(nil)
