package net_test

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// options tells the socket options of c that the package sets.
func options(t *testing.T, what string, c stdnet.Conn) string {
	t.Helper()
	raw, err := c.(halves).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	line := what + ":"
	if err := raw.Control(func(fd uintptr) {
		for _, o := range []struct {
			name         string
			level, name2 int
		}{
			{"nodelay", syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
			{"keepalive", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
			{"idle", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
			{"interval", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
			{"count", syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
		} {
			value, err := syscall.GetsockoptInt(int(fd), o.level, o.name2)
			line += fmt.Sprint(" ", o.name, " ", value)
			if err != nil {
				line += " " + err.Error()
			}
		}
	}); err != nil {
		t.Error(err)
	}
	return line
}

// TestOptions compares the options of dialed and accepted sockets, by default,
// by configuration and by the methods.
func TestOptions(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, c := range []struct {
			name   string
			period time.Duration
			config stdnet.KeepAliveConfig
		}{
			{"default", 0, stdnet.KeepAliveConfig{}},
			{"period", 42 * time.Second, stdnet.KeepAliveConfig{}},
			{"short period", time.Millisecond, stdnet.KeepAliveConfig{}},
			{"off", -1, stdnet.KeepAliveConfig{}},
			{"config", -1, stdnet.KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Interval: 3500 * time.Millisecond, Count: 2}},
			{"config of defaults", time.Hour, stdnet.KeepAliveConfig{Enable: true}},
			{"config that leaves", 0, stdnet.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}},
		} {
			l, err := n.listen(stdnet.ListenConfig{KeepAlive: c.period, KeepAliveConfig: c.config}, "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			a, err := n.dial(t.Context(), dialer{keepAlive: c.period}, "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, options(t, c.name+" dialed", a), options(t, c.name+" accepted", b))
			for name, conn := range map[string]stdnet.Conn{"a": a, "b": b, "l": nil} {
				if conn == nil {
					_ = l.Close()
				} else if err := conn.Close(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		conn, _ := n.connected(t, "tcp")
		a := conn.(tcp)
		for i, set := range []func() error{
			func() error { return a.SetNoDelay(false) },
			func() error { return a.SetNoDelay(true) },
			func() error { return a.SetKeepAlive(false) },
			func() error { return a.SetKeepAlive(true) },
			func() error { return a.SetKeepAlivePeriod(33 * time.Second) },
			func() error { return a.SetKeepAlivePeriod(0) },
			func() error { return a.SetKeepAlivePeriod(-1) },
			func() error { return a.SetKeepAliveConfig(stdnet.KeepAliveConfig{Enable: false}) },
			func() error {
				return a.SetKeepAliveConfig(stdnet.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: time.Second, Count: 4})
			},
			func() error {
				return a.SetKeepAliveConfig(stdnet.KeepAliveConfig{Enable: true, Idle: 40000 * time.Second})
			},
		} {
			told = append(told, tell(fmt.Sprint("set ", i), set()), options(t, fmt.Sprint("after ", i), conn))
		}
		return told
	})
}

// TestBuffers: the buffer sizes reach the kernel.
func TestBuffers(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			a, _ := n.connected(t, network)
			h := a.(halves)
			told = append(told, tell("read", h.SetReadBuffer(50000)), tell("write", h.SetWriteBuffer(60000)))
			raw, err := h.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			if err := raw.Control(func(fd uintptr) {
				r, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
				told = append(told, tell("read", r, err))
				w, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
				told = append(told, tell("write", w, err))
			}); err != nil {
				t.Error(err)
			}
			return told
		})
	}
}

// TestLinger: a Close that waits for the peer parks its task only.
func TestLinger(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, b := n.connected(t, "tcp")
		if err := a.(*net.TCPConn).SetLinger(3600); err != nil {
			t.Fatal(err)
		}
		total := fill(t, a)
		var begun atomic.Bool
		task := runtime.Spawn(func() {
			begun.Store(true)
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		for !begun.Load() {
			runtime.Yield()
		}
		if task.Ended() {
			t.Error("Close did not wait")
		}
		buf := make([]byte, 1<<16)
		for m := 0; m < total; {
			k, err := b.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			m += k
		}
		_ = task.Join()
	})
}
