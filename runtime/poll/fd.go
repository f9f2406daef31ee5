package poll

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
	"golang.org/x/sys/unix"
)

const (
	dirRead  = reactor.Read
	dirWrite = reactor.Write
)

// FD is an open descriptor in non-blocking mode. Make one with New.
type FD struct {
	sysfd  int  // immutable
	stream bool // immutable

	reg       reactor.FD
	lock      fdLock
	deadlines [2]atomic.Int64 // runtime.Instant, by direction; 0: none

	// drained says that the last read found the stream empty, so that the next
	// one need not try before it waits. The holder of the read lock owns it.
	drained bool

	mu     sync.Mutex
	closer runtime.Waiter // mu guards: who waits for the end of Close
	gone   bool           // mu guards: the descriptor is closed
}

// New takes over the descriptor sysfd, which must be in non-blocking mode. A
// stream is one whose read of no bytes is the end of file, and whose short read
// means that it is empty: a stream socket, a pipe.
func New(sysfd int, stream bool) *FD {
	fd := &FD{sysfd: sysfd, stream: stream}
	fd.reg.Init(sysfd)
	return fd
}

// Sysfd returns the number of the descriptor. It is valid until Close only;
// RawControl keeps it open while it is used.
func (fd *FD) Sysfd() int { return fd.sysfd }

// Close ends the operations under way, which return ErrClosed, and closes the
// descriptor when they have returned. It parks until then. A second Close
// returns ErrClosed.
func (fd *FD) Close() error {
	if !fd.lock.close() {
		return ErrClosed
	}
	fd.deregister()
	w := runtime.NewWaiter().Shielded()
	fd.mu.Lock()
	fd.closer = w
	fd.mu.Unlock()
	if fd.lock.unuse() {
		fd.destroy()
	}
	_ = w.Park("close of a descriptor")
	return nil
}

// deregister takes the descriptor out of the reactor and wakes who waits
// there, on the home's own goroutine: see reactor.FD.
func (fd *FD) deregister() {
	home := fd.reg.Home()
	if home == nil || home.Closed() || onReactor(home) {
		_ = fd.reg.Close()
		return
	}
	w := runtime.NewWaiter().Shielded().External()
	if !home.Post(func() {
		_ = fd.reg.Close()
		w.Ready()
	}) {
		_ = fd.reg.Close()
		w.Ready()
	}
	_ = w.Park("close of a descriptor")
}

func onReactor(r *reactor.Reactor) bool {
	w := runtime.CurrentWorker()
	return w != nil && w.Reactor() == r
}

// destroy closes the descriptor; the last reference is gone.
func (fd *FD) destroy() {
	// An error here, EIO or EINTR, leaves the descriptor closed on Linux.
	_ = unix.Close(fd.sysfd)
	fd.mu.Lock()
	fd.gone = true
	closer := fd.closer
	fd.mu.Unlock()
	closer.Ready()
}

// release gives back the lock for dir.
func (fd *FD) release(dir reactor.Direction) {
	if fd.lock.release(dir) {
		fd.destroy()
	}
}

func (fd *FD) unuse() {
	if fd.lock.unuse() {
		fd.destroy()
	}
}

// wait parks until dir is possible, or may be: the caller tries again. tried
// says that it has just found that it would block. The caller holds the lock
// of dir.
func (fd *FD) wait(dir reactor.Direction, tried bool) error {
	w := runtime.NewWaiter().External()
	waker, gen := w.Waker()
	if waker == nil {
		return runtime.ErrNotInTask
	}
	ready, err := fd.reg.Wait(fd.reactor(w), dir, tried, waker, gen)
	if ready || err != nil {
		if !w.Cancel() {
			_ = w.Park("") // woken by a close at the same instant
		}
		return waitError(err)
	}
	// The deadline is read after the wait is known to the reactor: whoever
	// changes it later kicks us.
	deadline := runtime.Instant(fd.deadlines[dir].Load())
	if err := w.ParkUntil(waitReasons[dir], deadline); err != nil {
		fd.reg.Cancel(dir, gen)
		return waitError(err)
	}
	if fd.lock.closed() {
		return ErrClosed
	}
	return nil
}

var waitReasons = [2]string{"descriptor readable", "descriptor writable"}

// reactor returns where the wait w is registered: with the task's worker; for
// a goroutine where the descriptor is already, else on some worker.
func (fd *FD) reactor(w runtime.Waiter) *reactor.Reactor {
	if worker := w.Worker(); worker != nil {
		return worker.Reactor()
	}
	if home := fd.reg.Home(); home != nil && !home.Closed() {
		return home
	}
	return runtime.Default().LeastLoaded().Reactor()
}

