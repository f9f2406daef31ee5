package server_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestServe serves connections of several listeners, and none after its end.
func TestServe(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			if runtime.Current() == nil {
				t.Error("a handler is no task")
			}
			line := make([]byte, 100)
			for {
				n, err := conn.Read(line)
				if err != nil || string(line[:n]) == "quit\n" {
					return
				}
				_, _ = conn.Write(line[:n])
			}
		}}
		tcp, result1 := s.stream(t, srv, "tcp")
		unix, result2 := s.stream(t, srv, "unix")
		a, b := dial(t, tcp), dial(t, unix)
		for range 3 {
			a.say("from a", "from a")
			b.say("from b", "from b")
		}
		if n := srv.Active(); n != 2 {
			t.Errorf("Active: %d", n)
		}
		_, _ = a.Write([]byte("quit\n"))
		a.over() // the handler did not close it
		_ = b.Close()
		runtimetest.Eventually(t, "no handler runs", func() bool { return srv.Active() == 0 })
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result1)
		closed(t, result2)

		late := listen(t, "tcp")
		closed(t, s.start(func() error { return srv.Serve(late) }))
		if _, err := late.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept on the listener of a late Serve: %v", err)
		}
		closed(t, s.start(func() error { return srv.ListenAndServe("tcp", "127.0.0.1:0") }))
	})
}

// TestListenAndServe fails as net.Listen does.
func TestListenAndServe(t *testing.T) {
	l := listen(t, "tcp")
	srv := &server.StreamServer{Handler: echo}
	var op *net.OpError
	if err := srv.ListenAndServe("tcp", l.Addr().String()); !errors.As(err, &op) || op.Op != "listen" {
		t.Errorf("on a used port: %v", err)
	}
	if err := srv.ListenAndServe("unix", t.TempDir()+"/"+strings.Repeat("x", 200)); err == nil {
		t.Error("an address that is too long")
	}
}

// TestNoHandler is a mistake of the program.
func TestNoHandler(t *testing.T) {
	for name, serve := range map[string]func(){
		"StreamServer":   func() { _ = new(server.StreamServer).Serve(nil) },
		"DatagramServer": func() { _ = new(server.DatagramServer).Serve(nil) },
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); p != "server: "+name+" without a Handler" {
					t.Errorf("%s: panicked with %s", name, p)
				}
			}()
			serve()
		}()
	}
}

// TestBalanced: without a policy the handlers are spread over the workers of the
// caller's runtime.
func TestBalanced(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var r room
	var mu sync.Mutex
	per := map[*runtime.Worker]int{}
	srv := &server.StreamServer{
		Place: runtime.SpawnBalanced,
		Handler: func(net.Conn) {
			mu.Lock()
			per[runtime.CurrentWorker()]++
			mu.Unlock()
			_ = r.enter()
		},
	}
	l, result := setting{rt: rt}.stream(t, srv, "tcp")
	for range 20 {
		dial(t, l)
	}
	r.holds(t, 20)
	for _, w := range rt.Workers() {
		if per[w] < 8 { // one has the task that accepts, too
			t.Errorf("worker %d got %d of 20", w.Index(), per[w])
		}
	}
	r.open()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	closed(t, result)
}

// TestDefaultPlace: the zero Place balances, and the zero OnError logs.
func TestDefaultPlace(t *testing.T) {
	srv := &server.StreamServer{Handler: func(conn net.Conn) {
		if runtime.Current().Runtime() != runtime.Default() {
			t.Error("the handler is on another runtime")
		}
		echo(conn)
	}}
	l := listen(t, "tcp")
	result := setting{goroutine: true}.start(func() error { return srv.Serve(l) })
	c := dial(t, l)
	c.say("hello", "hello")
	_ = c.Close()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	closed(t, result)
}

// TestPlace: a policy of the caller's chooses the worker.
func TestPlace(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		workers := s.rt.Workers()
		last := workers[len(workers)-1]
		srv := &server.StreamServer{Place: last.Spawn, Handler: func(conn net.Conn) {
			fmt.Fprintln(conn, runtime.CurrentWorker().Index())
		}}
		l, _ := s.stream(t, srv, "tcp")
		for range 5 {
			dial(t, l).hear(fmt.Sprint(last.Index()))
		}
	})
}

// TestLimit (D85): while so many handlers run nothing is accepted, and who waits in the
// kernel is served afterwards.
func TestLimit(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var r room
		srv := &server.StreamServer{Limit: 2, Handler: func(conn net.Conn) {
			_ = r.enter()
			fmt.Fprintln(conn, "served")
		}}
		l := &counting{Listener: listen(t, "tcp")}
		result := s.streamOn(t, srv, l)
		var clients []*client
		for range 5 {
			clients = append(clients, dial(t, l))
		}
		for full := int64(2); full <= 4; full++ {
			r.holds(t, full)
			runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
			if n := l.accepted.Load(); n != full || srv.Active() != 2 {
				t.Errorf("%d accepted, want %d; %d active, want 2", n, full, srv.Active())
			}
			r.doors[full-2].Set()
		}
		r.holds(t, 5)
		r.open()
		for _, c := range clients {
			c.hear("served")
			c.over()
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
	})
}

