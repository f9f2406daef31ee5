package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// open runs a room on one worker, and returns its address.
func open(t *testing.T, room *Room) string {
	t.Helper()
	rt := runtimetest.New(t, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.StreamServer{Handler: room.Serve, Place: rt.Spawn}
	served := rt.Spawn(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		_ = srv.Close()
		_ = served.Join()
	})
	return l.Addr().String()
}

// guest is somebody from outside.
type guest struct {
	stdnet.Conn
	in *bufio.Scanner
}

func come(t *testing.T, addr, name string) *guest {
	t.Helper()
	conn, err := stdnet.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(runtimetest.Patience))
	g := &guest{conn, bufio.NewScanner(conn)}
	g.hear(t, "what is your name?")
	g.say(t, name)
	return g
}

func (g *guest) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(g, line+"\n"); err != nil {
		t.Error(err)
	}
}

func (g *guest) hear(t *testing.T, want string) {
	t.Helper()
	if !g.in.Scan() || g.in.Text() != want {
		t.Errorf("heard %q, %v, not %q", g.in.Text(), g.in.Err(), want)
	}
}

func TestConversation(t *testing.T) {
	addr := open(t, &Room{Backlog: 10})
	ann := come(t, addr, "ann")
	ann.hear(t, "1 ann has come")
	bob := come(t, addr, "bob")
	bob.hear(t, "2 bob has come")
	ann.hear(t, "2 bob has come")
	come(t, addr, "bob").hear(t, "that is no name, or somebody else's")
	ann.say(t, "hello")
	for _, g := range []*guest{ann, bob} {
		g.hear(t, "3 ann: hello")
	}
	_ = ann.Close()
	bob.hear(t, "4 ann has gone")
}

// TestNoLockIsNeeded (run with the race detector, too): 50 guests say 20 lines each at
// once, through tasks that share the room without a lock. Each line has a number of
// its own, and everybody hears them in one order.
func TestNoLockIsNeeded(t *testing.T) {
	const guests, lines = 50, 20
	room := &Room{Backlog: 2000}
	addr := open(t, room)
	watcher := come(t, addr, "watcher")
	watcher.hear(t, "1 watcher has come")
	var all sync.WaitGroup
	for i := range guests {
		all.Go(func() {
			g := come(t, addr, fmt.Sprint("guest", i))
			go func() { _, _ = io.Copy(io.Discard, g.Conn) }()
			for j := range lines {
				g.say(t, fmt.Sprint("line ", j))
			}
			_ = g.Conn.(*stdnet.TCPConn).CloseWrite()
		})
	}
	last, total := 1, guests*(lines+2) // each comes and goes
	for range total {
		if !watcher.in.Scan() {
			t.Fatalf("after %d lines: %v", last, watcher.in.Err())
		}
		number, _, _ := strings.Cut(watcher.in.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n != last+1 {
			t.Fatalf("line %q after number %d", watcher.in.Text(), last)
		}
		last = n
	}
	all.Wait()
}
