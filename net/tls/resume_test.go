package tls_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
)

// This file tests what is left of a connection after a call on it was ended.

// stall makes c unable to send: a Write of much has filled all buffers, and was ended
// by the deadline, which has passed from then on. It returns how much was accepted.
func (n implementation) stall(t *testing.T, c secured, content []byte) (accepted int) {
	t.Helper()
	writer := runtime.Async(func() (int, error) {
		m, err := c.Write(content)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		return m, nil
	})
	parked(t, n.rt, "descriptor writable", 1)
	if err := c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Error(err)
	}
	accepted, err := writer.Get()
	if err != nil {
		t.Error(err)
	}
	return accepted
}

// sealed returns what c sends for data, and does not send it: a deadline that c
// does not know of ends the Write before its first byte.
func sealed(t *testing.T, c *tls.Conn, data string) []byte {
	t.Helper()
	_ = c.NetConn().SetWriteDeadline(time.Unix(1, 0))
	if n, err := io.WriteString(c, data); n != len(data) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(n, err)
	}
	_ = c.NetConn().SetWriteDeadline(time.Time{})
	return tls.TakeUnsent(c)
}

// TestReadInMidRecord: a Read that is ended when a part of a record has come, of its
// header or of its body, goes on later.
func TestReadInMidRecord(t *testing.T) {
	eachEnd := map[string]func(n implementation, s secured) error{
		"kill": func(n implementation, s secured) error {
			reader := runtime.Async(func() (int, error) { return s.Read(make([]byte, 8)) })
			parked(t, n.rt, "descriptor readable", 1)
			reader.Kill(nil)
			_, err := reader.Get()
			return err
		},
		"timeout": func(n implementation, s secured) error {
			return runtime.WithTimeout(time.Millisecond, func() error {
				_, err := s.Read(make([]byte, 8))
				return err
			})
		},
		"deadline": func(n implementation, s secured) error {
			_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := s.Read(make([]byte, 8))
			_ = s.SetReadDeadline(time.Time{})
			return err
		},
	}
	onOneWorker(t, func(n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		for name, end := range eachEnd {
			record := sealed(t, c.(*tls.Conn), "secret")
			for _, part := range [][]byte{record[:2], record[2:10], record[10:]} {
				if err := end(n, s); !errors.Is(err, runtime.ErrKilled) && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s: %v", name, err)
				}
				if _, err := c.NetConn().Write(part); err != nil {
					t.Fatal(err)
				}
			}
			buf := make([]byte, 8)
			if m, err := s.Read(buf); string(buf[:m]) != "secret" || err != nil {
				t.Errorf("%s: then %q, %v", name, buf[:m], err)
			}
		}
	})
}

// TestCloseSendsTheRest: what an interrupted Write has accepted goes out with Close.
func TestCloseSendsTheRest(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		content := pattern(32 << 20)
		accepted := n.stall(t, c, content)
		reader := runtime.Spawn(func() {
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, content[:accepted]) {
				t.Errorf("%d bytes of %d have come, or others; %v", len(got), accepted, err)
			}
		})
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = reader.Join()
	})
}

// TestCloseKilled: a kill ends Close's wait for the peer, and the connection is closed
// all the same.
func TestCloseKilled(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		c, _ := n.connected(t, clientConfig(), serverConfig())
		n.stall(t, c, make([]byte, 32<<20))
		closing := runtime.Async(func() (int, error) { return 0, c.Close() })
		parked(t, n.rt, "descriptor writable", 1)
		closing.Kill(nil)
		if _, err := closing.Get(); !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("close: %v", err)
		}
		if _, err := c.NetConn().Write([]byte("x")); !errors.Is(err, stdnet.ErrClosed) {
			t.Errorf("the connection below is open: %v", err)
		}
	})
}

// TestCallbackUnwound: a callback that waits, and is unwound by a kill, fails the
// handshake for all; the others do not get the error of a kill.
func TestCallbackUnwound(t *testing.T) {
	onOneWorker(t, func(n implementation) {
		a, b := n.sockets(t)
		config := serverConfig()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			runtime.Sleep(time.Hour)
			return nil, nil
		}
		s := tls.Server(b, config)
		maker := runtime.Spawn(func() { _ = s.Handshake() })
		client := runtime.Spawn(func() { _ = tls.Client(a, clientConfig()).Handshake() })
		parked(t, n.rt, "descriptor readable", 1) // the client, for the server
		parked(t, n.rt, "sleep", 1)
		maker.Kill(nil)
		if err := maker.Join(); !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("killed: %v", err)
		}
		if err := s.Handshake(); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("then: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = client.Join()
	})
}
