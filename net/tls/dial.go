package tls

import (
	"context"
	"strings"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// Dialer dials TLS connections. The zero Dialer uses the zero configurations.
type Dialer struct {
	// NetDialer dials the connection below; nil means the zero one.
	NetDialer *net.Dialer

	// Config is for the TLS connection; nil means the zero one.
	Config *Config
}

// Dial connects to an address of package net's Dial and makes the handshake. If
// config has no ServerName it is the address's host. A nil config means the zero
// one. It parks.
func Dial(network, addr string, config *Config) (*Conn, error) {
	return DialWithDialer(new(net.Dialer), network, addr, config)
}

// DialWithDialer is Dial with a dialer, whose timeout and deadline bound the
// handshake too.
func DialWithDialer(dialer *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	return dial(context.Background(), dialer, network, addr, config)
}

// Dial is the function Dial with d's configurations. The result is a *Conn.
func (d *Dialer) Dial(network, addr string) (stdnet.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext is Dial that gives up when ctx is done. The connection does not depend
// on ctx afterwards.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (stdnet.Conn, error) {
	dialer := d.NetDialer
	if dialer == nil {
		dialer = new(net.Dialer)
	}
	c, err := dial(ctx, dialer, network, addr, d.Config)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, dialer *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	if dialer.Timeout != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dialer.Timeout)
		defer cancel()
	}
	if !dialer.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, dialer.Deadline)
		defer cancel()
	}
	raw, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = new(Config)
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = addr
		if i := strings.LastIndexByte(addr, ':'); i >= 0 {
			config.ServerName = addr[:i]
		}
	}
	c := Client(raw, config)
	secured := false
	defer func() { // also when a wait unwinds a killed task
		if !secured {
			_ = raw.Close()
		}
	}()
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	secured = true
	return c, nil
}
