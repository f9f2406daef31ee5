package net_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/net/nettest"
)

// TestPipeConn runs x/net's conformance test of connections.
func TestPipeConn(t *testing.T) {
	t.Run("goroutines", func(t *testing.T) {
		nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
			c1, c2 = net.Pipe()
			return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
		})
	})
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("tasks on %d workers", workers), func(t *testing.T) {
			rt := runtimetest.New(t, workers)
			nettest.TestConn(t, func() (c1, c2 stdnet.Conn, stop func(), err error) {
				c1, c2 = net.Pipe()
				return runtimetest.TaskConn{Conn: c1, Runtime: rt}, runtimetest.TaskConn{Conn: c2, Runtime: rt}, func() { _, _ = c1.Close(), c2.Close() }, nil
			})
		})
	}
}

// TestPipe compares what the ends of a pipe tell with the standard library's.
func TestPipe(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		pipe := net.Pipe
		if n.name == "std" {
			pipe = stdnet.Pipe
		}
		read := func(what string, c stdnet.Conn, size int) {
			p := make([]byte, size)
			m, err := c.Read(p)
			told = append(told, tell(what, m, string(p[:m]), err))
		}
		a, b := pipe()
		told = append(told, tell("addresses", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr()))
		var wrote string
		write := func(c stdnet.Conn, text string) (join func()) {
			return n.start(func() {
				m, err := c.Write([]byte(text))
				wrote = tell("write", m, err)
			})
		}
		join := write(a, "hello")
		read("part", b, 2)
		read("nothing", b, 0)
		read("rest", b, 10)
		join()
		told = append(told, wrote)
		join = write(a, "")
		read("empty write", b, 10)
		join()
		told = append(told, wrote)

		// A deadline in the middle of a write.
		join = write(a, "hello")
		read("part", b, 2)
		_ = a.SetWriteDeadline(time.Unix(1, 0))
		join()
		told = append(told, wrote)
		m, err := a.Write([]byte("x"))
		told = append(told, tell("past the deadline", m, err))
		_ = a.SetDeadline(time.Unix(1, 0))
		read("past the deadline", a, 1)
		_ = a.SetReadDeadline(time.Now().Add(time.Millisecond))
		read("at the deadline", a, 1)
		_ = a.SetDeadline(time.Time{})

		// A Close in the middle, of either side.
		join = write(a, "hello")
		read("part", b, 2)
		told = append(told, tell("close", b.Close(), b.Close()))
		join()
		told = append(told, wrote)
		read("closed", b, 1)
		read("other closed", a, 1)
		m, err = b.Write([]byte("x"))
		told = append(told, tell("closed", m, err))
		m, err = a.Write([]byte("x"))
		told = append(told, tell("other closed", m, err))
		for _, c := range []stdnet.Conn{a, b} {
			told = append(told, tell("deadlines", c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})))
		}
		a, b = pipe()
		join = n.start(func() {
			m, err := b.Read(make([]byte, 1))
			wrote = tell("read", m, err)
		})
		_ = a.Close()
		join()
		return append(told, wrote)
	})
}

// TestPipeWhole: Writes of several at once do not mix, and each is whole.
func TestPipeWhole(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		pipe := net.Pipe
		if n.name == "std" {
			pipe = stdnet.Pipe
		}
		a, b := pipe()
		const writers, size = 10, 1000
		var joins []func()
		for i := range writers {
			joins = append(joins, n.start(func() {
				p := make([]byte, size)
				for j := range p {
					p[j] = byte(i)
				}
				if m, err := a.Write(p); m != size || err != nil {
					t.Errorf("Write = %d, %v", m, err)
				}
			}))
		}
		p := make([]byte, size)
		for range writers {
			for m := 0; m < size; {
				k, err := b.Read(p[m:min(m+70, size)])
				if err != nil {
					t.Fatal(err)
				}
				m += k
			}
			for _, c := range p {
				if c != p[0] {
					t.Fatal("mixed")
				}
			}
		}
		for _, join := range joins {
			join()
		}
	})
}

// TestPipeKilled: a kill and a timeout end a Read and a Write. The pipe works on,
// without what was being written.
func TestPipeKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	a, b := net.Pipe()
	var n int
	var err error
	for _, op := range []func(){
		func() { n, err = a.Read(make([]byte, 1)) },
		func() { n, err = a.Write(make([]byte, 10)) },
	} {
		task := rt.Spawn(op)
		waiting(t, rt, "pipe", 1)
		task.Kill(nil)
		_ = task.Join()
		var op *stdnet.OpError
		if n != 0 || !errors.Is(err, runtime.ErrKilled) || !errors.As(err, &op) || op.Net != "pipe" {
			t.Errorf("%d, %v", n, err)
		}
	}
	runtimetest.RunOn(t, rt, func() {
		err := runtime.WithTimeout(time.Millisecond, func() error { _, err := a.Write([]byte("lost")); return err })
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		runtime.Spawn(func() {
			_, _ = a.Write([]byte("text"))
			_ = a.Close()
		})
		if p, err := io.ReadAll(b); string(p) != "text" || err != nil {
			t.Errorf("%q, %v", p, err)
		}
	})
}
