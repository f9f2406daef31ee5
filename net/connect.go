package net

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

func (d *Dialer) dialTCP(ctx context.Context, network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	if d.MultipathTCP() && hasMPTCP() {
		// Whatever the error is, plain TCP may do.
		if c, err := d.dialProto(ctx, network, laddr, raddr, unix.IPPROTO_MPTCP); err == nil {
			return c, nil
		}
	}
	return d.dialProto(ctx, network, laddr, raddr, 0)
}

func (d *Dialer) dialProto(ctx context.Context, network string, laddr, raddr *TCPAddr, proto int) (*TCPConn, error) {
	anyPort := laddr == nil || laddr.Port == 0
	for try := 0; ; try++ {
		again := anyPort && try < 2
		c := new(TCPConn)
		own, peer, err := d.connect(ctx, &c.fd, network, opAddr(laddr), raddr, proto)
		if err != nil {
			// Sometimes the kernel chooses a port that is taken.
			if again && errors.Is(err, unix.EADDRNOTAVAIL) {
				continue
			}
			return nil, err
		}
		// TCP lets a socket connect to itself when its own ephemeral port is
		// the one dialed. Nobody wants that, and trying again helps.
		c.peer = tcpAddrPort(peer)
		if again && c.peer == tcpAddrPort(own) {
			_ = c.fd.Close()
			continue
		}
		c.origin = &origin{network: network, laddr: tcpAddr(own)}
		c.configure(keepAliveOf(d.KeepAlive, d.KeepAliveConfig))
		return c, nil
	}
}

func (d *Dialer) dialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	switch network {
	case "unix":
	case "unixgram", "unixpacket":
		return d.dialUnixPackets(ctx, network, laddr, raddr)
	default:
		return nil, UnknownNetworkError(network)
	}
	if raddr == nil || raddr.Name == "" {
		return nil, errMissingAddress
	}
	if laddr != nil && laddr.Name == "" {
		laddr = nil
	}
	c := &UnixConn{connected: true}
	own, peer, err := d.connect(ctx, &c.fd, network, opAddr(laddr), raddr, 0)
	if err != nil {
		return nil, err
	}
	c.origin = &origin{network: network, laddr: unixAddr(own, network), raddr: unixAddr(peer, network)}
	return c, nil
}

// connect makes fd a socket that is connected to raddr, from laddr if that is not
// nil, and returns the two addresses that it has now.
func (d *Dialer) connect(ctx context.Context, fd *poll.FD, network string, laddr, raddr Addr, proto int) (own, peer unix.Sockaddr, err error) {
	s, err := openDialing(network, laddr, raddr, proto)
	if err != nil {
		return nil, nil, err
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
		return nil, nil, err
	}
	if laddr != nil {
		local, err := s.sockaddr(laddr)
		if err != nil {
			return nil, nil, err
		}
		if err := unix.Bind(s.fd, local); err != nil {
			return nil, nil, callError("bind", err)
		}
	}
	remote, err := s.sockaddr(raddr)
	if err != nil {
		return nil, nil, err
	}
	if peer, err = connectSocket(ctx, fd, s.fd, remote); err != nil {
		return nil, nil, err
	}
	if peer == nil {
		if peer, err = getpeername(s.fd); err != nil {
			peer = remote // it is gone already, as the first use will tell
		}
	}
	if own, err = getsockname(s.fd); err != nil {
		return nil, nil, callError("getsockname", err)
	}
	connected = true
	return own, peer, nil
}

// connectSocket connects, until the end of ctx. It returns the peer's address if
// it comes to know it.
func connectSocket(ctx context.Context, fd *poll.FD, sysfd int, remote unix.Sockaddr) (unix.Sockaddr, error) {
	switch err := unix.Connect(sysfd, remote); err {
	case nil, unix.EISCONN:
		if err := ctx.Err(); err != nil {
			return nil, contextError(err)
		}
		return nil, nil
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
	default:
		return nil, callError("connect", err)
	}
	if ctx.Done() == nil {
		return awaitConnect(fd, sysfd)
	}
	deadline, _ := ctx.Deadline()
	if err := fd.SetWriteDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = fd.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop() // also when the wait unwinds a killed task
	peer, err := awaitConnect(fd, sysfd)
	if !stop() && ctx.Err() != nil {
		// The context has ended, and its function may yet set the deadline:
		// the connection can't be given out.
		return nil, contextError(ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return peer, fd.SetWriteDeadline(time.Time{})
}

func awaitConnect(fd *poll.FD, sysfd int) (unix.Sockaddr, error) {
	for {
		if err := fd.WaitWrite(); err != nil {
			return nil, callError("connect", err)
		}
		n, err := unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return nil, callError("getsockopt", err)
		}
		switch errno := syscall.Errno(n); errno {
		case 0:
			// A wait may end for nothing: look whether it is connected.
			if peer, err := getpeername(sysfd); err == nil {
				return peer, nil
			}
		case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		case unix.EISCONN:
			return nil, nil
		default:
			return nil, callError("connect", errno)
		}
	}
}
