package process

import (
	"errors"
	"io"
	"iter"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// ErrPipeClosed is returned by operations on a pipe end that was closed, or has moved to
// another process.
var ErrPipeClosed = errors.New("process: use of closed pipe end")

var errInUse = errors.New("process: a pipe end can't move while a task uses it")

// A Receiver is the receiving end of a one-way pipe: see OneWay. It belongs to one
// process: where it is part of what a pipe carries, or of the argument of a process, it
// moves, and is closed here. So the end of file comes when the process that has the other
// end closes it, or ends, however it does.
//
// Its methods may be called from any task or goroutine; those that receive take turns.
type Receiver[T any] struct {
	end[ring.Reader]
	codec codec.Codec[T]
}

// A Sender is the sending end of a one-way pipe. What is said of Receiver holds for it.
type Sender[T any] struct {
	end[ring.Writer]
	codec codec.Codec[T]
	buf   []byte // the holder of turn's
}

// An end is what the two have in common.
type end[R any] struct {
	turn   lock.Mutex // held by who receives, or sends
	ring   *R         // turn guards
	closed atomic.Bool
}

// OneWay returns the ends of a new pipe that goes one way.
func OneWay[T any]() (*Receiver[T], *Sender[T], error) {
	rf, wf, err := ring.New()
	if err != nil {
		return nil, nil, err
	}
	r, w := &Receiver[T]{codec: codec.For[T]()}, &Sender[T]{codec: codec.For[T]()}
	if r.ring, err = ring.OpenReader(rf); err != nil {
		rf.Close()
		wf.Close()
		return nil, nil, err
	}
	if w.ring, err = ring.OpenWriter(wf); err != nil {
		_ = r.Close()
		wf.Close()
		return nil, nil, err
	}
	return r, w, nil
}

// CarriesDescriptors marks the type for the encoder.
func (*Receiver[T]) CarriesDescriptors() {}

// CarriesDescriptors marks the type for the encoder.
func (*Sender[T]) CarriesDescriptors() {}

// Recv receives the next message: what one Send has sent. While there is none it waits.
// The error is io.EOF when the other end has been closed and everything was received, or
// the process that had it has ended; io.ErrUnexpectedEOF if that died in the middle of a
// message; ErrPipeClosed; an *EncodeError if the message is none of type T, which is lost
// then; or that of an interrupt.
func (r *Receiver[T]) Recv() (T, error) { return r.RecvUntil(0) }

// RecvUntil is Recv that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (r *Receiver[T]) RecvUntil(deadline runtime.Instant) (v T, err error) {
	err = r.receive(&v, deadline)
	return v, err
}

// RecvInto is Recv into *v, whose memory is used again where that is possible: with the
// same []byte for each message nothing is allocated.
func (r *Receiver[T]) RecvInto(v *T) error { return r.receive(v, 0) }

func (r *Receiver[T]) receive(v *T, deadline runtime.Instant) error {
	if err := r.turn.LockUntil(deadline); err != nil {
		return err
	}
	defer r.turn.Unlock()
	if r.closed.Load() {
		return ErrPipeClosed
	}
	message, err := r.ring.Next(deadline)
	if err != nil {
		return pipeError(err)
	}
	return r.decode(message, v)
}

// TryRecv receives the next message if it is there, and reports whether it was. It does
// not wait for one, but takes its turn with others that receive.
func (r *Receiver[T]) TryRecv() (v T, ok bool, err error) {
	if err := r.turn.LockUntil(0); err != nil {
		return v, false, err
	}
	defer r.turn.Unlock()
	if r.closed.Load() {
		return v, false, ErrPipeClosed
	}
	message, ok, err := r.ring.TryNext()
	if err != nil || !ok {
		return v, false, pipeError(err)
	}
	return v, true, r.decode(message, &v)
}

// decode decodes the message that the ring has just returned.
func (r *Receiver[T]) decode(message []byte, v *T) error {
	fds, err := r.ring.Descriptors()
	if err != nil {
		return err
	}
	decode := func() error {
		if r.ring.Own() {
			return r.codec.Adopt(message, v)
		}
		return r.codec.Decode(message, v)
	}
	if r.codec.Carries {
		bag := &codec.Baggage{Descriptors: fds}
		err = codec.With(bag, decode)
		fds = bag.Rest()
	} else {
		err = decode()
	}
	closeAll(fds)
	if err != nil {
		return &EncodeError{What: "message", Err: err}
	}
	return nil
}

// Wait waits until Recv need not: there is a message, or the end of file. It returns
// runtime.ErrTimeout at deadline, ErrPipeClosed, or the error of an interrupt. The zero
// deadline means none.
func (r *Receiver[T]) Wait(deadline runtime.Instant) error {
	if err := r.turn.LockUntil(deadline); err != nil {
		return err
	}
	defer r.turn.Unlock()
	if r.closed.Load() {
		return ErrPipeClosed
	}
	switch err := pipeError(r.ring.Wait(deadline)); err {
	case io.EOF, io.ErrUnexpectedEOF:
		return nil
	default:
		return err
	}
}

// OnReady makes fn be called when there is something to receive, the end of file
// included: so runtime.Wait waits for several pipes at once. Until then a task waits for
// it, and others that receive queue behind that.
func (r *Receiver[T]) OnReady(fn func()) (cancel func() bool) {
	var over atomic.Bool
	task := runtime.Default().Spawn(func() {
		if r.Wait(0) == nil && over.CompareAndSwap(false, true) {
			fn()
		}
	})
	return func() bool {
		task.Kill(nil)
		return over.CompareAndSwap(false, true)
	}
}

