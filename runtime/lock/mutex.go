package lock

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// A Mutex is a mutual exclusion lock, handed on in the order of Lock calls.
// The zero Mutex is unlocked. It is not bound to its holder: another task or
// goroutine may unlock it. It must not be copied after first use.
type Mutex struct {
	mu     sync.Mutex // held for a few instructions only
	locked bool
	queue  []runtime.Waiter
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
func (m *Mutex) LockUntil(deadline runtime.Instant) error {
	m.mu.Lock()
	if !m.locked {
		m.locked = true
		m.mu.Unlock()
		return nil
	}
	w := runtime.NewWaiter()
	m.queue = append(m.queue, w)
	m.mu.Unlock()
	err := w.ParkUntil("lock", deadline)
	if err != nil {
		m.forget(w)
	}
	return err
}

// TryLock locks m if that needs no wait, and reports whether it did.
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
// and panics if m is not locked.
func (m *Mutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.locked {
		panic("lock: Unlock of an unlocked Mutex")
	}
	for len(m.queue) > 0 {
		w := m.queue[0]
		m.queue[0] = runtime.Waiter{}
		m.queue = m.queue[1:]
		if w.Ready() {
			return // it holds the lock now
		}
	}
	m.locked = false
	m.queue = nil
}

// forget takes back a wait that ended without the lock.
func (m *Mutex) forget(w runtime.Waiter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, q := range m.queue {
		if q == w {
			m.queue = append(m.queue[:i], m.queue[i+1:]...)
			return
		}
	}
}
