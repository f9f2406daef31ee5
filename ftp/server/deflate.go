package server

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	stdnet "net"
	"os"
	"time"

	"github.com/weft-go/weft/ftp"
)

// A deflated is a data connection in MODE Z: the stream in the zlib format
// (draft-preston-ftpext-deflate). It minds the deadlines itself: in the middle of
// a block there is no going on.
type deflated struct {
	stdnet.Conn // of which the methods below are replaced
	t           *transfer
	pace        *pace

	// to write
	packed bytes.Buffer
	z      *zlib.Writer

	// to read
	in io.ReadCloser
}

// deflate makes c a connection in MODE Z. To write takes finish at the end.
func (t *transfer) deflate(c stdnet.Conn, level int) *deflated {
	d := &deflated{Conn: c, t: t, pace: t.pace()}
	d.pace.silent = true // what is moved is what is in the files
	// The levels that OPTS lets through are good ones.
	d.z, _ = zlib.NewWriterLevel(&d.packed, level)
	return d
}

func (d *deflated) SetReadDeadline(time.Time) error  { return nil }
func (d *deflated) SetWriteDeadline(time.Time) error { return nil }

// deflatePart is how much is compressed at a time.
const deflatePart = 64 << 10

// Write compresses p off the worker, since that is slow, and sends what comes out.
func (d *deflated) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		part := p[written:min(written+deflatePart, len(p))]
		if err := awaitErr(d.t.session.engine, func() error { _, err := d.z.Write(part); return err }); err != nil {
			return written, err
		}
		if err := d.flush(); err != nil {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}

// finish sends the end of the stream.
func (d *deflated) finish() error {
	if err := d.z.Close(); err != nil {
		return err
	}
	return d.flush()
}

func (d *deflated) flush() error {
	err := d.t.send(d.Conn, d.pace, d.packed.Bytes())
	d.packed.Reset()
	return err
}

// Read returns what the peer has compressed, a little at a time. A stream of no
// bytes at all is an empty one.
func (d *deflated) Read(p []byte) (int, error) {
	if d.in == nil {
		raw := bufio.NewReaderSize(packedReader{d}, deflatePart/2)
		if _, err := raw.Peek(1); err != nil {
			return 0, err
		}
		in, err := zlib.NewReader(raw)
		if err != nil {
			return 0, d.damaged(err)
		}
		d.in = in
	}
	n, err := d.in.Read(p[:min(len(p), deflatePart)])
	if err != nil && err != io.EOF {
		err = d.damaged(err)
	}
	return n, err
}

// damaged tells an error in the stream from one of the connection.
func (d *deflated) damaged(err error) error {
	var e *ftp.Error
	if _, ok := errors.AsType[*dataError](err); ok || errors.As(err, &e) {
		return err
	}
	return errDamaged
}

// packedReader reads from the connection itself.
type packedReader struct{ d *deflated }

func (r packedReader) Read(p []byte) (int, error) {
	for {
		r.d.pace.start(r.d.Conn.SetReadDeadline)
		n, err := r.d.Conn.Read(p)
		stalled := r.d.pace.stop(int64(n))
		switch {
		case n > 0 || err == io.EOF:
			return n, err
		case stalled:
			return 0, errStalled
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, &dataError{err}
		}
	}
}

// optsMODE sets the level of MODE Z: "Z LEVEL 6".
func (s *session) optsMODE(value string) (reply, error) {
	level, ok := ftp.ParseDeflateLevel(value)
	if !ok {
		return reply{}, errBadOption
	}
	s.level = level
	return answer(ftp.CodeOK, "MODE Z LEVEL set."), nil
}
