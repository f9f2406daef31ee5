package poll

import (
	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// sendfileChunk is how much one sendfile(2) is asked for. It bounds how long a
// call is away on a slow disk; a socket seldom takes more at once.
const sendfileChunk = 4 << 20

// SendFile sends up to n bytes of the file src, from its present position, to
// the socket fd, without a copy in user space. It parks while there is no
// room. The system calls run on the offload pool, since they may wait for a
// disk. handled false means that nothing was sent because src is not open, or
// not a file of the kind that sendfile reads: copy then.
//
// control keeps src open for the duration of a call: it calls its argument with
// the descriptor, as syscall.RawConn's Read does.
func (fd *FD) SendFile(control func(func(src uintptr)) error, n int64) (sent int64, handled bool, err error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, true, err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return 0, true, err
	}
	for sent < n {
		want := int(min(n-sent, sendfileChunk))
		var got int
		var sendErr, srcErr error
		err := runtime.OffloadShielded(func() {
			srcErr = control(func(src uintptr) {
				got, sendErr = unix.Sendfile(fd.reg.Sysfd, int(src), nil, want)
			})
		})
		switch {
		case err != nil:
			return sent, true, err
		case srcErr != nil: // a closed file, say: reading it will tell better
			return sent, sent > 0, srcErr
		}
		if got > 0 {
			sent += int64(got)
		}
		switch sendErr {
		case nil:
			if got == 0 {
				return sent, true, nil // end of the file
			}
		case unix.EAGAIN:
			if err := fd.wait(dirWrite, true); err != nil {
				return sent, true, err
			}
		case unix.EINTR:
		case unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.EOVERFLOW:
			return sent, sent > 0, sendErr
		default:
			return sent, true, sendErr
		}
	}
	return sent, true, nil
}
