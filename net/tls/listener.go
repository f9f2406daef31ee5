package tls

import (
	"errors"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// listener makes a Server of each connection.
type listener struct {
	stdnet.Listener
	config *Config
}

// Listen listens on an address of package net's Listen for TLS connections. config
// must have a certificate, or a way to get one.
func Listen(network, laddr string, config *Config) (stdnet.Listener, error) {
	if config == nil || len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
		return nil, errors.New("tls: neither Certificates, GetCertificate, nor GetConfigForClient set in Config")
	}
	l, err := net.Listen(network, laddr)
	if err != nil {
		return nil, err
	}
	return NewListener(l, config), nil
}

// NewListener returns a listener whose connections are inner's with Server around
// them. Accept does not wait for the handshake, which the first use of the
// connection makes.
func NewListener(inner stdnet.Listener, config *Config) stdnet.Listener {
	return &listener{inner, config}
}

// Accept waits for the next connection, a *Conn.
func (l *listener) Accept() (stdnet.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Server(c, l.config), nil
}
