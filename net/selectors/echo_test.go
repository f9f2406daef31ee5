package selectors_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/selectors"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestEcho: 100 clients send 100 messages each to the example's server, which is
// one task. A quarter is cut off by force on the way.
func TestEcho(t *testing.T) {
	const clients, messages = 100, 100
	runtimetest.Run(t, 2, func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s, err := selectors.New[func(selectors.Event)]()
		if err != nil {
			t.Fatal(err)
		}
		server := &echo{selector: s, listener: l}
		serving := runtime.Async(func() (int, error) { return 0, server.run() })
		var tasks []*runtime.Task
		for i := range clients {
			tasks = append(tasks, runtime.SpawnBalanced(func() { client(t, l.Addr().String(), i, messages, i%4 == 3) }))
		}
		if err := runtime.JoinAll(tasks...); err != nil {
			t.Error(err)
		}
		runtimetest.Eventually(t, "the end of all connections", func() bool { return s.Len() == 1 })
		serving.Kill(nil)
		if err := serving.Join(); !errors.Is(err, runtime.ErrKilled) {
			t.Error(err)
		}
		if server.served != clients || server.cut != clients/4 {
			t.Errorf("%d served, %d of them cut off", server.served, server.cut)
		}
	})
}

// client sends messages and checks the answers. One that is cut resets its
// connection half-way, with an answer unread.
func client(t *testing.T, address string, id, messages int, cut bool) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	for j := range messages {
		text := fmt.Sprintf("client %d message %d %s", id, j, strings.Repeat("x", j*id))
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Error(err)
			return
		}
		if cut && j == messages/2 {
			if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
				t.Error(err)
			}
			return
		}
		answer := make([]byte, len(text))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != strings.ToUpper(text) {
			t.Errorf("%q: %v", answer, err)
			return
		}
	}
}

// TestEchoSlow: a client that does not read its answers does not keep the others
// from theirs.
func TestEchoSlow(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s, err := selectors.New[func(selectors.Event)]()
		if err != nil {
			t.Fatal(err)
		}
		serving := runtime.Spawn(func() { _ = (&echo{selector: s, listener: l}).run() })
		slow, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		const size = 16 << 20 // more than the kernel keeps
		writer := runtime.Spawn(func() {
			if n, err := slow.Write([]byte(strings.Repeat("x", size))); n != size || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
		})
		runtimetest.Eventually(t, "an answer that is not taken", func() bool {
			for key := range s.Keys() {
				if key.Events == selectors.Write {
					return true
				}
			}
			return false
		})
		client(t, l.Addr().String(), 1, 10, false)
		if n, err := io.Copy(io.Discard, io.LimitReader(slow, size)); n != size || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		_ = writer.Join()
		_ = slow.Close()
		serving.Kill(nil)
		_ = serving.Join()
	})
}
