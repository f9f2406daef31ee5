package net

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"
)

// ListenUnixgram makes a datagram socket named laddr, on the network "unixgram",
// that receives from anyone and sends with WriteTo. Close does not remove the
// socket's file. It does not park.
func ListenUnixgram(network string, laddr *UnixAddr) (*UnixConn, error) {
	fail := func(err error) (*UnixConn, error) {
		return nil, &OpError{Op: "listen", Net: network, Addr: opAddr(laddr), Err: err}
	}
	if network != "unixgram" {
		return fail(UnknownNetworkError(network))
	}
	if laddr == nil {
		return fail(errMissingAddress)
	}
	var lc ListenConfig
	c, err := lc.listenUnixgram(context.Background(), network, laddr)
	if err != nil {
		return fail(err)
	}
	return c, nil
}

func (lc *ListenConfig) listenUnixgram(ctx context.Context, network string, laddr *UnixAddr) (*UnixConn, error) {
	if network != "unixgram" {
		return nil, UnknownNetworkError(network)
	}
	c := new(UnixConn)
	e := endpoint{network: network, sotype: unix.SOCK_DGRAM, laddr: laddr, listens: true, reusePort: lc.ReusePort, control: lc.Control}
	if _, err := c.open(ctx, &e); err != nil {
		return nil, err
	}
	return c, nil
}

// CloseRead shuts down the reading side. Most callers should just use Close.
func (c *UnixConn) CloseRead() error { return c.shutdown(unix.SHUT_RD) }

// CloseWrite shuts down the writing side: the peer reads io.EOF, and may go on
// writing.
func (c *UnixConn) CloseWrite() error { return c.shutdown(unix.SHUT_WR) }

// ReadFromUnix receives a message, on a stream what is there, and returns its
// length and sender, nil for one without a name. It parks until there is one.
func (c *UnixConn) ReadFromUnix(b []byte) (int, *UnixAddr, error) {
	if !c.ok() {
		return 0, nil, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	n, err := c.fd.ReadFrom(b, &from)
	return n, c.sender(&from), c.messageError("recvfrom", err)
}

// sender returns the address that a message has come with.
func (c *UnixConn) sender(from *unix.RawSockaddrAny) *UnixAddr {
	if from.Addr.Family != unix.AF_UNIX {
		return nil
	}
	return unixAddrOf(from, c.origin.network)
}

// ReadFrom is ReadFromUnix in the form of a PacketConn.
func (c *UnixConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.ReadFromUnix(b)
	return n, opAddr(addr), err
}

// ReadMsgUnix is ReadFromUnix with control data, which it receives into oob. It
// returns how many bytes of each, and the flags of recvmsg(2). Descriptors that
// are passed in the control data are closed on exec.
func (c *UnixConn) ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *UnixAddr, err error) {
	if !c.ok() {
		return 0, 0, 0, nil, syscall.EINVAL
	}
	var from unix.RawSockaddrAny
	n, oobn, flags, err = c.fd.ReadMsg(b, oob, unix.MSG_CMSG_CLOEXEC, &from)
	return n, oobn, flags, c.sender(&from), c.messageError("recvmsg", err)
}

// WriteToUnix sends b as one message to addr. It parks while there is no room.
func (c *UnixConn) WriteToUnix(b []byte, addr *UnixAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	var size uint32
	var err error
	switch {
	case c.connected:
		err = ErrWriteToConnected
	case addr == nil:
		err = errMissingAddress
	case addr.Net != c.origin.network:
		return 0, c.notMine(addr, syscall.EAFNOSUPPORT)
	default:
		size, err = putUnix(&to, addr.Name)
	}
	if err == nil {
		var n int
		if n, err = c.fd.WriteTo(b, &to, size); err == nil {
			return n, nil
		}
	}
	return 0, c.writeError("sendto", opAddr(addr), err)
}

// WriteTo is WriteToUnix in the form of a PacketConn. The address must be a
// *UnixAddr.
func (c *UnixConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*UnixAddr)
	if !ok {
		return 0, c.notMine(addr, syscall.EINVAL)
	}
	return c.WriteToUnix(b, a)
}

// WriteMsgUnix sends b with control data oob as one message to addr, nil for a
// connected socket. It returns how many bytes of each were sent.
func (c *UnixConn) WriteMsgUnix(b, oob []byte, addr *UnixAddr) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	var to unix.RawSockaddrAny
	size := uint32(0)
	switch {
	case c.connected && c.origin.network == "unixgram":
		err = ErrWriteToConnected
	case addr != nil && addr.Net != c.origin.network:
		return 0, 0, c.notMine(addr, syscall.EAFNOSUPPORT)
	case addr != nil:
		size, err = putUnix(&to, addr.Name)
	}
	if err == nil {
		n, err = c.fd.WriteMsg(b, oob, &to, size)
	}
	if err != nil {
		return 0, 0, c.writeError("sendmsg", opAddr(addr), err)
	}
	return n, len(oob), nil
}
