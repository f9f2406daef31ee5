package selectors

import (
	"errors"
	"iter"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// A Selector waits for many descriptors at once; each is registered with data of
// type T. Make one with New, and Close it: it has a descriptor of its own. Its
// methods may be called from any task or goroutine, also while a Select waits,
// which then takes the change into account. Only Select and Close park.
type Selector[T any] struct {
	waits atomic.Bool // a Select waits, or is about to

	// fd is the epoll descriptor, nil after Close. It is exchanged with mu held, so
	// that it stays open while mu is held.
	fd atomic.Pointer[poll.FD]

	// mu guards all below, and is held for epoll_ctl and epoll_wait too, which do
	// not block. So an event always finds the registrations as they were when the
	// kernel reported it.
	mu     sync.Mutex
	byFD   map[int]*entry[T] // by number
	byFile map[any]*entry[T] // those that were given as objects
	gen    int32             // of the last entry
	events []unix.EpollEvent // for epoll_wait
}

// entry is one registration.
type entry[T any] struct {
	key *Key[T]
	raw syscall.RawConn // nil for a number
	gen int32           // tells it from others of the same number, past ones too

	// check notes in open whether it was called with the right number: see isOpen.
	check func(number uintptr)
	open  bool
}

// New returns a Selector with nothing registered. It does not park; it fails when
// there are too many open descriptors.
func New[T any]() (*Selector[T], error) {
	fd, err := newEpoll()
	if err != nil {
		return nil, err
	}
	s := &Selector[T]{byFD: make(map[int]*entry[T]), byFile: make(map[any]*entry[T])}
	s.fd.Store(fd)
	return s, nil
}

// Register registers f, an int or a [syscall.Conn] whose type can be compared, for
// events, and returns its key, which carries data. The error is ErrBadEvents,
// ErrBadFile, ErrRegistered, ErrClosed, that of f if it has been closed, or the
// system call's: EPERM for a regular file. Nothing is registered then. Register
// does not park.
func (s *Selector[T]) Register(f any, events Event, data T) (*Key[T], error) {
	if !events.ok() {
		return nil, ErrBadEvents
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd.Load() == nil {
		return nil, ErrClosed
	}
	number, raw, err := resolve(f)
	if err != nil {
		return nil, err
	}
	if raw != nil && s.byFile[f] != nil {
		return nil, ErrRegistered
	}
	s.gen++
	e := &entry[T]{key: &Key[T]{f, number, events, data}, raw: raw, gen: s.gen}
	e.check = func(number uintptr) { e.open = int(number) == e.key.FD }
	old := s.byFD[number]
	err = s.control(unix.EPOLL_CTL_ADD, e)
	if errors.Is(err, unix.EEXIST) {
		if old != nil {
			return nil, ErrRegistered
		}
		// It was unregistered while it was closed, and a duplicate has come back
		// under the same number.
		err = s.control(unix.EPOLL_CTL_MOD, e)
	}
	if err != nil {
		return nil, err
	}
	if old != nil {
		s.forget(old) // closed without Unregister: the number has another file now
	}
	s.byFD[number] = e
	if raw != nil {
		s.byFile[f] = e
	}
	return e.key, nil
}

// Modify changes events and data of a registration, and returns its new key. If
// only data changes it makes no system call. When the system call fails, since f
// has been closed, say, f is not registered any more. Modify does not park.
func (s *Selector[T]) Modify(f any, events Event, data T) (*Key[T], error) {
	if !events.ok() {
		return nil, ErrBadEvents
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(f)
	if err != nil {
		return nil, err
	}
	changed := events != e.key.Events
	e.key = &Key[T]{e.key.File, e.key.FD, events, data}
	if changed {
		if err := s.control(unix.EPOLL_CTL_MOD, e); err != nil {
			s.forget(e)
			return nil, err
		}
	}
	return e.key, nil
}

// Unregister ends a registration and returns its key. f may have been closed
// meanwhile. Unregister does not park.
func (s *Selector[T]) Unregister(f any) (*Key[T], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(f)
	if err != nil {
		return nil, err
	}
	s.forget(e)
	_ = s.control(unix.EPOLL_CTL_DEL, e) // closed: the kernel has forgotten it as well
	return e.key, nil
}

// Key returns the key of f, which is what was given to Register, or the number of
// its descriptor. The error is ErrNotRegistered, or ErrClosed. It does not park.
func (s *Selector[T]) Key(f any) (*Key[T], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(f)
	if err != nil {
		return nil, err
	}
	return e.key, nil
}

// Keys returns a loop over the keys at its beginning, by number. The Selector
// may be changed in it. After Close there are none.
func (s *Selector[T]) Keys() iter.Seq[*Key[T]] {
	return func(yield func(*Key[T]) bool) {
		for _, key := range s.keys() {
			if !yield(key) {
				return
			}
		}
	}
}

func (s *Selector[T]) keys() []*Key[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]*Key[T], 0, len(s.byFD))
	for _, e := range s.byFD {
		keys = append(keys, e.key)
	}
	slices.SortFunc(keys, func(a, b *Key[T]) int { return a.FD - b.FD })
	return keys
}

// Len returns the number of registrations, 0 after Close.
func (s *Selector[T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byFD)
}

// SyscallConn gives access to the Selector's epoll descriptor, which is readable
// when a Select would not wait. So a Selector can be registered with another one.
// The descriptor is another one after the Selector has met a file that was closed
// but for a duplicate: see the package's text on closing.
func (s *Selector[T]) SyscallConn() (syscall.RawConn, error) {
	if s.fd.Load() == nil {
		return nil, ErrClosed
	}
	return epollConn{&s.fd}, nil
}

// Close ends a Select under way, which returns ErrClosed, and forgets all
// registrations; the descriptors stay open. It parks until that Select has ended.
// A second Close does nothing. The error is always nil.
func (s *Selector[T]) Close() error {
	s.mu.Lock()
	fd := s.fd.Swap(nil)
	clear(s.byFD)
	clear(s.byFile)
	s.mu.Unlock()
	if fd != nil {
		_ = fd.Close()
	}
	return nil
}

// lookup finds an entry by object or number. mu is held.
func (s *Selector[T]) lookup(f any) (*entry[T], error) {
	if s.fd.Load() == nil {
		return nil, ErrClosed
	}
	if _, ok := f.(syscall.Conn); ok {
		if e := s.byFile[f]; e != nil {
			return e, nil // it may have been closed, and have no number any more
		}
	}
	number, _, err := resolve(f)
	if err != nil {
		return nil, ErrNotRegistered
	}
	if e := s.byFD[number]; e != nil {
		return e, nil
	}
	return nil, ErrNotRegistered
}

// forget takes e out of the maps. mu is held.
func (s *Selector[T]) forget(e *entry[T]) {
	delete(s.byFD, e.key.FD)
	if e.raw != nil {
		delete(s.byFile, e.key.File)
	}
}

// control makes an epoll_ctl for e. mu is held.
func (s *Selector[T]) control(op int, e *entry[T]) error {
	return e.use(func() error { return control(s.fd.Load(), op, e.event(), e.key.FD) })
}

// event is what the kernel is told of e, and tells us when it is ready.
func (e *entry[T]) event() unix.EpollEvent {
	event := unix.EpollEvent{Fd: int32(e.key.FD), Pad: e.gen}
	if e.key.Events&Read != 0 {
		event.Events |= unix.EPOLLIN
	}
	if e.key.Events&Write != 0 {
		event.Events |= unix.EPOLLOUT
	}
	return event
}

// use calls f while the owner of the descriptor keeps it open, and returns an
// error if it has been closed. Of a number nobody knows.
func (e *entry[T]) use(f func() error) error {
	if e.raw == nil {
		return f()
	}
	err := os.NewSyscallError("epoll_ctl", unix.EBADF)
	if closed := e.raw.Control(func(number uintptr) {
		if int(number) == e.key.FD {
			err = f()
		}
	}); closed != nil {
		return closed
	}
	return err
}

// isOpen reports whether the descriptor has not been closed, as far as that can be
// known. It is called for each event, so it makes no garbage.
func (e *entry[T]) isOpen() bool {
	if e.raw == nil {
		return true
	}
	e.open = false
	return e.raw.Control(e.check) == nil && e.open
}

// resolve returns the number of f's descriptor. raw is nil if f is a number.
func resolve(f any) (number int, raw syscall.RawConn, err error) {
	switch f := f.(type) {
	case int:
		if f < 0 {
			return 0, nil, ErrBadFile
		}
		return f, nil, nil
	case syscall.Conn:
		if raw, err = f.SyscallConn(); err != nil {
			return 0, nil, err
		}
		err = raw.Control(func(n uintptr) { number = int(n) })
		return number, raw, err
	}
	return 0, nil, ErrBadFile
}
