package selectors

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// These tests follow the table of Python's selectors, as they were observed on
// 3.11.7 with epoll, row by row.

// Row "register".
func TestRegister(t *testing.T) {
	s := open(t)
	r, w := pipe(t)
	key := register(t, s, r, Read, "r")
	number := int(r.Fd())
	if *key != (Key[string]{r, number, Read, "r"}) {
		t.Errorf("key %+v", key)
	}
	for _, events := range []Event{0, 4, Read | 4, 255} {
		_, err := s.Register(w, events, "w")
		is(t, err, ErrBadEvents)
	}
	for _, f := range []any{r, number} { // by object, by number
		_, err := s.Register(f, Write, "again")
		is(t, err, ErrRegistered)
	}
	for _, f := range []any{-1, nil, "text", 1.5, uint(1)} {
		_, err := s.Register(f, Read, "")
		is(t, err, ErrBadFile)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, f := range []any{file, int(file.Fd())} {
		_, err := s.Register(f, Read, "")
		is(t, err, unix.EPERM)
		is(t, err, fs.ErrPermission)
		_, err = s.Key(f) // rolled back
		is(t, err, ErrNotRegistered)
	}
	closed, _ := pipe(t)
	_ = closed.Close()
	if _, err = s.Register(closed, Read, ""); err == nil {
		t.Error("a closed file was registered")
	}
	_, err = s.Register(1<<20, Read, "")
	is(t, err, unix.EBADF)
	if s.Len() != 1 {
		t.Errorf("%d registrations", s.Len())
	}
}

// Row "modify".
func TestModify(t *testing.T) {
	s := open(t)
	a, b := sockets(t)
	defer closeAll(b)
	old := register(t, s, a, Read, "first")
	key, err := s.Modify(a, Read|Write, "second")
	if err != nil || *key != (Key[string]{a, a, Read | Write, "second"}) || old.Data != "first" {
		t.Fatalf("%+v, %v; the old key is %+v", key, err, old)
	}
	want(t, s, "second", Write)
	if _, err := s.Modify(a, Read, "third"); err != nil {
		t.Fatal(err)
	}
	want(t, s, "", 0)
	_, err = s.Modify(b, Read, "")
	is(t, err, ErrNotRegistered)
	_, err = s.Modify(a, 0, "")
	is(t, err, ErrBadEvents)

	// Changed data make no system call: it would fail.
	closeAll(a)
	if key, err := s.Modify(a, Read, "fourth"); err != nil || key.Data != "fourth" {
		t.Errorf("%+v, %v", key, err)
	}
	// A system call that fails drops the key.
	_, err = s.Modify(a, Write, "fifth")
	is(t, err, unix.EBADF)
	_, err = s.Key(a)
	is(t, err, ErrNotRegistered)
}

// Row "unregister".
func TestUnregister(t *testing.T) {
	s := open(t)
	r, w := pipe(t)
	register(t, s, r, Read, "r")
	if _, err := w.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	want(t, s, "r", Read)
	key, err := s.Unregister(r)
	if err != nil || key.Data != "r" {
		t.Errorf("%+v, %v", key, err)
	}
	want(t, s, "", 0)
	for _, f := range []any{r, -1, "text"} {
		_, err = s.Unregister(f)
		is(t, err, ErrNotRegistered)
	}

	// What was closed can be unregistered by identity, what is a number by that; the
	// kernel's error is ignored.
	register(t, s, r, Read, "r")
	a, b := sockets(t)
	defer closeAll(b)
	register(t, s, a, Read, "a")
	_ = r.Close()
	closeAll(a)
	for _, f := range []any{r, a} {
		if key, err := s.Unregister(f); err != nil || key.File != f {
			t.Errorf("%+v, %v", key, err)
		}
	}
	if s.Len() != 0 {
		t.Errorf("%d registrations", s.Len())
	}
}

// Row "select", the timeouts: none blocks, <= 0 polls, others are not cut short;
// without descriptors it just sleeps.
func TestSelectTimeout(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		for _, registered := range []bool{false, true} {
			if registered {
				register(t, s, a, Read, "a")
			}
			for _, timeout := range []time.Duration{0, -1, -time.Hour} {
				if m := found(t, s, timeout); len(m) > 0 {
					t.Errorf("found %v", m)
				}
			}
			for _, timeout := range []time.Duration{1, 1500 * time.Microsecond, 3 * time.Millisecond} {
				began := time.Now()
				if m := found(t, s, timeout); len(m) > 0 {
					t.Errorf("found %v", m)
				}
				if took := time.Since(began); took < timeout {
					t.Errorf("%v took %v", timeout, took)
				}
			}
		}
		for _, timeout := range []time.Duration{runtime.Forever, runtime.Forever - 1, time.Hour} {
			join := spawn(func() {
				if m := found(t, s, timeout); len(m) != 1 || m["a"] != Read {
					t.Errorf("found %v", m)
				}
			})
			waiting(t, s)
			write(t, b, "x")
			join()
			drain(t, a)
		}
	})
}

// Row "select", the result: pairs of key and ready events, each as long as it is
// ready, to read and to write.
func TestSelectLevel(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		key := register(t, s, a, Read|Write, "a")
		ready, err := s.Select(runtime.Forever)
		if err != nil || len(ready) != 1 || ready[0].Key != key || ready[0].Events != Write {
			t.Errorf("%+v, %v", ready, err)
		}
		for range 5 {
			want(t, s, "a", Write)
		}
		write(t, b, "xy")
		for range 5 {
			want(t, s, "a", Read|Write)
		}
		if _, err := unix.Read(a, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		want(t, s, "a", Read|Write) // a byte is left
		drain(t, a)
		want(t, s, "a", Write)
		fill(t, a)
		want(t, s, "", 0)
		drain(t, b)
		for range 5 {
			want(t, s, "a", Write)
		}

		c, d := sockets(t)
		defer closeAll(c, d)
		register(t, s, c, Write, "c")
		if m := found(t, s, 0); len(m) != 2 || m["a"] != Write || m["c"] != Write {
			t.Errorf("found %v", m)
		}
	})
}

