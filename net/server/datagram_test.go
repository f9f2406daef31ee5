package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// datagrams starts srv on a fresh socket of ours, and ends it with the test.
func (s setting) datagrams(t *testing.T, srv *server.DatagramServer) (conn net.PacketConn, result func() error) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return conn, s.datagramsOn(t, srv, conn)
}

func (s setting) datagramsOn(t *testing.T, srv *server.DatagramServer, conn net.PacketConn) (result func() error) {
	t.Helper()
	if srv.Place == nil {
		srv.Place = s.rt.Spawn
	}
	result = s.start(func() error { return srv.Serve(conn) })
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		runtimetest.Eventually(t, "the end of Serve", func() bool { return srv.Serving() == 0 })
		_ = conn.Close()
	})
	return result
}

// A sender is a connected UDP socket of the test's goroutine.
type sender struct {
	stdnet.Conn
	t *testing.T
}

func dialUDP(t *testing.T, conn net.PacketConn) sender {
	t.Helper()
	c, err := stdnet.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(runtimetest.Patience)); err != nil {
		t.Fatal(err)
	}
	return sender{c, t}
}

func (c sender) send(data string) {
	c.t.Helper()
	if _, err := c.Write([]byte(data)); err != nil {
		c.t.Error(err)
	}
}

func (c sender) hear(want string) {
	c.t.Helper()
	p := make([]byte, 1<<16)
	if n, err := c.Read(p); string(p[:n]) != want || err != nil {
		c.t.Errorf("heard %.80q, %v, want %.80q", p[:n], err, want)
	}
}

// reply sends the datagram back.
func reply(conn net.PacketConn, data []byte, from net.Addr) { _, _ = conn.WriteTo(data, from) }

// TestDatagrams serves several sockets, each datagram in a task, whatever its
// length.
func TestDatagrams(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.DatagramServer{Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
			if runtime.Current() == nil {
				t.Error("a handler is no task")
			}
			reply(conn, data, from)
		}}
		conn1, result1 := s.datagrams(t, srv)
		conn2, result2 := s.datagrams(t, srv)
		for _, conn := range []net.PacketConn{conn1, conn2} {
			a, b := dialUDP(t, conn), dialUDP(t, conn)
			for _, length := range []int{5, 0, 60_000, 1, 1400} {
				a.send(strings.Repeat("a", length))
				b.send(strings.Repeat("b", length+1))
				a.hear(strings.Repeat("a", length))
				b.hear(strings.Repeat("b", length+1))
			}
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for _, conn := range []net.PacketConn{conn1, conn2} {
			if _, err := conn.WriteTo(nil, conn.LocalAddr()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the socket after Shutdown: %v", err)
			}
		}
		closed(t, result1)
		closed(t, result2)
		closed(t, s.start(func() error { return srv.ListenAndServe("udp", "127.0.0.1:0") }))
		if err := srv.ListenAndServe("tcp", "127.0.0.1:0"); err == nil || err == server.ErrServerClosed {
			t.Errorf("a socket of streams: %v", err)
		}
	})
}

// TestMaxSize cuts longer datagrams off.
func TestMaxSize(t *testing.T) {
	srv := &server.DatagramServer{Handler: reply, MaxSize: 4}
	conn, _ := setting{rt: runtimetest.New(t, 1)}.datagrams(t, srv)
	c := dialUDP(t, conn)
	c.send("123456")
	c.hear("1234")
	c.send("123")
	c.hear("123")
}

// TestDatagramsApart: each handler has its own data until it returns.
func TestDatagramsApart(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		srv := &server.DatagramServer{Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
			before := bytes.Clone(data)
			for range 3 {
				runtime.Yield()
				if !bytes.Equal(data, before) {
					t.Errorf("%.20q became %.20q", before, data)
				}
			}
			reply(conn, data, from)
		}}
		conn, _ := s.datagrams(t, srv)
		var clients sync.WaitGroup
		for i := range 8 {
			c := dialUDP(t, conn)
			clients.Go(func() {
				for j := range 100 {
					message := fmt.Sprintf("%d of %d", j, i)
					c.send(message)
					c.hear(message)
				}
			})
		}
		clients.Wait()
	})
}

