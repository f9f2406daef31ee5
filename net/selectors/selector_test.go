package selectors_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/selectors"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// everywhere runs body on a goroutine and in a task on 1 and 2 workers.
func everywhere(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	t.Run("goroutine", body)
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("task on %d", workers), func(t *testing.T) {
			runtimetest.Run(t, workers, func() { body(t) })
		})
	}
}

func newSelector(t *testing.T) *selectors.Selector[string] {
	t.Helper()
	s, err := selectors.New[string]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pipe returns a pipe in non-blocking mode, and closes it with the test.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func must[V any](v V, err error) func(t *testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// told writes what is ready: the data and events, sorted.
func told(ready []selectors.Ready[string], err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, r := range ready {
		all = append(all, r.Key.Data+" "+r.Events.String())
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}

// TestRegister is PARITY's row of register: the key, and what is refused.
func TestRegister(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		s := newSelector(t)
		r, w := pipe(t)
		key := must(s.Register(r, selectors.Read, "r"))(t)
		if key.File != any(r) || key.Events != selectors.Read || key.Data != "r" || key.FD < 0 {
			t.Errorf("key %+v", key)
		}
		for _, events := range []selectors.Event{0, 4, 7} {
			if _, err := s.Register(w, events, ""); !errors.Is(err, selectors.ErrBadEvents) {
				t.Errorf("events %d: %v", events, err)
			}
		}
		for _, again := range []any{r, key.FD} {
			if _, err := s.Register(again, selectors.Write, ""); !errors.Is(err, selectors.ErrRegistered) {
				t.Errorf("%T again: %v", again, err)
			}
		}
		if _, err := s.Register(-1, selectors.Read, ""); !errors.Is(err, syscall.EBADF) {
			t.Errorf("-1: %v", err)
		}
		if _, err := s.Register("a name", selectors.Read, ""); err == nil {
			t.Error("a string is registered")
		}
		regular := must(os.Create(t.TempDir() + "/f"))(t)
		defer regular.Close()
		if _, err := s.Register(regular, selectors.Read, ""); !errors.Is(err, fs.ErrPermission) || !errors.Is(err, syscall.EPERM) {
			t.Errorf("regular file: %v", err)
		}
		if _, err := s.Key(regular); !errors.Is(err, selectors.ErrNotRegistered) || s.Len() != 1 {
			t.Errorf("after that: %v, %d", err, s.Len())
		}
	})
}

// TestModifyAndUnregister are PARITY's rows of modify, unregister, get_key and get_map.
func TestModifyAndUnregister(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		s := newSelector(t)
		r, w := pipe(t)
		first := must(s.Register(w, selectors.Read, "a"))(t)
		second := must(s.Modify(w, selectors.Write, "b"))(t)
		if second == first || second.Data != "b" || second.FD != first.FD || first.Data != "a" {
			t.Errorf("keys %+v, %+v", first, second)
		}
		want(t, "modified", told(s.SelectFor(0)), "b write")
		if third := must(s.Modify(w, selectors.Write, "c"))(t); must(s.Key(w))(t) != third {
			t.Error("another key")
		}
		if _, err := s.Modify(r, selectors.Read, ""); !errors.Is(err, selectors.ErrNotRegistered) {
			t.Errorf("unknown: %v", err)
		}
		if _, err := s.Modify(w, 0, ""); !errors.Is(err, selectors.ErrBadEvents) {
			t.Errorf("no events: %v", err)
		}
		if _, err := s.Unregister(r); !errors.Is(err, selectors.ErrNotRegistered) {
			t.Errorf("unknown: %v", err)
		}
		if keys := slices.Collect(s.Keys()); len(keys) != 1 || keys[0].Data != "c" {
			t.Errorf("keys %v", keys)
		}
		if key := must(s.Unregister(w))(t); key.Data != "c" || s.Len() != 0 {
			t.Errorf("key %+v", key)
		}
		want(t, "none", told(s.SelectFor(0)), "")

		// One that was closed is found by identity; its number may be another's by then.
		must(s.Register(r, selectors.Read, "closed"))(t)
		_ = r.Close()
		if key := must(s.Unregister(r))(t); key.Data != "closed" {
			t.Errorf("key %+v", key)
		}
		for range 3 {
			r, _ := pipe(t)
			must(s.Register(r, selectors.Read, ""))(t)
			_ = r.Close() // and forgotten
		}
	})
}