// Row "select", hang-up and error: they are reported as what was asked for.
func TestSelectHangUp(t *testing.T) {
	for _, events := range []Event{Read, Write, Read | Write} {
		t.Run(events.String(), func(t *testing.T) {
			s := open(t)
			a, b := sockets(t)
			defer closeAll(a)
			fill(t, a)
			register(t, s, a, events, "hang-up")
			want(t, s, "", 0)
			closeAll(b)
			want(t, s, "hang-up", events)
			if _, err := s.Unregister(a); err != nil {
				t.Fatal(err)
			}

			var p [2]int // a pipe without a reader has an error
			if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			defer closeAll(p[1])
			fill(t, p[1])
			register(t, s, p[1], events, "error")
			want(t, s, "", 0)
			closeAll(p[0])
			want(t, s, "error", events)
		})
	}
}

// Row "select", EINTR: a signal does not end it, nor is it an error.
func TestSelectSignal(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		signals := make(chan os.Signal, 100)
		signal.Notify(signals, syscall.SIGUSR2)
		defer signal.Stop(signals)
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		register(t, s, a, Read, "a")
		join := spawn(func() {
			if m := found(t, s, runtime.Forever); m["a"] != Read {
				t.Errorf("found %v", m)
			}
		})
		waiting(t, s)
		for range 20 {
			if err := unix.Kill(unix.Getpid(), unix.SIGUSR2); err != nil {
				t.Fatal(err)
			}
			if err := runtime.Offload(func() { <-signals }); err != nil {
				t.Fatal(err)
			}
			if !s.waits.Load() {
				t.Error("the Select has ended")
			}
		}
		write(t, b, "x")
		join()
	})
}

// Row "get_key".
func TestKey(t *testing.T) {
	s := open(t)
	r, _ := pipe(t)
	key := register(t, s, r, Read, "r")
	for _, f := range []any{r, key.FD} {
		if got, err := s.Key(f); got != key || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
	}
	a, b := sockets(t)
	defer closeAll(b)
	for _, f := range []any{a, -1, nil} {
		_, err := s.Key(f)
		is(t, err, ErrNotRegistered)
	}
	// What was registered by number is found by the object.
	file := os.NewFile(uintptr(a), "a")
	key = register(t, s, a, Read, "a")
	if got, err := s.Key(file); got != key || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_ = s.Close()
	for _, f := range []any{r, a} {
		_, err := s.Key(f)
		is(t, err, ErrClosed)
	}
	_ = file.Close()
}

// Row "get_map": a live view, empty after Close.
func TestKeys(t *testing.T) {
	s := open(t)
	view := s.Keys()
	a, b := sockets(t)
	defer closeAll(a, b)
	register(t, s, b, Read, "b")
	first := register(t, s, a, Read, "a")
	if keys := slices.Collect(view); len(keys) != 2 || keys[0] != first || keys[1].Data != "b" {
		t.Errorf("keys %v", keys)
	}
	for key := range view { // it may be changed meanwhile, and left
		if _, err := s.Unregister(key.File); err != nil {
			t.Error(err)
		}
		break
	}
	if keys := slices.Collect(view); len(keys) != 1 || s.Len() != 1 {
		t.Errorf("keys %v", keys)
	}
	_ = s.Close()
	if keys := slices.Collect(view); len(keys) != 0 || s.Len() != 0 {
		t.Errorf("keys after Close %v", keys)
	}
}

// Row "close": it may be called again; everything else fails then.
func TestClose(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		register(t, s, a, Read, "a")
		join := spawn(func() {
			_, err := s.Select(runtime.Forever)
			is(t, err, ErrClosed)
		})
		waiting(t, s)
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		join()
		_, registerErr := s.Register(b, Read, "")
		_, modifyErr := s.Modify(a, Read, "")
		_, unregisterErr := s.Unregister(a)
		_, selectErr := s.Select(0)
		_, contextErr := s.SelectContext(context.Background())
		_, rawErr := s.SyscallConn()
		for _, err := range []error{registerErr, modifyErr, unregisterErr, selectErr, contextErr, rawErr} {
			is(t, err, ErrClosed)
			is(t, err, stdnet.ErrClosed)
			is(t, err, fs.ErrClosed)
		}
		write(t, a, "x") // the descriptors are open
	})
}

// Row "fileno": a Selector has a descriptor, and can be registered with another.
func TestNested(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		outer, inner := open(t), open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		register(t, outer, inner, Read, "inner")
		register(t, inner, a, Read, "a")
		want(t, outer, "", 0)
		join := spawn(func() {
			if m := found(t, outer, runtime.Forever); m["inner"] != Read {
				t.Errorf("found %v", m)
			}
		})
		waiting(t, outer)
		write(t, b, "x")
		join()
		want(t, inner, "a", Read)

		_, err := inner.Register(inner, Read, "")
		is(t, err, unix.EINVAL)
		if _, err = inner.Register(outer, Read, ""); !errors.Is(err, unix.ELOOP) && !errors.Is(err, unix.EINVAL) {
			t.Errorf("a loop: %v", err)
		}
		raw, err := inner.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Read(func(uintptr) bool { return true }); err != nil {
			t.Error(err)
		}
		is(t, raw.Write(nil), unix.EINVAL)
		_ = inner.Close()
		is(t, raw.Control(nil), ErrClosed)
		is(t, raw.Read(nil), ErrClosed)
		want(t, outer, "", 0)
	})
}
