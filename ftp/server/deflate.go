package server

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	stdnet "net"
	"os"
	"sync"
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

	level int
	out   *packer // to write, nil before the first Write

	raw *bufio.Reader // to read, nil before the first Read
	in  io.ReadCloser
}

// maxDeflates bounds the transfers in MODE Z for each processor: a packer takes about
// a megabyte.
const maxDeflates = 64

// A packer compresses. It belongs to one transfer.
type packer struct {
	z     *zlib.Writer
	buf   bytes.Buffer // what comes out
	level int
}

// packers has a pool for each level, from zlib.DefaultCompression, which is -1.
var packers [zlib.BestCompression + 2]sync.Pool

func takePacker(level int) *packer {
	k, ok := packers[level+1].Get().(*packer)
	if !ok {
		k = &packer{level: level}
		// The levels that OPTS lets through are good ones.
		k.z, _ = zlib.NewWriterLevel(&k.buf, level)
	}
	k.buf.Reset()
	k.z.Reset(&k.buf)
	return k
}

// deflate makes c a connection in MODE Z, to be released. To write takes finish at
// the end.
func (t *transfer) deflate(c stdnet.Conn, level int) *deflated {
	d := &deflated{Conn: c, t: t, pace: t.pace(), level: level}
	d.pace.silent = true // what is moved is what is in the files
	return d
}

// release gives back what d has taken. The connection stays open.
func (d *deflated) release() {
	if d.out != nil {
		packers[d.out.level+1].Put(d.out)
		d.out = nil
	}
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
		if err := d.pack(func(z *zlib.Writer) error { _, err := z.Write(part); return err }); err != nil {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}

// finish sends the end of the stream.
func (d *deflated) finish() error { return d.pack((*zlib.Writer).Close) }

// pack does something that compresses and sends what comes out.
func (d *deflated) pack(do func(*zlib.Writer) error) error {
	if d.out == nil {
		d.out = takePacker(d.level)
	}
	if err := awaitErr(d.t.session.engine, func() error { return do(d.out.z) }); err != nil {
		return err
	}
	defer d.out.buf.Reset()
	return d.t.send(d.Conn, d.pace, d.out.buf.Bytes())
}

// Read returns what the peer has compressed, a little at a time. A stream of no
// bytes at all is an empty one; any other must be whole, with nothing behind it.
func (d *deflated) Read(p []byte) (int, error) {
	if d.in == nil {
		if d.raw == nil {
			d.raw = bufio.NewReaderSize(packedReader{d}, deflatePart/2)
		}
		if _, err := d.raw.Peek(1); err != nil {
			return 0, err
		}
		in, err := zlib.NewReader(d.raw)
		if err != nil {
			return 0, d.damaged(err)
		}
		d.in = in
	}
	n, err := d.in.Read(p[:min(len(p), deflatePart)])
	switch {
	case err == io.EOF:
		if _, err := d.raw.ReadByte(); err == nil {
			return n, errDamaged
		} else if err != io.EOF {
			return n, d.damaged(err)
		}
	case err != nil:
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
	if err == io.ErrUnexpectedEOF {
		return errDeflateCut
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
