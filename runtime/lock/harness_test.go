package lock

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// start runs fn as a task of one of rt's workers, or for the last of each
// three i's on a goroutine, and returns a function that waits for its end.
func start(rt *runtime.Runtime, i int, fn func()) (join func()) {
	if i%3 == 2 {
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	task := rt.Workers()[i%3%len(rt.Workers())].Spawn(fn)
	return func() { _ = task.Join() }
}

// queued waits until n parties wait for m.
func queued(t *testing.T, m *Mutex, n int) {
	t.Helper()
	runtimetest.Eventually(t, "a queue", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.queue) == n
	})
}

// unlocked fails the test unless m is as its zero value.
func unlocked(t *testing.T, m *Mutex) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked || len(m.queue) > 0 {
		t.Errorf("locked %v, %d waiting", m.locked, len(m.queue))
	}
}
