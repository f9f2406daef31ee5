package tls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// identity is a certificate for "localhost" and the pool that trusts it.
var identity = sync.OnceValues(func() (stdtls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

func serverConfig() *tls.Config {
	cert, _ := identity()
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

func clientConfig() *tls.Config {
	_, pool := identity()
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// secured are the methods of both packages' connections.
type secured interface {
	stdnet.Conn
	CloseWrite() error
	Handshake() error
	ConnectionState() tls.ConnectionState
	NetConn() stdnet.Conn
}

// implementation is a package of this kind, and where its calls are made.
type implementation struct {
	name   string
	rt     *runtime.Runtime // nil: on goroutines
	listen func() (stdnet.Listener, error)
	dial   func(addr string) (stdnet.Conn, error)
	client func(stdnet.Conn, *tls.Config) secured
	server func(stdnet.Conn, *tls.Config) secured
}

var standard = implementation{
	name:   "std",
	listen: func() (stdnet.Listener, error) { return stdnet.Listen("tcp", "127.0.0.1:0") },
	dial:   func(addr string) (stdnet.Conn, error) { return stdnet.Dial("tcp", addr) },
	client: func(c stdnet.Conn, config *tls.Config) secured { return stdtls.Client(c, config) },
	server: func(c stdnet.Conn, config *tls.Config) secured { return stdtls.Server(c, config) },
}

func own(name string, rt *runtime.Runtime) implementation {
	return implementation{
		name:   name,
		rt:     rt,
		listen: func() (stdnet.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		dial:   func(addr string) (stdnet.Conn, error) { return net.Dial("tcp", addr) },
		client: func(c stdnet.Conn, config *tls.Config) secured { return tls.Client(c, config) },
		server: func(c stdnet.Conn, config *tls.Config) secured { return tls.Server(c, config) },
	}
}

// each runs body with the standard library, and with ours on goroutines and in a
// task with all others on its worker, or on two.
func each(t *testing.T, body func(t *testing.T, n implementation)) {
	t.Helper()
	t.Run("std", func(t *testing.T) { body(t, standard) })
	t.Run("goroutine", func(t *testing.T) { body(t, own("goroutine", nil)) })
	for workers, name := range []string{1: "one worker", 2: "two workers"} {
		if name == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, workers)
			runtimetest.RunOn(t, rt, func() { body(t, own(name, rt)) })
		})
	}
}

// start runs fn beside the caller, and returns a function that waits for it.
func (n implementation) start(fn func()) (join func()) {
	if n.rt == nil {
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	task := n.rt.Spawn(fn)
	return func() { _ = task.Join() }
}

// sockets returns two connected sockets, and closes them with the test.
func (n implementation) sockets(t testing.TB) (a, b stdnet.Conn) {
	t.Helper()
	l, err := n.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = n.dial(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// connected returns a client and a server after their handshake.
func (n implementation) connected(t testing.TB, client, server *tls.Config) (c, s secured) {
	t.Helper()
	a, b := n.sockets(t)
	c, s = n.client(a, client), n.server(b, server)
	var serverErr error
	join := n.start(func() { serverErr = s.Handshake() })
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	join()
	if serverErr != nil {
		t.Fatal(serverErr)
	}
	return c, s
}

// eachVersion runs body with each version of TLS.
func eachVersion(t *testing.T, body func(t *testing.T, n implementation, client, server *tls.Config)) {
	t.Helper()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(strings.ReplaceAll(tls.VersionName(version), " ", ""), func(t *testing.T) {
			each(t, func(t *testing.T, n implementation) {
				client, server := clientConfig(), serverConfig()
				client.MaxVersion = version
				body(t, n, client, server)
			})
		})
	}
}

// pattern returns n bytes, no two parts of which look the same.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
}