// expired returns os.ErrDeadlineExceeded if the deadline of dir has passed.
func (fd *FD) expired(dir reactor.Direction) error {
	deadline := runtime.Instant(fd.deadlines[dir].Load())
	if deadline != 0 && deadline <= runtime.Now() {
		return waitError(runtime.ErrTimeout)
	}
	return nil
}

// Read reads into p. It parks until there is something, and returns io.EOF at
// the end of a stream.
func (fd *FD) Read(p []byte) (int, error) {
	if err := fd.lock.acquire(dirRead); err != nil {
		return 0, err
	}
	n, err := fd.read(p)
	fd.release(dirRead)
	return n, err
}

func (fd *FD) read(p []byte) (int, error) {
	if len(p) == 0 && fd.stream {
		return 0, nil // a stream read of nothing is no end of file
	}
	if err := fd.expired(dirRead); err != nil {
		return 0, err
	}
	for {
		if fd.drained {
			// No need to try: see drained.
			fd.drained = false
			if err := fd.wait(dirRead, false); err != nil {
				return 0, err
			}
			continue
		}
		n, errno := sysRead(fd.sysfd, p)
		switch errno {
		case 0:
			fd.drained = fd.stream && n > 0 && n < len(p)
			return n, fd.eofError(n)
		case unix.EAGAIN:
			if err := fd.wait(dirRead, true); err != nil {
				return 0, err
			}
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// Write writes all of p, and parks while there is no room. It returns how much
// was written before an error.
func (fd *FD) Write(p []byte) (int, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	n, err := fd.write(p)
	fd.release(dirWrite)
	return n, err
}

// writeChunk bounds one write(2), as the standard library does: some kernels
// fail beyond 2 GiB.
const writeChunk = 1 << 30

func (fd *FD) write(p []byte) (int, error) {
	if err := fd.expired(dirWrite); err != nil {
		return 0, err
	}
	written := 0
	for {
		rest := p[written:]
		if fd.stream && len(rest) > writeChunk {
			rest = rest[:writeChunk]
		}
		n, errno := sysWrite(fd.sysfd, rest)
		if errno == 0 {
			if written += n; written == len(p) {
				return written, nil
			}
			continue
		}
		switch errno {
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

// Accept accepts a connection on a listening socket, and parks until there is
// one. The new descriptor is in non-blocking mode and closed on exec.
func (fd *FD) Accept() (int, unix.Sockaddr, error) {
	if err := fd.lock.acquire(dirRead); err != nil {
		return -1, nil, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return -1, nil, err
	}
	for {
		conn, sa, err := unix.Accept4(fd.sysfd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			return conn, sa, nil
		case unix.EAGAIN:
			if err := fd.wait(dirRead, true); err != nil {
				return -1, nil, err
			}
		case unix.EINTR, unix.ECONNABORTED: // it was closed before we took it
		default:
			return -1, nil, err
		}
	}
}

// WaitWrite parks until the descriptor is writable: until a connect that is
// under way has ended, well or not.
func (fd *FD) WaitWrite() error {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return err
	}
	return fd.wait(dirWrite, true)
}

// RawControl calls f with the descriptor, which stays open meanwhile.
func (fd *FD) RawControl(f func(uintptr)) error {
	if err := fd.lock.use(); err != nil {
		return err
	}
	defer fd.unuse()
	f(uintptr(fd.sysfd))
	return nil
}

// RawRead calls f until it reports true, and parks before each further call
// until the descriptor is readable.
func (fd *FD) RawRead(f func(uintptr) bool) error { return fd.raw(dirRead, f) }

// RawWrite is RawRead for writing.
func (fd *FD) RawWrite(f func(uintptr) bool) error { return fd.raw(dirWrite, f) }

func (fd *FD) raw(dir reactor.Direction, f func(uintptr) bool) error {
	if err := fd.lock.acquire(dir); err != nil {
		return err
	}
	defer fd.release(dir)
	if err := fd.expired(dir); err != nil {
		return err
	}
	if dir == dirRead {
		fd.drained = false
	}
	for !f(uintptr(fd.sysfd)) {
		if err := fd.wait(dir, true); err != nil {
			return err
		}
	}
	return nil
}

// Dup returns a duplicate of the descriptor, closed on exec. The two share
// the non-blocking mode.
func (fd *FD) Dup() (int, error) {
	if err := fd.lock.use(); err != nil {
		return -1, err
	}
	defer fd.unuse()
	return unix.FcntlInt(uintptr(fd.sysfd), unix.F_DUPFD_CLOEXEC, 0)
}
