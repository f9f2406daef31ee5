package libraries

import (
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// maxBlocking is how long a task may hold its worker. On a busy machine also harmless waits take a while.
const maxBlocking = 2 * time.Second

// direct runs fn as a task of a runtime with one worker, so that a task which blocks it blocks all, and fails
// the test if the monitor found one that waited for something of Go's. That one computes for long it may find on
// a busy machine.
func direct(t *testing.T, fn func()) {
	t.Helper()
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, MaxBlocking: maxBlocking, OnBlocked: func(b runtime.Blocked) {
		for _, wait := range []string{"sync.", "chan ", "select", "sleep", "IO wait"} {
			if strings.HasPrefix(b.WaitsIn, wait) {
				t.Errorf("a worker was blocked: %v", b)
			}
		}
	}})
	runtimetest.RunOn(t, rt, fn)
}

// stuck waits until a goroutine, or task, waits in what Go calls state, within a function.
func stuck(t *testing.T, state, function string) {
	t.Helper()
	dump := make([]byte, 4<<20)
	runtimetest.Eventually(t, "a wait in "+function, func() bool {
		for stack := range strings.SplitSeq(string(dump[:goruntime.Stack(dump, true)]), "\n\n") {
			head, calls, _ := strings.Cut(stack, "\n")
			if strings.Contains(head, "["+state) && strings.Contains(calls, function) {
				return true
			}
		}
		return false
	})
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
