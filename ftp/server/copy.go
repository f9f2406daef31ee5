package server

import (
	"errors"
	"io"
	stdnet "net"
	"os"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

// sendChunk is how much one call sends of a file: the progress that STAT tells
// of, and the turn of others, come after each.
const sendChunk = 8 << 20

// sendFile sends a file as it is.
func (t *transfer) sendFile(c stdnet.Conn, f *source) error {
	if to, ok := c.(io.ReaderFrom); ok && f.os != nil {
		return t.sendDirect(c, to, f)
	}
	return t.sendFiltered(c, f, nil)
}

// sendDirect lets the kernel copy.
func (t *transfer) sendDirect(c stdnet.Conn, to io.ReaderFrom, f *source) error {
	p := t.pace()
	for {
		want := min(sendChunk, f.left())
		if want == 0 {
			return nil
		}
		p.start(c.SetWriteDeadline)
		chunk := io.LimitedReader{R: f.os, N: want}
		n, err := to.ReadFrom(&chunk)
		stalled := p.stop(n)
		f.taken += n
		switch {
		case err == nil && n < want:
			return nil
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded):
			if isConnError(err) {
				return &dataError{err}
			}
			return storage.Translate("read", f.path, err)
		case stalled:
			return errStalled
		default:
			// Slow, but it moves. How far the file's position is ahead of what was
			// sent depends on how it was copied.
			if err := f.seek(t.moved.Load()); err != nil {
				return err
			}
		}
		t.session.engine.Sleep(0)
	}
}

// isConnError tells the connection's errors from the file's, where one call may
// return both.
func isConnError(err error) bool {
	for _, target := range []error{
		stdnet.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ENOTCONN, syscall.ETIMEDOUT,
		syscall.ECONNABORTED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// sendFiltered sends a file by way of memory, converted by filter unless nil.
// filter at most doubles what it is given.
func (t *transfer) sendFiltered(c stdnet.Conn, f *source, filter func(dst, src []byte) []byte) error {
	p := t.pace()
	in, out := takeLarge(), (*buffer)(nil)
	defer in.put()
	room := in.bytes
	if filter != nil {
		out = takeLarge()
		defer out.put()
		room = room[:largeBuffer/2]
	}
	for {
		n, err := f.read(room)
		data := room[:n]
		if filter != nil {
			data = filter(out.bytes[:0], data)
		}
		if len(data) > 0 {
			if err := t.send(c, p, data); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// send sends all of data.
func (t *transfer) send(c stdnet.Conn, p *pace, data []byte) error {
	for {
		p.start(c.SetWriteDeadline)
		n, err := c.Write(data)
		stalled := p.stop(int64(n))
		switch {
		case err == nil:
			return nil
		case stalled:
			return errStalled
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return &dataError{err}
		}
		data = data[n:]
	}
}

// receive takes a file, converted by decoder unless nil, until the peer ends
// the stream. It makes nothing final.
func (t *transfer) receive(c stdnet.Conn, f *sink, decoder *ftp.ASCIIDecoder) error {
	t.receives = true
	p := t.pace()
	in, out := takeSmall(), (*buffer)(nil)
	defer func() { in.put() }()
	if decoder != nil {
		out = takeLarge()
		defer out.put()
	}
	for {
		room := in.bytes
		if decoder != nil {
			// It may have kept a CR from the last read.
			room = room[:len(room)-1]
		}
		p.start(c.SetReadDeadline)
		n, err := c.Read(room)
		stalled := p.stop(int64(n))
		data := room[:n]
		if decoder != nil {
			data = decoder.Append(out.bytes[:0], data)
			if errors.Is(err, io.EOF) {
				data = decoder.Flush(data)
			}
		}
		if len(data) > 0 {
			if err := f.write(data); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return &dataError{err}
		case stalled:
			return errStalled
		}
		if n == len(room) {
			in = in.grown()
		}
	}
}

// A pace measures whether a transfer moves. Only time spent on the data
// connection counts: a slow disk is not the client's fault.
type pace struct {
	t       *transfer
	silent  bool // what moves is counted elsewhere
	stall   time.Duration
	minRate int64

	began  time.Time
	waited time.Duration // since the last judgement
	moved  int64         // likewise
}

func (t *transfer) pace() *pace {
	cfg := t.session.cfg
	return &pace{t: t, stall: cfg.StallTimeout, minRate: cfg.MinRate}
}

// start begins a call on the connection, with a deadline.
func (p *pace) start(setDeadline func(time.Time) error) {
	p.began = time.Now()
	_ = setDeadline(p.began.Add(p.stall)) // the call tells if it is closed
}

// stop ends a call that moved n bytes and reports whether the transfer has
// stalled.
func (p *pace) stop(n int64) bool {
	if !p.silent {
		p.t.moved.Add(n)
	}
	p.moved += n
	p.waited += time.Since(p.began)
	if p.waited < p.stall {
		return false
	}
	stalled := p.moved == 0 || p.moved < int64(p.waited.Seconds()*float64(p.minRate))
	p.waited, p.moved = 0, 0
	return stalled
}
