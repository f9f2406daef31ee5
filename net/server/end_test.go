package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestPause: nothing is accepted until Resume, and handlers go on.
func TestPause(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		l := &counting{Listener: listen(t, "tcp")}
		s.streamOn(t, srv, l)
		before := dial(t, l)
		before.say("hello", "hello")
		for range 3 {
			accepted := l.accepted.Load()
			srv.Pause()
			srv.Pause()
			runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
			c := dial(t, l) // into the kernel's queue
			before.say("still", "still")
			if l.accepted.Load() != accepted || srv.Waiting() != 1 {
				t.Errorf("accepted %d while paused", l.accepted.Load()-accepted)
			}
			srv.Resume()
			srv.Resume()
			c.say("at last", "at last")
		}
	})
}

// TestPausedFirst: a server may be paused before it serves.
func TestPausedFirst(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		srv.Pause()
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
		srv.Resume()
		c.say("hello", "hello")
		srv.Pause()
		_ = c.Close()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
		srv.Resume() // of no use, and no harm
	})
}

// plain hides every method of a listener but those of its interface.
type plain struct{ net.Listener }

// TestPauseHolds: an Accept that can't be ended holds its connection until Resume,
// and lets it go if the server ends first.
func TestPauseHolds(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		for _, resume := range []bool{true, false} {
			srv := &server.StreamServer{Handler: echo}
			l := plain{listen(t, "tcp")}
			s.streamOn(t, srv, l)
			dial(t, l).say("now Serve is in Accept", "now Serve is in Accept")
			srv.Pause()
			c := dial(t, l)
			runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
			if resume {
				srv.Resume()
				c.say("hello", "hello")
				continue
			}
			srv.Stop()
			c.over()
		}
	})
}

// TestPauseStress: whatever the order of Pause, Resume and connections, each is
// served.
func TestPauseStress(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Limit: 3, Handler: func(conn net.Conn) { fmt.Fprintln(conn, "served") }}
		a, _ := s.stream(t, srv, "tcp")
		b, _ := s.stream(t, srv, "unix")
		var done atomic.Bool
		var togglers, clients sync.WaitGroup
		for range 2 {
			togglers.Go(func() {
				for !done.Load() {
					srv.Pause()
					srv.Resume()
					time.Sleep(20 * time.Microsecond) // leaves the clients some processor
				}
			})
		}
		for _, l := range []net.Listener{a, b} {
			clients.Go(func() {
				for range 100 {
					c := dial(t, l)
					c.hear("served")
					_ = c.Close()
				}
			})
		}
		clients.Wait()
		done.Store(true)
		togglers.Wait()
	})
}

// TestShutdown waits for a handler, accepts nobody meanwhile, and may be called
// again.
func TestShutdown(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var r room
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			_ = r.enter()
			fmt.Fprintln(conn, "goodbye")
		}}
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		r.holds(t, 1)
		first := s.start(func() error { return srv.Shutdown(t.Context()) })
		second := s.start(func() error { return srv.Shutdown(t.Context()) })
		runtimetest.Eventually(t, "Serve and Shutdown wait", func() bool { return srv.Joining() == 3 })
		if conn, err := stdnet.Dial("tcp", l.Addr().String()); err == nil {
			_ = conn.Close()
			t.Error("a connection while the server shuts down")
		}
		r.open()
		if err := errors.Join(first(), second()); err != nil {
			t.Error(err)
		}
		if srv.Active() != 0 || r.left.Load() != 1 {
			t.Error("Shutdown returned before the handler")
		}
		c.hear("goodbye")
		c.over()
		closed(t, result)
		if err := errors.Join(srv.Shutdown(ended(errGrace)), srv.Close()); err != nil {
			t.Errorf("once more: %v", err)
		}
		srv.Stop()
		srv.Pause()
	})
}

// TestShutdownKills: when the context is done the handlers that are left are killed
// with a cause, and Shutdown returns when their deferred functions have, which may
// use the connection.
func TestShutdownKills(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var causes, cleanups atomic.Int64
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			defer func() {
				runtime.Sleep(time.Millisecond)
				fmt.Fprintln(conn, "goodbye")
				cleanups.Add(1)
			}()
			fmt.Fprintln(conn, "hello")
			_, err := conn.Read(make([]byte, 1))
			if errors.Is(err, runtime.ErrKilled) && errors.Is(err, server.ErrServerClosed) && errors.Is(err, errGrace) {
				causes.Add(1)
			}
			runtime.Sleep(time.Millisecond) // it is killed only once
		}}
		l, result := s.stream(t, srv, "tcp")
		var clients []*client
		for range 10 {
			clients = append(clients, dial(t, l))
		}
		for _, c := range clients {
			c.hear("hello")
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		shut := s.start(func() error {
			err := srv.Shutdown(ctx)
			if n := cleanups.Load(); n != 10 {
				t.Errorf("%d deferred functions have run", n)
			}
			return err
		})
		runtimetest.Eventually(t, "Serve and Shutdown wait", func() bool { return srv.Joining() == 2 })
		cancel(errGrace)
		if err := shut(); err != errGrace {
			t.Errorf("Shutdown: %v", err)
		}
		if n := causes.Load(); n != 10 {
			t.Errorf("%d of 10 handlers saw the cause", n)
		}
		for _, c := range clients {
			c.hear("goodbye")
			c.over()
		}
		closed(t, result)
	})
}

