package lock

import (
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// past is a deadline that has passed.
const past = runtime.Instant(1)

// soon is a deadline that passes during the test.
func soon() runtime.Instant { return runtime.Now().Add(2 * time.Millisecond) }

var errCause = errors.New("cause")

// settle lets every task of the worker go as far as it can, if none waits for
// anything but the others.
func settle() {
	for range 10 {
		runtime.Yield()
	}
}

func (m *Mutex) waits() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting.Len()
}

func (s *semaphore) waits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting.Len()
}

func (r *RLock) waits() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting.Len()
}

func (m *RWMutex) waits() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting.Len()
}

func (c *Cond) waits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting.Len()
}

func (b *Barrier) waits() int { return b.Waiting() }

// queued waits until n parties wait for l.
func queued(t *testing.T, l interface{ waits() int }, n int) {
	t.Helper()
	runtimetest.Eventually(t, "parties that wait", func() bool { return l.waits() == n })
}

// unlocked fails the test unless m is as its zero value.
func unlocked(t *testing.T, m *Mutex) {
	t.Helper()
	if n := m.waits(); n > 0 {
		t.Errorf("%d waiting", n)
	}
	if !m.TryLock() {
		t.Error("locked")
	}
	m.Unlock()
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// wantPanic fails the test unless fn panics with text, or an error that has it.
func wantPanic(t *testing.T, text string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if err, ok := r.(error); ok {
			r = err.Error()
		}
		if r != text {
			t.Errorf("panic %q, want %q", r, text)
		}
	}()
	fn()
}