// TestDatagramLimit: with a limit of one datagrams are served in their order, and
// nothing is read meanwhile.
func TestDatagramLimit(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var r room
		var got []string // handlers do not overlap
		srv := &server.DatagramServer{Limit: 1, Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
			_ = r.enter()
			got = append(got, string(data))
			reply(conn, data, from)
		}}
		conn, result := s.datagrams(t, srv)
		c := dialUDP(t, conn)
		for i := range 20 {
			c.send(fmt.Sprint(i))
		}
		r.holds(t, 1)
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
		if n := srv.Active(); n != 1 {
			t.Errorf("%d active, want 1", n)
		}
		r.open()
		for i := range 20 {
			c.hear(fmt.Sprint(i))
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
		for i := range 20 {
			if got[i] != fmt.Sprint(i) {
				t.Fatalf("the order was %v", got)
			}
		}
	})
}

// TestDatagramPause: nothing is read until Resume, and then what the kernel has kept.
func TestDatagramPause(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var served atomic.Int64
		srv := &server.DatagramServer{Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
			served.Add(1)
			reply(conn, data, from)
		}}
		conn, _ := s.datagrams(t, srv)
		c := dialUDP(t, conn)
		c.send("hello")
		c.hear("hello")
		srv.Pause()
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
		c.send("later")
		if n := served.Load(); n != 1 || srv.Waiting() != 1 {
			t.Errorf("%d served while paused", n-1)
		}
		srv.Resume()
		c.hear("later")
	})
}

// TestDatagramShutdown: a handler may reply while the server shuts down, and nothing
// more is read.
func TestDatagramShutdown(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var r room
		srv := &server.DatagramServer{Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
			_ = r.enter()
			if _, err := conn.WriteTo(data, from); err != nil {
				t.Error(err)
			}
		}}
		conn, result := s.datagrams(t, srv)
		c := dialUDP(t, conn)
		c.send("hello")
		r.holds(t, 1)
		shut := s.start(func() error { return srv.Shutdown(t.Context()) })
		runtimetest.Eventually(t, "Serve and Shutdown wait", func() bool { return srv.Joining() == 2 })
		c.send("too late")
		srv.Resume() // opens nothing
		r.open()
		c.hear("hello")
		if err := shut(); err != nil {
			t.Error(err)
		}
		closed(t, result)
		if n := r.entered.Load(); n != 1 {
			t.Errorf("%d served, want 1", n)
		}
	})
}

// TestDatagramClose kills handlers, from outside and from inside.
func TestDatagramClose(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		for _, inside := range []bool{false, true} {
			var r room
			var killed atomic.Int64
			var srv *server.DatagramServer
			srv = &server.DatagramServer{Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
				if string(data) == "close" {
					if err := srv.Close(); err != nil {
						t.Error(err)
					}
					reply(conn, data, from)
					return
				}
				if err := r.enter(); errors.Is(err, runtime.ErrKilled) && errors.Is(err, server.ErrServerClosed) {
					killed.Add(1)
				}
			}}
			conn, result := s.datagrams(t, srv)
			c := dialUDP(t, conn)
			c.send("1")
			c.send("2")
			r.holds(t, 2)
			if inside {
				c.send("close")
				c.hear("close")
			} else if err := srv.Close(); err != nil {
				t.Error(err)
			}
			closed(t, result)
			if n := killed.Load(); n != 2 || srv.Active() != 0 {
				t.Errorf("%d killed, want 2; %d active", n, srv.Active())
			}
		}
	})
}

