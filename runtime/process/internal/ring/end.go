package ring

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// Files are the descriptors of one end: its memory and its socket. That is all
// there is to an end that nobody uses yet, and what is passed to another process.
type Files struct{ Memory, Socket int }

// Close closes the descriptors.
func (f Files) Close() {
	_ = unix.Close(f.Memory)
	_ = unix.Close(f.Socket)
}

// New returns the two ends of a new ring.
func New() (reader, writer Files, err error) {
	memory, err := newMemory()
	if err != nil {
		return Files{}, Files{}, err
	}
	again, err := unix.FcntlInt(uintptr(memory), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(memory)
		return Files{}, Files{}, os.NewSyscallError("fcntl", err)
	}
	sv, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(memory)
		_ = unix.Close(again)
		return Files{}, Files{}, os.NewSyscallError("socketpair", err)
	}
	return Files{memory, sv[0]}, Files{again, sv[1]}, nil
}

// end is what a reader and a writer have in common.
type end struct {
	*memory
	file int // of the memory
	sock *poll.FD
	spin Spinner

	mu     sync.Mutex // held for a system call that does not wait
	passed []int      // mu guards: descriptors that came, and belong to messages not yet read
}

func (e *end) open(f Files) (err error) {
	if e.memory, err = mapMemory(f.Memory); err != nil {
		return err
	}
	e.file, e.sock = f.Memory, poll.New(f.Socket, true)
	return nil
}

// Cut makes it look, to both sides, as if the other one had gone. It does not park, and any
// party may call it.
func (e *end) Cut() {
	_ = e.sock.RawControl(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
}

// Hangup ends the waits under way, and those to come, with poll.ErrClosed. Any
// party may call it, and Close after it when no other uses the end any more. It parks
// while the descriptor is in use: no Go lock may be held.
func (e *end) Hangup() { _ = e.sock.Close() }

// Leave closes this side's copy of an end that lives on elsewhere, after Hangup: the
// other side does not notice.
func (e *end) Leave() {
	e.unmap()
	_ = unix.Close(e.file)
	for _, fd := range e.passed {
		_ = unix.Close(fd)
	}
	e.passed = nil
}

// Detach returns duplicates of the end's descriptors, for another process.
func (e *end) Detach() (Files, error) {
	memory, err := unix.FcntlInt(uintptr(e.file), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return Files{}, os.NewSyscallError("fcntl", err)
	}
	socket, err := e.sock.Dup()
	if err != nil {
		_ = unix.Close(memory)
		return Files{}, os.NewSyscallError("fcntl", err)
	}
	return Files{memory, socket}, nil
}

// Page returns the words for the users' own purposes.
func (e *end) Page() *Page { return e.page }

// ring wakes the other side, which sleeps or is about to. fds go along.
func (e *end) ring(fds []int) error {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	var err error
	send := func(fd uintptr) bool {
		for {
			_, err = unix.SendmsgN(int(fd), []byte{1}, oob, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			switch err {
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				// Bells that were not heard yet fill the socket: the other side is
				// about to wake. Descriptors wait for room.
				if len(fds) > 0 {
					return false
				}
				err = nil
			}
			return true
		}
	}
	var closed error
	if len(fds) > 0 {
		closed = e.sock.RawWrite(send)
	} else {
		closed = e.sock.RawControl(func(fd uintptr) { send(fd) })
	}
	if closed != nil {
		return closed
	}
	return err
}

// sleep waits until the other side rings, and reports true, or has gone.
func (e *end) sleep(deadline runtime.Instant) (bool, error) {
	if deadline != 0 {
		_ = e.sock.SetReadDeadline(time.Now().Add(deadline.Sub(runtime.Now())))
		defer func() { _ = e.sock.SetReadDeadline(time.Time{}) }()
	}
	var n int
	var err error
	waitErr := e.sock.RawRead(func(fd uintptr) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		n, err = e.receiveLocked(int(fd))
		return err != unix.EAGAIN
	})
	switch {
	case waitErr != nil:
		if deadline != 0 && waitErr == os.ErrDeadlineExceeded {
			waitErr = runtime.ErrTimeout
		}
		return false, waitErr
	case err == unix.ECONNRESET, err == nil && n == 0:
		// Reset: it has gone and had not heard our bells.
		return false, nil
	case err != nil:
		return false, os.NewSyscallError("recvmsg", err)
	}
	return true, nil
}

// receiveLocked takes bells, and the descriptors that came with them. mu is held: what has
// left the socket must not be looked for there.
func (e *end) receiveLocked(fd int) (int, error) {
	var bells [64]byte
	var oob [512]byte // the kernel passes at most 253 descriptors; we never pass that many
	for {
		n, oobn, flags, _, err := unix.Recvmsg(fd, bells[:], oob[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if oobn > 0 {
			if flags&unix.MSG_CTRUNC != 0 {
				return 0, unix.EMSGSIZE
			}
			messages, err := unix.ParseSocketControlMessage(oob[:oobn])
			if err != nil {
				return 0, err
			}
			for i := range messages {
				fds, err := unix.ParseUnixRights(&messages[i])
				if err != nil {
					return 0, err
				}
				e.passed = append(e.passed, fds...)
			}
		}
		return n, nil
	}
}

// take returns n descriptors that were passed with the message just read, which
// have arrived: they were sent before it.
func (e *end) take(n int) ([]int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.passed) < n {
		var got int
		var err error
		closed := e.sock.RawControl(func(fd uintptr) { got, err = e.receiveLocked(int(fd)) })
		switch {
		case closed != nil:
			return nil, closed
		case err == nil && got == 0, err == unix.EAGAIN:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, os.NewSyscallError("recvmsg", err)
		}
	}
	fds := append([]int(nil), e.passed[:n]...)
	e.passed = append(e.passed[:0], e.passed[n:]...)
	return fds, nil
}
