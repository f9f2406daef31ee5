package selectors

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// Event is what a descriptor can be ready for.
type Event uint8

// The events; a registration has one or both.
const (
	Read Event = 1 << iota
	Write
)

// String returns "read", "write", "read|write" or "none".
func (e Event) String() string {
	switch e {
	case 0:
		return "none"
	case Read:
		return "read"
	case Write:
		return "write"
	case Read | Write:
		return "read|write"
	}
	return fmt.Sprintf("Event(%d)", uint8(e))
}

// What can be wrong, for errors.Is.
var (
	ErrNotRegistered = errors.New("selectors: not registered")
	ErrRegistered    = errors.New("selectors: already registered")
	ErrBadEvents     = errors.New("selectors: events must be Read, Write or both")
	ErrClosed        = fmt.Errorf("selectors: %w", stdnet.ErrClosed)
)

// A Key is a registration. It does not change: Modify makes another one.
type Key[T any] struct {
	File   any // what was registered
	FD     int
	Events Event
	Data   T
}

// Ready is a registration that is ready, and for what of its Events. A descriptor that
// has hung up, or has an error, is ready for all of them.
type Ready[T any] struct {
	Key    *Key[T]
	Events Event
}

// A Selector is a set of registrations. New makes one; the zero value is of no use. Its
// methods may be called from any task and goroutine, at once too. Only Select and its
// like park.
type Selector[T any] struct {
	fd        *poll.FD
	selecting lock.Mutex // one waits at a time
	events    [64]unix.EpollEvent

	mu     sync.Mutex // held for a system call at most, which does not block
	byFile map[any]*Key[T]
	byFD   map[int]*Key[T] // nil: closed
}

// New returns a Selector whose registrations have Data of type T.
func New[T any]() (*Selector[T], error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &Selector[T]{fd: poll.New(fd, false), byFile: make(map[any]*Key[T]), byFD: make(map[int]*Key[T])}, nil
}

