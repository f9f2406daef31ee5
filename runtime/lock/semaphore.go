package lock

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// ErrOverRelease is what Release of a BoundedSemaphore panics with, wrapped in an
// error that says more.
var ErrOverRelease = errors.New("released more often than acquired")

// A Semaphore is a number of units, of which each Acquire takes one and each
// Release gives one back. A unit that is released passes directly to the one that
// waits longest. The zero Semaphore has no units. It must not be copied after
// first use. It is not bound to its holders: whoever likes may release.
type Semaphore struct {
	semaphore
}

// NewSemaphore returns a Semaphore with n units. It panics if n is negative.
func NewSemaphore(n int) *Semaphore {
	s := new(Semaphore)
	s.count = checked(n)
	return s
}

// Release gives a unit back, or adds one. It never parks, and may be called from
// anywhere.
func (s *Semaphore) Release() {
	s.release(s.mu.Lock())
	s.mu.Unlock()
}

// A BoundedSemaphore is a Semaphore to which no more can be released than was
// acquired. The zero BoundedSemaphore has no units, and can get none. It must not
// be copied after first use.
type BoundedSemaphore struct {
	semaphore
	limit int // immutable
}

// NewBoundedSemaphore returns a BoundedSemaphore with n units. It panics if n is
// negative.
func NewBoundedSemaphore(n int) *BoundedSemaphore {
	s := new(BoundedSemaphore)
	s.count, s.limit = checked(n), n
	return s
}

// Release gives a unit back. It panics with an error that is ErrOverRelease, and
// changes nothing, if all units are there. It never parks, and may be called from
// anywhere.
func (s *BoundedSemaphore) Release() {
	c := s.mu.Lock()
	if s.count == s.limit {
		s.mu.Unlock()
		panic(fmt.Errorf("lock: BoundedSemaphore of %d %w", s.limit, ErrOverRelease))
	}
	s.release(c)
	s.mu.Unlock()
}

func checked(n int) int {
	if n < 0 {
		panic("lock: negative number of units")
	}
	return n
}

// semaphore is what Semaphore and BoundedSemaphore have in common: its methods
// are theirs.
type semaphore struct {
	mu      waitlist.Mutex
	count   int // mu guards this and the rest
	waiting waitlist.List[struct{}]
}

// Acquire takes a unit, and waits while there is none; those that wait get one
// in the order they came. It returns the error of a kill or timeout that ended
// the wait, and has taken no unit then.
func (s *semaphore) Acquire() error { return s.AcquireUntil(0) }

// AcquireUntil is Acquire that gives up at deadline with runtime.ErrTimeout. The
// zero deadline means none.
func (s *semaphore) AcquireUntil(deadline runtime.Instant) error {
	c := s.mu.Lock()
	if s.count > 0 { // then nobody waits
		s.count--
		s.mu.Unlock()
		return nil
	}
	n := s.waiting.Push(c.NewWaiter(), struct{}{})
	s.mu.Unlock()
	if err := n.Park("semaphore", deadline); err != nil {
		return s.waiting.GiveUp(&s.mu, n, err)
	}
	n.Take()
	return nil
}

// TryAcquire takes a unit if there is one, and reports whether it did. It never
// parks, and may be called from anywhere, the hub included.
func (s *semaphore) TryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == 0 {
		return false
	}
	s.count--
	return true
}

// Count returns how many units there are to take.
func (s *semaphore) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// release hands a unit on, or keeps it. The mutex is held.
func (s *semaphore) release(c runtime.Caller) {
	if !s.waiting.WakeFirst(c) {
		s.count++
	}
}

// A DummySemaphore has as many units as anybody wants: it stands in where a
// Semaphore is asked for and no bound is wanted. Its methods may be called from
// anywhere, and never park.
type DummySemaphore struct{}

// Acquire returns nil.
func (DummySemaphore) Acquire() error { return nil }

// AcquireUntil returns nil.
func (DummySemaphore) AcquireUntil(runtime.Instant) error { return nil }

// TryAcquire returns true.
func (DummySemaphore) TryAcquire() bool { return true }

// Release does nothing.
func (DummySemaphore) Release() {}

// Count returns the largest int.
func (DummySemaphore) Count() int { return math.MaxInt }
