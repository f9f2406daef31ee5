package tls_test

import (
	"io"
	goruntime "runtime"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// onBoth runs body with crypto/tls on goroutines, and with ours in tasks, each on one
// processor: what an operation takes is what it costs both sides. testsuite/bench
// compares servers by their processor time.
func onBoth(b *testing.B, body func(b *testing.B, n implementation)) {
	b.Run("goroutines", func(b *testing.B) {
		defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
		b.ReportAllocs()
		body(b, standard)
	})
	b.Run("tasks", func(b *testing.B) {
		runtimetest.Bench(b, 1, func() { body(b, own("tasks", runtime.Current().Runtime())) })
	})
}

// BenchmarkHandshake connects, makes a handshake and closes.
func BenchmarkHandshake(b *testing.B) {
	for _, kind := range []string{"full", "resumed"} {
		b.Run(kind, func(b *testing.B) {
			onBoth(b, func(b *testing.B, n implementation) {
				l, err := n.listen()
				if err != nil {
					b.Fatal(err)
				}
				server, client := serverConfig(), clientConfig()
				if kind == "resumed" {
					client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
				}
				join := n.start(func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						s := n.server(c, server)
						_, _ = s.Write([]byte("x"))
						_ = s.Close()
					}
				})
				for b.Loop() {
					raw, err := n.dial(l.Addr().String())
					if err != nil {
						b.Fatal(err)
					}
					c := n.client(raw, client)
					if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // and the tickets before it
						b.Fatal(err)
					}
					_ = c.Close()
				}
				_ = l.Close()
				join()
			})
		})
	}
}

// BenchmarkBytes sends one way.
func BenchmarkBytes(b *testing.B) {
	const size = 1 << 20
	onBoth(b, func(b *testing.B, n implementation) {
		c, s := n.connected(b, clientConfig(), serverConfig())
		join := n.start(func() { _, _ = io.Copy(io.Discard, struct{ io.Reader }{s}) })
		content := make([]byte, size)
		b.SetBytes(size)
		for b.Loop() {
			if _, err := c.Write(content); err != nil {
				b.Fatal(err)
			}
		}
		_ = c.Close()
		join()
	})
}

// BenchmarkEcho sends a few bytes there and back.
func BenchmarkEcho(b *testing.B) {
	onBoth(b, func(b *testing.B, n implementation) {
		c, s := n.connected(b, clientConfig(), serverConfig())
		join := n.start(func() { _, _ = io.Copy(s.(stdnet.Conn), struct{ io.Reader }{s}) })
		message := make([]byte, 64)
		for b.Loop() {
			if _, err := c.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, message); err != nil {
				b.Fatal(err)
			}
		}
		_ = c.Close()
		join()
	})
}
