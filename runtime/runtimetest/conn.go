package runtimetest

import (
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
)

// TaskConn is a connection each of whose calls is made in a task of its own, for test
// suites that call from goroutines.
type TaskConn struct {
	stdnet.Conn
	Runtime *runtime.Runtime
}

func (c TaskConn) do(f func() (int, error)) (n int, err error) {
	if err := c.Runtime.Run(func() error {
		n, err = f()
		return nil
	}); err != nil {
		return 0, err
	}
	return n, err
}

// Read, and the other methods, block the calling goroutine until the task has ended.
func (c TaskConn) Read(p []byte) (int, error) {
	return c.do(func() (int, error) { return c.Conn.Read(p) })
}

func (c TaskConn) Write(p []byte) (int, error) {
	return c.do(func() (int, error) { return c.Conn.Write(p) })
}

func (c TaskConn) Close() error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.Close() })
	return err
}

func (c TaskConn) SetDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetDeadline(t) })
	return err
}

func (c TaskConn) SetReadDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetReadDeadline(t) })
	return err
}

func (c TaskConn) SetWriteDeadline(t time.Time) error {
	_, err := c.do(func() (int, error) { return 0, c.Conn.SetWriteDeadline(t) })
	return err
}