// TestLimitShared: the limit is for all listeners together, and none of them
// starves.
func TestLimitShared(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var active, most atomic.Int64
		srv := &server.StreamServer{Limit: 2, Handler: func(conn net.Conn) {
			n := active.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Yield()
			fmt.Fprintln(conn, "served")
			active.Add(-1)
		}}
		var listeners []net.Listener
		for _, network := range []string{"tcp", "tcp", "unix"} {
			l, _ := s.stream(t, srv, network)
			listeners = append(listeners, l)
		}
		var clients sync.WaitGroup
		for _, l := range listeners {
			for range 30 {
				c := dial(t, l)
				clients.Go(func() { c.hear("served") })
			}
		}
		clients.Wait()
		if n := most.Load(); n > 2 {
			t.Errorf("%d handlers ran at once, the limit is 2", n)
		}
	})
}

// TestPanic (D86): a panic ends one connection, and is reported with its stack.
func TestPanic(t *testing.T) {
	for _, inWrap := range []bool{false, true} {
		var mu sync.Mutex
		var panics []*runtime.PanicError
		rt := runtimetest.NewConfig(t, runtime.Config{Workers: 2, OnPanic: func(_ *runtime.Task, p *runtime.PanicError) {
			mu.Lock()
			defer mu.Unlock()
			panics = append(panics, p)
		}})
		srv := &server.StreamServer{}
		if inWrap {
			srv.Handler = echo
			srv.Wrap = func(conn net.Conn) (net.Conn, error) { return conn, outOfCheese(conn) }
		} else {
			srv.Handler = func(conn net.Conn) {
				if outOfCheese(conn) == nil {
					echo(conn)
				}
			}
		}
		l, _ := setting{rt: rt}.stream(t, srv, "tcp")
		a, b := dial(t, l), dial(t, l)
		_, _ = a.Write([]byte("?"))
		_, _ = b.Write([]byte("!"))
		a.say("a", "a")
		b.over()
		a.say("a", "a")
		runtimetest.Eventually(t, "one handler is left", func() bool { return srv.Active() == 1 })
		mu.Lock()
		if len(panics) != 1 || panics[0].Value != "out of cheese" ||
			!strings.Contains(string(panics[0].Stack), "outOfCheese") {
			t.Errorf("OnPanic was told %v", panics)
		}
		mu.Unlock()
	}
}

// outOfCheese panics if that is what the client asks for.
func outOfCheese(conn net.Conn) error {
	p := make([]byte, 1)
	if _, err := conn.Read(p); err != nil {
		return err
	}
	if p[0] == '!' {
		panic("out of cheese")
	}
	return nil
}

// TestHijack: a connection that its handler keeps survives the handler, and the
// server.
func TestHijack(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		kept := make(chan net.Conn, 1)
		var srv *server.StreamServer
		srv = &server.StreamServer{
			Wrap: func(conn net.Conn) (net.Conn, error) { return struct{ net.Conn }{conn}, nil },
			Handler: func(conn net.Conn) {
				_ = runtime.Spawn(func() {
					if srv.Hijack() {
						t.Error("Hijack by a task that is no handler")
					}
				}).Join()
				if !srv.Hijack() {
					t.Error("Hijack failed")
				}
				kept <- conn // there is room
			},
		}
		l, result := s.stream(t, srv, "tcp")
		if srv.Hijack() {
			t.Error("Hijack by a goroutine")
		}
		c := dial(t, l)
		conn := <-kept
		defer conn.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		closed(t, result)
		if _, err := conn.Write([]byte("still here\n")); err != nil {
			t.Error(err)
		}
		c.hear("still here")
	})
}

// TestNeverBegun: the connection of a task that ends before it has begun, killed or
// refused by a runtime that has ended, is closed.
func TestNeverBegun(t *testing.T) {
	gone := runtimetest.New(t, 1)
	if err := gone.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]func(fn func()) *runtime.Task{
		"killed": func(fn func()) *runtime.Task {
			task := runtime.Spawn(fn) // begins only when we wait
			task.Kill(nil)
			return task
		},
		"refused": gone.Spawn,
	} {
		t.Run(name, func(t *testing.T) {
			srv := &server.StreamServer{Place: place, Handler: func(net.Conn) { t.Error("the handler runs") }}
			l, result := setting{rt: runtimetest.New(t, 1)}.stream(t, srv, "tcp")
			for range 3 {
				dial(t, l).over()
			}
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			closed(t, result)
		})
	}
}

// TestStdListener serves a listener of the standard library's, with small handlers.
func TestStdListener(t *testing.T) {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.StreamServer{Handler: func(conn net.Conn) { fmt.Fprintln(conn, "hello") }}
	result := setting{runtimetest.New(t, 1), true}.streamOn(t, srv, l)
	dial(t, l).hear("hello")
	srv.Pause()
	c := dial(t, l)
	runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
	srv.Resume()
	c.hear("hello")
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	closed(t, result)
}
