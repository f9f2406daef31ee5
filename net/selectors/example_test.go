package selectors_test

import (
	"bytes"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/selectors"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// echo is the tutorial's server: one task answers all clients in upper case, by
// callbacks that are the data of the registrations.
type echo struct {
	selector *selectors.Selector[func(selectors.Event)]
	listener net.Listener
	served   int // connections that have ended
	cut      int // of these, not by end of file
}

// run serves until the task is killed, and closes everything then.
func (e *echo) run() error {
	defer e.selector.Close()
	defer func() {
		for key := range e.selector.Keys() {
			_ = key.File.(io.Closer).Close()
		}
	}()
	if _, err := e.selector.Register(e.listener, selectors.Read, e.accept); err != nil {
		return err
	}
	for {
		ready, err := e.selector.Select(runtime.Forever)
		if err != nil {
			return err
		}
		for _, r := range ready {
			r.Key.Data(r.Events)
		}
	}
}

// accept is the callback of the listener.
func (e *echo) accept(selectors.Event) {
	conn, err := e.listener.Accept()
	if err != nil {
		return // it is gone already
	}
	c := &echoConn{echo: e, conn: conn.(*net.TCPConn)}
	if _, err := e.selector.Register(conn, selectors.Read, c.ready); err != nil {
		_ = conn.Close()
	}
}

// echoConn is a connection, and what was not written to it yet.
type echoConn struct {
	echo *echo
	conn *net.TCPConn
	out  []byte
}

// ready is the callback of a connection: it reads, or writes when an answer is
// left. One that does not take its answers is not read meanwhile.
func (c *echoConn) ready(events selectors.Event) {
	if events&selectors.Read != 0 {
		buf := make([]byte, 4096)
		n, err := c.conn.Read(buf) // there is something: it need not wait
		if err != nil {
			c.close(err)
			return
		}
		c.out = bytes.ToUpper(buf[:n])
	}
	if err := c.send(); err != nil {
		c.close(err)
		return
	}
	want := selectors.Read
	if len(c.out) > 0 {
		want = selectors.Write
	}
	if _, err := c.echo.selector.Modify(c.conn, want, c.ready); err != nil {
		c.close(err)
	}
}

// send writes what the kernel takes. Write would wait until that is all, and the
// other clients with it.
func (c *echoConn) send() error {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	var writeErr error
	if err := raw.Write(func(fd uintptr) bool {
		n, writeErr = syscall.Write(int(fd), c.out)
		return true
	}); err != nil {
		return err
	}
	if writeErr == syscall.EAGAIN {
		return nil
	}
	c.out = c.out[max(n, 0):]
	return writeErr
}

func (c *echoConn) close(err error) {
	c.echo.served++
	if err != io.EOF {
		c.echo.cut++
	}
	_, _ = c.echo.selector.Unregister(c.conn)
	_ = c.conn.Close()
}

// The tutorial's server by selectors: one task, an accept and a read callback.
func Example() {
	runtimetest.Example(func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Println(err)
			return
		}
		s, err := selectors.New[func(selectors.Event)]()
		if err != nil {
			fmt.Println(err)
			return
		}
		server := runtime.Async(func() (int, error) { return 0, (&echo{selector: s, listener: l}).run() })

		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprint(conn, "hello")
		buf := make([]byte, 5)
		_, err = io.ReadFull(conn, buf)
		fmt.Println(string(buf), err)
		_ = conn.Close()

		server.Kill(nil)
		fmt.Println(server.Join())
	})
	// Output:
	// HELLO <nil>
	// runtime: task killed
}

func ExampleSelector() {
	runtimetest.Example(func() {
		s, err := selectors.New[string]()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer s.Close()
		var p [2]int
		if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
			fmt.Println(err)
			return
		}
		defer syscall.Close(p[0])
		defer syscall.Close(p[1])
		_, _ = s.Register(p[0], selectors.Read, "its reading end")
		_, _ = s.Register(p[1], selectors.Write, "its writing end")
		show := func() {
			ready, err := s.Select(time.Minute)
			for _, r := range ready {
				fmt.Println(r.Events, "at", r.Key.Data)
			}
			fmt.Println(len(ready), err)
		}
		show()
		_, _ = syscall.Write(p[1], []byte("x"))
		_, _ = s.Unregister(p[1])
		show()
		show() // still
	})
	// Output:
	// write at its writing end
	// 1 <nil>
	// read at its reading end
	// 1 <nil>
	// read at its reading end
	// 1 <nil>
}

func ExampleEvent() {
	fmt.Println(selectors.Read, selectors.Write, selectors.Read|selectors.Write)
	// Output:
	// read write read|write
}
