package tls_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// onOneWorker runs body in a task, where a task that waits for a Go lock would stop
// everything.
func onOneWorker(t *testing.T, body func(n implementation)) {
	t.Helper()
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() { body(own("one worker", rt)) })
}

// parked waits until n tasks wait for the given direction of a descriptor.
func parked(t *testing.T, rt *runtime.Runtime, what string, n int) {
	t.Helper()
	runtimetest.Eventually(t, what, func() bool {
		runtime.Yield()
		count := 0
		for _, info := range rt.Tasks() {
			if info.State == runtime.TaskWaiting && info.Reason == what {
				count++
			}
		}
		return count >= n
	})
}

// TestReaderAndWriters (own behaviour 13): a task that waits in Read, two that write
// much to a peer that does not read yet, and one that asks for the state: none holds
// up another. Then all that was written comes, each write in one piece.
func TestReaderAndWriters(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		reader := runtime.Spawn(func() {
			if got, err := io.ReadAll(c); string(got) != "bye" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
		parked(t, n.rt, "descriptor readable", 1)
		const size = 8 << 20 // more than sockets hold
		var writers []*runtime.Task
		for _, b := range []byte("ab") {
			writers = append(writers, runtime.Spawn(func() {
				if m, err := c.Write(bytes.Repeat([]byte{b}, size)); m != size || err != nil {
					t.Errorf("wrote %d, %v", m, err)
				}
			}))
		}
		parked(t, n.rt, "descriptor writable", 1)
		if !c.ConnectionState().HandshakeComplete {
			t.Error("no handshake")
		}
		got := make([]byte, 2*size)
		if _, err := io.ReadFull(s, got); err != nil {
			t.Fatal(err)
		}
		if changes := bytes.Count(got, []byte("ab")) + bytes.Count(got, []byte("ba")); changes != 1 {
			t.Errorf("the two writes are mixed: %d changes", changes)
		}
		_ = runtime.JoinAll(writers...)
		if _, err := s.Write([]byte("bye")); err != nil {
			t.Error(err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Error(err)
		}
		_ = reader.Join()
	})
}

// TestCloseEndsCalls: Close ends a Read and a Write that wait, and itself does not
// wait for the peer.
func TestCloseEndsCalls(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, _ := n.connected(t, clientConfig(), serverConfig())
		var readErr, writeErr error
		reader := runtime.Spawn(func() { _, readErr = c.Read(make([]byte, 1)) })
		writer := runtime.Spawn(func() { _, writeErr = c.Write(make([]byte, 32<<20)) })
		parked(t, n.rt, "descriptor readable", 1)
		parked(t, n.rt, "descriptor writable", 1)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = runtime.JoinAll(reader, writer)
		if !errors.Is(readErr, stdnet.ErrClosed) || !errors.Is(writeErr, stdnet.ErrClosed) {
			t.Errorf("read: %v, write: %v", readErr, writeErr)
		}
		if err := c.Close(); !errors.Is(err, stdnet.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, stdnet.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
	})
}

// TestManyHandshake: whoever comes while the handshake is under way waits for it, and
// a kill ends that wait alone.
func TestManyHandshake(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		a, b := n.sockets(t)
		c, s := n.client(a, clientConfig()), n.server(b, serverConfig())
		var all []*runtime.Task
		for range 3 {
			all = append(all, runtime.Spawn(func() {
				if err := c.Handshake(); err != nil {
					t.Error(err)
				}
			}))
		}
		killed := runtime.Async(func() (int, error) { return c.Read(make([]byte, 1)) })
		parked(t, n.rt, "descriptor readable", 1)
		killed.Kill(nil)
		if _, err := killed.Get(); !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("killed: %v", err)
		}
		if err := s.Handshake(); err != nil {
			t.Error(err)
		}
		_ = runtime.JoinAll(all...)
	})
}

// TestInterruptsLeaveItUsable: a deadline or a kill ends a Read or a Write, and the
// connection goes on, without a lost or doubled byte.
func TestInterruptsLeaveItUsable(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		_ = c.SetReadDeadline(time.Unix(1, 0))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("late read: %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		reader := runtime.Async(func() (int, error) { return c.Read(make([]byte, 1)) })
		parked(t, n.rt, "descriptor readable", 1)
		reader.Kill(nil)
		if _, err := reader.Get(); !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("killed read: %v", err)
		}

		content := pattern(16 << 20)
		writer := runtime.Async(func() (int, error) { return c.Write(content) })
		parked(t, n.rt, "descriptor writable", 1)
		writer.Kill(nil)
		accepted, err := writer.Get()
		if !errors.Is(err, runtime.ErrKilled) || accepted == len(content) {
			t.Errorf("killed write: %d, %v", accepted, err)
		}
		rest := runtime.Spawn(func() {
			if m, err := c.Write(content[accepted:]); m != len(content)-accepted || err != nil {
				t.Errorf("the rest: %d, %v", m, err)
			}
			_ = c.CloseWrite()
		})
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes have come, or others; %v", len(got), err)
		}
		_ = rest.Join()
		if _, err := s.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("read after all that: %v", err)
		}
	})
}

// TestEnds: how a stream ends, in both versions of TLS: by a close_notify, with the
// other direction open; without one.
func TestEnds(t *testing.T) {
	eachVersion(t, func(t *testing.T, n implementation, client, server *tls.Config) {
		c, s := n.connected(t, client, server)
		if _, err := c.Write([]byte("question")); err != nil {
			t.Error(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(s); string(got) != "question" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := s.Write([]byte("answer")); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(c); string(got) != "answer" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("a Write after CloseWrite")
		}

		if n.name == "std" {
			return // takes a cut off stream for a whole one
		}
		c, s = n.connected(t, client, server)
		if _, err := c.Write([]byte("half an ans")); err != nil {
			t.Error(err)
		}
		_ = c.NetConn().Close()
		if got, err := io.ReadAll(s); string(got) != "half an ans" || err != io.ErrUnexpectedEOF {
			t.Errorf("cut off: %q, %v", got, err)
		}
	})
}

// TestResumption: the second connection resumes the session of the first one.
func TestResumption(t *testing.T) {
	eachVersion(t, func(t *testing.T, n implementation, client, server *tls.Config) {
		client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		for i := range 3 {
			c, s := n.connected(t, client, server)
			if _, err := s.Write([]byte("x")); err != nil { // TLS 1.3 has sent its tickets before
				t.Error(err)
			}
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Error(err)
			}
			if resumed := c.ConnectionState().DidResume; resumed != (i > 0) {
				t.Errorf("connection %d: resumed %v", i, resumed)
			}
			_ = c.Close()
			_ = s.Close()
		}
	})
}

// TestDialAndListen: the functions that make both layers, and an untrusted server.
func TestDialAndListen(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		l, err := tls.Listen("tcp", "127.0.0.1:0", serverConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		serve := runtime.Spawn(func() {
			for range 2 {
				c, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(c, struct{ io.Reader }{c})
				_ = c.Close()
			}
		})
		c, err := tls.Dial("tcp", l.Addr().String(), clientConfig())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("echo")); err != nil {
			t.Error(err)
		}
		if got := make([]byte, 4); true {
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "echo" {
				t.Errorf("%q, %v", got, err)
			}
		}
		_ = c.Close()
		if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "localhost"}); err == nil {
			t.Error("an unknown authority is trusted")
		}
		_ = serve.Join()
		if _, err := tls.Listen("tcp", "127.0.0.1:0", new(tls.Config)); err == nil {
			t.Error("listens without a certificate")
		}
	})
}
