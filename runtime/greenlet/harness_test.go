package greenlet_test

import (
	"iter"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain starts the default runtime, to which descriptors of plain goroutines
// belong, and ends it.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// both runs fn on a plain goroutine and as a task, and fails if it leaves
// a coroutine behind.
func both(t *testing.T, fn func(t *testing.T)) {
	t.Run("goroutine", func(t *testing.T) {
		clean(t)
		fn(t)
	})
	t.Run("task", func(t *testing.T) {
		runtimetest.Run(t, 1, func() { fn(t) })
	})
}

// clean fails the test if it ends with more goroutines than there are now.
func clean(t testing.TB) {
	before := goruntime.NumGoroutine()
	t.Cleanup(func() {
		end := time.Now().Add(runtimetest.Patience)
		for goruntime.NumGoroutine() > before && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
		if n := goruntime.NumGoroutine(); n > before {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:goruntime.Stack(stacks, true)]
			t.Errorf("left behind: %d goroutines\n%s", n-before, stacks)
		}
	})
}

// apart runs fn on another goroutine and waits for it.
func apart(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	<-done
}

// must fails the test unless the result is v without error.
func must[T comparable](t *testing.T, what string, v T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if got != v || err != nil {
			t.Errorf("%s = %v, %v, want %v", what, got, err, v)
		}
	}
}

// fails fails the test unless the error is err.
func fails[T any](t *testing.T, what string, err error) func(T, error) {
	return func(got T, gotErr error) {
		t.Helper()
		if gotErr != err {
			t.Errorf("%s = %v, %v, want %v", what, got, gotErr, err)
		}
	}
}

type ints = greenlet.Greenlet[int, int]

// pull is a coroutine that is not the package's.
func pull(fn func()) (next func() (int, bool), stop func()) {
	return iter.Pull(func(yield func(int) bool) { fn() })
}
