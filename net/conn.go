package net

import (
	stdnet "net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// conn is what all connections share. Servers have many, so it is one object
// with the descriptor in it, and what the connections of a listener have in
// common is apart.
type conn struct {
	fd     poll.FD
	origin *origin
	peer   netip.AddrPort // of TCP connections
}

// origin is where a connection comes from.
type origin struct {
	network string
	laddr   Addr
	raddr   Addr // of all but TCP connections; nil if there is none
}

func (c *conn) ok() bool { return c != nil && c.origin != nil }

// Read reads what is there, and parks until there is something. It returns
// io.EOF when the peer has shut down its writing side.
func (c *conn) Read(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Read(p)
	if err == nil {
		return n, nil
	}
	return n, c.opError("read", "read", err)
}

// Write writes all of p, and parks while the peer does not take it.
func (c *conn) Write(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Write(p)
	if err == nil {
		return n, nil
	}
	return n, c.opError("write", "write", err)
}

// Close closes the connection. Calls under way return net.ErrClosed; Close
// parks until they have.
func (c *conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.opError("close", "close", c.fd.Close())
}

// LocalAddr returns the own address.
func (c *conn) LocalAddr() Addr {
	if !c.ok() {
		return nil
	}
	return c.origin.laddr
}

// RemoteAddr returns the peer's address.
func (c *conn) RemoteAddr() Addr {
	if !c.ok() {
		return nil
	}
	return c.remote()
}

func (c *conn) remote() Addr {
	if c.peer.IsValid() {
		return stdnet.TCPAddrFromAddrPort(c.peer)
	}
	return c.origin.raddr
}

// SetDeadline sets both deadlines. They wake calls under way.
func (c *conn) SetDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.setError(c.fd.SetDeadline(t))
}

// SetReadDeadline sets the deadline of Read.
func (c *conn) SetReadDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.setError(c.fd.SetReadDeadline(t))
}

// SetWriteDeadline sets the deadline of Write.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.setError(c.fd.SetWriteDeadline(t))
}

// setError completes the error of a call that sets a deadline or buffer.
func (c *conn) setError(err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: "set", Net: c.origin.network, Addr: c.origin.laddr, Err: callError("setsockopt", err)}
}

// setOption sets a socket option.
func (c *conn) setOption(level, option, value int) error {
	return control(&c.fd, func(fd int) error {
		return unix.SetsockoptInt(fd, level, option, value)
	})
}

// SetReadBuffer sets the size of the kernel's receive buffer.
func (c *conn) SetReadBuffer(bytes int) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.setError(c.setOption(unix.SOL_SOCKET, unix.SO_RCVBUF, bytes))
}

// SetWriteBuffer sets the size of the kernel's send buffer.
func (c *conn) SetWriteBuffer(bytes int) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.setError(c.setOption(unix.SOL_SOCKET, unix.SO_SNDBUF, bytes))
}

func (c *conn) shutdown(how int) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	err := control(&c.fd, func(fd int) error { return unix.Shutdown(fd, how) })
	return c.opError("close", "shutdown", err)
}

// File returns a duplicate of the descriptor, with a life of its own. The two
// share the non-blocking mode. So the File's method Fd leaves that on, where the
// standard library's turns it off: else c would block its thread from then on.
func (c *conn) File() (*os.File, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	f, err := dupFile(&c.fd, c.origin.network, c.origin.laddr, c.remote())
	if err != nil {
		return nil, &OpError{Op: "file", Net: c.origin.network, Source: c.origin.laddr, Addr: c.remote(), Err: err}
	}
	return f, nil
}

// SyscallConn returns the descriptor for system calls of the caller's own.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	return rawConn{&c.fd, c.origin.network, c.origin.laddr, c.remote()}, nil
}

// control calls f with fd's descriptor and returns its error.
func control(fd *poll.FD, f func(fd int) error) error {
	var err error
	if useErr := fd.RawControl(func(n uintptr) { err = f(int(n)) }); useErr != nil {
		return useErr
	}
	return err
}

func dupFile(fd *poll.FD, network string, laddr, raddr Addr) (*os.File, error) {
	dup, err := fd.Dup()
	if err != nil {
		return nil, callError("fcntl", err)
	}
	name := network + ":" + laddr.String() + "->"
	if raddr != nil {
		name += raddr.String()
	}
	return os.NewFile(uintptr(dup), name), nil
}

// rawConn is syscall.RawConn on an FD.
type rawConn struct {
	fd           *poll.FD
	network      string
	laddr, raddr Addr
}

func (c rawConn) error(op string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Net: c.network, Source: c.laddr, Addr: c.raddr, Err: callError(op, err)}
}

func (c rawConn) Control(f func(fd uintptr)) error {
	if err := c.fd.RawControl(f); err != nil {
		return &OpError{Op: "raw-control", Net: c.network, Addr: c.laddr, Err: callError("", err)}
	}
	return nil
}

func (c rawConn) Read(f func(fd uintptr) bool) error {
	return c.error("raw-read", c.fd.RawRead(f))
}

func (c rawConn) Write(f func(fd uintptr) bool) error {
	return c.error("raw-write", c.fd.RawWrite(f))
}
