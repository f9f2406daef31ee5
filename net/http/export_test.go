package http

import (
	"bufio"
	"bytes"
	"net/textproto"

	stdnet "net"
)

// ReadOwn reads a request as the Server does, and returns it with what it reads
// from.
func ReadOwn(data []byte) (*Request, *bufio.Reader, error) {
	c := &conn{server: new(Server), rwc: inMemory{in: bytes.NewReader(data)}}
	c.in.conn = c
	c.in.remain = c.server.headLimit()
	c.br = bufio.NewReader(&c.in)
	c.text = textproto.NewReader(c.br)
	x, err := c.readRequest()
	if err != nil {
		return nil, nil, err
	}
	return x.req, c.br, nil
}

type inMemory struct {
	stdnet.Conn
	in *bytes.Reader
}

func (m inMemory) Read(p []byte) (int, error) { return m.in.Read(p) }

// Write is for 100 Continue.
func (m inMemory) Write(p []byte) (int, error) { return len(p), nil }