// Register adds file: an int, an *os.File, a connection or listener, or anything else
// that is a syscall.Conn. One descriptor has one registration (ErrRegistered). A regular
// file gets fs.ErrPermission, and nothing is changed.
//
// Unregister before closing the descriptor: one that has a duplicate elsewhere could be
// ready for ever. A registration whose descriptor was closed makes room for one
// of the same number.
func (s *Selector[T]) Register(file any, events Event, data T) (*Key[T], error) {
	if err := check(events); err != nil {
		return nil, err
	}
	fd, err := descriptor(file)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byFD == nil {
		return nil, ErrClosed
	}
	if s.byFile[file] != nil {
		return nil, ErrRegistered
	}
	if old := s.byFD[fd]; old != nil {
		if s.control(unix.EPOLL_CTL_MOD, fd, old.Events) == nil {
			return nil, ErrRegistered
		}
		s.forget(old) // its descriptor was closed, and the number is another's
	}
	if err := s.control(unix.EPOLL_CTL_ADD, fd, events); err != nil {
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return s.keep(&Key[T]{file, fd, events, data}), nil
}

// Modify changes the events and the data of a registration. Where only the data change
// that takes no system call. If the system refuses, the registration is gone.
func (s *Selector[T]) Modify(file any, events Event, data T) (*Key[T], error) {
	if err := check(events); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.find(file)
	if err != nil {
		return nil, err
	}
	if key.Events != events {
		if err := s.control(unix.EPOLL_CTL_MOD, key.FD, events); err != nil {
			s.forget(key)
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	return s.keep(&Key[T]{key.File, key.FD, events, data}), nil
}

// Unregister removes a registration and returns it. What was closed since is found by
// its identity.
func (s *Selector[T]) Unregister(file any) (*Key[T], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.find(file)
	if err != nil {
		return nil, err
	}
	_ = s.control(unix.EPOLL_CTL_DEL, key.FD, 0) // it may be closed, and so removed
	s.forget(key)
	return key, nil
}

// Key returns the registration of file.
func (s *Selector[T]) Key(file any) (*Key[T], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(file)
}

// Keys yields the registrations of this moment, in no order: none after Close.
func (s *Selector[T]) Keys() iter.Seq[*Key[T]] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Values(slices.Collect(maps.Values(s.byFD)))
}

// Len returns how many registrations there are.
func (s *Selector[T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byFD)
}

// Select waits until something is ready, and returns that, at least one. A kill or
// timeout of the task ends it with that error, a Close with ErrClosed.
func (s *Selector[T]) Select() ([]Ready[T], error) { return s.SelectContext(context.Background()) }

// SelectFor is Select for d at most, after which it returns none. With a d <= 0 it does
// not wait, but lets other tasks have their turn. Without registrations it sleeps.
func (s *Selector[T]) SelectFor(d time.Duration) ([]Ready[T], error) {
	if d <= 0 {
		runtime.Yield()
		return s.ask()
	}
	return s.wait(context.Background(), time.Now().Add(d))
}

// SelectContext is Select until ctx is done, whose error it returns then.
func (s *Selector[T]) SelectContext(ctx context.Context) ([]Ready[T], error) {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = s.fd.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
	}
	return s.wait(ctx, time.Time{})
}

// wait is Select until deadline, or until ctx is done, which wakes it by the deadline of
// the descriptor. That of an earlier caller may come late: it means nothing then.
func (s *Selector[T]) wait(ctx context.Context, deadline time.Time) ([]Ready[T], error) {
	if err := s.selecting.LockUntil(0); err != nil {
		return nil, err
	}
	defer s.selecting.Unlock()
	for {
		_ = s.fd.SetReadDeadline(deadline) // RawRead tells if it is closed
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var ready []Ready[T]
		var err error
		rawErr := s.fd.RawRead(func(uintptr) bool {
			ready, err = s.collect()
			return err != nil || len(ready) > 0
		})
		switch {
		case errors.Is(rawErr, poll.ErrClosed):
			return nil, ErrClosed
		case !errors.Is(rawErr, os.ErrDeadlineExceeded):
			if rawErr != nil {
				err = rawErr
			}
			return ready, err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return s.collect()
		}
	}
}

// ask is Select that does not wait.
func (s *Selector[T]) ask() ([]Ready[T], error) {
	if err := s.selecting.LockUntil(0); err != nil {
		return nil, err
	}
	defer s.selecting.Unlock()
	return s.collect()
}

// collect returns what is ready now. The caller holds selecting.
func (s *Selector[T]) collect() ([]Ready[T], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byFD == nil {
		return nil, ErrClosed
	}
	n, err := unix.EpollWait(s.fd.Sysfd(), s.events[:], 0)
	if err != nil && err != unix.EINTR {
		return nil, os.NewSyscallError("epoll_wait", err)
	}
	var ready []Ready[T]
	for _, e := range s.events[:max(n, 0)] {
		key := s.byFD[int(e.Fd)]
		if key == nil {
			continue
		}
		var events Event
		if e.Events&^unix.EPOLLIN != 0 {
			events |= Write
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			events |= Read
		}
		if events &= key.Events; events != 0 {
			ready = append(ready, Ready[T]{key, events})
		}
	}
	return ready, nil
}

// Close ends the Selector: those who wait get ErrClosed, and so does who calls another
// method later, but for Keys and Len, which find nothing. The registered files stay
// open. A second Close does nothing.
func (s *Selector[T]) Close() error {
	s.mu.Lock()
	closed := s.byFD == nil
	s.byFD, s.byFile = nil, nil
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.fd.Close()
}

// find returns the registration of file. The caller holds mu.
func (s *Selector[T]) find(file any) (*Key[T], error) {
	if s.byFD == nil {
		return nil, ErrClosed
	}
	if key := s.byFile[file]; key != nil {
		return key, nil
	}
	if fd, err := descriptor(file); err == nil && s.byFD[fd] != nil {
		return s.byFD[fd], nil
	}
	return nil, ErrNotRegistered
}

func (s *Selector[T]) keep(key *Key[T]) *Key[T] {
	s.byFile[key.File], s.byFD[key.FD] = key, key
	return key
}

func (s *Selector[T]) forget(key *Key[T]) {
	delete(s.byFile, key.File)
	delete(s.byFD, key.FD)
}

// control tells the system of a registration. The caller holds mu, and has looked whether
// s is closed.
func (s *Selector[T]) control(op, fd int, events Event) error {
	e := unix.EpollEvent{Fd: int32(fd)}
	if events&Read != 0 {
		e.Events |= unix.EPOLLIN
	}
	if events&Write != 0 {
		e.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(s.fd.Sysfd(), op, fd, &e)
}

func check(events Event) error {
	if events == 0 || events&^(Read|Write) != 0 {
		return ErrBadEvents
	}
	return nil
}

// descriptor returns the number of file's descriptor.
func descriptor(file any) (int, error) {
	switch f := file.(type) {
	case int:
		if f < 0 {
			return 0, fmt.Errorf("selectors: descriptor %d: %w", f, syscall.EBADF)
		}
		return f, nil
	case syscall.Conn:
		raw, err := f.SyscallConn()
		if err != nil {
			return 0, err
		}
		fd := -1
		if err := raw.Control(func(n uintptr) { fd = int(n) }); err != nil {
			return 0, err
		}
		return fd, nil
	}
	return 0, fmt.Errorf("selectors: a %T has no descriptor", file)
}
