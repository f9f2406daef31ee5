package ring

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// pair returns the two ends of a ring, which are closed at the end of the test.
func pair(t testing.TB) (*Reader, *Writer) {
	t.Helper()
	rf, wf, err := New()
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(rf)
	if err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(wf)
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func shut(ends ...interface {
	Hangup()
	Close()
}) {
	for _, e := range ends {
		e.Hangup()
		e.Close()
	}
}

// TestMessages sends messages of all sizes, by one party to another, each a task of
// one of two workers or a goroutine.
func TestMessages(t *testing.T) {
	for i := range 3 {
		for j := range 3 {
			rt := runtimetest.New(t, 2)
			r, w := pair(t)
			sizes := []int{0, 1, 7, 8, 9, 64, 4096, fragment, fragment + 1, Whole - 1, Whole, Whole + 1, size, 3*size + 5, 0}
			rnd := rand.New(rand.NewPCG(uint64(i), uint64(j)))
			for range 300 {
				sizes = append(sizes, rnd.IntN(300), rnd.IntN(50_000))
			}
			send := runtimetest.Start(rt, i, func() {
				for k, n := range sizes {
					whole := bytes.Repeat([]byte{byte(k)}, n)
					if err := w.Write(0, nil, whole[:n/3], whole[n/3:]); err != nil {
						t.Errorf("write %d: %v", k, err)
						return
					}
				}
			})
			recv := runtimetest.Start(rt, j, func() {
				for k, n := range sizes {
					got, err := r.Next(0)
					if err != nil || len(got) != n || len(bytes.Trim(got, string([]byte{byte(k)}))) > 0 && k < 128 {
						t.Errorf("message %d: %d bytes, want %d; %v", k, len(got), n, err)
						return
					}
				}
			})
			send()
			recv()
			shut(w, r)
		}
	}
}

// TestEnd: what was written is read before the end of file; after it the writer
// fails.
func TestEnd(t *testing.T) {
	r, w := pair(t)
	for _, text := range []string{"one", "two"} {
		if err := w.Write(0, nil, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	shut(w)
	for _, want := range []string{"one", "two"} {
		if got, err := r.Next(0); string(got) != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	for range 2 {
		if _, err := r.Next(0); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
	shut(r)

	r, w = pair(t)
	shut(r)
	if err := w.Write(0, nil, []byte("x")); err != unix.EPIPE {
		t.Errorf("write without a reader: %v", err)
	}
	shut(w)
}

// TestCut: a writer that goes, without closing, between two fragments leaves an
// unexpected end of file; one that gives a message up and closes, none.
func TestCut(t *testing.T) {
	r, w := pair(t)
	if _, err := w.Reserve(fragment, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.commit(flagMore, 0); err != nil {
		t.Fatal(err)
	}
	w.Hangup()
	if _, err := r.Next(0); err != io.ErrUnexpectedEOF {
		t.Errorf("cut: %v", err)
	}
	shut(w, r)

	r, w = pair(t)
	past := runtime.Now().Add(time.Millisecond)
	if err := w.Write(past, nil, make([]byte, 2*size)); !errors.Is(err, runtime.ErrTimeout) {
		t.Fatalf("a message that does not fit: %v", err)
	}
	runtimetest.Eventually(t, "room", func() bool { _, ok, _ := r.TryNext(); return !ok })
	if err := w.Write(0, nil, []byte("next")); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Next(0); string(got) != "next" || err != nil {
		t.Errorf("after a message that was given up: %q, %v", got, err)
	}
	shut(w)
	if _, err := r.Next(0); err != io.EOF {
		t.Errorf("end: %v", err)
	}
	shut(r)
}

// TestCorrupt: a header that no writer writes is an error, not a crash.
func TestCorrupt(t *testing.T) {
	for _, n := range []uint32{1 << 31, size, Whole + 1, 100} {
		r, w := pair(t)
		if _, err := w.Reserve(8, 0); err != nil {
			t.Fatal(err)
		}
		_ = w.Commit()
		copy(w.data, []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
		if _, err := r.Next(0); err != ErrCorrupt {
			t.Errorf("length %d: %v", n, err)
		}
		shut(w, r)
	}
	r, w := pair(t)
	w.shared.tail.Store(1 << 40)
	if _, err := r.Next(0); err != ErrCorrupt {
		t.Errorf("tail: %v", err)
	}
	shut(w, r)
}

// TestDescriptors: descriptors arrive with their message, whether the reader sleeps
// or not.
func TestDescriptors(t *testing.T) {
	for _, sleeps := range []bool{false, true} {
		r, w := pair(t)
		rt := runtimetest.New(t, 1)
		pr, pw, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		send := func() {
			_ = w.Write(0, nil, []byte("before"))
			if err := w.Write(0, []int{int(pw.Fd())}, []byte("with")); err != nil {
				t.Error(err)
			}
			_ = w.Write(0, nil, []byte("after"))
		}
		if !sleeps {
			send()
		}
		task := rt.Spawn(func() {
			for _, want := range []string{"before", "with", "after"} {
				got, err := r.Next(0)
				if string(got) != want || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
				fds, err := r.Descriptors()
				if err != nil || len(fds) == 1 != (want == "with") {
					t.Errorf("%s: %v, %v", want, fds, err)
				}
				for _, fd := range fds {
					if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
						t.Errorf("descriptor flags %x, %v", flags, err)
					}
					f := os.NewFile(uintptr(fd), "passed")
					_, _ = f.WriteString("x")
					_ = f.Close()
				}
			}
		})
		if sleeps {
			runtimetest.Eventually(t, "the reader's sleep", func() bool { return r.readerSleeps.Load() != 0 })
			send()
		}
		_ = task.Join()
		_ = pw.Close()
		if all, err := io.ReadAll(pr); string(all) != "x" {
			t.Errorf("through the descriptor: %q, %v", all, err)
		}
		_ = pr.Close()
		shut(w, r)
	}
}

// TestInterrupt: timeouts, kills and Hangup end the waits of both sides.
func TestInterrupt(t *testing.T) {
	rt := runtimetest.New(t, 1)
	r, w := pair(t)
	ops := map[string]func(runtime.Instant) error{
		"read":  func(d runtime.Instant) error { _, err := r.Next(d); return err },
		"write": func(d runtime.Instant) error { return w.Write(d, nil, make([]byte, Whole)) },
	}
	for w.fits(space(Whole)) {
		if err := ops["write"](0); err != nil {
			t.Fatal(err)
		}
	}
	full := r
	r, w2 := pair(t) // an empty one to read
	for name, op := range ops {
		runtimetest.RunOn(t, rt, func() {
			if err := op(runtime.Now().Add(time.Millisecond)); err != runtime.ErrTimeout {
				t.Errorf("%s: timeout: %v", name, err)
			}
			if err := op(1); err != runtime.ErrTimeout {
				t.Errorf("%s: past deadline: %v", name, err)
			}
		})
		var err error
		task := rt.Spawn(func() { err = op(0) })
		task.Kill(nil)
		_ = task.Join()
		task = rt.Spawn(func() { err = op(0) })
		sleeps := &r.readerSleeps
		if name == "write" {
			sleeps = &w.writerSleeps
		}
		runtimetest.Eventually(t, "the sleep", func() bool { return sleeps.Load() != 0 })
		task.Kill(nil)
		_ = task.Join()
		if !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("%s: killed: %v", name, err)
		}
		task = rt.Spawn(func() { err = op(0) })
		runtimetest.Eventually(t, "the sleep", func() bool { return sleeps.Load() != 0 })
		if name == "read" {
			r.Hangup()
		} else {
			w.Hangup()
		}
		_ = task.Join()
		if err == nil {
			t.Errorf("%s: no error after Hangup", name)
		}
	}
	r.Close()
	w.Close()
	shut(full, w2)
}

// TestDetach: an end goes on elsewhere, where the former one has stopped.
func TestDetach(t *testing.T) {
	r, w := pair(t)
	for _, text := range []string{"a", "b", "c"} {
		_ = w.Write(0, nil, []byte(text))
	}
	_, _ = r.Next(0)
	files, err := r.Detach()
	if err != nil {
		t.Fatal(err)
	}
	r.Hangup()
	r.Leave()
	r, err = OpenReader(files)
	if err != nil {
		t.Fatal(err)
	}
	wf, err := w.Detach()
	if err != nil {
		t.Fatal(err)
	}
	w.Hangup()
	w.Leave()
	w, err = OpenWriter(wf)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Write(0, nil, []byte("d"))
	shut(w)
	for _, want := range []string{"b", "c", "d"} {
		if got, err := r.Next(0); string(got) != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := r.Next(0); err != io.EOF {
		t.Error(err)
	}
	shut(r)
}

func BenchmarkStream(b *testing.B) {
	for _, n := range []int{64, 64 << 10} {
		b.Run(map[int]string{64: "64B", 64 << 10: "64KiB"}[n], func(b *testing.B) {
			r, w := pair(b)
			message := make([]byte, n)
			buf := make([]byte, n)
			b.SetBytes(int64(n))
			runtimetest.BenchTwo(b, 2, func() {
				for range b.N {
					if err := w.Write(0, nil, message); err != nil {
						b.Error(err)
						return
					}
				}
			}, func() {
				for range b.N {
					m, err := r.Next(0)
					if err != nil {
						b.Error(err)
						return
					}
					copy(buf, m)
				}
			})
			shut(w, r)
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	r1, w1 := pair(b)
	r2, w2 := pair(b)
	message := make([]byte, 64)
	runtimetest.BenchTwo(b, 2, func() {
		for range b.N {
			_ = w1.Write(0, nil, message)
			if _, err := r2.Next(0); err != nil {
				b.Error(err)
				return
			}
		}
	}, func() {
		for range b.N {
			if _, err := r1.Next(0); err != nil {
				b.Error(err)
				return
			}
			_ = w2.Write(0, nil, message)
		}
	})
	shut(w1, r1, w2, r2)
}
