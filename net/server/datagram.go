package server

import (
	"sync"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

const (
	// defaultDatagrams is the default of DatagramServer.Limit.
	defaultDatagrams = 1024
	// maxDatagram is the default of DatagramServer.MaxSize: no datagram of UDP is
	// longer (RFC 768).
	maxDatagram = 1<<16 - 1
)

// A DatagramServer serves datagrams, each in a task of its own. Set its fields
// before Serve. It must not be copied after first use. Its methods may be called
// from any task or goroutine.
type DatagramServer struct {
	// Handler serves a datagram, data, which has come to conn from an address, and
	// replies by conn.WriteTo. data is valid until it returns. It must leave reading
	// and conn's read deadline to the server.
	Handler func(conn net.PacketConn, data []byte, from net.Addr)

	// Limit is how many handlers may run at a time; 0 means 1024, as nobody asks
	// before he sends. With 1 the datagrams of a socket are served in the order in
	// which they came.
	Limit int

	// MaxSize is the length at which longer datagrams are cut off; 0 means 65,535,
	// which none of UDP exceeds.
	MaxSize int

	// Place starts the tasks of handlers; nil means runtime.SpawnBalanced. For short
	// handlers runtime.Spawn costs less: they stay on the worker that reads. It must
	// not wait.
	Place func(fn func()) *runtime.Task

	// OnError is told of each failure of a read that passes, by the caller of Serve.
	// The error wraps what has failed. Nil means to log it.
	OnError func(err error)

	core
}

// ListenAndServe makes a socket for address, as net.ListenPacket does, and serves:
// see Serve.
func (s *DatagramServer) ListenAndServe(network, address string) error {
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		return err
	}
	return s.Serve(conn)
}

// Serve reads datagrams from conn and has the Handler serve each in a task. It
// parks the calling task, or blocks the calling goroutine, until the server is
// stopped, and then until the last handler has ended: it returns ErrServerClosed.
// If conn fails before that, or the calling task is killed or timed out, that is the
// error, and handlers go on. conn is closed in any case, when Serve returns.
//
// Serve may be called for any number of sockets. The Limit is for all together.
func (s *DatagramServer) Serve(conn net.PacketConn) error {
	if s.Handler == nil {
		panic("server: DatagramServer without a Handler")
	}
	limit, size := s.Limit, s.MaxSize
	if limit == 0 {
		limit = defaultDatagrams
	}
	if size == 0 {
		size = maxDatagram
	}
	return s.run(&reading{conn, s, make([]byte, size)}, rulesOf(limit, s.Place, s.OnError))
}

// reading is a socket as a source of jobs.
type reading struct {
	net.PacketConn
	server *DatagramServer
	buf    []byte // for the longest datagram; handlers get copies of the right size
}

// copies are *[]byte that handlers are done with.
var copies = sync.Pool{New: func() any { return new([]byte) }}

func (r *reading) next() (*job, error) {
	n, from, err := r.ReadFrom(r.buf)
	if err != nil {
		return nil, err
	}
	data := copies.Get().(*[]byte)
	*data = append((*data)[:0], r.buf[:n]...)
	return &job{core: &r.server.core, work: func(*job) {
		r.server.Handler(r.PacketConn, *data, from)
		copies.Put(data) // not after a panic: who knows where data is
	}}, nil
}

func (r *reading) setDeadline(t time.Time) { _ = r.SetReadDeadline(t) }

// stop leaves the socket open: handlers have to reply.
func (r *reading) stop() { r.setDeadline(aLongTimeAgo) }

func (r *reading) addr() net.Addr { return r.LocalAddr() }
