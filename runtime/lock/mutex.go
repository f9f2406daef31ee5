package lock

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// A Mutex is a mutual exclusion lock, handed on in the order of Lock calls.
// The zero Mutex is unlocked. It is not bound to its holder: another task or
// goroutine may unlock it. It must not be copied after first use.
type Mutex struct {
	// state is free, held, or contended: held, and others wait or are about to.
	// Contended begins and ends with mu held.
	state   atomic.Uint32
	mu      waitlist.Mutex
	waiting waitlist.List[struct{}] // mu guards
}

const (
	free = iota
	held
	contended
)

var _ sync.Locker = (*Mutex)(nil)

// Lock locks m, and waits while it is locked. If the calling task is killed, or
// an enclosing WithTimeout expires, while it waits, Lock does not return: it
// unwinds the task, and the lock passes to the next. LockUntil returns an error
// instead.
func (m *Mutex) Lock() {
	if !m.state.CompareAndSwap(free, held) {
		m.lock(unwinding, 0)
	}
}

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout, and
// returns the error of a kill or timeout. The zero deadline means none.
func (m *Mutex) LockUntil(deadline runtime.Instant) error {
	if m.state.CompareAndSwap(free, held) {
		return nil
	}
	return m.lock(usual, deadline)
}

// lock waits for the lock.
func (m *Mutex) lock(kind waitKind, deadline runtime.Instant) error {
	c := m.mu.Lock()
	if m.state.Swap(contended) == free { // then nobody is listed
		m.state.Store(held)
		m.mu.Unlock()
		return nil
	}
	n := m.waiting.Push(kind.begin(c), struct{}{})
	m.mu.Unlock()
	if err := n.Park("lock", deadline); err != nil {
		return kind.end(m.waiting.GiveUp(&m.mu, n, err))
	}
	n.Take()
	return nil
}

// TryLock locks m if that needs no wait, and reports whether it did. It never
// parks, and may be called from anywhere, the hub included.
func (m *Mutex) TryLock() bool { return m.state.CompareAndSwap(free, held) }

// Unlock unlocks m, which passes to the one that waits longest. It never parks,
// and panics if m is not locked. It may be called from anywhere.
func (m *Mutex) Unlock() {
	if !m.state.CompareAndSwap(held, free) {
		m.handOn()
	}
}

// handOn is Unlock of a contended Mutex.
func (m *Mutex) handOn() {
	c := m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.state.Load() == free:
		panic("lock: Unlock of an unlocked Mutex")
	case !m.waiting.WakeFirst(c):
		m.state.Store(free)
	case m.waiting.Empty():
		m.state.Store(held)
	}
}

func (m *Mutex) unlockAll() (depth int) {
	m.Unlock()
	return 1
}

func (m *Mutex) relock(int) error {
	if m.TryLock() {
		return nil
	}
	return m.lock(shielded, 0)
}
