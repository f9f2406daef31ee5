package net

import (
	"io"
	"math"
	"os"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
)

// file is what sendfile can read from: an *os.File, or something around one.
type file interface {
	io.Reader
	syscall.Conn
	Stat() (os.FileInfo, error)
}

// ReadFrom sends what r gives, and parks while r has nothing, or the peer does not
// take it. The kernel copies, so that no memory is needed here, if r is an *os.File
// (sendfile, on the offload pool, which may wait for a disk), a TCPConn or a
// UnixConn for streams (splice), or an *io.LimitedReader of one of these.
func (c *TCPConn) ReadFrom(r io.Reader) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	limit := int64(math.MaxInt64)
	src := r
	limited, isLimited := r.(*io.LimitedReader)
	if isLimited {
		limit, src = limited.N, limited.R
		if limit <= 0 {
			return 0, nil
		}
	}
	var n int64
	var handled bool
	var err error
	call := "splice"
	if from := stream(src); from != nil {
		n, handled, err = poll.Splice(&c.fd, &from.fd, limit)
	} else if f, ok := src.(file); ok {
		n, handled, err = c.sendFile(f, limit)
		call = "sendfile"
	}
	if isLimited {
		limited.N -= n
	}
	if !handled {
		n, err = io.Copy(onlyWriter{c}, r)
		call = ""
	}
	return n, c.opError("readfrom", call, err)
}

func (c *TCPConn) sendFile(f file, limit int64) (n int64, handled bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	return c.fd.SendFile(use(raw.Read), limit)
}

// use makes of a RawConn's Read or Write, of a file, what keeps it open for a call.
func use(readOrWrite func(func(uintptr) bool) error) func(func(uintptr)) error {
	return func(call func(uintptr)) error {
		return readOrWrite(func(fd uintptr) bool {
			call(fd)
			return true
		})
	}
}

// stream returns the stream socket that v is, nil for none.
func stream(v any) *conn {
	if hidden, ok := v.(onlyReader); ok {
		v = hidden.Reader
	}
	switch c := v.(type) {
	case *TCPConn:
		if c.ok() {
			return &c.conn
		}
	case *UnixConn:
		if c.ok() && c.origin.network == "unix" {
			return &c.conn
		}
	}
	return nil
}

// WriteTo reads until io.EOF and writes it to w, and parks while there is nothing
// to read, or w does not take it. The kernel copies (splice), so that no memory is
// needed here, if w is a TCPConn, a UnixConn for streams, or an *os.File that is a
// regular file not opened for appending, which is written to on the offload pool.
func (c *TCPConn) WriteTo(w io.Writer) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	switch w := w.(type) {
	case *UnixConn:
		if to := stream(w); to != nil {
			if n, handled, err := poll.Splice(&to.fd, &c.fd, math.MaxInt64); handled {
				return n, c.opError("writeto", "splice", err)
			}
		}
	case *os.File:
		if n, handled, err := c.spliceFile(w); handled {
			return n, c.opError("writeto", "", err)
		}
	}
	n, err := io.Copy(w, onlyReader{c})
	return n, c.opError("writeto", "", err)
}

func (c *TCPConn) spliceFile(f *os.File) (n int64, handled bool, err error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() { // others might be waited for
		return 0, false, nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	n, handled, err = c.fd.SpliceFile(use(raw.Write), math.MaxInt64)
	if err != nil { // as os.File's ReadFrom has it
		err = &os.PathError{Op: "write", Path: f.Name(), Err: callError("splice", err)}
	}
	return n, handled, err
}

// onlyWriter and onlyReader hide ReadFrom and WriteTo from io.Copy.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)
