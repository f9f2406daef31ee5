package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// A setting is where Serve is called. The handlers run on rt in any case.
type setting struct {
	rt        *runtime.Runtime
	goroutine bool
}

// each runs body in each setting. The test's own goroutine is the client.
func each(t *testing.T, body func(t *testing.T, s setting)) {
	t.Helper()
	t.Run("1 worker", func(t *testing.T) { body(t, setting{runtimetest.New(t, 1), false}) })
	t.Run("2 workers", func(t *testing.T) { body(t, setting{runtimetest.New(t, 2), false}) })
	t.Run("goroutine", func(t *testing.T) { body(t, setting{runtimetest.New(t, 2), true}) })
}

// start runs fn in the setting, and returns a function that waits for its result.
func (s setting) start(fn func() error) (result func() error) {
	ended := make(chan error, 1)
	if s.goroutine {
		go func() { ended <- fn() }()
	} else {
		s.rt.Spawn(func() { ended <- fn() }) // there is room: it does not block
	}
	return func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(runtimetest.Patience):
			return errors.New("the call does not return")
		}
	}
}

// stream starts srv on a fresh listener of network, and ends it with the test. The
// result is that of Serve.
func (s setting) stream(t *testing.T, srv *server.StreamServer, network string) (l net.Listener, result func() error) {
	t.Helper()
	l = listen(t, network)
	return l, s.streamOn(t, srv, l)
}

func (s setting) streamOn(t *testing.T, srv *server.StreamServer, l net.Listener) (result func() error) {
	t.Helper()
	if srv.Place == nil {
		srv.Place = s.rt.Spawn
	}
	result = s.start(func() error { return srv.Serve(l) })
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		runtimetest.Eventually(t, "the end of Serve", func() bool { return srv.Serving() == 0 })
	})
	return result
}

// closed fails the test if a result is not that of a server which was stopped.
func closed(t *testing.T, result func() error) {
	t.Helper()
	if err := result(); err != server.ErrServerClosed {
		t.Errorf("Serve returned %v, want ErrServerClosed", err)
	}
}

// listen listens on a fresh address of network.
func listen(t testing.TB, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "weft") // its name fits a unix address
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// A client is a connection of the test's goroutine.
type client struct {
	stdnet.Conn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, l net.Listener) *client {
	t.Helper()
	conn, err := stdnet.DialTimeout(l.Addr().Network(), l.Addr().String(), runtimetest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(runtimetest.Patience)); err != nil {
		t.Fatal(err)
	}
	return &client{conn, t, bufio.NewReader(conn)}
}

// say sends a line, and expects another.
func (c *client) say(line, want string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Error(err)
	}
	c.hear(want)
}

func (c *client) hear(want string) {
	c.t.Helper()
	if got, err := c.in.ReadString('\n'); got != want+"\n" || err != nil {
		c.t.Errorf("heard %q, %v, want %q", got, err, want)
	}
}

// over expects that the server closes the connection.
func (c *client) over() {
	c.t.Helper()
	// A reset says so, too: what we said had not been read.
	if b, err := c.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("the connection is not closed: %q, %v", b, err)
	}
}

// echo answers each line with itself.
func echo(conn net.Conn) { _, _ = io.Copy(conn, struct{ io.Reader }{conn}) }

// counting is a listener that counts the connections it has returned.
type counting struct {
	net.Listener
	accepted atomic.Int64
}

func (l *counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

func (l *counting) SetDeadline(t time.Time) error {
	return l.Listener.(*net.TCPListener).SetDeadline(t)
}

// A room is where handlers wait until they are let out.
type room struct {
	doors   [100]event.Event
	entered atomic.Int64
	left    atomic.Int64
}

// enter waits for the number of the caller's door.
func (r *room) enter() error {
	err := r.doors[r.entered.Add(1)-1].Wait()
	r.left.Add(1)
	return err
}

// holds waits until n have entered.
func (r *room) holds(t *testing.T, n int64) {
	t.Helper()
	runtimetest.Eventually(t, "handlers run", func() bool { return r.entered.Load() >= n })
	if got := r.entered.Load(); got != n {
		t.Errorf("%d handlers have run, want %d", got, n)
	}
}

// open lets everyone out.
func (r *room) open() {
	for i := range r.doors {
		r.doors[i].Set()
	}
}

// ended returns a context that is done, with the cause given.
func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

var errGrace = errors.New("grace is over")