// All yields the messages as they come, until the end of file, or an error of Recv, which
// ends the loop. A task that is killed while it waits for one is unwound.
func (r *Receiver[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := r.Recv()
			if errors.Is(err, runtime.ErrKilled) {
				runtime.Unwind(err)
			}
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Close closes the end: a Recv that waits returns ErrPipeClosed, and so does every later
// one. A Send at the other end fails. A second Close returns ErrPipeClosed. It parks until
// those that receive have left.
func (r *Receiver[T]) Close() error {
	if !r.closed.CompareAndSwap(false, true) {
		return ErrPipeClosed
	}
	r.ring.Hangup()
	shielded(&r.turn)
	defer r.turn.Unlock()
	r.ring.Close()
	return nil
}

// MarshalBinary moves the end to the process that decodes it. It is for Start and Send,
// which call it.
func (r *Receiver[T]) MarshalBinary() ([]byte, error) {
	if !r.turn.TryLock() {
		return nil, errInUse
	}
	defer r.turn.Unlock()
	if r.closed.Load() {
		return nil, ErrPipeClosed
	}
	f, err := r.ring.Detach()
	if err != nil {
		return nil, err
	}
	return outgoingEnd(f, func() {
		if r.closed.CompareAndSwap(false, true) {
			r.ring.Hangup()
			shielded(&r.turn)
			defer r.turn.Unlock()
			r.ring.Leave()
		}
	})
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (r *Receiver[T]) UnmarshalBinary([]byte) error {
	f, err := incomingEnd()
	if err != nil {
		return err
	}
	r.codec = codec.For[T]()
	if r.ring, err = ring.OpenReader(f); err != nil {
		f.Close()
	}
	return err
}

// Send sends v as one message. It returns when v is on its way, which does not mean that
// somebody receives it; a process that has sent something may end. While the pipe is full
// Send waits. The error is an *EncodeError; ErrPipeClosed; unix.EPIPE if the other end is
// known to be closed; or that of an interrupt, and then nothing was sent.
func (w *Sender[T]) Send(v T) error { return w.SendUntil(v, 0) }

// SendUntil is Send that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (w *Sender[T]) SendUntil(v T, deadline runtime.Instant) error {
	if err := w.turn.LockUntil(deadline); err != nil {
		return err
	}
	defer w.turn.Unlock()
	if w.closed.Load() {
		return ErrPipeClosed
	}
	if message, ok := w.codec.View(&v); ok {
		return pipeError(w.ring.Write(deadline, nil, message))
	}
	bag := new(codec.Baggage)
	encode := func() (err error) {
		w.buf, err = w.codec.Append(w.buf[:0], v)
		return err
	}
	var err error
	if w.codec.Carries {
		defer func() { closeAll(bag.Descriptors) }()
		err = codec.With(bag, encode)
	} else {
		err = encode()
	}
	if err != nil {
		return &EncodeError{What: "message", Err: err}
	}
	err = pipeError(w.ring.Write(deadline, bag.Descriptors, w.buf))
	if err == nil {
		for _, sent := range bag.Sent {
			sent()
		}
	}
	if cap(w.buf) > ring.Whole {
		w.buf = nil
	}
	return err
}

// Close closes the end: the other one gets what was sent, and then io.EOF. A Send that
// waits returns ErrPipeClosed, as every later one does. A second Close returns
// ErrPipeClosed. It parks until those that send have left.
func (w *Sender[T]) Close() error {
	if !w.closed.CompareAndSwap(false, true) {
		return ErrPipeClosed
	}
	w.ring.Hangup()
	shielded(&w.turn)
	defer w.turn.Unlock()
	w.ring.Close()
	return nil
}

// MarshalBinary moves the end to the process that decodes it. It is for Start and Send,
// which call it.
func (w *Sender[T]) MarshalBinary() ([]byte, error) {
	if !w.turn.TryLock() {
		return nil, errInUse
	}
	defer w.turn.Unlock()
	if w.closed.Load() {
		return nil, ErrPipeClosed
	}
	f, err := w.ring.Detach()
	if err != nil {
		return nil, err
	}
	return outgoingEnd(f, func() {
		if w.closed.CompareAndSwap(false, true) {
			w.ring.Hangup()
			shielded(&w.turn)
			defer w.turn.Unlock()
			w.ring.Leave()
		}
	})
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (w *Sender[T]) UnmarshalBinary([]byte) error {
	f, err := incomingEnd()
	if err != nil {
		return err
	}
	w.codec = codec.For[T]()
	if w.ring, err = ring.OpenWriter(f); err != nil {
		f.Close()
	}
	return err
}

func outgoingEnd(f ring.Files, sent func()) ([]byte, error) {
	if err := codec.Outgoing(sent, f.Memory, f.Socket); err != nil {
		f.Close()
		return nil, err
	}
	return []byte{1}, nil
}

func incomingEnd() (ring.Files, error) {
	fds, err := codec.Incoming(2)
	if err != nil {
		return ring.Files{}, err
	}
	return ring.Files{Memory: fds[0], Socket: fds[1]}, nil
}

// shielded locks m whatever happens. The end was hung up, so the holder leaves soon.
func shielded(m *lock.Mutex) {
	for !m.TryLock() {
		w := runtime.NewWaiter().Shielded()
		w.Ready()
		_ = w.Park("turn on a pipe")
	}
}

// pipeError translates errors of package ring.
func pipeError(err error) error {
	if err == poll.ErrClosed {
		return ErrPipeClosed
	}
	return err
}
