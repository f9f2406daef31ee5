package net_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// listen listens on a fresh address of network.
func listen(t testing.TB, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if strings.HasPrefix(network, "unix") {
		address = filepath.Join(shortTempDir(t), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shortTempDir is t.TempDir with a name that fits a unix address.
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weft")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func makePipe(t testing.TB, network string) (c1, c2 stdnet.Conn, stop func(), err error) {
	l := listen(t, network)
	defer l.Close()
	if c1, err = net.Dial(network, l.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	if c2, err = l.Accept(); err != nil {
		return nil, nil, nil, err
	}
	return c1, c2, func() {
		_ = c1.Close()
		_ = c2.Close()
	}, nil
}

// dialer is what the dialers of both packages have in common.
type dialer struct {
	timeout        time.Duration
	deadline       time.Time
	local          stdnet.Addr
	keepAlive      time.Duration
	fallbackDelay  time.Duration
	names          *nameServer // nil: the system's
	cancel         <-chan struct{}
	multipath      bool
	control        func(network, address string, c syscall.RawConn) error
	controlContext func(ctx context.Context, network, address string, c syscall.RawConn) error
}

// implementation is a package of this kind, and where its calls are made.
type implementation struct {
	name   string
	rt     *runtime.Runtime // nil: on goroutines
	listen func(lc stdnet.ListenConfig, network, address string) (stdnet.Listener, error)
	dial   func(ctx context.Context, d dialer, network, address string) (stdnet.Conn, error)
}

// Listen listens with the default configuration.
func (n implementation) Listen(network, address string) (stdnet.Listener, error) {
	return n.listen(stdnet.ListenConfig{}, network, address)
}

// Dial dials with the default configuration.
func (n implementation) Dial(network, address string) (stdnet.Conn, error) {
	return n.dial(context.Background(), dialer{}, network, address)
}

// start runs fn beside the caller, and returns a function that waits for it.
func (n implementation) start(fn func()) (join func()) {
	if n.rt == nil {
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	task := n.rt.Spawn(fn)
	return func() { _ = task.Join() }
}

func listenStd(lc stdnet.ListenConfig, network, address string) (stdnet.Listener, error) {
	return lc.Listen(context.Background(), network, address)
}

func dialStd(ctx context.Context, d dialer, network, address string) (stdnet.Conn, error) {
	std := stdnet.Dialer{
		Timeout: d.timeout, Deadline: d.deadline, LocalAddr: d.local, KeepAlive: d.keepAlive, FallbackDelay: d.fallbackDelay,
		Control: d.control, ControlContext: d.controlContext,
	}
	//lint:ignore SA1019 old programs use it
	std.Cancel = d.cancel
	if d.names != nil {
		std.Resolver = d.names.std()
	}
	if d.multipath {
		std.SetMultipathTCP(true)
	}
	return std.DialContext(ctx, network, address)
}

func listenOurs(lc stdnet.ListenConfig, network, address string) (stdnet.Listener, error) {
	our := net.ListenConfig{Control: lc.Control, KeepAlive: lc.KeepAlive, KeepAliveConfig: lc.KeepAliveConfig}
	our.SetMultipathTCP(lc.MultipathTCP())
	return our.Listen(context.Background(), network, address)
}

func dialOurs(ctx context.Context, d dialer, network, address string) (stdnet.Conn, error) {
	our := net.Dialer{
		Timeout: d.timeout, Deadline: d.deadline, LocalAddr: d.local, KeepAlive: d.keepAlive, FallbackDelay: d.fallbackDelay,
		Control: d.control, ControlContext: d.controlContext,
	}
	our.Cancel = d.cancel

	if d.names != nil {
		our.Resolver = d.names.resolver()
	}
	if d.multipath {
		our.SetMultipathTCP(true)
	}
	return our.DialContext(ctx, network, address)
}

// each runs body with the standard library, and with ours on goroutines and in a
// task on 1 and 2 workers.
func each(t *testing.T, body func(t *testing.T, n implementation)) {
	t.Helper()
	t.Run("std", func(t *testing.T) {
		body(t, implementation{"std", nil, listenStd, dialStd})
	})
	ours(t, body)
}

// ours is each without the standard library.
func ours(t *testing.T, body func(t *testing.T, n implementation)) {
	t.Helper()
	t.Run("goroutine", func(t *testing.T) {
		body(t, implementation{"goroutine", nil, listenOurs, dialOurs})
	})
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("task on %d", workers), func(t *testing.T) {
			rt := runtimetest.New(t, workers)
			runtimetest.RunOn(t, rt, func() {
				body(t, implementation{"task", rt, listenOurs, dialOurs})
			})
		})
	}
}

// same runs scenario with each implementation, and fails the test where ours
// do not tell what the standard library tells.
func same(t *testing.T, scenario func(t *testing.T, n implementation) []string) {
	t.Helper()
	sameIn(t, each, scenario)
}

// sameIn is same in other places.
func sameIn(t *testing.T, each func(*testing.T, func(*testing.T, implementation)), scenario func(t *testing.T, n implementation) []string) {
	t.Helper()
	var want []string
	each(t, func(t *testing.T, n implementation) {
		got := scenario(t, n)
		if n.name == "std" {
			want = got
			return
		}
		for i := range max(len(got), len(want)) {
			var g, w string
			if i < len(got) {
				g = got[i]
			}
			if i < len(want) {
				w = want[i]
			}
			if g != w {
				t.Errorf("differs from std:\n\tgot  %s\n\twant %s", g, w)
			}
		}
	})
}

// connected returns two connected sockets, the dialed one first, and closes them
// with the test.
func (n implementation) connected(t *testing.T, network string) (a, b stdnet.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if strings.HasPrefix(network, "unix") {
		address = filepath.Join(shortTempDir(t), "s")
	}
	l, err := n.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = n.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// halves are the methods of both packages' stream connections.
type halves interface {
	stdnet.Conn
	CloseRead() error
	CloseWrite() error
	syscall.Conn
	File() (*os.File, error)
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

// tcp are the methods of both packages' TCP connections.
type tcp interface {
	halves
	io.ReaderFrom
	io.WriterTo
	SetLinger(int) error
	SetNoDelay(bool) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
	SetKeepAliveConfig(stdnet.KeepAliveConfig) error
}

// reset closes c so that its peer is reset.
func reset(t *testing.T, c stdnet.Conn) {
	t.Helper()
	if err := c.(tcp).SetLinger(0); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// fill writes to c until it takes no more, without waiting.
func fill(t *testing.T, c stdnet.Conn) (total int) {
	t.Helper()
	raw, err := c.(halves).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 1<<16)
	if err := raw.Control(func(fd uintptr) {
		for {
			n, err := syscall.Write(int(fd), chunk)
			switch {
			case err == nil:
				total += n
			case err == syscall.EAGAIN && len(chunk) > 1:
				chunk = chunk[:1]
			case err == syscall.EAGAIN:
				return
			default:
				t.Error(err)
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return total
}

// pattern returns n bytes, no two parts of which look the same.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
}
