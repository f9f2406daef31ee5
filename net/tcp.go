package net

import (
	"context"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// TCPConn is a TCP connection.
type TCPConn struct{ conn }

// CloseRead shuts down the reading side. Most callers should just use Close.
func (c *TCPConn) CloseRead() error { return c.shutdown(unix.SHUT_RD) }

// CloseWrite shuts down the writing side: the peer reads io.EOF, and may go on
// writing.
func (c *TCPConn) CloseWrite() error { return c.shutdown(unix.SHUT_WR) }

// configure completes a connected socket, as the standard library does: no delay,
// and keep-alive probes unless the configuration says otherwise.
func (c *TCPConn) configure(keepAlive KeepAliveConfig) {
	_ = c.SetNoDelay(true)
	if keepAlive.Enable {
		_ = c.SetKeepAliveConfig(keepAlive)
	}
}

// setTCP sets an option of the connection, not of its buffers.
func (c *TCPConn) setTCP(level, option, value int) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.opError("set", "setsockopt", c.setOption(level, option, value))
}

// SetNoDelay sets whether small writes are sent at once; that is the default.
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.setTCP(unix.IPPROTO_TCP, unix.TCP_NODELAY, boolInt(noDelay))
}

// SetLinger sets what Close does about data not yet sent: sec < 0, the default,
// sends it in the background, 0 discards it, and resets the connection, sec > 0
// waits for it as long.
func (c *TCPConn) SetLinger(sec int) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	linger := unix.Linger{Onoff: 1, Linger: int32(sec)}
	if sec < 0 {
		linger = unix.Linger{}
	}
	c.fd.SetLingers(sec > 0)
	return c.opError("set", "setsockopt", control(&c.fd, func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
	}))
}

// SetKeepAlive turns keep-alive probes on or off.
func (c *TCPConn) SetKeepAlive(on bool) error {
	return c.setTCP(unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(on))
}

// SetKeepAlivePeriod sets the time without traffic until a probe is sent; 0 means
// the standard library's default, a negative one leaves it.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if d = orDefault(d); d < 0 {
		return nil
	}
	return c.setTCP(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds(d))
}

// SetKeepAliveConfig sets all about keep-alive probes. Zero values mean the
// standard library's defaults, negative ones leave the kernel's.
func (c *TCPConn) SetKeepAliveConfig(config KeepAliveConfig) error {
	if err := c.SetKeepAlive(config.Enable); err != nil || !config.Enable {
		return err
	}
	for _, o := range []struct {
		option int
		value  int
		ask    bool
	}{
		{unix.TCP_KEEPIDLE, seconds(orDefault(config.Idle)), config.Idle >= 0},
		{unix.TCP_KEEPINTVL, seconds(orDefault(config.Interval)), config.Interval >= 0},
		{unix.TCP_KEEPCNT, orNine(config.Count), config.Count >= 0},
	} {
		if !o.ask {
			continue
		}
		if err := c.setTCP(unix.IPPROTO_TCP, o.option, o.value); err != nil {
			return err
		}
	}
	return nil
}

const defaultKeepAlive = 15 * time.Second

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return defaultKeepAlive
	}
	return d
}

func orNine(n int) int {
	if n == 0 {
		return 9
	}
	return n
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TCPListener listens for TCP connections.
type TCPListener struct {
	listener
	keepAlive KeepAliveConfig
}

// Accept waits for the next connection.
func (l *TCPListener) Accept() (Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the connection's own type.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	var peer unix.RawSockaddrAny
	n, err := l.accept(&peer)
	if err != nil {
		return nil, err
	}
	c := new(TCPConn)
	c.fd.Init(n, true)
	c.peer = addrPortOf(int(peer.Addr.Family), &peer)
	if c.origin, err = l.originOf(n); err != nil {
		_ = c.fd.Close()
		return nil, err
	}
	c.configure(l.keepAlive)
	return c, nil
}

// ListenTCP listens on laddr; a nil one, or port 0, means any.
func ListenTCP(network string, laddr *TCPAddr) (*TCPListener, error) {
	if !isTCP(network) {
		return nil, &OpError{Op: "listen", Net: network, Addr: opAddr(laddr), Err: UnknownNetworkError(network)}
	}
	if laddr == nil {
		laddr = new(TCPAddr)
	}
	var lc ListenConfig
	return lc.listenTCP(context.Background(), network, laddr)
}

func isTCP(network string) bool {
	return network == "tcp" || network == "tcp4" || network == "tcp6"
}
