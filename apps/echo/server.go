package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// Server answers what it reads.
type Server struct {
	// Upper makes it answer in upper case (ASCII).
	Upper bool

	connections, bytes, cut atomic.Int64
}

// Serve accepts connections and serves each in a task, on the least loaded
// worker, until l is closed; then it returns nil. Call it from a task.
func (s *Server) Serve(l net.Listener) error {
	pause := time.Duration(0)
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
		case errors.Is(err, net.ErrClosed), errors.Is(err, runtime.ErrKilled):
			return nil
		default:
			// A full descriptor table passes: wait, longer each time.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			runtime.Sleep(pause)
			continue
		}
		s.connections.Add(1)
		runtime.SpawnBalanced(func() { s.handle(conn) })
	}
}

// handle serves one connection: plain sequential code.
func (s *Server) handle(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			if err != io.EOF {
				s.cut.Add(1)
			}
			return
		}
		s.bytes.Add(int64(n))
		if s.Upper {
			upper(buf[:n])
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			s.cut.Add(1)
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
func (s *Server) Summary() string {
	return fmt.Sprintf("%d connections, %d of them cut off, %d bytes",
		s.connections.Load(), s.cut.Load(), s.bytes.Load())
}
