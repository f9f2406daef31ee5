package poll

import (
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestPace: a task whose operations never have to wait does not keep the worker
// to itself: others have their turns.
func TestPace(t *testing.T) {
	const ops = 1000
	buf := make([]byte, 1)
	for name, prepare := range map[string]func(t *testing.T) (op func() error){
		"Read": func(t *testing.T) func() error {
			r, w := pipe(t)
			if _, err := w.Write(make([]byte, ops)); err != nil {
				t.Fatal(err)
			}
			return func() error { _, err := r.Read(buf); return err }
		},
		"Write": func(t *testing.T) func() error {
			_, w := pipe(t)
			return func() error { _, err := w.Write(buf); return err }
		},
		"RawWrite": func(t *testing.T) func() error {
			_, w := pipe(t)
			return func() error {
				return w.RawWrite(func(n uintptr) bool { _, errno := sysWrite(int(n), buf); return errno == 0 })
			}
		},
		"Accept": func(t *testing.T) func() error {
			l := unixListener(t, ops)
			addr, err := unix.Getsockname(l.Sysfd())
			if err != nil {
				t.Fatal(err)
			}
			return func() error {
				s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					return err
				}
				defer unix.Close(s)
				if err := unix.Connect(s, addr); err != nil {
					return err
				}
				var sa unix.RawSockaddrAny
				n, err := l.Accept(&sa)
				if err == nil {
					_ = unix.Close(n)
				}
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, 1)
			runtimetest.RunOn(t, rt, func() {
				op := prepare(t)
				busy := runtime.Spawn(func() {
					for range ops {
						if err := op(); err != nil {
							t.Error(err)
							return
						}
					}
				})
				turns := 0
				for !busy.Ended() {
					turns++
					runtime.Yield()
				}
				if turns < ops/longStreak {
					t.Errorf("%d turns beside %d operations", turns, ops)
				}
			})
		})
	}
}

func unixListener(t *testing.T, backlog int) *FD {
	t.Helper()
	l, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	listener := closeLater(t, New(l, false))
	if err := unix.Bind(l, &unix.SockaddrUnix{}); err != nil { // a name of the kernel's choice
		t.Fatal(err)
	}
	if err := unix.Listen(l, backlog); err != nil {
		t.Fatal(err)
	}
	return listener
}

// TestPaceAndIO: nor does it keep the worker from looking at its descriptors.
func TestPaceAndIO(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		r, w := pipe(t)
		fd, peer := socketPair(t)
		noticed := false
		task := runtime.Spawn(func() {
			if _, err := fd.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
			noticed = true
		})
		runtime.Yield()
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1)
		for !noticed {
			if _, err := w.Write(buf); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
		_ = task.Join()
	})
}

// TestPaceKilled: a turn given to others loses no data to a kill, which is
// delivered to the next wait.
func TestPaceKilled(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		r, w := pipe(t)
		if _, err := w.Write(make([]byte, 4*longStreak)); err != nil {
			t.Fatal(err)
		}
		got := 0
		var last error
		task := runtime.Spawn(func() {
			for last == nil {
				var n int
				n, last = r.Read(make([]byte, 1))
				got += n
			}
		})
		runtime.Yield() // in its first turn's end by now
		task.Kill(nil)
		_ = task.Join()
		if got != 4*longStreak || !errors.Is(last, runtime.ErrKilled) {
			t.Errorf("%d bytes, then %v", got, last)
		}
		err := runtime.WithTimeout(time.Nanosecond, func() error {
			_, err := w.Write(make([]byte, 4*longStreak))
			return err
		})
		if err != nil { // it did not have to wait
			t.Error(err)
		}
	})
}
