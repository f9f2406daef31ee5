package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestServeInterrupted: a kill, or timeout, of the caller ends Serve with its
// listener; handlers go on.
func TestServeInterrupted(t *testing.T) {
	rt := runtimetest.New(t, 2)
	serve := func(srv *server.StreamServer, l net.Listener, timeout bool) (*runtime.Future[error], *runtime.Task) {
		made := make(chan *runtime.Future[error], 1)
		_ = rt.Run(func() error {
			made <- runtime.Async(func() (error, error) {
				if timeout {
					return runtime.WithTimeout(5*time.Millisecond, func() error { return srv.Serve(l) }), nil
				}
				return srv.Serve(l), nil
			})
			return nil
		})
		f := <-made
		return f, &f.Task
	}
	for _, test := range []string{"in Accept", "paused", "full", "stopped", "timeout"} {
		t.Run(test, func(t *testing.T) {
			srv := &server.StreamServer{Handler: echo, Limit: 2}
			l := listen(t, "tcp")
			future, task := serve(srv, l, test == "timeout")
			want := error(runtime.ErrTimeout)
			var a *client
			if test != "timeout" { // which may come before any connection
				want = runtime.ErrKilled
				a = dial(t, l)
				a.say("hello", "hello")
				switch test {
				case "paused":
					srv.Pause()
				case "full":
					dial(t, l).say("hello", "hello")
				}
				switch test {
				case "stopped":
					srv.Stop()
					runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Joining() == 1 })
				case "paused", "full":
					runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
				}
				task.Kill(nil)
			}
			if err, _ := future.Get(); !errors.Is(err, want) {
				t.Errorf("Serve: %v, want %v", err, want)
			}
			if srv.Waiting()+srv.Joining()+srv.Serving() != 0 {
				t.Errorf("%d wait, %d join, %d serve", srv.Waiting(), srv.Joining(), srv.Serving())
			}
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the listener: %v", err)
			}
			if a != nil {
				a.say("still here", "still here")
			}
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
			if a != nil {
				a.over()
			}
		})
	}
}

// TestShutdownInterrupted: a caller that is killed or timed out leaves handlers
// alone.
func TestShutdownInterrupted(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		c.say("hello", "hello")
		err := s.rt.Run(func() error {
			return runtime.WithTimeout(time.Millisecond, func() error { return srv.Shutdown(context.Background()) })
		})
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Errorf("Shutdown: %v", err)
		}
		shut := make(chan error, 1)
		task := s.rt.Spawn(func() { shut <- srv.Shutdown(context.Background()) })
		runtimetest.Eventually(t, "Serve and Shutdown wait", func() bool { return srv.Joining() == 2 })
		task.Kill(nil)
		if err := <-shut; !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("Shutdown: %v", err)
		}
		if srv.Joining() != 1 {
			t.Errorf("%d wait, want 1", srv.Joining())
		}
		c.say("still here", "still here")
		_ = c.Close()
		closed(t, result)
	})
}

// TestRuntimeStops: the end of the runtime ends server and handlers.
func TestRuntimeStops(t *testing.T) {
	rt := runtimetest.New(t, 2)
	srv := &server.StreamServer{Handler: echo}
	l := listen(t, "tcp")
	served := make(chan error, 1)
	rt.Spawn(func() { served <- srv.Serve(l) })
	c := dial(t, l)
	c.say("hello", "hello")
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, runtime.ErrKilled) || !errors.Is(err, runtime.ErrStopped) {
		t.Errorf("Serve: %v", err)
	}
	c.over()
	if srv.Active() != 0 {
		t.Errorf("%d active", srv.Active())
	}
}

// TestKilledWhilePlaced: a handler that is placed at the instant of the kills meets
// its own.
func TestKilledWhilePlaced(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for range 50 {
		var srv *server.StreamServer
		shut := make(chan error, 1)
		srv = &server.StreamServer{
			Handler: func(net.Conn) { _ = new(event.Event).Wait() },
			Place: func(fn func()) *runtime.Task {
				go func() { shut <- srv.Shutdown(ended(errGrace)) }()
				runtimetest.Eventually(t, "the kills", srv.Killing)
				return rt.Spawn(fn)
			},
		}
		l, result := setting{rt, true}.stream(t, srv, "tcp")
		dial(t, l).over()
		if err := <-shut; err != errGrace {
			t.Errorf("Shutdown: %v", err)
		}
		closed(t, result)
	}
}

// stopping is a listener that stops its server when a kill ends its Accept.
type stopping struct {
	net.Listener
	srv *server.StreamServer
}

func (l stopping) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, runtime.ErrKilled) {
		l.srv.Stop()
	}
	return conn, err
}

// TestKilledAndStopped: a kill of Serve's caller is not lost when the server is
// stopped at the same time.
func TestKilledAndStopped(t *testing.T) {
	rt := runtimetest.New(t, 1)
	srv := &server.StreamServer{Handler: echo}
	l := listen(t, "tcp")
	served := make(chan error, 1)
	task := rt.Spawn(func() { served <- srv.Serve(stopping{l, srv}) })
	c := dial(t, l)
	c.say("hello", "hello")
	task.Kill(nil)
	runtimetest.Eventually(t, "Serve returns", task.Ended)
	if err := <-served; !errors.Is(err, runtime.ErrKilled) {
		t.Errorf("Serve: %v", err)
	}
	_ = c.Close()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
