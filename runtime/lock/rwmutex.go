package lock

import (
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// An RWMutex is a lock that one writer or any number of readers hold. Readers
// and writers get it in the order they came: a reader does not overtake a writer
// that waits, and readers that came one after the other enter together. So a task
// that holds it as a reader must not take it again: a writer that came between
// would wait for the first, and the second for the writer. The zero RWMutex is
// unlocked. It is not bound to its holders. It must not be copied after first
// use.
type RWMutex struct {
	mu      waitlist.Mutex
	writer  bool // mu guards this and the rest: it is held by a writer
	readers int  // hold it
	waiting waitlist.List[side]
}

var _ sync.Locker = (*RWMutex)(nil)

// side is reading or writing.
type side uint8

const (
	reading side = iota
	writing
)

// Lock locks m for writing, and waits while anyone holds it. If the calling task
// is killed, or an enclosing WithTimeout expires, while it waits, Lock does not
// return: it unwinds the task, and the lock passes to the next. LockUntil returns
// an error instead.
func (m *RWMutex) Lock() {
	if err := m.LockUntil(0); err != nil {
		runtime.Unwind(err)
	}
}

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout, and
// returns the error of a kill or timeout. The zero deadline means none.
func (m *RWMutex) LockUntil(deadline runtime.Instant) error {
	return m.lock(writing, usual, deadline)
}

// TryLock locks m for writing if that needs no wait, and reports whether it did.
// It never parks, and may be called from anywhere, the hub included.
func (m *RWMutex) TryLock() bool { return m.try(writing) }

// Unlock ends a Lock. It never parks, may be called from anywhere, and panics if
// m is not locked for writing.
func (m *RWMutex) Unlock() {
	c := m.mu.Lock()
	defer m.mu.Unlock()
	if !m.writer {
		panic("lock: Unlock of an RWMutex that is not locked for writing")
	}
	m.writer = false
	m.admit(c)
}

// RLock locks m for reading, and waits while a writer holds it, or came before.
// It unwinds a task that is killed or timed out meanwhile, as Lock does.
func (m *RWMutex) RLock() {
	if err := m.RLockUntil(0); err != nil {
		runtime.Unwind(err)
	}
}

// RLockUntil is RLock that gives up at deadline with runtime.ErrTimeout, and
// returns the error of a kill or timeout. The zero deadline means none.
func (m *RWMutex) RLockUntil(deadline runtime.Instant) error {
	return m.lock(reading, usual, deadline)
}

// TryRLock locks m for reading if that needs no wait, and reports whether it did.
// It never parks, and may be called from anywhere, the hub included.
func (m *RWMutex) TryRLock() bool { return m.try(reading) }

// RUnlock ends an RLock. It never parks, may be called from anywhere, and panics
// if m is not locked for reading.
func (m *RWMutex) RUnlock() {
	c := m.mu.Lock()
	defer m.mu.Unlock()
	if m.readers == 0 {
		panic("lock: RUnlock of an RWMutex that is not locked for reading")
	}
	m.readers--
	m.admit(c)
}

func (m *RWMutex) lock(s side, kind waitKind, deadline runtime.Instant) error {
	c := m.mu.Lock()
	if m.waiting.Empty() && m.free(s) {
		m.enter(s)
		m.mu.Unlock()
		return nil
	}
	entered := false
	defer func() {
		if !entered { // perhaps it was a writer that held up readers
			m.admit(m.mu.Lock())
			m.mu.Unlock()
		}
	}()
	_, err := m.waiting.Wait(&m.mu, kind.begin(c), s, "lock", deadline)
	entered = err == nil
	return err
}

func (m *RWMutex) try(s side) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.waiting.Empty() || !m.free(s) {
		return false
	}
	m.enter(s)
	return true
}

// free reports whether the state lets one more of s in. The mutex is held.
func (m *RWMutex) free(s side) bool {
	return !m.writer && (s == reading || m.readers == 0)
}

func (m *RWMutex) enter(s side) {
	if s == writing {
		m.writer = true
	} else {
		m.readers++
	}
}

// admit lets in those that wait, as many as the state allows, in their order.
// The mutex is held.
func (m *RWMutex) admit(c runtime.Caller) {
	for n := m.waiting.First(); n != nil && m.free(n.Value); n = m.waiting.First() {
		s := n.Value
		m.waiting.Remove(n)
		if m.waiting.Ready(c, n) {
			m.enter(s)
		}
	}
}

func (m *RWMutex) unlockAll() (depth int) {
	m.Unlock()
	return 1
}

func (m *RWMutex) relock(int) error { return m.lock(writing, shielded, 0) }
