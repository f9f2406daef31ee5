package selectors

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// each runs body on a goroutine, and in a task of a runtime of its own. spawn
// starts a function beside it, of the same kind.
func each(t *testing.T, body func(t *testing.T, spawn func(func()) (join func()))) {
	t.Helper()
	t.Run("goroutine", func(t *testing.T) {
		body(t, func(fn func()) func() {
			done := make(chan struct{})
			go func() { defer close(done); fn() }()
			return func() { <-done }
		})
	})
	t.Run("task", func(t *testing.T) {
		runtimetest.Run(t, 2, func() {
			body(t, func(fn func()) func() {
				task := runtime.Spawn(fn)
				return func() { _ = task.Join() }
			})
		})
	})
}

// open returns a Selector that is closed with the test.
func open(t testing.TB) *Selector[string] {
	t.Helper()
	s, err := New[string]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// register registers f, named data.
func register(t testing.TB, s *Selector[string], f any, events Event, data string) *Key[string] {
	t.Helper()
	key, err := s.Register(f, events, data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sockets returns two connected stream sockets in non-blocking mode, by number.
func sockets(t testing.TB) (a, b int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p[0], p[1]
}

// pipe returns the standard library's pipe, closed with the test.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	return r, w
}

func closeAll(numbers ...int) {
	for _, n := range numbers {
		_ = unix.Close(n)
	}
}

func write(t testing.TB, number int, text string) {
	t.Helper()
	if _, err := unix.Write(number, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// fill writes until number takes no more.
func fill(t testing.TB, number int) {
	t.Helper()
	chunk := make([]byte, 1<<16)
	for {
		switch _, err := unix.Write(number, chunk); {
		case err == nil:
		case err == unix.EAGAIN && len(chunk) > 1:
			chunk = chunk[:1]
		case err == unix.EAGAIN:
			return
		default:
			t.Fatal(err)
		}
	}
}

// drain reads until number has no more.
func drain(t testing.TB, number int) {
	t.Helper()
	for {
		switch n, err := unix.Read(number, make([]byte, 1<<16)); {
		case err == unix.EAGAIN, err == nil && n == 0:
			return
		case err != nil:
			t.Fatal(err)
		}
	}
}

// found is what Select returned, by data.
func found(t testing.TB, s *Selector[string], timeout time.Duration) map[string]Event {
	t.Helper()
	ready, err := s.Select(timeout)
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]Event)
	for _, r := range ready {
		m[r.Key.Data] = r.Events
	}
	return m
}

// want fails the test unless the next Select, that does not wait, finds just name
// with events; nothing if events is 0.
func want(t testing.TB, s *Selector[string], name string, events Event) {
	t.Helper()
	m := found(t, s, 0)
	if events == 0 && len(m) == 0 {
		return
	}
	if len(m) != 1 || m[name] != events {
		t.Errorf("found %v, not %s: %v", m, name, events)
	}
}

func is(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%v, not %v", err, target)
	}
}

// waiting waits until a Select of s is parked.
func waiting(t testing.TB, s *Selector[string]) {
	t.Helper()
	runtimetest.Eventually(t, "a Select that waits", s.waits.Load)
}
