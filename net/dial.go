package net

import (
	"context"
	"syscall"
	"time"
)

// Dialer says how to connect, as the standard library's does. The zero Dialer
// dials as Dial does. Its methods may be called from any task and goroutine, at
// once too; they park until the connection is there.
type Dialer struct {
	// Timeout and Deadline bound the whole dial; zero means no bound. Of many
	// addresses each may take its share.
	Timeout  time.Duration
	Deadline time.Time

	// LocalAddr is the address to connect from, nil for any.
	LocalAddr Addr

	// DualStack was what FallbackDelay is now.
	//
	// Deprecated: the fallback is on by default. A negative FallbackDelay turns
	// it off.
	DualStack bool

	// FallbackDelay is how long the addresses of the family that the resolver
	// put first, mostly IPv6, are tried alone; then those of the other are tried
	// beside them, and the first connection wins (RFC 6555). 0 means 300 ms. A
	// negative one means that all addresses are tried one after the other.
	FallbackDelay time.Duration

	// KeepAlive is the period of keep-alive probes, 0 the default, negative
	// none. KeepAliveConfig, when enabled, says more.
	KeepAlive       time.Duration
	KeepAliveConfig KeepAliveConfig

	// Resolver looks up names, nil for DefaultResolver.
	Resolver *Resolver

	// Cancel ends the dial when it is closed.
	//
	// Deprecated: use DialContext.
	Cancel <-chan struct{}

	// Control is called with the socket before it is bound and connected,
	// ControlContext instead of it if set.
	Control        func(network, address string, c syscall.RawConn) error
	ControlContext func(ctx context.Context, network, address string, c syscall.RawConn) error

	multipath choice
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
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	addrs, err := d.resolver().resolveAddrList(ctx, "dial", network, address, d.LocalAddr)
	if err != nil {
		return nil, &OpError{Op: "dial", Net: network, Err: err}
	}
	if network == "tcp" && d.FallbackDelay >= 0 {
		if first, second := addrs.partition(); len(second) > 0 {
			return d.dialParallel(ctx, network, first, second)
		}
	}
	return d.dialSerial(ctx, network, addrs)
}

// bounded returns ctx with d's own bounds.
func (d *Dialer) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil {
		panic("net: nil context")
	}
	cancel := func() {}
	if own, has := ctx.Deadline(); d.Timeout != 0 || !d.Deadline.IsZero() {
		if deadline := d.deadline(ctx, time.Now()); !has || deadline.Before(own) {
			ctx, cancel = context.WithDeadline(ctx, deadline)
		}
	}
	if d.Cancel != nil {
		outer := cancel
		var inner context.CancelFunc
		ctx, inner = context.WithCancel(ctx)
		go func() {
			select {
			case <-d.Cancel:
				inner()
			case <-ctx.Done():
			}
		}()
		cancel = func() {
			inner()
			outer()
		}
	}
	return ctx, cancel
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

func (d *Dialer) resolver() *Resolver {
	if d.Resolver != nil {
		return d.Resolver
	}
	return DefaultResolver
}

// dialSerial tries addrs, at least one, one after the other. It returns the first
// connection, or the first error.
func (d *Dialer) dialSerial(ctx context.Context, network string, addrs addrList) (Conn, error) {
	var first error
	for i, addr := range addrs {
		if err := ctx.Err(); err != nil {
			return nil, d.dialError(network, addr, contextError(err))
		}
		c, err := d.dialShare(ctx, network, addr, len(addrs)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (d *Dialer) dialError(network string, addr Addr, err error) error {
	return &OpError{Op: "dial", Net: network, Source: d.LocalAddr, Addr: addr, Err: err}
}

// dialShare tries addr, the first of n that are left, for its share of the time.
func (d *Dialer) dialShare(ctx context.Context, network string, addr Addr, n int) (Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		now := time.Now()
		if !now.Before(deadline) {
			return nil, d.dialError(network, addr, timeoutError{})
		}
		if own := share(deadline, now, n); own.Before(deadline) {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, own)
			defer cancel()
		}
	}
	return traceOf(ctx).connect(network, addr, func() (Conn, error) {
		c, err := d.dialSingle(ctx, network, addr)
		if err != nil {
			return nil, d.dialError(network, addr, err)
		}
		return c, nil
	})
}

// share returns the part of the time left that the first of n addresses may
// take: an equal one, but 2 s at least, as in the standard library.
func share(deadline, now time.Time, n int) time.Time {
	left := deadline.Sub(now)
	return earlier(deadline, now.Add(max(left/time.Duration(n), 2*time.Second)))
}

func (d *Dialer) dialSingle(ctx context.Context, network string, addr Addr) (Conn, error) {
	switch raddr := addr.(type) {
	case *TCPAddr:
		laddr, _ := d.LocalAddr.(*TCPAddr)
		return connOrNil(d.dialTCP(ctx, network, laddr, raddr))
	case *UDPAddr:
		laddr, _ := d.LocalAddr.(*UDPAddr)
		return connOrNil(d.dialUDP(ctx, network, laddr, raddr))
	case *IPAddr:
		laddr, _ := d.LocalAddr.(*IPAddr)
		return connOrNil(d.dialIP(ctx, network, laddr, raddr))
	case *UnixAddr:
		laddr, _ := d.LocalAddr.(*UnixAddr)
		return connOrNil(d.dialUnix(ctx, network, laddr, raddr))
	}
	return nil, UnknownNetworkError(network)
}

// connOrNil returns c as a Conn that is nil if there is an error.
func connOrNil[C Conn](c C, err error) (Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
