package poll

import (
	"bytes"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestCloseWakes: Close ends the parked reader and writer and those in the queue,
// wherever they run and it is called.
func TestCloseWakes(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, at := range places(rt) {
		t.Run(at.name, func(t *testing.T) {
			for _, first := range places(rt) {
				fd, _ := socketPair(t)
				fill(t, fd)
				var results [2][]<-chan result
				for dir, op := range []func([]byte) (int, error){fd.Read, fd.Write} {
					for i, p := range append([]place{first}, places(rt)...) {
						results[dir] = append(results[dir], p.call(func() (int, error) { return op(make([]byte, 1)) }))
						if i == 0 {
							parked(t, fd, reactor.Direction(dir))
						} else {
							queued(t, fd, reactor.Direction(dir), i)
						}
					}
				}
				closed := at.call(func() (int, error) {
					err := fd.Close()
					if state := fd.lock.state.Load(); state != lockClosed {
						t.Errorf("Close has returned in state %#x", state)
					}
					return 0, err
				})
				for dir := range results {
					for i, c := range results[dir] {
						if res := <-c; res != (result{0, ErrClosed}) {
							t.Errorf("%s, %s %d: %v", waitReasons[dir], first.name, i, res)
						}
					}
				}
				if res := <-closed; res.err != nil {
					t.Error(res.err)
				}
				gone(t, fd)
			}
		})
	}
}

// TestCloseWaitsForUser: Close returns when the last user of the descriptor's
// number has.
func TestCloseWaitsForUser(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, _ := socketPair(t)
		inside, leave := make(chan struct{}), make(chan struct{})
		user := place{}.call(func() (int, error) {
			return 0, fd.RawControl(func(n uintptr) {
				close(inside)
				<-leave
				if _, err := unix.FcntlInt(n, unix.F_GETFD, 0); err != nil {
					t.Errorf("the descriptor was closed meanwhile: %v", err)
				}
			})
		})
		<-inside
		closed := p.call(func() (int, error) { return 0, fd.Close() })
		runtimetest.Eventually(t, "the close", fd.lock.closed)
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		close(leave)
		for _, c := range []<-chan result{user, closed} {
			if res := <-c; res.err != nil {
				t.Error(res.err)
			}
		}
		gone(t, fd)
	})
}

// TestCloseOnce: of many Closes at once one succeeds.
func TestCloseOnce(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for range 50 {
		fd, _ := socketPair(t)
		read := places(rt)[1].call(func() (int, error) { return fd.Read(make([]byte, 1)) })
		var closed []<-chan result
		for range 2 {
			for _, p := range places(rt) {
				closed = append(closed, p.call(func() (int, error) { return 0, fd.Close() }))
			}
		}
		succeeded := 0
		for _, c := range closed {
			switch res := <-c; res.err {
			case nil:
				succeeded++
			case ErrClosed:
			default:
				t.Error(res.err)
			}
		}
		if succeeded != 1 {
			t.Errorf("%d Closes succeeded", succeeded)
		}
		if res := <-read; res.err != ErrClosed {
			t.Errorf("Read: %v", res.err)
		}
		gone(t, fd)
	}
}

// TestCloseKilled: a kill does not keep Close from its end, nor does Close use
// it up.
func TestCloseKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	fd, _ := socketPair(t)
	other, _ := socketPair(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	user := place{}.call(func() (int, error) {
		return 0, fd.RawControl(func(uintptr) { close(inside); <-leave })
	})
	<-inside
	var closeErr, readErr error
	task := rt.Spawn(func() {
		closeErr = fd.Close()
		_, readErr = other.Read(make([]byte, 1))
	})
	runtimetest.Eventually(t, "the close", fd.lock.closed)
	task.Kill(nil)
	close(leave)
	<-user
	_ = task.Join()
	if kill, ok := readErr.(*runtime.KillError); closeErr != nil || !ok {
		t.Errorf("Close: %v, Read: %v, %v", closeErr, readErr, kill)
	}
	gone(t, fd)
}

// TestCloseAtHome: the descriptor is not closed before the goroutine of its home
// has come by.
func TestCloseAtHome(t *testing.T) {
	rt := runtimetest.New(t, 1)
	other := runtimetest.New(t, 1)
	for _, p := range places(other) {
		t.Run(p.name, func(t *testing.T) {
			fd, peer := socketPair(t)
			settle(t, rt, fd, peer)
			busy, leave := make(chan struct{}), make(chan struct{})
			task := rt.Spawn(func() { close(busy); <-leave })
			<-busy
			closed := p.call(func() (int, error) { return 0, fd.Close() })
			runtimetest.Eventually(t, "the close", fd.lock.closed)
			for range 100 {
				if _, err := unix.FcntlInt(uintptr(fd.Sysfd()), unix.F_GETFD, 0); err != nil {
					t.Errorf("closed too early: %v", err)
					break
				}
				goruntime.Gosched()
			}
			close(leave)
			if res := <-closed; res.err != nil {
				t.Error(res.err)
			}
			_ = task.Join()
			gone(t, fd)
		})
	}
}

// TestCloseReuse closes descriptors in one place while their numbers are used
// anew in others: no operation ends up at another's descriptor.
func TestCloseReuse(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var joins []func()
	for id, p := range append(places(rt), places(rt)...) {
		joins = append(joins, p.start(func() {
			text := bytes.Repeat([]byte{byte('a' + id)}, 8)
			for range 200 {
				sv, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Error(err)
					return
				}
				a, b := New(sv[0], true), New(sv[1], true)
				read := places(rt)[id%2+1].call(func() (int, error) {
					buf := make([]byte, 16)
					n, err := a.Read(buf)
					if err == nil && !bytes.Equal(buf[:n], text) {
						t.Errorf("read %q, not %q", buf[:n], text)
					}
					return n, err
				})
				if id%2 == 0 {
					if _, err := b.Write(text); err != nil {
						t.Error(err)
					}
				}
				_ = a.Close()
				_ = b.Close()
				// A channel would block a worker, so the result is not awaited
				// here: Close has seen to the read's end.
				_ = read
			}
		}))
	}
	for _, join := range joins {
		join()
	}
}

// TestCloseLingers: a close(2) that takes long does not hold the worker.
func TestCloseLingers(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var fd, peer *FD
	runtimetest.RunOn(t, rt, func() { fd, peer = tcpPair(t) }) // at home there only
	if err := unix.SetsockoptLinger(fd.Sysfd(), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 3600}); err != nil {
		t.Fatal(err)
	}
	fd.SetLingers(true)
	total := fill(t, fd)
	task := rt.Spawn(func() {
		if err := fd.Close(); err != nil {
			t.Error(err)
		}
	})
	runtimetest.RunOn(t, rt, func() {
		for !fd.lock.closed() {
			runtime.Yield()
		}
		if task.Ended() {
			t.Error("Close did not wait for the kernel")
		}
		buf := make([]byte, 1<<16)
		for n := 0; n < total; {
			m, err := peer.Read(buf)
			if err != nil {
				t.Errorf("read: %v", err)
				return
			}
			n += m
		}
	})
	_ = task.Join()
	gone(t, fd)
}
