package http

import (
	"strconv"
	"sync"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// outputSize is the size of the buffer of a connection's output: heads, and bodies
// that are not longer, go out together.
const outputSize = 4 << 10

// output is what a connection writes to. It keeps the first error, after which it writes
// nothing.
type output struct {
	conn stdnet.Conn
	buf  *[outputSize]byte
	n    int // bytes in buf
	err  error

	failed func(error) // told of the error
}

var outputs = sync.Pool{New: func() any { return new([outputSize]byte) }}

func (o *output) writeString(s string) {
	for len(s) > outputSize-o.n {
		m := copy(o.buf[o.n:], s)
		o.n, s = o.n+m, s[m:]
		o.flush()
	}
	o.n += copy(o.buf[o.n:], s)
}

// writeInt writes a number.
func (o *output) writeInt(n int64, base int) {
	const longest = 20
	if outputSize-o.n < longest {
		o.flush()
	}
	o.n += len(strconv.AppendInt(o.buf[o.n:o.n], n, base))
}

// write writes p, which is sent together with what is in the buffer if it does not fit
// into that.
func (o *output) write(p []byte) {
	if len(p) <= outputSize-o.n {
		o.n += copy(o.buf[o.n:], p)
		return
	}
	if o.n > 0 && o.err == nil {
		switch o.conn.(type) {
		case *net.TCPConn, *net.UnixConn:
			o.writeBoth(p)
			return
		}
		m := copy(o.buf[o.n:], p) // TLS makes records of what it gets
		o.n, p = o.n+m, p[m:]
		o.flush()
	}
	if len(p) >= outputSize {
		o.send(p)
		return
	}
	o.n = copy(o.buf[:], p)
}

// writeBoth sends the buffer and p by one call.
func (o *output) writeBoth(p []byte) {
	both := net.Buffers{o.buf[:o.n], p}
	o.n = 0
	if _, err := both.WriteTo(o.conn); err != nil {
		o.fail(err)
	}
}

// flush sends what is in the buffer.
func (o *output) flush() {
	if o.n > 0 {
		o.send(o.buf[:o.n])
		o.n = 0
	}
}

func (o *output) send(p []byte) {
	if o.err != nil {
		return
	}
	if _, err := o.conn.Write(p); err != nil {
		o.fail(err)
	}
}

func (o *output) fail(err error) {
	if o.err == nil {
		o.err = err
		o.failed(err)
	}
}
