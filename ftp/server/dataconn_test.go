package server_test

import (
	"crypto/tls"
	stdnet "net"
)

// dataConn is the client's side of a data connection, in clear or secured.
type dataConn struct {
	stdnet.Conn // raw, or TLS over it
	raw         *stdnet.TCPConn
	tls         *tls.Conn // nil in clear
	cut         bool      // closing it is a reset
}

// secureLater makes d a data connection of c's, secured by the first use: the server
// begins the handshake when the command for the connection has come.
func (c *client) secureLater(d *stdnet.TCPConn) *dataConn {
	conn := &dataConn{Conn: d, raw: d}
	if c.prot != nil {
		conn.tls = tls.Client(d, c.prot)
		conn.Conn = conn.tls
	}
	return conn
}

// begin starts a transfer and returns its data connection.
func (c *client) begin(line string) *dataConn {
	c.t.Helper()
	d := c.data()
	c.cmd(150, line)
	if d.tls != nil {
		if err := d.tls.Handshake(); err != nil {
			c.t.Fatal(err)
		}
	}
	return d
}

// CloseWrite ends what is sent.
func (d *dataConn) CloseWrite() error {
	if d.tls != nil {
		if err := d.tls.Handshake(); err != nil {
			return err
		}
		return d.tls.CloseWrite()
	}
	return d.raw.CloseWrite()
}

// SetLinger, with 0, makes Close a reset.
func (d *dataConn) SetLinger(sec int) error {
	d.cut = sec == 0
	return d.raw.SetLinger(sec)
}

// Close ends the connection well, after its handshake, unless it is a reset.
func (d *dataConn) Close() error {
	if d.tls != nil && !d.cut && d.tls.Handshake() == nil {
		return d.tls.Close()
	}
	return d.raw.Close()
}
