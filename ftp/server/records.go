package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	stdnet "net"

	"github.com/weft-go/weft/net/tls"
)

// records is the control connection as TLS reads it: a record at a time. What follows
// the client's close_notify, after CCC or REIN, is in clear: it must not be read as a
// record, nor be lost.
type records struct {
	stdnet.Conn
	r    *bufio.Reader
	rest int // of the present record
}

// What a record begins with: type, version, length (RFC 8446 section 5.1).
const (
	recordHeader = 5
	recordAlert  = 21
	recordData   = 23
)

func newRecords(c stdnet.Conn) *records {
	return &records{Conn: c, r: bufio.NewReaderSize(c, 1024)}
}

// Read reads at most to the end of a record. What is no record is for TLS to refuse.
func (c *records) Read(p []byte) (int, error) {
	if c.rest == 0 {
		header, err := c.r.Peek(recordHeader)
		if err != nil {
			return 0, err
		}
		c.rest = recordHeader + int(binary.BigEndian.Uint16(header[recordHeader-2:]))
	}
	n, err := c.r.Read(p[:min(len(p), c.rest)])
	c.rest -= n
	return n, err
}

// afterTLS is the control connection in clear, after TLS has been ended on our side.
type afterTLS struct {
	*records
	before *tls.Conn // nil when the client's side of it has ended
}

// errMoreTLS ends a session whose client sent more over TLS than the end of it: that is
// not mixed with what anybody could send.
var errMoreTLS = errors.New("server: secured data after the end of TLS")

func (c *afterTLS) Read(p []byte) (int, error) {
	if err := c.skipEnd(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// skipEnd reads the client's close_notify, if there is one: not all send it. After a
// deadline it may be called again.
func (c *afterTLS) skipEnd() error {
	if c.before == nil {
		return nil
	}
	if c.rest == 0 {
		first, err := c.r.Peek(1)
		if err != nil {
			return err
		}
		if first[0] != recordAlert && first[0] != recordData {
			c.before = nil
			return nil
		}
	}
	n, err := c.before.Read(make([]byte, 1))
	switch {
	case n > 0:
		return errMoreTLS
	case err != io.EOF:
		return err
	}
	c.before = nil
	return nil
}
