package net

import (
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// Pipe returns the two ends of a connection in memory, without a buffer: a Write
// parks until Reads of the other end have taken all of it. It behaves as the
// standard library's, whose own would block the worker of a task.
func Pipe() (Conn, Conn) {
	there, back := new(pipeHalf), new(pipeHalf)
	return &pipe{read: back, write: there}, &pipe{read: there, write: back}
}

// pipe is one end.
type pipe struct{ read, write *pipeHalf }

// pipeHalf is one direction.
type pipeHalf struct {
	writing lock.Mutex // one Write at a time

	mu         sync.Mutex // held for a copy at most
	offered    bool       // mu guards this and the rest: a Write is under way
	data       []byte     // what is left of it
	readerGone bool
	writerGone bool
	deadlines  [2]runtime.Instant // of the reader and of the writer
	waiters    []runtime.Waiter   // for any change
}

const (
	reader = iota
	writer
)

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (*pipe) LocalAddr() Addr  { return pipeAddr{} }
func (*pipe) RemoteAddr() Addr { return pipeAddr{} }

func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.read.take(b)
	if err != nil && err != io.EOF && err != io.ErrClosedPipe {
		err = &OpError{Op: "read", Net: "pipe", Err: err}
	}
	return n, err
}

func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.write.give(b)
	if err != nil && err != io.ErrClosedPipe {
		err = &OpError{Op: "write", Net: "pipe", Err: err}
	}
	return n, err
}

func (p *pipe) Close() error {
	for _, h := range []*pipeHalf{p.read, p.write} {
		h.mu.Lock()
		if h == p.read {
			h.readerGone = true
		} else {
			h.writerGone = true
		}
		h.changed()
		h.mu.Unlock()
	}
	return nil
}

func (p *pipe) SetDeadline(t time.Time) error {
	if err := p.SetReadDeadline(t); err != nil {
		return err
	}
	return p.SetWriteDeadline(t)
}

func (p *pipe) SetReadDeadline(t time.Time) error  { return p.read.setDeadline(reader, t) }
func (p *pipe) SetWriteDeadline(t time.Time) error { return p.write.setDeadline(writer, t) }

func (h *pipeHalf) setDeadline(whose int, t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readerGone || h.writerGone {
		return io.ErrClosedPipe
	}
	h.deadlines[whose] = runtime.InstantOf(t)
	h.changed()
	return nil
}

// take reads into p from the Write under way.
func (h *pipeHalf) take(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerGone:
			return 0, io.ErrClosedPipe
		case h.writerGone:
			return 0, io.EOF
		case h.expired(reader):
			return 0, os.ErrDeadlineExceeded
		case h.offered:
			n := copy(p, h.data)
			if h.data = h.data[n:]; len(h.data) == 0 {
				h.offered = false
				h.changed()
			}
			return n, nil
		}
		if err := h.wait("pipe read", reader); err != nil {
			return 0, err
		}
	}
}

// give waits until p is read.
func (h *pipeHalf) give(p []byte) (n int, err error) {
	if err := h.refuses(); err != nil {
		return 0, err
	}
	if err := h.writing.LockUntil(0); err != nil {
		return 0, err
	}
	defer h.writing.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offered, h.data = true, p
	h.changed()
	defer func() { // also when the wait unwinds a killed task
		n = len(p) - len(h.data)
		h.offered, h.data = false, nil
	}()
	for h.offered {
		if err := h.writeError(); err != nil {
			return 0, err
		}
		if err := h.wait("pipe write", writer); err != nil {
			return 0, err
		}
	}
	return 0, nil // n is set above
}

// refuses returns why a Write would fail now.
func (h *pipeHalf) refuses() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.writeError()
}

func (h *pipeHalf) writeError() error {
	switch {
	case h.readerGone || h.writerGone:
		return io.ErrClosedPipe
	case h.expired(writer):
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (h *pipeHalf) expired(whose int) bool {
	return h.deadlines[whose] != 0 && h.deadlines[whose] <= runtime.Now()
}

// changed wakes all that wait, to look again. mu is held.
func (h *pipeHalf) changed() {
	for _, w := range h.waiters {
		w.Ready()
	}
	h.waiters = nil
}

// wait waits for a change, or the deadline. mu is held, but while it waits.
func (h *pipeHalf) wait(reason string, whose int) error {
	w := runtime.NewWaiter()
	h.waiters = append(h.waiters, w)
	deadline := h.deadlines[whose]
	h.mu.Unlock()
	defer func() { // also when the wait unwinds a killed task
		h.mu.Lock()
		if i := slices.Index(h.waiters, w); i >= 0 {
			h.waiters = slices.Delete(h.waiters, i, i+1)
		}
	}()
	if err := w.ParkUntil(reason, deadline); err != runtime.ErrTimeout {
		return err
	}
	return nil // the caller looks at the deadline
}
