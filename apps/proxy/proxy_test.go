package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// log is what a proxy has logged.
type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a proxy to an address, and returns its own.
func start(t *testing.T, rt *runtime.Runtime, p *Proxy) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.StreamServer{Handler: p.Serve}
	served := rt.Spawn(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		_ = srv.Close()
		_ = served.Join()
	})
	return l.Addr().String()
}

// TestProxy sends much both ways at once, through the proxy to an echo server, which
// answers after the client has ended its side, too.
func TestProxy(t *testing.T) {
	rt := runtimetest.New(t, 2)
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.StreamServer{Handler: func(c net.Conn) {
		_, _ = io.Copy(c, struct{ io.Reader }{c})
		_, _ = io.WriteString(c, "the end")
	}}
	served := rt.Spawn(func() { _ = srv.Serve(echo) })
	defer served.Join()
	defer srv.Close()
	var logged log
	p := &Proxy{To: echo.Addr().String(), DialTimeout: time.Minute, Log: slog.New(slog.NewTextHandler(&logged, nil))}
	addr := start(t, rt, p)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			c, err := stdnet.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			go func() {
				_, _ = c.Write(content)
				_ = c.(*stdnet.TCPConn).CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, append(bytes.Clone(content), "the end"...)) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	runtimetest.Eventually(t, "all is logged", func() bool {
		return strings.Count(logged.String(), "msg=connection ") == 10
	})
	if want := "10 connections, 20971520 bytes there, 20971590 back"; p.Summary() != want {
		t.Errorf("%s, not %s", p.Summary(), want)
	}
}

// TestTargetIsGone: the client of a proxy that reaches nobody is hung up on, and one
// whose target breaks off gets to know.
func TestTargetIsGone(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var logged log
	p := &Proxy{To: "127.0.0.1:1", DialTimeout: time.Minute, Log: slog.New(slog.NewTextHandler(&logged, nil))}
	c, err := stdnet.Dial("tcp", start(t, rt, p))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, stdnet.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	runtimetest.Eventually(t, "it is logged", func() bool { return strings.Contains(logged.String(), "not connected") })
}
