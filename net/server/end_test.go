package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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
