package lock

import (
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// A Mutex is a mutual exclusion lock, handed on in the order of Lock calls.
// The zero Mutex is unlocked. It is not bound to its holder: another task or
// goroutine may unlock it. It must not be copied after first use.
type Mutex struct {
	mu      waitlist.Mutex
	locked  bool // mu guards this and the rest
	waiting waitlist.List[struct{}]
}

var _ sync.Locker = (*Mutex)(nil)

// Lock locks m, and waits while it is locked. If the calling task is killed, or
// an enclosing WithTimeout expires, while it waits, Lock does not return: it
// unwinds the task, and the lock passes to the next. LockUntil returns an error
// instead.
func (m *Mutex) Lock() {
	if err := m.LockUntil(0); err != nil {
		runtime.Unwind(err)
	}
}

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout, and
// returns the error of a kill or timeout. The zero deadline means none.
func (m *Mutex) LockUntil(deadline runtime.Instant) error { return m.lock(usual, deadline) }

func (m *Mutex) lock(kind waitKind, deadline runtime.Instant) error {
	m.mu.Lock()
	if !m.locked {
		m.locked = true
		m.mu.Unlock()
		return nil
	}
	_, err := m.waiting.Wait(&m.mu, kind.begin(), struct{}{}, "lock", deadline)
	return err
}

// TryLock locks m if that needs no wait, and reports whether it did. It never
// parks, and may be called from anywhere, the hub included.
func (m *Mutex) TryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return false
	}
	m.locked = true
	return true
}

// Unlock unlocks m, which passes to the one that waits longest. It never parks,
// and panics if m is not locked. It may be called from anywhere.
func (m *Mutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.locked {
		panic("lock: Unlock of an unlocked Mutex")
	}
	m.locked = m.waiting.WakeFirst()
}

func (m *Mutex) unlockAll() (depth int) {
	m.Unlock()
	return 1
}

func (m *Mutex) relock(int) error { return m.lock(shielded, 0) }
