package server

import (
	"bytes"
	"io"
	stdnet "net"
	"testing"
	"testing/iotest"
)

// readerConn is a connection of which only Read is used.
type readerConn struct {
	stdnet.Conn
	io.Reader
}

func (c readerConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// FuzzRecords: whatever comes, in whatever pieces, is given on in order, and no read goes
// beyond the end of a record.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x15\x03\x03\x00\x01cNOOP\r\n"))
	f.Add([]byte("\x17\x03\x03\x00\x00\x17\x03\x03\xff\xff short"))
	f.Add([]byte("NOOP\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, split := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader, iotest.TimeoutReader,
		} {
			c := newRecords(readerConn{Reader: split(bytes.NewReader(in))})
			var got []byte
			end := 0 // of the record begun last
			for buf := make([]byte, 300); ; {
				n, err := c.Read(buf)
				if len(got) == end && n > 0 {
					end += recordHeader + int(in[end+3])<<8 + int(in[end+4])
				}
				got = append(got, buf[:n]...)
				if len(got) > end {
					t.Fatalf("read to %d, beyond %d", len(got), end)
				}
				if err == io.EOF {
					break
				}
				if err != nil && err != iotest.ErrTimeout {
					t.Fatal(err)
				}
			}
			if !bytes.HasPrefix(in, got) || len(in)-len(got) >= recordHeader {
				t.Fatalf("read %q of %q", got, in)
			}
		}
	})
}
