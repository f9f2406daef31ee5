package selectors

import (
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// dup duplicates a descriptor.
func dup(t testing.TB, number int) int {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// quiet fails the test if the kernel would report something, so that a Select
// that waits would spin.
func quiet(t testing.TB, s *Selector[string]) {
	t.Helper()
	n, err := unix.EpollWait(s.fd.Load().Sysfd(), make([]unix.EpollEvent, 8), 0)
	if n != 0 || err != nil {
		t.Errorf("epoll_wait = %d, %v", n, err)
	}
}

// TestClosedElsewhere: a descriptor that is closed while it is registered is
// reported no more, also while a Select waits; another one with its number takes
// its place.
func TestClosedElsewhere(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		s := open(t)
		for range 20 {
			r, w := pipe(t)
			if _, err := w.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			register(t, s, r, Read, "r")
			want(t, s, "r", Read)
			_ = r.Close()
			want(t, s, "", 0)
			_ = w.Close()
		}
		if n := s.Len(); n > 2 { // the pipes got the same two numbers each time
			t.Errorf("%d registrations", n)
		}

		a, b := sockets(t)
		defer closeAll(b)
		register(t, s, a, Read, "a")
		join := spawn(func() {
			if m := found(t, s, runtime.Forever); len(m) != 1 || m["b"] != Write {
				t.Errorf("found %v", m)
			}
		})
		waiting(t, s)
		closeAll(a)
		register(t, s, b, Write, "b")
		join()
	})
}

// TestNumberUsedAgain: the key of a closed object goes when another one with its
// number is registered, and the closed one does not stand for that.
func TestNumberUsedAgain(t *testing.T) {
	s := open(t)
	a, b := sockets(t)
	defer closeAll(b)
	old := os.NewFile(uintptr(a), "old")
	register(t, s, old, Read, "old")
	_ = old.Close()
	if err := unix.Dup3(b, a, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(a), "file")
	defer file.Close()
	key := register(t, s, file, Write, "file")
	_, err := s.Unregister(old)
	is(t, err, ErrNotRegistered)
	if got, err := s.Key(file); got != key || err != nil || s.Len() != 1 {
		t.Errorf("%+v, %v, %d registrations", got, err, s.Len())
	}
	if key, err := s.Unregister(a); err != nil || key.File != file {
		t.Errorf("%+v, %v", key, err)
	}
}

// TestClosedWithDuplicate: nor does a closed one that lives on by a duplicate make
// Select return or spin, whether it was unregistered or not.
func TestClosedWithDuplicate(t *testing.T) {
	for _, kind := range []string{"unregistered", "unregistered number", "registered"} {
		t.Run(kind, func(t *testing.T) {
			each(t, func(t *testing.T, spawn func(func()) func()) {
				s := open(t)
				a, b := sockets(t)
				other, peer := sockets(t)
				defer closeAll(b, other, peer)
				register(t, s, other, Read, "other")
				var f any = a
				closeF := func() { closeAll(a) }
				if kind != "unregistered number" {
					file := os.NewFile(uintptr(a), "a")
					f, closeF = file, func() { _ = file.Close() }
				}
				register(t, s, f, Read|Write, "a")
				double := dup(t, a)
				defer closeAll(double)
				closeF()
				if kind != "registered" {
					if _, err := s.Unregister(f); err != nil {
						t.Error(err)
					}
				}
				before := s.fd.Load()
				join := spawn(func() {
					if m := found(t, s, runtime.Forever); len(m) != 1 || m["other"] != Read {
						t.Errorf("found %v", m)
					}
				})
				runtimetest.Eventually(t, "a new epoll descriptor", func() bool { return s.fd.Load() != before })
				waiting(t, s)
				quiet(t, s)
				write(t, b, "x") // the duplicate can be read now
				quiet(t, s)
				write(t, peer, "x")
				join()
				drain(t, other)
				if kind == "registered" {
					if _, err := s.Unregister(f); err != nil {
						t.Error(err)
					}
				}
				if s.Len() != 1 {
					t.Errorf("%d registrations", s.Len())
				}
				want(t, s, "", 0)
			})
		})
	}
}

