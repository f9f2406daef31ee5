package event

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

// waits waits until n parties wait for e.
func waits(t *testing.T, e *Event, n int) {
	t.Helper()
	runtimetest.Eventually(t, "parties that wait", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.waiting) == n
	})
}
