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
		e := endpoint{network: network, sotype: unix.SOCK_STREAM, proto: proto, laddr: opAddr(laddr), raddr: raddr, control: d.control(ctx)}
		c := new(TCPConn)
		o, err := e.open(ctx, &c.fd)
		if err != nil {
			// Sometimes the kernel chooses a port that is taken.
			if again && errors.Is(err, unix.EADDRNOTAVAIL) {
				continue
			}
			return nil, err
		}
		// TCP lets a socket connect to itself when its own ephemeral port is
		// the one dialed. Nobody wants that, and trying again helps.
		c.peer = sockaddrPort(o.peer)
		if again && c.peer == sockaddrPort(o.own) {
			_ = c.fd.Close()
			continue
		}
		c.origin = &origin{network: network, laddr: addrOf(e.sotype, network, o.own)}
		c.configure(keepAliveOf(d.KeepAlive, d.KeepAliveConfig))
		return c, nil
	}
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
