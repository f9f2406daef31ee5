package poll

import (
	"errors"
	"io"
	"sync/atomic"
	"unsafe"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
	"golang.org/x/sys/unix"
)

const (
	dirRead  = reactor.Read
	dirWrite = reactor.Write
)

// FD is an open descriptor in non-blocking mode. Make one with New or Init, and do
// not copy it.
type FD struct {
	reg       reactor.FD
	lock      fdLock
	deadlines [2]atomic.Int64 // runtime.Instant, by direction; 0: none

	kind kind // immutable

	// drained says that the last read found the stream empty, so that the next
	// one need not try before it waits. The holder of the read lock owns it.
	drained bool

	// streak counts operations in a row that did not wait, by direction: see
	// pace. The holder of the lock owns it.
	streak [2]uint8

	lingers atomic.Bool // closing may take long: see SetLingers

	// closer waits for the end of Close. It is set before Close drops its own
	// reference, and read when the last one is dropped.
	closer *runtime.Waiter
}

// New takes over the descriptor sysfd: see Init.
func New(sysfd int, stream bool) *FD {
	fd := new(FD)
	fd.Init(sysfd, stream)
	return fd
}

// Init makes a zero FD take over the descriptor sysfd, which must be in
// non-blocking mode. A stream is one whose read of no bytes is the end of file,
// and whose short read means that it is empty: a stream socket, a pipe. One that
// is no stream and no socket for datagrams has messages and an end as well: a
// socket for packets in sequence; or it is a listener.
func (fd *FD) Init(sysfd int, stream bool) {
	fd.reg.Sysfd = sysfd
	if stream {
		fd.kind = kindStream
	}
}

// InitDatagrams is Init for a datagram or raw socket: an empty message is no end,
// and errors such as a refused datagram come between messages.
func (fd *FD) InitDatagrams(sysfd int) {
	fd.reg.Sysfd, fd.reg.Datagrams, fd.kind = sysfd, true, kindDatagrams
}

// kind is what reads and writes of a descriptor mean.
type kind uint8

const (
	kindPackets kind = iota
	kindStream
	kindDatagrams
)

// Sysfd returns the number of the descriptor. It is valid until Close only;
// RawControl keeps it open while it is used.
func (fd *FD) Sysfd() int { return fd.reg.Sysfd }

// SetLingers says whether close(2) of the descriptor may take long, as with
// SO_LINGER: then Close has it done off the worker.
func (fd *FD) SetLingers(lingers bool) { fd.lingers.Store(lingers) }

// Close ends the operations under way, which return ErrClosed, and closes the
// descriptor when they have returned. It parks until then; on the hub, where
// that is not possible, it returns at once. A second Close returns ErrClosed.
func (fd *FD) Close() error {
	if !fd.lock.close() {
		return ErrClosed
	}
	w := runtime.NewWaiter().Shielded().External()
	fd.closer = &w
	var here *reactor.Reactor
	if worker := runtime.CurrentWorker(); worker != nil {
		here = worker.Reactor()
	}
	fd.deregister(here)
	_ = w.Park("close of a descriptor")
	return nil
}

// deregister takes the descriptor out of its reactors, on the goroutine of each,
// and drops Close's reference. on is the one of the calling goroutine, nil for
// none.
func (fd *FD) deregister(on *reactor.Reactor) {
	for {
		next := fd.reg.Close(on)
		if next == nil {
			fd.unuse()
			return
		}
		if next.Post(func() { fd.deregister(next) }) {
			return
		}
		on = next // it has ended: anywhere is as good
	}
}

// destroy closes the descriptor; the last reference is gone.
func (fd *FD) destroy() {
	if fd.lingers.Load() {
		go fd.destroyNow()
		return
	}
	fd.destroyNow()
}

func (fd *FD) destroyNow() {
	// An error here, EIO or EINTR, leaves the descriptor closed on Linux.
	_ = unix.Close(fd.reg.Sysfd)
	fd.closer.Ready()
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
	w, deadline, err := fd.begin(dir, tried)
	if err == nil {
		err = fd.ended(dir, w, w.ParkUntil(waitReasons[dir], deadline))
	}
	if err == errReady {
		return nil
	}
	return err
}

// errReady says that there is no need to wait.
var errReady = errors.New("poll: ready")

// begin is the first half of wait: it tells the reactor, and returns the wait to
// park until the deadline. Read makes the two halves itself: the less it nests,
// the smaller the stacks of tasks that wait in it.
func (fd *FD) begin(dir reactor.Direction, tried bool) (runtime.Waiter, runtime.Instant, error) {
	fd.streak[dir] = 0
	w := runtime.NewWaiter().External()
	waker, gen := w.Waker()
	if waker == nil {
		return w, 0, runtime.ErrNotInTask
	}
	r, local := fd.reactor(w)
	ready, err := fd.reg.Wait(r, local, dir, tried, waker, gen)
	if ready || err != nil {
		if !w.Cancel() {
			_ = w.Park("") // woken by a close at the same instant
		}
		if ready {
			return w, 0, errReady
		}
		return w, 0, waitError(err)
	}
	// The deadline is read after the wait is known to the reactor: whoever
	// changes it later kicks us.
	return w, runtime.Instant(fd.deadlines[dir].Load()), nil
}

