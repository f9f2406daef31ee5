package process

import (
	"iter"

	"github.com/weft-go/weft/runtime"
)

// A Conn is an end of a pipe that goes both ways: a Receiver and a Sender. It may be used
// by two tasks at once, one that receives and one that sends.
type Conn[T any] struct {
	In  *Receiver[T]
	Out *Sender[T]
}

// Pipe returns the ends of a new pipe that goes both ways.
func Pipe[T any]() (a, b *Conn[T], err error) {
	a, b = new(Conn[T]), new(Conn[T])
	if a.In, b.Out, err = OneWay[T](); err != nil {
		return nil, nil, err
	}
	if b.In, a.Out, err = OneWay[T](); err != nil {
		_ = a.In.Close()
		_ = b.Out.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// Send is Sender.Send.
func (c *Conn[T]) Send(v T) error { return c.Out.Send(v) }

// SendUntil is Sender.SendUntil.
func (c *Conn[T]) SendUntil(v T, deadline runtime.Instant) error { return c.Out.SendUntil(v, deadline) }

// Recv is Receiver.Recv.
func (c *Conn[T]) Recv() (T, error) { return c.In.Recv() }

// RecvUntil is Receiver.RecvUntil.
func (c *Conn[T]) RecvUntil(deadline runtime.Instant) (T, error) { return c.In.RecvUntil(deadline) }

// RecvInto is Receiver.RecvInto.
func (c *Conn[T]) RecvInto(v *T) error { return c.In.RecvInto(v) }

// TryRecv is Receiver.TryRecv.
func (c *Conn[T]) TryRecv() (T, bool, error) { return c.In.TryRecv() }

// Wait is Receiver.Wait.
func (c *Conn[T]) Wait(deadline runtime.Instant) error { return c.In.Wait(deadline) }

// OnReady is Receiver.OnReady.
func (c *Conn[T]) OnReady(fn func()) (cancel func() bool) { return c.In.OnReady(fn) }

// All is Receiver.All.
func (c *Conn[T]) All() iter.Seq[T] { return c.In.All() }

// Close closes both ends. A second Close returns ErrPipeClosed.
func (c *Conn[T]) Close() error {
	err := c.In.Close()
	if e := c.Out.Close(); err == nil {
		err = e
	}
	return err
}
