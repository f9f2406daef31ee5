package http_test

import (
	"io"
	"log"
	"testing"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// benchmark runs fn beside a server on the same worker.
func benchmark(b *testing.B, fn func(address string)) {
	runtimetest.Bench(b, 1, func() {
		srv := &http.Server{
			Place: runtime.Spawn,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, "Hello, World!")
			}),
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Spawn(func() { _ = srv.Serve(l) })
		fn(l.Addr().String())
		_ = srv.Close()
		_ = serving.Join()
	})
}

// BenchmarkServer is a request and its answer, of which the client does as little as
// possible.
func BenchmarkServer(b *testing.B) {
	benchmark(b, func(address string) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		request, answer := []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 1000)
		for b.Loop() {
			if _, err := conn.Write(request); err != nil {
				log.Fatal(err)
			}
			if _, err := conn.Read(answer); err != nil {
				log.Fatal(err)
			}
		}
	})
}

// BenchmarkTransport is the same with our client.
func BenchmarkTransport(b *testing.B) {
	benchmark(b, func(address string) {
		tr := new(http.Transport)
		defer tr.CloseIdleConnections()
		c := &http.Client{Transport: tr}
		for b.Loop() {
			resp, err := c.Get("http://" + address)
			if err != nil {
				log.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
