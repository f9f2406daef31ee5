package net_test

import (
	"io"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestLeaks connects and disconnects 10,000 times, ending the connections in
// different ways. No descriptor or task is left; and no memory, which would be a
// registration, an operator or a timer that was forgotten.
func TestLeaks(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, network := range networks {
		l := listen(t, network)
		server := rt.Spawn(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				runtime.SpawnBalanced(func() {
					defer conn.Close()
					_, _ = io.Copy(conn, onlyReader{conn})
				})
			}
		})
		round := func(times int) {
			clients := make([]*runtime.Task, 10)
			for c := range clients {
				clients[c] = rt.Spawn(func() {
					buf := make([]byte, 8)
					for i := range times / len(clients) {
						conn, err := net.Dial(network, l.Addr().String())
						if err != nil {
							t.Error(err)
							return
						}
						if i%4 > 0 {
							_, err = conn.Write(buf)
							if err == nil && i%4 > 1 {
								_, err = io.ReadFull(conn, buf)
							}
							if err != nil {
								t.Error(err)
							}
						}
						if network == "tcp" {
							// Reset, so that no port is left in TIME_WAIT.
							_ = conn.(*net.TCPConn).SetLinger(0)
						}
						if err := conn.Close(); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for _, task := range clients {
				_ = task.Join()
			}
			// The server's side ends a little later.
			runtimetest.Eventually(t, "the last task's end", func() bool { return rt.Stats().Tasks == 1 })
		}
		heap := func() uint64 {
			goruntime.GC()
			var stats goruntime.MemStats
			goruntime.ReadMemStats(&stats)
			return stats.HeapAlloc
		}
		round(1000)
		memory, descriptors := heap(), runtimetest.Descriptors()
		round(10_000)
		if now := runtimetest.Descriptors(); now > descriptors {
			t.Errorf("%s: %d descriptors, was %d", network, now, descriptors)
		}
		// The least that 10,000 leaks could be is 16 bytes each; caches that grow
		// by chance stay far below what a forgotten operator takes.
		if now := heap(); now > memory+10_000*64 {
			t.Errorf("%s: %d bytes of heap, was %d", network, now, memory)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		_ = server.Join()
	}
}
