package main

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/weft-go/weft/net"
)

// Echo answers what it reads.
type Echo struct {
	// Upper makes it answer in upper case (ASCII).
	Upper bool

	connections, bytes, cut atomic.Int64
}

// Serve serves one connection: plain sequential code. Call it from a task.
func (e *Echo) Serve(conn net.Conn) {
	e.connections.Add(1)
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			if err != io.EOF {
				e.cut.Add(1)
			}
			return
		}
		e.bytes.Add(int64(n))
		if e.Upper {
			upper(buf[:n])
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			e.cut.Add(1)
			return
		}
	}
}

// upper puts ASCII letters in upper case; the bytes of others stay, so a letter
// split by the edge of a read is safe.
func upper(p []byte) {
	for i, b := range p {
		if 'a' <= b && b <= 'z' {
			p[i] = b - 'a' + 'A'
		}
	}
}

// Summary says what was served.
func (e *Echo) Summary() string {
	return fmt.Sprintf("%d connections, %d of them cut off, %d bytes",
		e.connections.Load(), e.cut.Load(), e.bytes.Load())
}