// TestStop: Serve waits for handlers that take their time.
func TestStop(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: echo}
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		c.say("hello", "hello")
		srv.Stop()
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Joining() == 1 })
		c.say("still here", "still here")
		_ = c.Close()
		closed(t, result)
	})
}

// TestClose ends handlers that ignore their kill, by closing their connections.
func TestClose(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		for _, wrap := range []bool{false, true} {
			srv := &server.StreamServer{Handler: func(conn net.Conn) {
				fmt.Fprintln(conn, "hello")
				for {
					if _, err := conn.Read(make([]byte, 1)); errors.Is(err, net.ErrClosed) {
						return
					}
				}
			}}
			if wrap {
				srv.Wrap = func(conn net.Conn) (net.Conn, error) { return struct{ net.Conn }{conn}, nil }
			}
			l, result := s.stream(t, srv, "tcp")
			a, b := dial(t, l), dial(t, l)
			a.hear("hello")
			b.hear("hello")
			if err := s.start(srv.Close)(); err != nil || srv.Active() != 0 {
				t.Errorf("Close: %v, %d active", err, srv.Active())
			}
			a.over()
			b.over()
			closed(t, result)
		}
	})
}

// TestEndFromInside: handlers that end the server are not waited for by themselves
// and each other, and are not killed by themselves.
func TestEndFromInside(t *testing.T) {
	ends := map[string]func(srv *server.StreamServer) error{
		"Stop":           func(srv *server.StreamServer) error { srv.Stop(); return nil },
		"Close":          (*server.StreamServer).Close,
		"Shutdown":       func(srv *server.StreamServer) error { return srv.Shutdown(context.Background()) },
		"Shutdown, kill": func(srv *server.StreamServer) error { return srv.Shutdown(ended(errGrace)) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s setting) {
				var bystander event.Event
				var srv *server.StreamServer
				srv = &server.StreamServer{Handler: func(conn net.Conn) {
					line, _ := bufio.NewReader(conn).ReadString('\n')
					if line == "wait\n" {
						fmt.Fprintln(conn, "waiting")
						_ = bystander.Wait()
						return
					}
					err := end(srv)
					fmt.Fprintln(conn, "ended:", err)
				}}
				l, result := s.stream(t, srv, "tcp")
				c := dial(t, l)
				c.say("wait", "waiting")
				e := dial(t, l)
				if name == "Shutdown" {
					_, _ = e.Write([]byte("end\n"))
					runtimetest.Eventually(t, "Serve and Shutdown wait", func() bool { return srv.Joining() == 2 })
					bystander.Set()
				} else {
					defer bystander.Set()
				}
				want := "ended: <nil>"
				if name == "Shutdown, kill" {
					want = "ended: " + errGrace.Error()
				}
				if name == "Shutdown" {
					e.hear(want)
				} else {
					e.say("end", want)
				}
				if name == "Stop" {
					bystander.Set()
				}
				c.over()
				closed(t, result)
			})
		})
	}
}

// TestTwoEndFromInside: two handlers that shut down at once don't wait for each
// other.
func TestTwoEndFromInside(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var r room
		var srv *server.StreamServer
		srv = &server.StreamServer{Handler: func(conn net.Conn) {
			_ = r.enter()
			fmt.Fprintln(conn, srv.Shutdown(context.Background()))
		}}
		l, result := s.stream(t, srv, "tcp")
		a, b := dial(t, l), dial(t, l)
		r.holds(t, 2)
		r.doors[0].Set()
		runtimetest.Eventually(t, "Serve and a handler wait", func() bool { return srv.Joining() == 2 })
		if srv.Active() != 2 {
			t.Errorf("%d active, want 2", srv.Active())
		}
		r.doors[1].Set()
		a.hear("<nil>")
		b.hear("<nil>")
		closed(t, result)
	})
}

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
