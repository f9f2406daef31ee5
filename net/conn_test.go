package net_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/net/nettest"
)

// TestMain ends the default runtime, and fails if that is not possible or
// descriptors are left.
func TestMain(m *testing.M) {
	before := runtimetest.Descriptors()
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
	defer cancel()
	if err := runtime.Default().Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if after := runtimetest.Descriptors(); after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "left behind: %d descriptors, was %d\n", after, before)
		code = 1
	}
	os.Exit(code)
}

// TestConn runs x/net's conformance test of connections.
func TestConn(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network+"/goroutines", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
				return makePipe(t, network)
			})
		})
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/tasks on %d workers", network, workers), func(t *testing.T) {
				rt := runtimetest.New(t, workers)
				nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
					c1, c2, stop, err = makePipe(t, network)
					return taskConn{c1, rt}, taskConn{c2, rt}, stop, err
				})
			})
		}
	}
}

// listen listens on a fresh address of network.
func listen(t testing.TB, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
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

// taskConn makes each call of a connection in a task of its own.
type taskConn struct {
	stdnet.Conn
	rt *runtime.Runtime
}

func (c taskConn) do(f func() (int, error)) (n int, err error) {
	if err := c.rt.Run(func() error {
		n, err = f()
		return nil
	}); err != nil {
		return 0, err
	}
	return n, err
}

func (c taskConn) Read(p []byte) (int, error) {
	return c.do(func() (int, error) { return c.Conn.Read(p) })
}
func (c taskConn) Write(p []byte) (int, error) {
	return c.do(func() (int, error) { return c.Conn.Write(p) })
}

func (c taskConn) Close() error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.Close() })
	return err
}

func (c taskConn) SetDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetDeadline(t) })
	return err
}

func (c taskConn) SetReadDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetReadDeadline(t) })
	return err
}

func (c taskConn) SetWriteDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetWriteDeadline(t) })
	return err
}
