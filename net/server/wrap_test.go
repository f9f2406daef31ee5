package server_test

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// certificate returns a certificate for 127.0.0.1 as a server and its clients need
// it. The standard library's test server has one.
func certificate(t *testing.T) (serves, trusts *tls.Config) {
	t.Helper()
	source := httptest.NewTLSServer(nil)
	defer source.Close()
	pool := x509.NewCertPool()
	pool.AddCert(source.Certificate())
	return &tls.Config{Certificates: source.TLS.Certificates}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

// TestWrapTLS: a client that does not shake hands holds up no other, and has a
// limit; the end is said as TLS has it.
func TestWrapTLS(t *testing.T) {
	serves, trusts := certificate(t)
	each(t, func(t *testing.T, s setting) {
		var told reports
		srv := &server.StreamServer{
			Handler: func(conn net.Conn) {
				if _, ok := conn.(*tls.Conn); !ok {
					t.Errorf("the handler got a %T", conn)
				}
				line, err := bufio.NewReader(conn).ReadString('\n')
				fmt.Fprint(conn, line)
				if err != nil {
					t.Error(err)
				}
			},
			Wrap: func(conn net.Conn) (net.Conn, error) {
				c := tls.Server(conn, serves)
				return c, c.Handshake()
			},
			OnError: told.add,
		}
		l, _ := s.stream(t, srv, "tcp")
		mute := dial(t, l)
		runtimetest.Eventually(t, "the handshake waits", func() bool { return srv.Active() == 1 })
		for range 3 {
			raw := dial(t, l)
			c := &client{tls.Client(raw, trusts), t, nil}
			c.in = bufio.NewReader(c.Conn)
			c.say("hello", "hello")
			if _, err := c.in.ReadByte(); err == nil || err.Error() != "EOF" {
				t.Errorf("the end: %v, want the EOF of TLS", err)
			}
		}
		if _, err := mute.Write([]byte("no handshake at all\n")); err != nil {
			t.Error(err)
		}
		runtimetest.Eventually(t, "no handler is left", func() bool { return srv.Active() == 0 })
		errs := told.all()
		var record tls.RecordHeaderError
		if len(errs) != 1 || !errors.As(errs[0], &record) ||
			!strings.HasPrefix(errs[0].Error(), "server: handshake with "+mute.LocalAddr().String()+": ") {
			t.Errorf("told %v", errs)
		}
	})
}

// TestHandshakeTimeout: whoever is too slow is let go, whatever Wrap waits for; and
// the limit is for Wrap alone.
func TestHandshakeTimeout(t *testing.T) {
	waits := map[string]func(conn net.Conn) error{
		"read":  func(conn net.Conn) error { _, err := conn.Read(make([]byte, 1)); return err },
		"sleep": func(net.Conn) error { runtime.Sleep(runtime.Forever); return nil },
		"event": func(net.Conn) error { return new(event.Event).Wait() },
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s setting) {
				var told reports
				var done atomic.Bool
				srv := &server.StreamServer{
					Handler: func(conn net.Conn) {
						runtime.Sleep(5 * time.Millisecond) // longer than the limit
						echo(conn)
					},
					Wrap: func(conn net.Conn) (net.Conn, error) {
						if done.CompareAndSwap(false, true) {
							return conn, wait(conn)
						}
						return conn, nil
					},
					HandshakeTimeout: time.Millisecond,
					OnError:          told.add,
				}
				l, _ := s.stream(t, srv, "tcp")
				dial(t, l).over()
				dial(t, l).say("hello", "hello")
				if errs := told.all(); len(errs) != 1 || !errors.Is(errs[0], runtime.ErrTimeout) {
					t.Errorf("told %v", errs)
				}
			})
		})
	}
}

// TestHandshakeLimits: there is a limit unless it is turned off.
func TestHandshakeLimits(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: 10 * time.Second, -1: runtime.Forever, 7: 7} {
		srv := &server.StreamServer{HandshakeTimeout: set}
		if got := srv.HandshakeLimit(); got != want {
			t.Errorf("%d means %v, want %v", set, got, want)
		}
	}
}

// TestWrapKilled: a handshake that the end of the server cuts off is nothing to
// report.
func TestWrapKilled(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var told reports
		srv := &server.StreamServer{Handler: echo, OnError: told.add, Wrap: func(conn net.Conn) (net.Conn, error) {
			_, err := conn.Read(make([]byte, 1))
			return conn, err
		}}
		l, result := s.stream(t, srv, "tcp")
		c := dial(t, l)
		runtimetest.Eventually(t, "the handshake waits", func() bool { return srv.Active() == 1 })
		if err := srv.Shutdown(ended(errGrace)); err != errGrace {
			t.Errorf("Shutdown: %v", err)
		}
		c.over()
		closed(t, result)
		if told.all() != nil {
			t.Errorf("told %v", told.all())
		}
	})
}
