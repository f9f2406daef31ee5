package poll

import (
	goruntime "runtime"
	"sync"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// spliceSize is how much one splice(2) is asked for: what a pipe may hold by
// default.
const spliceSize = 1 << 20

// Splice moves up to n bytes from src to dst, two stream sockets, without a copy
// in user space: through a pipe, which is only held while there is something in
// it. It parks while src has nothing, and while dst has no room. It returns how much
// has reached dst; after an error there, what had been taken from src is lost, as
// with any copy. handled false means that nothing was moved, since these two
// can't be spliced: copy then.
func Splice(dst, src *FD, n int64) (moved int64, handled bool, err error) {
	return src.splice(n, func(p *splicePipe, in int) error { return dst.pump(p, in, &moved) }, &moved)
}

// SpliceFile is Splice to a file. Writing to it may wait for a disk, so it is done
// on the offload pool. control is as for SendFile. The file must not be in append
// mode, for which the kernel has no splice.
func SpliceFile(control func(func(dst uintptr)) error, src *FD, n int64) (moved int64, handled bool, err error) {
	return src.splice(n, func(p *splicePipe, in int) error { return p.pumpFile(control, in, &moved) }, &moved)
}

// splice drains fd by pieces, and has each pumped to where it is to go. moved is
// what pump has moved.
func (fd *FD) splice(n int64, pump func(p *splicePipe, in int) error, moved *int64) (int64, bool, error) {
	handled := false
	for *moved < n {
		p, in, err := fd.drain(int(min(n-*moved, spliceSize)))
		if err == unix.EINVAL && !handled {
			return 0, false, nil
		}
		handled = true
		if err != nil || in == 0 {
			return *moved, true, err
		}
		if err := pump(p, in); err != nil {
			return *moved, true, err
		}
	}
	return *moved, true, nil
}

// drain fills a pipe with what there is in fd, up to most bytes, and waits until
// there is some. It returns how much, and the pipe. At the end of the stream that is
// nothing.
func (fd *FD) drain(most int) (*splicePipe, int, error) {
	if err := fd.lock.acquire(dirRead); err != nil {
		return nil, 0, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return nil, 0, err
	}
	fd.drained = false
	for {
		p, err := newPipe()
		if err != nil {
			return nil, 0, unix.EINVAL // for want of descriptors, say: it can be copied
		}
		in, errno := sysSplice(fd.reg.Sysfd, p.w, most)
		if errno == 0 && in > 0 {
			fd.pace(dirRead)
			return p, in, nil
		}
		p.free()
		switch errno {
		case 0:
			return nil, 0, nil
		case unix.EAGAIN:
			if err := fd.wait(dirRead, true); err != nil {
				return nil, 0, err
			}
		case unix.EINTR:
		default:
			return nil, 0, errno
		}
	}
}

// pump writes the n bytes that are in p to fd, and frees p.
func (fd *FD) pump(p *splicePipe, n int, moved *int64) error {
	defer func() { p.done(n) }()
	if err := fd.lock.acquire(dirWrite); err != nil {
		return err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return err
	}
	for n > 0 {
		out, errno := sysSplice(p.r, fd.reg.Sysfd, n)
		switch errno {
		case 0:
			fd.pace(dirWrite)
			n -= out
			*moved += int64(out)
		case unix.EAGAIN:
			if err := fd.wait(dirWrite, true); err != nil {
				return err
			}
		case unix.EINTR:
		default:
			return errno
		}
	}
	return nil
}

// pumpFile writes the n bytes that are in p to a file, and frees p.
func (p *splicePipe) pumpFile(control func(func(dst uintptr)) error, n int, moved *int64) error {
	defer func() { p.done(n) }()
	var writeErr, fileErr error
	err := runtime.OffloadShielded(func() {
		fileErr = control(func(dst uintptr) {
			for n > 0 && writeErr == nil {
				var out int
				out, writeErr = p.write(int(dst), n)
				n -= out
				*moved += int64(out)
			}
		})
	})
	switch {
	case err != nil:
		return err
	case fileErr != nil:
		return fileErr
	}
	return writeErr
}

// write moves up to n bytes to a file. It may wait.
func (p *splicePipe) write(dst, n int) (int, error) {
	for {
		out, err := unix.Splice(p.r, nil, dst, nil, n, 0)
		switch err {
		case nil:
			return int(out), nil
		case unix.EINTR:
			continue
		case unix.EINVAL: // a file system that has none of it
		default:
			return 0, err
		}
		buf := make([]byte, min(n, 64<<10))
		got, err := unix.Read(p.r, buf)
		if err != nil {
			return 0, err
		}
		for put := 0; put < got; {
			out, err := unix.Write(dst, buf[put:got])
			if err != nil && err != unix.EINTR {
				return put, err
			}
			put += max(out, 0)
		}
		return got, nil
	}
}

// splicePipe is a pipe to splice through. At rest it is empty.
type splicePipe struct{ r, w int }

// pipes are pipes at rest. The garbage collector closes those that are not used.
var pipes sync.Pool

func newPipe() (*splicePipe, error) {
	if p, ok := pipes.Get().(*splicePipe); ok {
		return p, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	// It works with less, too.
	_, _ = unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, spliceSize)
	p := &splicePipe{fds[0], fds[1]}
	goruntime.AddCleanup(p, closePipe, fds)
	return p, nil
}

func closePipe(fds [2]int) {
	_ = unix.Close(fds[0])
	_ = unix.Close(fds[1])
}

// free lets others have p, which is empty.
func (p *splicePipe) free() { pipes.Put(p) }

// done is free if nothing is left in p.
func (p *splicePipe) done(left int) {
	if left == 0 {
		p.free()
	}
}

// sysSplice is splice(2) without a word to the Go scheduler: between a pipe and a
// socket, both non-blocking, it does not block.
func sysSplice(src, dst, n int) (int, unix.Errno) {
	moved, _, errno := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(src), 0, uintptr(dst), 0, uintptr(n), unix.SPLICE_F_NONBLOCK)
	return int(moved), errno
}