// TestDatagramPanic: a panic harms no other datagram.
func TestDatagramPanic(t *testing.T) {
	panics := make(chan *runtime.PanicError, 1)
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, OnPanic: func(_ *runtime.Task, p *runtime.PanicError) { panics <- p }})
	srv := &server.DatagramServer{Limit: 1, Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
		if string(data) == "!" {
			panic("out of cheese")
		}
		reply(conn, data, from)
	}}
	conn, _ := setting{rt: rt}.datagrams(t, srv)
	c := dialUDP(t, conn)
	c.send("!")
	c.send("hello")
	c.hear("hello")
	if p := <-panics; p.Value != "out of cheese" || len(p.Stack) == 0 {
		t.Errorf("OnPanic was told %v", p)
	}
}

// failingSocket is a socket whose reads fail as told, and then are those of another.
type failingSocket struct {
	net.PacketConn
	errs []error // of the reader
}

func (c *failingSocket) ReadFrom(p []byte) (int, net.Addr, error) {
	if len(c.errs) > 0 {
		err := c.errs[0]
		c.errs = c.errs[1:]
		return 0, nil, err
	}
	return c.PacketConn.ReadFrom(p)
}

// TestDatagramFailures: some pass, others end Serve.
func TestDatagramFailures(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		open := func(errs ...error) *failingSocket {
			conn, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			return &failingSocket{conn, errs}
		}
		var told reports
		srv := &server.DatagramServer{Handler: reply, OnError: told.add}
		conn := open(os.NewSyscallError("recvfrom", syscall.ECONNREFUSED), syscall.ENOBUFS)
		s.datagramsOn(t, srv, conn)
		c := dialUDP(t, conn)
		c.send("hello")
		c.hear("hello")
		var got []string
		for _, err := range told.all() {
			got = append(got, err.Error())
		}
		address := conn.LocalAddr().String()
		want := []string{
			"server: " + address + ", again in 10ms: recvfrom: connection refused",
			"server: " + address + ", again in 20ms: no buffer space available",
		}
		if !slices.Equal(got, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		broken := errors.New("broken")
		bad := open(broken)
		if err := s.datagramsOn(t, srv, bad)(); err != broken {
			t.Errorf("Serve: %v", err)
		}
		if err := bad.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the socket of a Serve that has ended: %v", err)
		}
		c.send("still here")
		c.hear("still here")
	})
}

// TestDatagramKilled: a kill of the caller ends Serve.
func TestDatagramKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	srv := &server.DatagramServer{Handler: reply}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	task := rt.Spawn(func() { served <- srv.Serve(conn) })
	c := dialUDP(t, conn)
	c.send("hello")
	c.hear("hello")
	task.Kill(nil)
	if err := <-served; !errors.Is(err, runtime.ErrKilled) {
		t.Errorf("Serve: %v", err)
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestStdSocket serves a socket of the standard library's, from a goroutine.
func TestStdSocket(t *testing.T) {
	conn, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.DatagramServer{Handler: reply}
	result := setting{runtimetest.New(t, 2), true}.datagramsOn(t, srv, conn)
	c := dialUDP(t, conn)
	for range 10 {
		c.send("hello")
		c.hear("hello")
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	closed(t, result)
}

// BenchmarkDatagramServer is one datagram there and back.
func BenchmarkDatagramServer(b *testing.B) {
	for name, place := range map[string]func(func()) *runtime.Task{"beside": runtime.Spawn, "balanced": runtime.SpawnBalanced} {
		b.Run(name, func(b *testing.B) {
			runtimetest.Bench(b, 2, func() {
				conn, err := net.ListenPacket("udp", "127.0.0.1:0")
				if err != nil {
					b.Error(err)
					return
				}
				srv := &server.DatagramServer{Handler: reply, Place: place}
				task := runtime.Spawn(func() { _ = srv.Serve(conn) })
				c, err := net.Dial("udp", conn.LocalAddr().String())
				if err != nil {
					b.Error(err)
					return
				}
				p := make([]byte, 100)
				b.ResetTimer()
				for range b.N {
					_, _ = c.Write(p)
					_, _ = c.Read(p)
				}
				b.StopTimer()
				_ = c.Close()
				_ = srv.Close()
				_ = task.Join()
			})
		})
	}
}
