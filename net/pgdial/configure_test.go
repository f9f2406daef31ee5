package pgdial

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// certificate is one that nobody need trust.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestConfigureTLS: what pgx gets has made its handshake, and is guarded from reads in the background as a whole: no
// goroutine comes by a lock of TLS.
func TestConfigureTLS(t *testing.T) {
	certificates := []tls.Certificate{certificate(t)}
	runtimetest.Run(t, 1, func() {
		var config pgconn.Config
		called := false
		config.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, c net.Conn) (net.Conn, error) {
			called = c.(*tls.Conn).ConnectionState().HandshakeComplete
			return c, nil
		}
		Configure(&config)
		c, peer := pair(t)
		defer c.Close()
		ended := make(chan error, 1)
		go func() {
			defer peer.Close()
			ended <- tls.Server(peer, &tls.Config{Certificates: certificates}).Handshake()
		}()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		secure := tls.Client(c.(*foreground).Conn, &tls.Config{InsecureSkipVerify: true})
		got, err := config.AfterNetConnect(ctx, &config, secure)
		if err != nil {
			t.Fatal(err)
		}
		if !called {
			t.Error("the AfterNetConnect that was there was not called, or before the handshake")
		}
		if f, ok := got.(*foreground); !ok || f.Conn != secure {
			t.Errorf("got a %T", got)
		}
		if err, _ := runtime.Await(func() (error, error) { return <-ended, nil }); err != nil {
			t.Error(err)
		}
	})
}

// TestConfigureCancelled: a handshake that does not go on ends with the context, and an AfterNetConnect that
// fails is told.
func TestConfigureCancelled(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		c, peer := pair(t)
		defer c.Close()
		defer peer.Close()
		var config pgconn.Config
		failure := errors.New("no")
		config.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, c net.Conn) (net.Conn, error) { return c, failure }
		Configure(&config)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			_, _ = io.ReadFull(peer, make([]byte, 1)) // of the handshake
			cancel()
		}()
		if got, err := config.AfterNetConnect(ctx, &config, tls.Client(c, &tls.Config{InsecureSkipVerify: true})); got == nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%T, %v", got, err)
		}
		if got, err := config.AfterNetConnect(context.Background(), &config, c); got != c || err != failure {
			t.Errorf("%T, %v", got, err)
		}
	})
}
