package main

import (
	"context"
	"fmt"
	stdnet "net"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/runtime"
)

// A service is one server on its engine, with what it listens on.
type service struct {
	// immutable
	o          *options
	engine     server.Engine
	srv        *server.Server
	listeners  []listener
	stopEngine func()

	ended chan error // gets why a listener no longer serves
}

type listener struct {
	stdnet.Listener
	implicit bool // its connections begin with TLS
}

// newService opens all that serve needs. It accepts by what guard makes of a listener. The
// caller closes it.
func newService(o *options, cfg server.Config, ports []port, guard func(stdnet.Listener) stdnet.Listener) (*service, error) {
	engine, stop, err := newEngine(o)
	if err != nil {
		return nil, err
	}
	s := &service{o: o, engine: engine, stopEngine: stop}
	cfg.Engine = engine
	if s.srv, err = server.New(cfg); err != nil {
		stop()
		return nil, byFlag(err)
	}
	for _, p := range ports {
		l, err := p.listen(o)
		if err == nil {
			s.listeners = append(s.listeners, listener{guard(l), p.Implicit})
			err = s.srv.Prepare(l)
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	s.ended = make(chan error, len(s.listeners))
	return s, nil
}

// serve begins to accept connections.
func (s *service) serve() {
	for _, l := range s.listeners {
		serve := s.srv.Serve
		if l.implicit {
			serve = s.srv.ServeTLS
		}
		s.engine.GoBalanced(func() { s.ended <- serve(l.Listener) })
	}
}

// drain shuts the server down gracefully, but only until something comes from hurry, or for as
// long as -drain says.
func drain[T any](s *service, hurry <-chan T) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.drain)
	defer cancel()
	go func() {
		<-hurry
		cancel()
	}()
	if err := s.srv.Shutdown(ctx); err != nil {
		return fmt.Errorf("transfers were cut off: %w", err)
	}
	return nil
}

// close ends what has not ended yet.
func (s *service) close() {
	_ = s.srv.Close() // the process ends all the same
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.stopEngine()
}

// newEngine returns the engine that was asked for, and what ends it.
func newEngine(o *options) (e server.Engine, stop func(), err error) {
	switch {
	case o.engine != "task":
		return server.Goroutines(), func() {}, nil
	case o.child: // its Default runtime has as many workers as it is to use
		return server.Tasks(nil), func() {}, nil
	}
	rt, err := runtime.New(runtime.Config{Workers: o.workers})
	if err != nil {
		return nil, nil, err
	}
	return server.Tasks(rt), func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = rt.Stop(ctx) // the process ends all the same
	}, nil
}
