package tls_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestHandshakeInterrupted: whatever ends a handshake that waits for a silent peer
// reaches all who wait for it on the same worker, and the connection has failed for good.
func TestHandshakeInterrupted(t *testing.T) {
	for name, tc := range map[string]struct {
		interrupt func(c secured, maker *runtime.Task, cancel func())
		want      error
	}{
		"deadline": {func(c secured, _ *runtime.Task, _ func()) { _ = c.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"kill":     {func(_ secured, maker *runtime.Task, _ func()) { maker.Kill(nil) }, runtime.ErrKilled},
		"context":  {func(_ secured, _ *runtime.Task, cancel func()) { cancel() }, context.Canceled},
		"close":    {func(c secured, _ *runtime.Task, _ func()) { _ = c.Close() }, stdnet.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			onOneWorker(t, func(n implementation) {
				a, _ := n.sockets(t)
				c := tls.Client(a, clientConfig())
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				var err error
				maker := runtime.Spawn(func() { err = c.HandshakeContext(ctx) })
				parked(t, n.rt, "descriptor readable", 1)
				others := []*runtime.Task{
					runtime.Spawn(func() {
						if _, err := c.Read(make([]byte, 1)); err == nil {
							t.Error("a Read ends well")
						}
					}),
					runtime.Spawn(func() {
						if _, err := c.Write([]byte("x")); err == nil {
							t.Error("a Write ends well")
						}
					}),
					runtime.Spawn(func() {
						if c.ConnectionState().HandshakeComplete {
							t.Error("the handshake is complete")
						}
					}),
				}
				parked(t, n.rt, "lock", len(others))
				if err := c.CloseWrite(); err == nil {
					t.Error("CloseWrite before the handshake")
				}
				tc.interrupt(c, maker, cancel)
				_ = maker.Join()
				_ = runtime.JoinAll(others...)
				if !errors.Is(err, tc.want) {
					t.Errorf("%v, want %v", err, tc.want)
				}
				if err := c.Handshake(); err == nil {
					t.Error("another handshake ends well")
				}
				_ = c.Close()
			})
		})
	}
}

// TestHandshakeTimeout: WithTimeout ends a handshake, and so does a Dialer's timeout.
func TestHandshakeTimeout(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		l, err := n.listen() // nobody accepts
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		dialer := &net.Dialer{Timeout: 20 * time.Millisecond}
		if _, err := tls.DialWithDialer(dialer, "tcp", l.Addr().String(), clientConfig()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
		err = runtime.WithTimeout(20*time.Millisecond, func() error {
			_, err := tls.Dial("tcp", l.Addr().String(), clientConfig())
			return err
		})
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Errorf("WithTimeout: %v", err)
		}
	})
}

// TestCallbacksInTheTask: callbacks of Config run in the task that makes the handshake,
// also with a context that can be canceled, and may park.
func TestCallbacksInTheTask(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		cert, _ := identity()
		var servers, clients []*runtime.Task
		server := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			servers = append(servers, runtime.Current())
			runtime.Yield()
			return &cert, nil
		}}
		client := clientConfig()
		client.VerifyConnection = func(tls.ConnectionState) error {
			clients = append(clients, runtime.Current())
			runtime.Yield()
			return nil
		}
		a, b := n.sockets(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		task := runtime.Spawn(func() {
			if err := tls.Server(b, server).HandshakeContext(ctx); err != nil {
				t.Error(err)
			}
		})
		if err := tls.Client(a, client).HandshakeContext(ctx); err != nil {
			t.Fatal(err)
		}
		_ = task.Join()
		if len(servers) != 1 || servers[0] != task {
			t.Errorf("GetCertificate ran in %v", servers)
		}
		if len(clients) != 1 || clients[0] != runtime.Current() {
			t.Errorf("VerifyConnection ran in %v", clients)
		}
	})
}

// TestCloseIsBounded: a peer that does not read holds up a Close for the time of a
// close_notify only, here for what a Write has left.
func TestCloseIsBounded(t *testing.T) {
	defer tls.SetNoticeTime(20 * time.Millisecond)()
	onOneWorker(t, func(n implementation) {
		c, _ := n.connected(t, clientConfig(), serverConfig())
		writer := runtime.Async(func() (int, error) { return c.Write(make([]byte, 32<<20)) })
		parked(t, n.rt, "descriptor writable", 1)
		writer.Kill(nil)
		if _, err := writer.Get(); !errors.Is(err, runtime.ErrKilled) {
			t.Fatalf("write: %v", err)
		}
		reader := runtime.Async(func() (int, error) { return c.Read(make([]byte, 1)) })
		parked(t, n.rt, "descriptor readable", 1)
		if err := c.Close(); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "closeNotify") {
			t.Errorf("close: %v", err)
		}
		if _, err := reader.Get(); !errors.Is(err, stdnet.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	})
}

// TestResetAfterCloseNotify: what is complete stays so when the peer's connection
// breaks after it.
func TestResetAfterCloseNotify(t *testing.T) {
	eachVersion(t, func(t *testing.T, n implementation, client, server *tls.Config) {
		c, s := n.connected(t, client, server)
		// The client leaves this and the tickets unread, so that its close is a reset.
		if _, err := s.Write([]byte("unread")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("whole")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if l, ok := c.NetConn().(interface{ SetLinger(int) error }); !ok || l.SetLinger(0) != nil {
			t.Fatal("no reset")
		}
		_ = c.NetConn().Close()
		runtimetest.Eventually(t, "the reset", func() bool {
			_, err := s.NetConn().Write([]byte("x"))
			return err != nil
		})
		if got, err := io.ReadAll(s); string(got) != "whole" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}