// TestSelect is PARITY's row of select: waits, timeouts, levels, hang-ups.
func TestSelect(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		s := newSelector(t)
		r, w := pipe(t)
		start := time.Now()
		want(t, "nothing registered", told(s.SelectFor(20*time.Millisecond)), "")
		if d := time.Since(start); d < 20*time.Millisecond {
			t.Errorf("after %v", d)
		}
		must(s.Register(r, selectors.Read, "r"))(t)
		for _, d := range []time.Duration{0, -1} {
			want(t, "poll", told(s.SelectFor(d)), "")
		}
		go func() { _, _ = w.Write([]byte("xy")) }()
		want(t, "wait", told(s.Select()), "r read")
		want(t, "level", told(s.Select()), "r read") // it is not read yet
		_, _ = r.Read(make([]byte, 1))
		want(t, "half read", told(s.SelectFor(0)), "r read")
		_, _ = r.Read(make([]byte, 1))
		want(t, "read", told(s.SelectFor(0)), "")

		must(s.Register(w, selectors.Write, "w"))(t)
		for range 3 { // level-triggered for writing, too
			want(t, "writable", told(s.Select()), "w write")
		}
		must(s.Modify(w, selectors.Read|selectors.Write, "w"))(t)
		_ = r.Close()
		want(t, "the reader is gone", told(s.Select()), "w read|write")
	})
}

// TestEnds: a Select that waits is ended by Close, by a context, by a kill; none leaves
// anything, and rows of close.
func TestEnds(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		s := newSelector(t)
		r, w := pipe(t)
		must(s.Register(r, selectors.Read, "r"))(t)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Millisecond, cancel)
		if _, err := s.SelectContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := s.SelectContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("late: %v", err)
		}
		_, _ = w.Write([]byte("x"))
		want(t, "after that", told(s.Select()), "r read")
		_, _ = r.Read(make([]byte, 1))
		if runtime.Current() != nil {
			task := runtime.Async(func() (string, error) { return told(s.Select()), nil })
			runtime.Yield()
			task.Kill(nil)
			if got, _ := task.Get(); got != runtime.ErrKilled.Error() {
				t.Errorf("killed: %s", got)
			}
		}
		time.AfterFunc(time.Millisecond, func() { _ = s.Close() })
		if _, err := s.Select(); !errors.Is(err, selectors.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("again: %v", err)
		}
		for name, err := range map[string]error{
			"register":   second(s.Register(w, selectors.Write, "")),
			"modify":     second(s.Modify(r, selectors.Read, "")),
			"unregister": second(s.Unregister(r)),
			"key":        second(s.Key(r)),
			"select":     second(s.Select()),
			"poll":       second(s.SelectFor(0)),
		} {
			if !errors.Is(err, selectors.ErrClosed) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s.Len() != 0 || len(slices.Collect(s.Keys())) != 0 {
			t.Error("keys are left")
		}
	})
}

func second[V any](_ V, err error) error { return err }

// TestOthersRun: a loop that polls lets other tasks run.
func TestOthersRun(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := newSelector(t)
		done := false
		runtime.Spawn(func() { done = true })
		for !done {
			if _, err := s.SelectFor(0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestUpperCaseServer is the tutorial's: one loop, callbacks as data. 100 clients send
// 100 messages each; some are cut off by force.
func TestUpperCaseServer(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s, err := selectors.New[func() error]()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		served, ended := 0, 0
		serve := func(conn net.Conn) func() error {
			buf := make([]byte, 1024)
			return func() error {
				n, err := conn.Read(buf) // does not wait: it is ready
				if err == nil {
					served++
					_, err = conn.Write(bytes.ToUpper(buf[:n]))
				}
				if err != nil {
					ended++
					_, _ = s.Unregister(conn)
					return conn.Close()
				}
				return nil
			}
		}
		accept := func() error {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			_, err = s.Register(conn, selectors.Read, serve(conn))
			return err
		}
		if _, err := s.Register(l, selectors.Read, accept); err != nil {
			t.Fatal(err)
		}
		const clients, messages, cut = 100, 100, 10
		answers := make(chan string, clients)
		for i := range clients {
			go func() { answers <- client(l.Addr().String(), i < cut, messages) }()
		}
		for ended < clients {
			ready, err := s.Select()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range ready {
				if err := r.Key.Data(); err != nil {
					t.Error(err)
				}
			}
		}
		for range clients {
			answer, _ := runtime.Await(func() (string, error) { return <-answers, nil })
			if answer != "" {
				t.Error(answer)
			}
		}
		if s.Len() != 1 || served < (clients-cut)*messages {
			t.Errorf("%d registrations, %d messages", s.Len(), served)
		}
	})
}

// client sends messages and compares the answers; one that is cut off hangs up by a reset
// in the middle.
func client(addr string, cut bool, messages int) string {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	for i := range messages {
		if cut && i == messages/2 {
			_ = conn.(*net.TCPConn).SetLinger(0)
			return ""
		}
		message := fmt.Sprintf("message %03d", i)
		if _, err := io.WriteString(conn, message); err != nil {
			return err.Error()
		}
		answer := make([]byte, len(message))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != strings.ToUpper(message) {
			return fmt.Sprintf("%q, %v", answer, err)
		}
	}
	return ""
}