// ended is the second half of wait, after the wait w has ended with err.
func (fd *FD) ended(dir reactor.Direction, w runtime.Waiter, err error) error {
	if err != nil {
		_, gen := w.Waker()
		fd.reg.Cancel(dir, gen)
		return waitError(err)
	}
	if fd.lock.closed() {
		return ErrClosed
	}
	return nil
}

// pace is called after each system call that did not have to wait. Now and then it
// lets the worker's other tasks run: one that always finds data, or room, would
// keep the worker to itself. That is no wait that a kill or timeout could end, as
// the caller has data to return.
func (fd *FD) pace(dir reactor.Direction) {
	if fd.streak[dir]++; fd.streak[dir] < longStreak {
		return
	}
	fd.streak[dir] = 0
	if runtime.Current() != nil {
		w := runtime.NewWaiter()
		w.Ready()
		_ = w.Park("its turn")
	}
}

// longStreak is how many operations without a wait a task may make in a row: a
// turn costs about a twentieth of one.
const longStreak = 16

var waitReasons = [2]string{"descriptor readable", "descriptor writable"}

// reactor returns where the wait w is registered: with the task's worker, then
// it is local; for a goroutine where the descriptor is already, else on some
// worker.
func (fd *FD) reactor(w runtime.Waiter) (r *reactor.Reactor, local bool) {
	if worker := w.Worker(); worker != nil {
		return worker.Reactor(), true
	}
	if home := fd.reg.Home(); home != nil && !home.Ending() {
		return home, false
	}
	return runtime.Default().LeastLoaded().Reactor(), false
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
func (fd *FD) Read(p []byte) (n int, err error) {
	if err = fd.lock.acquire(dirRead); err != nil {
		return 0, err
	}
	// Deferred: a wait may unwind a killed task.
	defer fd.release(dirRead)
	if len(p) > 0 { // a read of nothing is no end of file
		err = fd.expired(dirRead)
		for err == nil {
			if tried := !fd.drained; tried {
				var errno unix.Errno
				n, errno = sysRead(fd.reg.Sysfd, p)
				if errno == 0 {
					fd.drained = fd.kind == kindStream && n > 0 && n < len(p)
					fd.pace(dirRead)
					err = fd.eofError(n)
					break
				}
				n = 0
				if errno == unix.EINTR {
					continue
				}
				if errno != unix.EAGAIN {
					err = errno
					break
				}
			}
			// wait, in its two halves
			var w runtime.Waiter
			var deadline runtime.Instant
			if w, deadline, err = fd.begin(dirRead, !fd.drained); err == nil {
				err = fd.ended(dirRead, w, w.ParkUntil(waitReasons[dirRead], deadline))
			}
			if err == errReady {
				err = nil
			}
			fd.drained = false
		}
	}
	return n, err
}

// Write writes all of p, and parks while there is no room. It returns how much
// was written before an error.
func (fd *FD) Write(p []byte) (int, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	defer fd.release(dirWrite) // as in Read
	return fd.write(p)
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
		if fd.kind == kindStream && len(rest) > writeChunk {
			rest = rest[:writeChunk]
		}
		n, errno := sysWrite(fd.reg.Sysfd, rest)
		switch errno {
		case 0:
			fd.pace(dirWrite)
			switch written += n; {
			case written == len(p):
				return written, nil
			case n == 0:
				return written, io.ErrUnexpectedEOF // no known descriptor does that
			}
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
// one. It returns the new descriptor, in non-blocking mode and closed on exec,
// and the peer's address in sa.
func (fd *FD) Accept(sa *unix.RawSockaddrAny) (int, error) {
	if err := fd.lock.acquire(dirRead); err != nil {
		return -1, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return -1, err
	}
	for {
		conn, errno := sysAccept(fd.reg.Sysfd, sa)
		switch errno {
		case 0:
			fd.pace(dirRead)
			return conn, nil
		case unix.EAGAIN:
			if err := fd.wait(dirRead, true); err != nil {
				return -1, err
			}
		case unix.EINTR, unix.ECONNABORTED: // it was closed before we took it
		default:
			return -1, errno
		}
	}
}

// sysAccept is accept4 without the address in another form, which would be an
// allocation.
func sysAccept(fd int, sa *unix.RawSockaddrAny) (int, unix.Errno) {
	size := uint32(unix.SizeofSockaddrAny)
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(sa)),
		uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(n), errno
}

// WaitWrite parks until the descriptor is writable: until a connect that is
// under way has ended, well or not. It may return for nothing, when the deadline
// changes: look, and wait again.
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
	f(uintptr(fd.reg.Sysfd))
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
	for !f(uintptr(fd.reg.Sysfd)) {
		if err := fd.wait(dir, true); err != nil {
			return err
		}
	}
	fd.pace(dir)
	return nil
}

// Dup returns a duplicate of the descriptor, closed on exec. The two share
// the non-blocking mode.
func (fd *FD) Dup() (int, error) {
	if err := fd.lock.use(); err != nil {
		return -1, err
	}
	defer fd.unuse()
	return unix.FcntlInt(uintptr(fd.reg.Sysfd), unix.F_DUPFD_CLOEXEC, 0)
}
