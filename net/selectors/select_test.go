package selectors

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"github.com/weft-go/weft/runtime/subprocess"
	"golang.org/x/sys/unix"
)

// TestSelectTurn, the table's last lines: a Select, with a timeout of 0 or with
// something ready, gives other tasks a turn.
func TestSelectTurn(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		for _, timeout := range []time.Duration{0, -1, time.Hour, runtime.Forever} {
			if timeout > 0 {
				_, _ = s.Unregister(a)
				register(t, s, a, Write, "a")
			}
			turns := 0
			other := runtime.Spawn(func() {
				for range 10 {
					turns++
					runtime.Yield()
				}
			})
			for before := turns; !other.Ended(); before = turns {
				_ = found(t, s, timeout)
				if turns == before && !other.Ended() {
					t.Fatalf("timeout %v: no turn after %d", timeout, turns)
				}
			}
		}
	})
}

// TestSelectTurnIO: I/O goes on beside a loop that only polls.
func TestSelectTurnIO(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := open(t)
		r, w := pipe(t)
		register(t, s, r, Read, "r")
		a, b := sockets(t)
		defer closeAll(a, b)
		other := open(t)
		register(t, other, a, Read, "a")
		task := runtime.Spawn(func() {
			_ = found(t, other, runtime.Forever)
			_, _ = w.WriteString("x")
		})
		for len(found(t, s, 0)) == 0 {
			if other.waits.Load() {
				write(t, b, "x")
			}
		}
		_ = task.Join()
	})
}

// TestSelectKilled: a kill, a WithTimeout and a context end a Select with their
// error, and the next one works.
func TestSelectKilled(t *testing.T) {
	runtimetest.Run(t, 2, func() {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		register(t, s, a, Read, "a")
		check := func() {
			t.Helper()
			if s.waits.Load() {
				t.Error("a wait is left")
			}
			write(t, b, "x")
			if m := found(t, s, runtime.Forever); m["a"] != Read {
				t.Errorf("found %v", m)
			}
			drain(t, a)
		}
		for _, timeout := range []time.Duration{time.Hour, runtime.Forever} {
			cause := errors.New("cause")
			task := runtime.Spawn(func() {
				_, err := s.Select(timeout)
				is(t, err, runtime.ErrKilled)
				is(t, err, cause)
			})
			waiting(t, s)
			task.Kill(cause)
			_ = task.Join()
			check()

			err := runtime.WithTimeout(time.Millisecond, func() error {
				_, err := s.Select(timeout)
				return err
			})
			is(t, err, runtime.ErrTimeout)
			check()
		}

		// A loop that never waits is ended as well.
		task := runtime.Spawn(func() {
			for {
				if _, err := s.Select(0); err != nil {
					is(t, err, runtime.ErrKilled)
					return
				}
			}
		})
		runtime.Yield()
		task.Kill(nil)
		_ = task.Join()
		check()
	})
}

// TestSelectContext: the end of a context ends a Select, before and while it
// waits.
func TestSelectContext(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		s := open(t)
		a, b := sockets(t)
		defer closeAll(a, b)
		register(t, s, a, Read, "a")
		ctx, cancel := context.WithCancel(context.Background())
		join := spawn(func() {
			ready, err := s.SelectContext(ctx)
			if len(ready) > 0 || err != context.Canceled {
				t.Errorf("%v, %v", ready, err)
			}
		})
		waiting(t, s)
		cancel()
		join()
		_, err := s.SelectContext(ctx)
		is(t, err, context.Canceled)
		ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = s.SelectContext(ctx)
		is(t, err, context.DeadlineExceeded)

		// A context that ends later does nothing to the next Select.
		for range 100 {
			ctx, cancel := context.WithCancel(context.Background())
			write(t, b, "x")
			if ready, err := s.SelectContext(ctx); len(ready) != 1 || err != nil {
				t.Errorf("%v, %v", ready, err)
			}
			drain(t, a)
			join := spawn(func() { write(t, b, "x") })
			cancel()
			if m := found(t, s, runtime.Forever); m["a"] != Read {
				t.Errorf("found %v", m)
			}
			join()
			drain(t, a)
		}
	})
}

