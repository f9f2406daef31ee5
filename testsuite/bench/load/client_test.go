package load

import (
	"errors"
	"io"
	stdnet "net"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve runs a server of goroutines until the test ends, with session on each connection.
func serve(t *testing.T, session func(stdnet.Conn)) string {
	t.Helper()
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() {
				defer c.Close()
				session(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
	})
	return l.Addr().String()
}

func echo(c stdnet.Conn) { _, _ = io.Copy(c, c) }

func TestRun(t *testing.T) {
	addr := serve(t, echo)
	c, err := Dial(addr, 300)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	edges := 0
	for round := range 2 {
		const window = 100 * time.Millisecond
		res, err := c.Run(Window{Warm: 20 * time.Millisecond, Length: window, Edge: func() { edges++ }})
		if err != nil {
			t.Fatal(err)
		}
		if res.Requests == 0 || res.Total < res.Requests+300 {
			// The last message of each connection is counted while draining.
			t.Errorf("round %d: %d requests, %d in all, want some and at least 300 more", round, res.Requests, res.Total)
		}
		if res.Elapsed < window {
			t.Errorf("round %d took %v, want at least %v", round, res.Elapsed, window)
		}
		if c.inFlight != 0 {
			t.Errorf("round %d left %d messages in flight", round, c.inFlight)
		}
	}
	if edges != 4 {
		t.Errorf("Edge was called %d times, want 4", edges)
	}
}

// TestPieces has the echo arrive a few bytes at a time.
func TestPieces(t *testing.T) {
	addr := serve(t, func(c stdnet.Conn) {
		buf := make([]byte, 7)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	c, err := Dial(addr, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(Window{Length: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
}

// TestWrongEcho makes sure that the echo is looked at.
func TestWrongEcho(t *testing.T) {
	addr := serve(t, func(c stdnet.Conn) {
		buf := make([]byte, MessageSize)
		if _, err := io.ReadFull(c, buf); err != nil {
			return
		}
		buf[MessageSize-1] ^= 1
		_, _ = c.Write(buf)
	})
	if _, err := Dial(addr, 1); !errors.Is(err, errWrongEcho) {
		t.Fatalf("got %v, want %v", err, errWrongEcho)
	}
}

// TestServerCloses makes sure that a server which gives up is an error and not an endless wait.
func TestServerCloses(t *testing.T) {
	addr := serve(t, func(c stdnet.Conn) {
		buf := make([]byte, MessageSize)
		_, _ = io.ReadFull(c, buf)
	})
	if _, err := Dial(addr, 1); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Fatalf("got %v, want an error that says the server closed", err)
	}
}

func TestDialRefuses(t *testing.T) {
	for _, tt := range []struct {
		addr  string
		conns int
	}{
		{"nowhere", 1},
		{"[::1]:7", 1},
		{"127.0.0.1:7", 0},
	} {
		if c, err := Dial(tt.addr, tt.conns); err == nil {
			c.Close()
			t.Errorf("Dial(%q, %d) succeeded", tt.addr, tt.conns)
		}
	}
}
