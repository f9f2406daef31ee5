package tls_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/tls"
)

// TestKindsOfEnd: a stream that ends with a close_notify ends by io.EOF, whatever comes
// after it; one that does not was cut off. crypto/tls does not tell the latter where
// it happens between records.
func TestKindsOfEnd(t *testing.T) {
	eachVersion(t, func(t *testing.T, n implementation, client, server *tls.Config) {
		for name, end := range map[string]func(t *testing.T, s secured) (want error){
			"close_notify": func(t *testing.T, s secured) error {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return io.EOF
			},
			"close_notify and reset": func(t *testing.T, s secured) error {
				if err := s.CloseWrite(); err != nil {
					t.Error(err)
				}
				reset(t, s)
				return io.EOF
			},
			"FIN": func(t *testing.T, s secured) error {
				_ = s.NetConn().Close()
				if n.name == "std" {
					return io.EOF
				}
				return io.ErrUnexpectedEOF
			},
			"FIN in a record": func(t *testing.T, s secured) error {
				_, _ = s.NetConn().Write([]byte{23, 3, 3, 1, 0, 'x'})
				_ = s.NetConn().Close()
				return io.ErrUnexpectedEOF
			},
		} {
			c, s := n.connected(t, client, server)
			if _, err := s.Write([]byte("data")); err != nil {
				t.Fatal(err)
			}
			want := end(t, s)
			got, err := io.ReadAll(c)
			if want == io.EOF {
				want = nil
			}
			if string(got) != "data" || err != want {
				t.Errorf("%s: read %q, %v, want %v", name, got, err, want)
			}
			_, err = c.Read(make([]byte, 1))
			if want == nil {
				want = io.EOF
			}
			if err != want {
				t.Errorf("%s: then %v, want %v", name, err, want)
			}
		}
	})
}

// reset closes the connection below c so that its peer is reset.
func reset(t *testing.T, c secured) {
	t.Helper()
	if err := c.NetConn().(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
		t.Error(err)
	}
	if err := c.NetConn().Close(); err != nil {
		t.Error(err)
	}
}

// TestReset: without a close_notify a reset is an error, and stays one.
func TestReset(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		c, s := n.connected(t, clientConfig(), serverConfig())
		if _, err := c.Write([]byte("not read")); err != nil {
			t.Fatal(err)
		}
		reset(t, s)
		for range 2 {
			if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF || !strings.Contains(err.Error(), "reset") {
				t.Errorf("Read: %v", err)
			}
		}
	})
}

// TestHandshakeFails: both sides are told, each time they ask.
func TestHandshakeFails(t *testing.T) {
	eachVersion(t, func(t *testing.T, n implementation, client, server *tls.Config) {
		a, b := n.sockets(t)
		client.RootCAs = x509.NewCertPool()
		c, s := n.client(a, client), n.server(b, server)
		var serverErr error
		join := n.start(func() {
			// The last of TLS 1.3 comes after the server's own part.
			if serverErr = s.Handshake(); serverErr == nil {
				_, serverErr = s.Read(make([]byte, 1))
			}
		})
		var first *tls.CertificateVerificationError
		if err := c.Handshake(); !errors.As(err, &first) {
			t.Errorf("client: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &first) {
			t.Errorf("Read: %v", err)
		}
		if _, err := c.Write(make([]byte, 1)); !errors.As(err, &first) {
			t.Errorf("Write: %v", err)
		}
		if err := c.CloseWrite(); err == nil {
			t.Error("CloseWrite before the handshake")
		}
		if c.ConnectionState().HandshakeComplete {
			t.Error("complete")
		}
		join()
		if serverErr == nil || !strings.Contains(serverErr.Error(), "remote error") {
			t.Errorf("server: %v", serverErr)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestNoTLS: who talks something else can be answered on the connection below.
func TestNoTLS(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		a, b := n.sockets(t)
		s := n.server(b, serverConfig())
		if _, err := a.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		err := s.Handshake()
		header, ok := err.(tls.RecordHeaderError)
		if !ok || header.Conn != b || string(header.RecordHeader[:]) != "GET /" {
			t.Errorf("%#v", err)
		}
	})
}

// TestContext: the end of a context interrupts the handshake, and closes the
// connection; also while another makes it.
func TestContext(t *testing.T) {
	for _, first := range []bool{true, false} {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.sockets(t)
			c := n.client(a, clientConfig())
			join := func() {}
			if !first {
				join = n.start(func() {
					if err := c.Handshake(); !errors.Is(err, stdnet.ErrClosed) {
						t.Errorf("the first: %v", err)
					}
				})
				if _, err := b.Read(make([]byte, 1)); err != nil { // it has begun
					t.Error(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := c.(interface{ HandshakeContext(context.Context) error }).HandshakeContext(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			join()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, stdnet.ErrClosed) {
				t.Errorf("Read: %v", err)
			}
		})
	}
}

// TestNoRenegotiation: a client's renegotiation, as it would hold all of
// crypto/tls's locks across waits, is turned off in a copy of the configuration.
func TestNoRenegotiation(t *testing.T) {
	config := clientConfig()
	config.Renegotiation = tls.RenegotiateFreelyAsClient
	config.MaxVersion = tls.VersionTLS12
	c, _ := own("goroutine", nil).connected(t, config, serverConfig())
	state := c.ConnectionState()
	if _, err := state.ExportKeyingMaterial("label", nil, 8); err != nil {
		t.Errorf("crypto/tls was told of renegotiation: %v", err)
	}
	if config.Renegotiation != tls.RenegotiateFreelyAsClient {
		t.Error("the caller's configuration was changed")
	}
}
