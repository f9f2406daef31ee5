package net_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// blackhole is an address where a connect gets no answer: the listener's backlog
// is full.
func blackhole(t testing.TB) string {
	t.Helper()
	address, _ := blackholeOn(t, "127.0.0.1:0")
	return address
}

// blackholeOn makes a blackhole of address. The function closes the listener,
// which resets whoever dials it.
func blackholeOn(t testing.TB, address string) (string, func()) {
	t.Helper()
	var filler stdnet.Conn
	lc := stdnet.ListenConfig{}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := l.(*stdnet.TCPListener).SyscallConn()
	if err == nil {
		err2 := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) }) // a backlog of 0 is one connection
		if err == nil {
			err = err2
		}
	}
	if err == nil {
		filler, err = stdnet.Dial("tcp", l.Addr().String())
	}
	if err != nil {
		_ = l.Close()
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		_ = filler.Close()
		_ = l.Close()
	})
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// TestDialTimeout: each of the three bounds ends a dial that gets no answer.
func TestDialTimeout(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		addr := blackhole(t)
		soon := func() time.Time { return time.Now().Add(10 * time.Millisecond) }
		ctx, cancel := context.WithDeadline(context.Background(), soon())
		defer cancel()
		for name, c := range map[string]struct {
			ctx context.Context
			d   dialer
		}{
			"timeout":  {context.Background(), dialer{timeout: 10 * time.Millisecond}},
			"deadline": {context.Background(), dialer{deadline: soon()}},
			"context":  {ctx, dialer{}},
			"first":    {ctx, dialer{timeout: time.Hour, deadline: time.Now().Add(time.Hour)}},
		} {
			conn, err := n.dial(c.ctx, c.d, "tcp", addr)
			var ne stdnet.Error
			if conn != nil || !errors.As(err, &ne) || !ne.Timeout() || !strings.HasSuffix(err.Error(), ": i/o timeout") {
				t.Errorf("%s: %v, %v", name, conn, err)
			}
		}
	})
}

// TestDialCanceled: D84 a context that is canceled before the dial, or during it.
func TestDialCanceled(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		addr := blackhole(t)
		check := func(when string, conn stdnet.Conn, err error) {
			t.Helper()
			if conn != nil || !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), ": operation was canceled") {
				t.Errorf("%s: %v, %v", when, conn, err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		conn, err := n.dial(ctx, dialer{}, "tcp", addr)
		check("before", conn, err)

		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		d := dialer{control: func(string, string, syscall.RawConn) error {
			n.start(cancel)
			return nil
		}}
		conn, err = n.dial(ctx, d, "tcp", addr)
		check("during", conn, err)
	})
}

// TestDialOutlivesContext: a connection does not depend on the context by which
// it was made, nor on a timeout.
func TestDialOutlivesContext(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		a, err := n.dial(ctx, dialer{timeout: time.Hour}, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		cancel()
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		fill(t, a) // so that the write waits
		join := n.start(func() {
			buf := make([]byte, 1<<20)
			for {
				if _, err := b.Read(buf); err != nil {
					return
				}
			}
		})
		if _, err := a.Write(make([]byte, 1<<20)); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		join()
	})
}

// TestDialRaces: contexts end at the very time when the connection is made.
// Either there is a connection that works, or an error.
func TestDialRaces(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		join := n.start(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte("x"))
				_ = conn.Close()
			}
		})
		for i := range 200 {
			ctx, cancel := context.WithCancel(context.Background())
			d := dialer{}
			if i%2 == 0 {
				d.control = func(string, string, syscall.RawConn) error { go cancel(); return nil }
			} else {
				d.timeout = time.Duration(i) * time.Microsecond
			}
			conn, err := n.dial(ctx, d, "tcp", l.Addr().String())
			cancel()
			var ne stdnet.Error
			switch {
			case err == nil:
				if _, err := conn.Read(make([]byte, 1)); err != nil {
					t.Errorf("dial %d: read: %v", i, err)
				}
				if _, err := conn.Write([]byte("x")); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("dial %d: write: %v", i, err)
				}
				_ = conn.Close()
			case errors.Is(err, context.Canceled):
			case errors.As(err, &ne) && ne.Timeout():
			default:
				t.Errorf("dial %d: %v", i, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		join()
	})
}

