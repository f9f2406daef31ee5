package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// A Proxy passes connections on to one address.
type Proxy struct {
	To          string
	DialTimeout time.Duration
	Log         *slog.Logger

	// atomic, of all workers
	connections, there, back atomic.Int64
}

// Serve passes one connection on until both directions have ended, or one has failed.
// The end of one direction is passed on, and the other goes on: a client may end its
// request and wait for the answer.
func (p *Proxy) Serve(client net.Conn) {
	began := time.Now()
	p.connections.Add(1)
	log := p.Log.With(slog.String("client", client.RemoteAddr().String()))
	target, err := net.DialTimeout("tcp", p.To, p.DialTimeout)
	if err != nil {
		log.Warn("not connected", slog.Any("error", err))
		return
	}
	defer target.Close()
	var there, back int64
	err = runtime.WithScope(func(s *runtime.Scope) error {
		s.Spawn(func() error { return pass(client, target, &back) })
		return pass(target, client, &there)
	})
	p.there.Add(there)
	p.back.Add(back)
	attrs := []any{
		slog.Int64("there", there), slog.Int64("back", back), slog.Duration("time", time.Since(began).Round(time.Millisecond)),
	}
	if err != nil {
		log.Info("connection broken", append(attrs, slog.Any("error", err))...)
		return
	}
	log.Info("connection", attrs...)
}

// pass copies one direction to its end, and passes that on.
func pass(to, from net.Conn, moved *int64) error {
	n, err := io.Copy(to, from)
	*moved = n
	if err != nil {
		return err
	}
	return to.(*net.TCPConn).CloseWrite()
}

// Summary tells of all connections.
func (p *Proxy) Summary() string {
	return fmt.Sprintf("%d connections, %d bytes there, %d back", p.connections.Load(), p.there.Load(), p.back.Load())
}
