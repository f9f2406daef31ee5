package pool_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var (
	errCause = errors.New("cause")
	errOdd   = errors.New("odd")
)

// quiet runs fn as a task of a runtime that does not log panics.
func quiet(t *testing.T, workers int, fn func()) {
	t.Helper()
	runtimetest.RunOn(t, quietRuntime(t, workers), fn)
}

func quietRuntime(t *testing.T, workers int) *runtime.Runtime {
	return runtimetest.NewConfig(t, runtime.Config{
		Workers: workers,
		OnPanic: func(*runtime.Task, *runtime.PanicError) {},
	})
}

// settle lets every task of the worker go as far as it can, if none waits for
// anything but the others.
func settle() {
	for range 20 {
		runtime.Yield()
	}
}

// soon is a deadline that passes during the test.
func soon() runtime.Instant { return runtime.Now().Add(2 * time.Millisecond) }

// past is a deadline that has passed.
const past = runtime.Instant(1)

// park waits until the task is killed.
func park() { _ = runtime.NewWaiter().Park("test") }

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantSlice[T comparable](t *testing.T, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// wantPanic fails the test unless err is of a panic with value.
func wantPanic(t *testing.T, what string, err error, value any) {
	t.Helper()
	var p *runtime.PanicError
	if !errors.As(err, &p) || p.Value != value {
		t.Errorf("%s: got error %v, want a panic with %v", what, err, value)
	}
}

func spawn(t *testing.T, p *pool.Pool, fn func()) *runtime.Task {
	t.Helper()
	task, err := p.Spawn(fn)
	if err != nil {
		t.Error(err)
	}
	return task
}

// numbers gives 0 to n-1.
func numbers(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
