package server_test

import (
	"io"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestLeaks connects and disconnects 10,000 times, in tasks. No task or descriptor
// is left.
func TestLeaks(t *testing.T) {
	const clients, times = 20, 500
	each(t, func(t *testing.T, s setting) {
		srv := &server.StreamServer{Limit: clients / 2, Handler: echo}
		l, result := s.stream(t, srv, "tcp")
		tasks := s.rt.Stats().Tasks
		descriptors := 0
		round := func(times int) {
			var all []*runtime.Task
			for range clients {
				all = append(all, s.rt.Spawn(func() {
					p := make([]byte, 1)
					for i := range times {
						conn, err := net.Dial("tcp", l.Addr().String())
						if err != nil {
							t.Error(err)
							return
						}
						if i%3 > 0 {
							if _, err = conn.Write(p); err == nil && i%3 > 1 {
								_, err = io.ReadFull(conn, p)
							}
							if err != nil {
								t.Error(err)
							}
						}
						_ = conn.(*net.TCPConn).SetLinger(0) // no port is left in TIME_WAIT
						_ = conn.Close()
					}
				}))
			}
			for _, task := range all {
				if err := task.Join(); err != nil {
					t.Error(err)
				}
			}
			// A connection that was reset in the kernel's queue comes late.
			runtimetest.Eventually(t, "no handler is left", func() bool {
				return srv.Active() == 0 && s.rt.Stats().Tasks <= max(tasks, 1)
			})
		}
		round(1)
		descriptors = runtimetest.Descriptors()
		round(times)
		runtimetest.Eventually(t, "no descriptor is left", func() bool { return runtimetest.Descriptors() <= descriptors })
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
		if conn, err := stdnet.Dial("tcp", l.Addr().String()); err == nil {
			_ = conn.Close()
			t.Error("the listener is open")
		}
	})
}

// BenchmarkStreamServer is one connection, with a byte there and back, served with
// a limit.
func BenchmarkStreamServer(b *testing.B) {
	runtimetest.Bench(b, 2, func() {
		l := listen(b, "tcp")
		srv := &server.StreamServer{Limit: 100, Handler: echo}
		task := runtime.Spawn(func() { _ = srv.Serve(l) })
		p := make([]byte, 1)
		b.ResetTimer()
		for range b.N {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = conn.Write(p)
			_, _ = conn.Read(p)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
		b.StopTimer()
		_ = srv.Close()
		_ = task.Join()
	})
}
