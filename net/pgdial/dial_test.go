package pgdial

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	stdnet "net"

	"golang.org/x/net/nettest"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// pair connects to a listener of the standard library, whose end is served by a goroutine: peer.
func pair(t testing.TB) (c net.Conn, peer stdnet.Conn) {
	t.Helper()
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err = dial(context.Background(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	c = &foreground{Conn: c}
	if peer, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return c, peer
}

// TestPeerWritesFirst: a peer that reads only when its own data has been taken gets what is written, and not
// a byte of its data is lost or changes its place.
func TestPeerWritesFirst(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		c, peer := pair(t)
		defer c.Close()
		answer, question := make([]byte, 16<<20), bytes.Repeat([]byte("?"), 16<<20) // more than the kernel keeps
		for i := range answer {
			answer[i] = byte(i * i >> 8)
		}
		peerEnded := make(chan error, 1)
		go func() {
			defer peer.Close()
			_, err := peer.Write(answer)
			if err == nil {
				_, err = io.ReadFull(peer, make([]byte, len(question)))
			}
			if err == nil {
				_, err = io.WriteString(peer, "the end")
			}
			peerEnded <- err
		}()
		if n, err := c.Write(question); n != len(question) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		got, err := io.ReadAll(c)
		if want := append(answer, "the end"...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, %v, not the %d that were sent", len(got), err, len(want))
		}
		if err, _ := runtime.Await(func() (error, error) { return <-peerEnded, nil }); err != nil {
			t.Errorf("the peer: %v", err)
		}
	})
}

// TestBackgroundRead: what pgx would read in the background of a task is a timeout at once. What a goroutine
// reads in its own right is not.
func TestBackgroundRead(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		c, peer := pair(t)
		defer c.Close()
		defer peer.Close()
		say := func(s string) {
			if _, err := io.WriteString(peer, s); err != nil {
				t.Error(err)
			}
		}
		read := func() string {
			b := make([]byte, 3)
			if _, err := io.ReadFull(c, b); err != nil {
				return err.Error()
			}
			return string(b)
		}
		onGoroutine := func() string {
			s, _ := runtime.Await(func() (string, error) { return read(), nil })
			return s
		}
		say("one")
		if got := onGoroutine(); got != "one" {
			t.Errorf("before a task has written: %s", got)
		}
		say("two")
		_, _ = c.Write([]byte("x"))
		_, err := runtime.Await(func() (int, error) { return c.Read(make([]byte, 1)) })
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("in the background: %v", err)
		}
		if got := read(); got != "two" {
			t.Errorf("in the task: %s", got)
		}
		say("san")
		if got := onGoroutine(); got != "san" {
			t.Errorf("after the task has read: %s", got)
		}
		_, _ = c.Write([]byte("x"))
		_, _ = runtime.Await(func() (int, error) { return c.Write([]byte("x")) })
		say("shi")
		if got := onGoroutine(); got != "shi" {
			t.Errorf("after the goroutine has written: %s", got)
		}
	})
}

// TestKilledWriter: a kill ends a write that does not go on, and the task that reads beside it.
func TestKilledWriter(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		c, peer := pair(t)
		defer c.Close()
		defer peer.Close()
		_, _ = io.WriteString(peer, "early")
		var written error
		writer := runtime.Spawn(func() { _, written = c.Write(make([]byte, 64<<20)) })
		runtimetest.Eventually(t, "the other task reads", func() bool {
			for _, task := range rt.Tasks() {
				if task.State == runtime.TaskWaiting && task.Reason == "descriptor readable" {
					return true
				}
			}
			return false
		})
		if err := writer.KillWait(nil, 0); err != nil {
			t.Error(err)
		}
		if !errors.Is(written, runtime.ErrKilled) {
			t.Errorf("Write: %v", written)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "early" {
			t.Errorf("read %q, %v", b, err)
		}
		if n := len(rt.Tasks()); n != 1 {
			t.Errorf("%d tasks", n)
		}
	})
}

// TestTimeout: the end of a WithTimeout is not taken for that of a deadline, after which pgx reads on.
func TestTimeout(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		c, peer := pair(t)
		defer c.Close()
		defer peer.Close()
		for name, call := range map[string]func([]byte) (int, error){"Read": c.Read, "Write": c.Write} {
			err := runtime.WithTimeout(time.Millisecond, func() error {
				_, err := call(make([]byte, 64<<20))
				var ne net.Error
				if errors.As(err, &ne) {
					t.Errorf("%s: %v is a net.Error", name, err)
				}
				return err
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := c.SetDeadline(time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		_, err := c.Read(make([]byte, 1))
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("after a deadline: %v", err)
		}
	})
}

// TestConn: it is still a net.Conn.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = pair(t)
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

// TestDialFails: the error is the dialer's.
func TestDialFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := dial(ctx, "tcp", "127.0.0.1:1"); c != nil || err == nil {
		t.Errorf("Dial: %v, %v", c, err)
	}
}

// BenchmarkExchange is a byte there and back: what a Conn adds to a connection.
func BenchmarkExchange(b *testing.B) {
	for _, test := range []struct {
		name string
		wrap func(net.Conn) net.Conn
	}{
		{"plain", func(c net.Conn) net.Conn { return c.(*foreground).Conn.(*duplex).Conn }},
		{"pgdial", func(c net.Conn) net.Conn { return c }},
	} {
		b.Run(test.name, func(b *testing.B) {
			runtimetest.Bench(b, 1, func() {
				c, peer := pair(b)
				defer c.Close()
				go func() { _, _ = io.Copy(peer, peer); peer.Close() }()
				c = test.wrap(c)
				p := []byte("x")
				for b.Loop() {
					if _, err := c.Write(p); err != nil {
						b.Fatal(err)
					}
					if _, err := c.Read(p); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