// TestDialControl: Control and ControlContext are called with the socket before
// it is bound, and their error is the dial's.
func TestDialControl(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		dir := shortTempDir(t)
		u, err := n.Listen("unix", dir+"/s")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		type key struct{}
		ctx := context.WithValue(context.Background(), key{}, "value")
		for _, fails := range []error{nil, errors.New("no")} {
			for _, l := range []stdnet.Listener{l, u} {
				inspect := func(name string) func(network, address string, c syscall.RawConn) error {
					return func(network, address string, c syscall.RawConn) error {
						told = append(told, tell(name, network, address))
						if err := c.Control(func(fd uintptr) {
							flags, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE)
							told = append(told, tell("type", flags, err))
							_, err = syscall.Getpeername(int(fd))
							told = append(told, tell("peer", err))
						}); err != nil {
							t.Error(err)
						}
						return fails
					}
				}
				for _, d := range []dialer{
					{control: inspect("control")},
					{control: inspect("not called"), controlContext: func(ctx context.Context, network, address string, c syscall.RawConn) error {
						told = append(told, tell("value", ctx.Value(key{})))
						return inspect("control context")(network, address, c)
					}},
				} {
					conn, err := n.dial(ctx, d, l.Addr().Network(), l.Addr().String())
					told = append(told, tell("dial", err))
					if err == nil {
						_ = conn.Close()
					}
				}
			}
		}
		return told
	})
}

// TestDialLocal: a dial from an address of one's own.
func TestDialLocal(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		local := &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 2)}
		a, err := n.dial(t.Context(), dialer{local: local}, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, addr := range []stdnet.Addr{a.LocalAddr(), b.RemoteAddr()} {
			if !addr.(*stdnet.TCPAddr).IP.Equal(local.IP) {
				t.Errorf("address %v", addr)
			}
		}
		// The same port to the same place again.
		_, err = n.dial(t.Context(), dialer{local: a.LocalAddr()}, "tcp", l.Addr().String())
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the same port twice: %v", err)
		}
	})
}

// TestDialNames: names are looked up, without blocking the worker.
func TestDialNames(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := stdnet.SplitHostPort(l.Addr().String())
		for _, host := range []string{"localhost", "127.0.0.1", ""} {
			conn, err := n.Dial("tcp", stdnet.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}
	})
}

// TestDialKilled: a task that is killed, or times out, while it dials.
func TestDialKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	addr := blackhole(t)
	var err error
	task := rt.Spawn(func() { _, err = net.Dial("tcp", addr) })
	waiting(t, rt, "writable", 1)
	task.Kill(errors.New("cause"))
	_ = task.Join()
	if !errors.Is(err, runtime.ErrKilled) || !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), ": cause") {
		t.Error(err)
	}
	runtimetest.RunOn(t, rt, func() {
		err := runtime.WithTimeout(time.Millisecond, func() error {
			_, err := net.Dial("tcp", addr)
			return err
		})
		var timeout *runtime.Timeout
		if !errors.As(err, &timeout) {
			t.Error(err)
		}
	})
}

// waiting waits until n tasks of rt wait for something of the given name.
func waiting(t *testing.T, rt *runtime.Runtime, what string, n int) {
	t.Helper()
	runtimetest.Eventually(t, "tasks waiting: "+what, func() bool {
		found := 0
		for _, line := range rt.Tasks() {
			if strings.Contains(fmt.Sprint(line), what) {
				found++
			}
		}
		return found == n
	})
}

// TestDialUnwound: a killed task that swallowed its unwinding is unwound again
// out of its dial, which leaves no descriptor.
func TestDialUnwound(t *testing.T) {
	rt := runtimetest.New(t, 1)
	addr := blackhole(t)
	returned := false
	task := rt.Spawn(func() {
		func() {
			defer func() { _ = recover() }()
			runtime.Sleep(time.Hour)
		}()
		_, _ = net.Dial("tcp", addr)
		returned = true
	})
	waiting(t, rt, "sleep", 1)
	before := runtimetest.Descriptors()
	task.Kill(nil)
	if err := task.Join(); !errors.Is(err, runtime.ErrKilled) || returned {
		t.Errorf("Join: %v, returned %v", err, returned)
	}
	if after := runtimetest.Descriptors(); after != before {
		t.Errorf("%d descriptors, was %d", after, before)
	}
}
