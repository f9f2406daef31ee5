package selectors

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

func newEpoll() (*poll.FD, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return poll.New(fd, false), nil
}

// control makes an epoll_ctl.
func control(epoll *poll.FD, op int, event unix.EpollEvent, number int) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(epoll.Sysfd(), op, number, &event))
}

// probe returns what is ready now. An error beside it says that a file which was
// closed could not be got rid of.
func (s *Selector[T]) probe() ([]Ready[T], error) {
	s.mu.Lock()
	fd := s.fd.Load()
	if fd == nil {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	// Room for all, so that one that is always ready can't crowd out others.
	if room := max(len(s.byFD), 16); len(s.events) < room {
		s.events = make([]unix.EpollEvent, 2*room)
	}
	n, err := unix.EpollWait(fd.Sysfd(), s.events, 0)
	if err != nil {
		n = 0
		if err == unix.EINTR {
			err = nil
		}
		err = os.NewSyscallError("epoll_wait", err)
	}
	var ready []Ready[T]
	stale := false
	for _, event := range s.events[:n] {
		e := s.byFD[int(event.Fd)]
		if e == nil || e.gen != event.Pad || !e.isOpen() {
			stale = true
			continue
		}
		if ready == nil {
			ready = make([]Ready[T], 0, n)
		}
		ready = append(ready, Ready[T]{e.key, readiness(event.Events) & e.key.Events})
	}
	var old *poll.FD
	if stale {
		old, err = s.renew()
	}
	s.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	return ready, err
}

// readiness is what the kernel's events mean. A hang-up or an error concerns both
// directions.
func readiness(events uint32) (r Event) {
	if events&^unix.EPOLLOUT != 0 {
		r |= Read
	}
	if events&^unix.EPOLLIN != 0 {
		r |= Write
	}
	return r
}

// renew replaces the epoll descriptor by one that knows the open descriptors
// alone. The kernel keeps a registration as long as the file is open anywhere, but
// takes it back only by the number under which it was made. mu is held; the caller
// closes the old descriptor, after unlocking it, since that parks.
func (s *Selector[T]) renew() (old *poll.FD, err error) {
	fd, err := newEpoll()
	if err != nil {
		return nil, err
	}
	for _, e := range s.byFD {
		_ = e.use(func() error {
			// Whether the number still stands for the file that was registered, the old
			// one tells.
			if control(s.fd.Load(), unix.EPOLL_CTL_MOD, e.event(), e.key.FD) != nil {
				return nil
			}
			// An error now would be one of memory, or of the user's limit of watches.
			addErr := control(fd, unix.EPOLL_CTL_ADD, e.event(), e.key.FD)
			err = errors.Join(err, addErr)
			return addErr
		})
	}
	if err != nil {
		_ = fd.Close() // nobody waits in it yet
		return nil, err
	}
	return s.fd.Swap(fd), nil
}

// epollConn is a Selector's syscall.RawConn, on its epoll descriptor of the moment.
type epollConn struct{ fd *atomic.Pointer[poll.FD] }

func (c epollConn) Control(f func(uintptr)) error {
	return c.use(func(fd *poll.FD) error { return fd.RawControl(f) })
}

func (c epollConn) Read(f func(uintptr) bool) error {
	return c.use(func(fd *poll.FD) error { return fd.RawRead(f) })
}

// Write fails: there is nothing to write to.
func (c epollConn) Write(func(uintptr) bool) error { return syscall.EINVAL }

// use calls f with the descriptor, anew if that was replaced meanwhile.
func (c epollConn) use(f func(*poll.FD) error) error {
	for {
		fd := c.fd.Load()
		if fd == nil {
			return ErrClosed
		}
		if err := f(fd); err != poll.ErrClosed {
			return err
		}
	}
}
