package poll

import (
	"io"
	"unsafe"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// spliceChunk is the size of a pipe, and how much one splice(2) is asked for: what the
// system grants by default. Smaller ones are slower.
const spliceChunk = 1 << 20

// Splice moves up to n bytes from the stream socket src to the stream dst, in the
// kernel, until the end of src. It parks while there is nothing to read, or no room
// to write, and has the lock of a direction for one chunk at a time: others may
// write to dst in between. It takes a pipe, from the first byte on.
//
// handled false means that nothing was moved, because the kernel can't do it here,
// or there is no descriptor left for the pipe: copy then. What was read of src and
// not written when an error ends the call is lost, as in a copy.
func Splice(dst, src *FD, n int64) (moved int64, handled bool, err error) {
	if end, err := src.awaitData(); err != nil || end {
		return 0, true, err
	}
	p, err := newSplicePipe()
	if err != nil {
		return 0, false, err
	}
	defer p.close() // also when a wait unwinds a killed task
	for moved < n {
		in, err := src.fill(p, n-moved)
		if err != nil || in == 0 {
			return moved, moved > 0 || err != unix.EINVAL, err
		}
		out, err := dst.empty(p, in)
		moved += int64(out)
		if err != nil {
			return moved, true, err
		}
	}
	return moved, true, nil
}

// SpliceFile moves up to n bytes from the stream socket fd to a file, at its present
// position, until the end of fd, without a copy in user space. It parks while there
// is nothing to read. The system calls run on the offload pool, since they may wait
// for a disk. control keeps the file open, as SendFile's does.
//
// handled false means that nothing was moved, because the file is not open, or not
// one that splice writes to, or there is no descriptor left for the pipe: copy then.
func (fd *FD) SpliceFile(control func(func(dst uintptr)) error, n int64) (moved int64, handled bool, err error) {
	if end, err := fd.awaitData(); err != nil || end {
		return 0, true, err
	}
	p, err := newSplicePipe()
	if err != nil {
		return 0, false, err
	}
	defer p.close()
	if err := fd.beginRead(); err != nil {
		return 0, true, err
	}
	defer fd.release(dirRead)
	for moved < n {
		if err := fd.expired(dirRead); err != nil {
			return moved, true, err
		}
		var round fileRound
		var fileErr error
		err := runtime.OffloadShielded(func() {
			fileErr = control(func(dst uintptr) { round = fd.toFile(int(dst), p, n-moved) })
		})
		moved += round.moved
		switch {
		case err != nil:
			return moved, true, err
		case fileErr != nil: // a closed file, say: writing to it will tell better
			return moved, moved > 0, fileErr
		case round.unfit:
			return moved, moved > 0, round.err
		case round.end || round.err != nil && round.err != unix.EAGAIN:
			return moved, true, round.err
		case round.err == unix.EAGAIN:
			if err := fd.wait(dirRead, true); err != nil {
				return moved, true, err
			}
		}
	}
	return moved, true, nil
}

// fileRound is what happened in toFile.
type fileRound struct {
	moved int64
	end   bool  // of the socket
	unfit bool  // the file is not one that splice writes to
	err   error // EAGAIN: there is nothing to read now
}

// toFile moves what there is to read, n bytes and a sendfileChunk at most, to the
// file dst. It does not park, but may block.
func (fd *FD) toFile(dst int, p *splicePipe, n int64) (round fileRound) {
	// The kernel looks at the file before it finds the pipe empty. Once data were
	// in the pipe it would be too late.
	if _, errno := splice(dst, p.r, 1); errno != unix.EAGAIN {
		return fileRound{unfit: true, err: errno}
	}
	for n = min(n, sendfileChunk); round.moved < n; {
		in, errno := splice(p.w, fd.reg.Sysfd, n-round.moved)
		switch {
		case errno != 0:
			round.err = errno
			return round
		case in == 0:
			round.end = true
			return round
		}
		for in > 0 {
			out, errno := splice(dst, p.r, int64(in))
			switch {
			case errno != 0:
				round.err = errno
				return round
			case out == 0:
				round.err = io.ErrUnexpectedEOF // no known file does that
				return round
			}
			in -= out
			round.moved += int64(out)
		}
	}
	return round
}

// splicePipe is what data pass through from one descriptor to another. It is empty
// but within a round.
type splicePipe struct{ r, w int }

func newSplicePipe() (*splicePipe, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	// Where the system does not grant it a smaller one will do.
	_, _ = unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, spliceChunk)
	return &splicePipe{p[0], p[1]}, nil
}

func (p *splicePipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// awaitData parks until the socket has something to read, or is at its end.
func (fd *FD) awaitData() (end bool, err error) {
	if err := fd.beginRead(); err != nil {
		return false, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return false, err
	}
	for {
		n, errno := sysPeek(fd.reg.Sysfd)
		if errno == 0 {
			return n == 0, nil
		}
		if err := fd.retry(dirRead, errno); err != nil {
			return false, err
		}
	}
}

// fill moves what there is, n bytes at most, into the pipe, and parks until there
// is something. At the end it returns 0.
func (fd *FD) fill(p *splicePipe, n int64) (int, error) {
	if err := fd.beginRead(); err != nil {
		return 0, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return 0, err
	}
	for {
		in, errno := splice(p.w, fd.reg.Sysfd, n)
		if errno == 0 {
			fd.pace(dirRead)
			return in, nil
		}
		if err := fd.retry(dirRead, errno); err != nil {
			return 0, err
		}
	}
}

// empty moves the n bytes in the pipe out of it, and parks while there is no room.
func (fd *FD) empty(p *splicePipe, n int) (moved int, err error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return 0, err
	}
	for moved < n {
		out, errno := splice(fd.reg.Sysfd, p.r, int64(n-moved))
		if errno == 0 {
			fd.pace(dirWrite)
			moved += out
			continue
		}
		if err := fd.retry(dirWrite, errno); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// splice moves n bytes and a spliceChunk at most, without waiting for the pipe.
func splice(dst, src int, n int64) (int, unix.Errno) {
	for {
		n, err := unix.Splice(src, nil, dst, nil, int(min(n, spliceChunk)), unix.SPLICE_F_NONBLOCK)
		if err == nil {
			return int(n), 0
		}
		if err != unix.EINTR {
			return 0, err.(unix.Errno)
		}
	}
}

// sysPeek looks for a byte to read.
func sysPeek(fd int) (int, unix.Errno) {
	var one [1]byte
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&one)), 1, unix.MSG_PEEK, 0, 0)
	return int(n), errno
}
