package poll

import (
	"io"
	"slices"

	"golang.org/x/sys/unix"
)

// maxIovecs is IOV_MAX: more parts need a further system call.
const maxIovecs = 1024

// Writev writes all parts of v with as few system calls as the kernel allows,
// and parks while there is no room. What is written it takes out of v, so that
// after an error v is what was not. It returns how much was written. Of a socket
// that is no stream each 1024 parts are one message.
func (fd *FD) Writev(v *[][]byte) (int64, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	defer fd.release(dirWrite) // as in Read
	if err := fd.expired(dirWrite); err != nil {
		return 0, err
	}
	var written int64
	for {
		// Empty parts alone are left as they are, as in the standard library.
		full := slices.IndexFunc(*v, func(p []byte) bool { return len(p) > 0 })
		if full < 0 {
			return written, nil
		}
		rest := (*v)[full:]
		n, errno := sysWritev(fd.reg.Sysfd, rest[:min(len(rest), maxIovecs)])
		switch errno {
		case 0:
			fd.pace(dirWrite)
			if n == 0 {
				return written, io.ErrUnexpectedEOF // no known descriptor does that
			}
			written += int64(n)
			take(v, n)
		case unix.EAGAIN:
			if err := fd.wait(dirWrite, true); err != nil {
				return written, err
			}
		case unix.EINTR:
		default:
			return written, errno
		}
	}
}

// take takes n bytes out of v, and the empty parts around them.
func take(v *[][]byte, n int) {
	for len(*v) > 0 {
		first := (*v)[0]
		if len(first) > n {
			(*v)[0] = first[n:]
			return
		}
		n -= len(first)
		(*v)[0] = nil
		*v = (*v)[1:]
	}
}
