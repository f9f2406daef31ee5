package net

import (
	"io"
	"os"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// file is what the kernel can copy from and to: an *os.File, or something around
// one.
type file interface {
	syscall.Conn
	Stat() (os.FileInfo, error)
}

// ReadFrom sends what r gives. The kernel copies, without a copy in user space, if
// r is an *os.File (sendfile, on the offload pool), a *TCPConn or a unix stream
// (splice), or an *io.LimitedReader of one.
func (c *TCPConn) ReadFrom(r io.Reader) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	limit := int64(1<<63 - 1)
	src := r
	limited, isLimited := r.(*io.LimitedReader)
	if isLimited {
		limit, src = limited.N, limited.R
		if limit <= 0 {
			return 0, nil
		}
	}
	n, handled, call, err := c.receiveFrom(src, limit)
	if isLimited {
		limited.N -= n
	}
	if handled {
		return n, c.opError("readfrom", call, err)
	}
	n, err = io.Copy(onlyWriter{c}, r)
	return n, c.opError("readfrom", "", err)
}

// receiveFrom has the kernel copy to c, if it can. call is what it does.
func (c *TCPConn) receiveFrom(r io.Reader, limit int64) (n int64, handled bool, call string, err error) {
	if src := streamOf(r); src != nil {
		n, handled, err = poll.Splice(&c.fd, src, limit)
		return n, handled, "splice", err
	}
	f, ok := r.(file)
	if !ok {
		return 0, false, "", nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, "", nil
	}
	n, handled, err = c.fd.SendFile(func(use func(uintptr)) error {
		return raw.Read(func(src uintptr) bool {
			use(src)
			return true
		})
	}, limit)
	return n, handled, "sendfile", err
}

// streamOf returns the descriptor of a stream that can be spliced, nil for others.
func streamOf(v any) *poll.FD {
	switch v := v.(type) {
	case *TCPConn:
		if v.ok() {
			return &v.fd
		}
	case onlyTCPReader:
		return &v.TCPConn.fd
	case *UnixConn:
		if v.ok() && v.origin.network == "unix" {
			return &v.fd
		}
	}
	return nil
}

// WriteTo reads until io.EOF and writes it to w. The kernel copies if w is an
// *os.File that is not in append mode (splice, with the writes on the offload pool),
// a *TCPConn, or a unix stream (splice).
func (c *TCPConn) WriteTo(w io.Writer) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	const all = 1<<63 - 1
	if f, ok := w.(file); ok {
		if n, handled, err := c.spliceFile(f, all); handled {
			return n, c.opError("writeto", "splice", err)
		}
	} else if dst, ok := w.(*UnixConn); ok {
		if dst := streamOf(dst); dst != nil {
			if n, handled, err := poll.Splice(dst, &c.fd, all); handled {
				return n, c.opError("writeto", "splice", err)
			}
		}
	}
	n, err := io.Copy(w, onlyTCPReader{c})
	return n, c.opError("writeto", "", err)
}

// spliceFile moves up to n bytes to f, if that is a regular file.
func (c *TCPConn) spliceFile(f file, n int64) (moved int64, handled bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, false, nil
	}
	appends := false
	_ = raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		appends = err != nil || flags&unix.O_APPEND != 0
	})
	if appends {
		return 0, false, nil
	}
	return poll.SpliceFile(func(use func(uintptr)) error {
		return raw.Write(func(dst uintptr) bool {
			use(dst)
			return true
		})
	}, &c.fd, n)
}

// These hide ReadFrom and WriteTo from io.Copy.
type (
	onlyWriter    struct{ io.Writer }
	onlyTCPReader struct{ *TCPConn }
)

// WriteTo takes the place of TCPConn's, which io.Copy would call again.
func (onlyTCPReader) WriteTo(noWriteTo) {}

type noWriteTo struct{}