// TestRenewBeside: a Select that waits goes over to the new epoll descriptor when
// another one, that does not, has met a closed file.
func TestRenewBeside(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		s := open(t)
		a, b := sockets(t)
		other, peer := sockets(t)
		defer closeAll(b, other, peer)
		fill(t, a)
		register(t, s, a, Write, "a")
		register(t, s, other, Read, "other")
		double := dup(t, a)
		defer closeAll(double)
		join := spawn(func() {
			if m := found(t, s, runtime.Forever); len(m) != 1 || m["other"] != Read {
				t.Errorf("found %v", m)
			}
		})
		waiting(t, s)
		closeAll(a)
		if _, err := s.Unregister(a); err != nil {
			t.Fatal(err)
		}
		before := s.fd.Load()
		drain(t, b)
		runtimetest.Eventually(t, "a new epoll descriptor", func() bool {
			want(t, s, "", 0)
			return s.fd.Load() != before
		})
		write(t, peer, "x")
		join()
	})
}

// TestRenewFails: without a descriptor for a new epoll Select says so, and what is
// registered stays so.
func TestRenewFails(t *testing.T) {
	s := open(t)
	a, b := sockets(t)
	other, peer := sockets(t)
	defer closeAll(b, other, peer)
	register(t, s, a, Write, "a")
	register(t, s, other, Write, "other")
	double := dup(t, a)
	defer closeAll(double)
	closeAll(a)
	if _, err := s.Unregister(a); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	ready, err := s.Select(0)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	is(t, err, unix.EMFILE)
	if len(ready) != 1 || ready[0].Key.Data != "other" {
		t.Errorf("ready %+v", ready)
	}
	want(t, s, "other", Write)
	quietNow := s.fd.Load()
	want(t, s, "other", Write)
	if s.fd.Load() != quietNow {
		t.Error("renewed again")
	}
}

// TestDuplicateComesBack: a file that was closed, unregistered, and lives on can
// be registered again under its former number.
func TestDuplicateComesBack(t *testing.T) {
	s := open(t)
	a, b := sockets(t)
	defer closeAll(b)
	register(t, s, a, Write, "first")
	double := dup(t, a)
	closeAll(a)
	if _, err := s.Unregister(a); err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(double, a, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer closeAll(a, double)
	register(t, s, a, Write, "second")
	want(t, s, "second", Write)
}

// TestCloseOfConn closes connections of ours by other tasks while Select looks at
// them.
func TestCloseOfConn(t *testing.T) {
	runtimetest.Run(t, 2, func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s := open(t)
		for range 50 {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			peer, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			register(t, s, c, Read|Write, "c")
			closer := runtime.SpawnBalanced(func() { _ = c.Close() })
			for !closer.Ended() {
				_ = found(t, s, time.Millisecond)
			}
			want(t, s, "", 0)
			_ = peer.Close()
		}
	})
}

// TestClosedAtOnce registers and unregisters from all sides while descriptors are
// closed and their numbers used again: a Select reports only what is registered.
func TestClosedAtOnce(t *testing.T) {
	rt := runtimetest.New(t, 2)
	s := open(t)
	stop := runtimetest.Start(rt, 0, func() {
		for {
			ready, err := s.Select(runtime.Forever)
			if err != nil {
				is(t, err, ErrClosed)
				return
			}
			for _, r := range ready {
				if r.Events != Write {
					t.Errorf("%+v", r)
				}
			}
		}
	})
	var joins []func()
	for i := range 6 {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			for j := range 100 {
				r, w, err := os.Pipe()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Register(w, Write, "w"); err != nil {
					t.Error(err)
				}
				double := -1
				if j%10 == 0 {
					double = dup(t, int(w.Fd()))
				}
				if j%2 == 0 {
					if _, err := s.Unregister(w); err != nil {
						t.Error(err)
					}
				}
				_, _ = w.Close(), r.Close()
				runtime.Yield()
				closeAll(double)
			}
		}))
	}
	for _, join := range joins {
		join()
	}
	_ = s.Close()
	stop()
}
