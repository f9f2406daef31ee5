package server

import (
	"bufio"
	"encoding/binary"
	stdnet "net"
)

// records is the control connection as TLS reads it: a record at a time. What follows
// the client's close_notify, after CCC or REIN, is in clear: it must not be read as a
// record, nor be lost.
type records struct {
	stdnet.Conn
	r       *bufio.Reader
	rest    int  // of the present record
	inClear bool // there are no more
}

// recordHeader is the size of a record's header: type, version, length (RFC 8446
// section 5.1).
const recordHeader = 5

func newRecords(c stdnet.Conn) *records {
	return &records{Conn: c, r: bufio.NewReaderSize(c, 1024)}
}

// Read reads at most to the end of a record. What is no record is for TLS to refuse.
func (c *records) Read(p []byte) (int, error) {
	if c.inClear {
		return c.r.Read(p)
	}
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