// TestSelectBusy: one Select waits at a time; one that need not may be beside it.
func TestSelectBusy(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
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
		want(t, s, "", 0)
		_, err := s.Select(time.Hour)
		is(t, err, ErrBusy)
		write(t, b, "x")
		join()
	})
}

// TestChangeWhileWaiting: a Select that waits takes part in what other parties
// register, modify and unregister.
func TestChangeWhileWaiting(t *testing.T) {
	rt := runtimetest.New(t, 2)
	s := open(t)
	a, b := sockets(t)
	defer closeAll(a, b)
	fill(t, a)
	write(t, b, "x")
	for i := range 3 {
		for _, change := range []func(){
			func() { register(t, s, a, Read, "a") },
			func() {
				register(t, s, a, Write, "a")
				if _, err := s.Modify(a, Read|Write, "a"); err != nil {
					t.Error(err)
				}
			},
		} {
			join := runtimetest.Start(rt, i, func() {
				if m := found(t, s, runtime.Forever); m["a"] != Read {
					t.Errorf("found %v", m)
				}
			})
			waiting(t, s)
			runtimetest.Start(rt, i+1, change)()
			join()
			if _, err := s.Unregister(a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSelectOnHub: there nothing may wait; the rest works.
func TestSelectOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	s := open(t)
	a, b := sockets(t)
	defer closeAll(a, b)
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		register(t, s, a, Read, "a")
		_, err := s.Select(time.Hour)
		is(t, err, runtime.ErrNotInTask)
		write(t, b, "x")
		want(t, s, "a", Read)
	})
	<-done
}

// TestSubprocess: a Selector reads the output of processes as it comes.
func TestSubprocess(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := open(t)
		output := map[string]string{}
		for _, word := range []string{"one", "two", "three"} {
			c := subprocess.Command("echo", word)
			c.Stdout = subprocess.Pipe
			p, err := c.Start()
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			defer func() { _ = p.Wait() }()
			register(t, s, p.Stdout, Read, word)
		}
		for s.Len() > 0 {
			ready, err := s.Select(runtime.Forever)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range ready {
				buf := make([]byte, 16)
				n, err := r.Key.File.(io.Reader).Read(buf)
				output[r.Key.Data] += string(buf[:n])
				if err != nil {
					is(t, err, io.EOF)
					_, _ = s.Unregister(r.Key.File)
				}
			}
		}
		for word, text := range output {
			if text != word+"\n" {
				t.Errorf("%s: %q", word, text)
			}
		}
	})
}

// TestFiles: all that epoll takes can be registered: connections and listeners of
// ours and of the standard library's, files, terminals, numbers.
func TestFiles(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		s := open(t)
		for _, network := range []string{"ours", "std"} {
			listen, dial := net.Listen, net.Dial
			if network == "std" {
				listen, dial = stdnet.Listen, stdnet.Dial
			}
			l, err := listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			register(t, s, l, Read, network+" listener")
			want(t, s, "", 0)
			c, err := dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if m := found(t, s, runtime.Forever); m[network+" listener"] != Read {
				t.Errorf("found %v", m)
			}
			peer, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			register(t, s, peer, Read, network)
			want(t, s, "", 0)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if m := found(t, s, runtime.Forever); m[network] != Read {
				t.Errorf("found %v", m)
			}
			if n, err := peer.Read(make([]byte, 9)); n != 1 || err != nil {
				t.Errorf("Read = %d, %v", n, err)
			}
			_, _ = s.Unregister(peer)
			_, _ = s.Unregister(l)
			_, _, _ = c.Close(), peer.Close(), l.Close()
		}

		event, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer closeAll(event)
		register(t, s, event, Read, "eventfd")
		want(t, s, "", 0)
		write(t, event, "\x01\x00\x00\x00\x00\x00\x00\x00")
		want(t, s, "eventfd", Read)
		_, _ = s.Unregister(event)

		tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
		if err != nil {
			t.Skip("no terminals:", err)
		}
		defer tty.Close()
		register(t, s, tty, Write, "tty")
		want(t, s, "tty", Write)
	})
}
