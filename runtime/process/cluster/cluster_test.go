package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	stdnet "net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime/process"
)

func TestConfig(t *testing.T) {
	for _, config := range []Config{
		{Lease: time.Millisecond}, {Lease: -1}, {Attempts: -1}, {Forget: -1}, {Replicas: -1}, {Replicas: 6},
	} {
		if _, err := Open(config); !errors.Is(err, errConfig) {
			t.Errorf("%+v: %v", config, err)
		}
	}
	if _, err := Open(Config{Dir: "/dev/null/x"}); err == nil {
		t.Error("a folder that can't be")
	}
	if _, err := Open(Config{URL: "nats://127.0.0.1:1", CAFile: "/does/not/exist"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

// TestPassword: the server of this process is for those only who know its URL.
func TestPassword(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		u := ok(url.Parse(c.URL()))
		u.User = url.UserPassword("weft", "guess")
		_, err := Open(Config{URL: u.String()})
		wantErr(t, "wrong password", err, nats.ErrAuthorization)
		u.User = nil
		_, err = Open(Config{URL: u.String()})
		wantErr(t, "no password", err, nats.ErrAuthorization)
	})
}

// TestDir: what a server in this process has kept in a folder is there again.
func TestDir(t *testing.T) {
	inTask(t, func() {
		config := Config{Dir: t.TempDir()}
		c := ok(Open(config))
		q := ok(process.NewQueue[string](c.Queue("q"), 0))
		check(t, q.Put("kept"))
		check(t, c.Close())
		c = ok(Open(config))
		q = ok(process.NewQueue[string](c.Queue("q"), 0))
		want(t, "item", ok(q.GetUntil(patience())), "kept")
		check(t, c.Close())
	})
}

// TestNoJetStream: servers without it are told from those that are starting.
func TestNoJetStream(t *testing.T) {
	inTask(t, func() {
		s := startServer(t, &server.Options{})
		_, err := Open(Config{URL: s.ClientURL()})
		wantErr(t, "no JetStream", err, jetstream.ErrJetStreamNotEnabled)
		stopServer(s)
	})
}

// TestTLS: servers that want certificates, to which workers connect, too.
func TestTLS(t *testing.T) {
	inTask(t, func() {
		dir := t.TempDir()
		cert, key, pool := certificate(t, dir)
		s := startServer(t, &server.Options{
			JetStream: true, StoreDir: t.TempDir(), Username: "user", Password: "secret",
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{ok(tls.LoadX509KeyPair(cert, key))},
				ClientCAs:    pool, ClientAuth: tls.RequireAndVerifyClientCert,
			},
		})
		u := url.URL{Scheme: "tls", User: url.UserPassword("user", "secret"), Host: s.Addr().String()}
		config := Config{URL: u.String(), CAFile: cert, CertFile: cert, KeyFile: key}
		c := ok(Open(config))
		p := ok(process.NewPool(1, c.Pool("p")))
		want(t, "result", ok(process.Apply(p, square, 5)), 25)
		p.Close()
		check(t, p.JoinUntil(patience()))
		check(t, c.Close())
		config.CAFile = ""
		_, err := Open(config)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Errorf("a server whose certificate nobody knows: %v", err)
		}
		stopServer(s)
	})
}

func startServer(t *testing.T, options *server.Options) *server.Server {
	t.Helper()
	options.Host, options.Port, options.NoLog, options.NoSigs = "127.0.0.1", server.RANDOM_PORT, true, true
	s := ok(server.NewServer(options))
	go s.Start()
	if !s.ReadyForConnections(serverPatience) {
		t.Fatal("the server has not started")
	}
	return s
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// certificate makes a certificate for the loopback address, signed by itself.
func certificate(t *testing.T, dir string) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key := ok(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []stdnet.IP{stdnet.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der := ok(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	check(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	check(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: ok(x509.MarshalPKCS8PrivateKey(key))}), 0o600))
	pool = x509.NewCertPool()
	pool.AddCert(ok(x509.ParseCertificate(der)))
	return certFile, keyFile, pool
}

// TestPermissions: what the servers do not allow is an error, and not waited for.
func TestPermissions(t *testing.T) {
	inTask(t, func() {
		s := startServer(t, &server.Options{
			JetStream: true, StoreDir: t.TempDir(),
			Users: []*server.User{{Username: "user", Password: "secret", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Deny: []string{queueSubject("forbidden"), jobSubject("forbidden", "*", "*")}},
			}}},
		})
		u := url.URL{Scheme: "nats", User: url.UserPassword("user", "secret"), Host: s.Addr().String()}
		c := ok(Open(Config{URL: u.String()}))
		q := ok(process.NewQueue[int](c.Queue("allowed"), 0))
		check(t, q.Put(1))
		q = ok(process.NewQueue[int](c.Queue("forbidden"), 0))
		wantErr(t, "put", q.PutUntil(1, patience()), nats.ErrPermissionViolation)
		p := ok(process.NewPool(0, c.Remote("forbidden")))
		_, err := ok(process.ApplyAsync(p, square, 1)).GetUntil(patience())
		wantErr(t, "job", err, nats.ErrPermissionViolation)
		p.Close()
		check(t, p.JoinUntil(patience()))
		check(t, c.Close())
		stopServer(s)
	})
}
