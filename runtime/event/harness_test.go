package event

import (
	"testing"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// waits waits until n parties wait for e.
func waits(t *testing.T, e *Event, n int) {
	t.Helper()
	runtimetest.Eventually(t, "parties that wait", func() bool { return e.flag.waits() == n })
}

func (f *flag) waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting.Len()
}

func (f *flag) calling() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		return 0
	}
	return f.calls.Len()
}
