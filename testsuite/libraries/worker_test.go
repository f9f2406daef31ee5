package libraries

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// maxBlocking is how long a task may hold its worker before the monitor looks.
const maxBlocking = 50 * time.Millisecond

// waits are the tasks that the monitor found to hold their worker while they waited for something of Go's.
// That one computed for long it also reports on a busy machine; this does not count.
type waits struct {
	mu  sync.Mutex
	all []runtime.Blocked
}

func (w *waits) add(b runtime.Blocked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.WaitsIn != "" {
		w.all = append(w.all, b)
	}
}

// in returns whether one was found that waited in what has such a name.
func (w *waits) in(what string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.all {
		if strings.Contains(b.WaitsIn, what) {
			return true
		}
	}
	return false
}

func (w *waits) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.all)
}

// watched starts a runtime of one worker, so that a task which blocks it blocks all, and a monitor.
func watched(t *testing.T) (*runtime.Runtime, *waits) {
	t.Helper()
	w := new(waits)
	return runtimetest.NewConfig(t, runtime.Config{Workers: 1, MaxBlocking: maxBlocking, OnBlocked: w.add}), w
}

// direct runs fn as a task, and fails the test if anything blocked the worker meanwhile.
func direct(t *testing.T, fn func()) {
	t.Helper()
	rt, w := watched(t)
	runtimetest.RunOn(t, rt, fn)
	if s := w.String(); s != "[]" {
		t.Errorf("a worker was blocked: %s", s)
	}
}

// together runs fn in n tasks at once and fails the test with their errors.
func together(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	err := runtime.WithScope(func(s *runtime.Scope) error {
		for i := range n {
			s.Spawn(func() error { return fn(i) })
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
