package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	stdnet "net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// certificate is that of the test's servers, for "localhost", and the pool that trusts
// it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost", "other.example"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
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
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

// withTLS configures a server that has TLS.
func withTLS(cfg *server.Config) {
	cert, _ := certificate()
	cfg.TLS.Config = &tls.Config{Certificates: []tls.Certificate{cert}}
}

// clientTLS is what clients of the test use, with a cache of sessions of its own.
func clientTLS(version uint16) *tls.Config {
	_, pool := certificate()
	return &tls.Config{
		RootCAs: pool, ServerName: "localhost", MaxVersion: version,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
}

var versions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// auth secures the control connection.
func (c *client) auth(cfg *tls.Config) {
	c.t.Helper()
	c.cmd(234, "AUTH TLS")
	c.handshake(cfg)
}

func (c *client) handshake(cfg *tls.Config) {
	c.t.Helper()
	c.tls = tls.Client(c.conn, cfg)
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if err := c.tls.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.r = bufio.NewReader(c.tls)
}

// loginTLS logs in over TLS, with secured data connections.
func (f *fixture) loginTLS(cfg *tls.Config) *client {
	f.t.Helper()
	c := f.dial()
	c.auth(cfg)
	c.steps([]step{
		{200, "PBSZ 0", "C212"}, {200, "PROT P", "C216"}, {331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {200, "TYPE I", ""},
	})
	return c
}

// secureData sends a command and makes the handshake on its data connection.
func (c *client) secureData(cfg *tls.Config, line string) *tls.Conn {
	c.t.Helper()
	d := tls.Client(c.data().raw, cfg)
	c.cmd(150, line)
	if err := d.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return d
}

// secureGet and securePut are get and put over TLS. They report whether the session
// was resumed.
func (c *client) secureGet(cfg *tls.Config, line string) (string, bool) {
	c.t.Helper()
	d := c.secureData(cfg, line)
	b, err := io.ReadAll(d)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = d.Close()
	c.expect(226)
	return string(b), d.ConnectionState().DidResume
}

func (c *client) securePut(cfg *tls.Config, line, content string) bool {
	c.t.Helper()
	d := c.secureData(cfg, line)
	if _, err := io.WriteString(d, content); err != nil {
		c.t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.expect(226)
	return d.ConnectionState().DidResume
}

// TestAUTH: C206 to C221 and C229, the commands of RFC 2228 and 4217.
func TestAUTH(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS)
		c := f.dial()
		text := c.cmd(211, "FEAT").Text()
		for _, feature := range []string{"AUTH TLS", "PBSZ", "PROT"} {
			if !strings.Contains(text, feature) {
				t.Errorf("no %s in %s", feature, text)
			}
		}
		c.steps([]step{
			{504, "AUTH BOGUS", "C208"},
			{501, "AUTH", "C209"},
			{503, "PBSZ 0", "C211"},
			{503, "PROT P", "C211"},
			{503, "CCC", "C220"},
			{331, "USER " + testUser, ""},
			{230, "PASS " + testPassword, ""},
		})
		c.auth(clientTLS(0)) // C206
		c.steps([]step{
			{530, "PWD", "C231"}, // the login in clear is gone
			{503, "AUTH TLS", "C210"},
			{503, "PROT P", "C215"},
			{501, "PBSZ x", "C214"},
			{200, "PBSZ 5000", "C213"},
			{536, "PROT S", "C218"},
			{536, "PROT E", "C218"},
			{504, "PROT X", "C219"},
			{200, "PROT C", "C217"},
			{200, "PROT P", "C216"},
			{534, "CCC", "C220"},
			{502, "ADAT x", "C229"},
			{502, "MIC x", "C229"},
			{502, "CONF x", "C229"},
			{502, "ENC x", "C229"},
			{331, "USER " + testUser, ""},
			{230, "PASS " + testPassword, ""},
			{221, "QUIT", ""},
		})
		if _, err := c.r.ReadByte(); err != io.EOF { // with a close_notify
			t.Errorf("the end: %v", err)
		}
		for _, arg := range []string{"TLS-C", "SSL", "tls"} { // C207
			c := f.dial()
			c.cmd(234, "AUTH "+arg)
			c.handshake(clientTLS(0))
			c.cmd(200, "NOOP")
		}
		f = start(t, e) // C158: without TLS
		c = f.dial()
		if text := c.cmd(211, "FEAT").Text(); strings.Contains(text, "AUTH") || strings.Contains(text, "PROT") {
			t.Errorf("FEAT: %s", text)
		}
		c.cmd(502, "AUTH TLS")
		c.cmd(503, "PBSZ 0")
	})
}

// TestTLSRequired: C221, C222, C217.
func TestTLSRequired(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS, func(cfg *server.Config) {
			cfg.TLS.RequireControl, cfg.TLS.RequireData = true, true
		})
		c := f.dial()
		c.cmd(534, "USER "+testUser)
		c.cmd(503, "PASS "+testPassword)
		c.auth(clientTLS(0))
		c.steps([]step{
			{200, "PBSZ 0", ""},
			{534, "PROT C", "C217"},
			{331, "USER " + testUser, ""},
			{230, "PASS " + testPassword, ""},
			{229, "EPSV", ""},
			{521, "STOR f", "C222"},
			{200, "PROT P", ""},
		})
		cfg := clientTLS(0)
		c.securePut(cfg, "STOR f", "x")
	})
}

// TestTransfersOverTLS: C225 and C227. Ten transfers in a row, in both versions of
// TLS, each resumes the session of the control connection, which the server
// requires: C226.
func TestTransfersOverTLS(t *testing.T) {
	content := strings.Repeat("0123456789", 200_000)
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			onEngines(t, func(t *testing.T, e server.Engine) {
				f := start(t, e, withTLS, func(cfg *server.Config) { cfg.TLS.DataReuse = server.ReuseRequire })
				cfg := clientTLS(version)
				c := f.loginTLS(cfg)
				for i := range 5 {
					if !c.securePut(cfg, "STOR f", content) {
						t.Errorf("upload %d is not resumed", i)
					}
					got, resumed := c.secureGet(cfg, "RETR f")
					if got != content || !resumed {
						t.Errorf("download %d: %d bytes, resumed %v", i, len(got), resumed)
					}
				}
				if list, _ := c.secureGet(cfg, "LIST"); !strings.HasSuffix(list, " f\r\n") {
					t.Errorf("listing %q", list)
				}
				c.cmd(200, "MODE Z")
				if got, _ := c.secureGet(cfg, "RETR f"); inflated(t, got) != content {
					t.Errorf("%d bytes in MODE Z", len(got))
				}
			})
		})
	}
}

// TestReuse: C226. A data connection without the session, or with that of another
// client, is refused where the session is required, logged where it is wished for.
func TestReuse(t *testing.T) {
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			onEngines(t, func(t *testing.T, e server.Engine) {
				f := start(t, e, withTLS, func(cfg *server.Config) { cfg.TLS.DataReuse = server.ReuseRequire })
				mine, others := clientTLS(version), clientTLS(version)
				c, other := f.loginTLS(mine), f.loginTLS(others)
				for name, cfg := range map[string]*tls.Config{"none": clientTLS(version), "another's": others} {
					d := tls.Client(c.data().raw, cfg)
					c.cmd(150, "STOR f")
					_ = d.Handshake() // the server may have closed it by the end
					_, _ = io.WriteString(d, "x")
					if r, err := c.reply(); err != nil || r.Code != 522 {
						t.Errorf("%s: %v, %v", name, r, err)
					}
					_ = d.Close()
				}
				c.securePut(mine, "STOR g", "x")
				other.cmd(200, "NOOP")
				if names := f.names(); len(names) != 1 {
					t.Errorf("files %q", names)
				}
				f = start(t, e, withTLS)
				c = f.loginTLS(clientTLS(version))
				c.securePut(clientTLS(version), "STOR f", "x")
				separate := clientTLS(version) // a client may resume among data connections only
				for n := range 3 {
					if _, resumed := c.secureGet(separate, "RETR f"); resumed != (n > 0) {
						t.Errorf("data connection %d: resumed %v", n, resumed)
					}
					if logged := strings.Count(f.log.String(), "does not resume"); logged != n+2 {
						t.Errorf("logged %d times after %d", logged, n+2)
					}
				}
			})
		})
	}
}

// TestTruncatedOverTLS: C224. An upload whose stream ends without a close_notify is
// no whole file; one with it is, even if a reset follows.
func TestTruncatedOverTLS(t *testing.T) {
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			onEngines(t, func(t *testing.T, e server.Engine) {
				f := start(t, e, withTLS)
				cfg := clientTLS(version)
				c := f.loginTLS(cfg)
				d := c.secureData(cfg, "STOR f")
				if _, err := io.WriteString(d, "half"); err != nil {
					t.Fatal(err)
				}
				_ = d.NetConn().Close()
				if r, err := c.reply(); err != nil || r.Code != 426 && r.Code != 451 {
					t.Errorf("cut off: %v, %v", r, err)
				}
				if names := f.names(); len(names) > 0 {
					t.Errorf("files %q", names)
				}
				d = c.secureData(cfg, "STOR f")
				if _, err := io.WriteString(d, "whole"); err != nil {
					t.Fatal(err)
				}
				if err := d.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				c.expect(226) // whatever comes after
				_ = d.NetConn().(*stdnet.TCPConn).SetLinger(0)
				_ = d.NetConn().Close()
				if got := f.content("f"); got != "whole" {
					t.Errorf("stored %q", got)
				}
				// The other way: the client gets a close_notify.
				d = c.secureData(cfg, "RETR f")
				if b, err := io.ReadAll(d); string(b) != "whole" || err != nil {
					t.Errorf("%q, %v", b, err)
				}
				_ = d.Close()
				c.expect(226)
			})
		})
	}
}

// TestClearUnderPROT: C223. A data connection in clear under PROT P is no data
// connection.
func TestClearUnderPROT(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS)
		f.write("f", "secret")
		c := f.loginTLS(clientTLS(0))
		d := c.data()
		c.cmd(150, "RETR f")
		_, _ = io.WriteString(d, "GET / HTTP/1.0\r\n\r\n")
		c.expect(425)
		if b, _ := io.ReadAll(d); bytes.Contains(b, []byte("secret")) {
			t.Errorf("in clear: %q", b)
		}
		d = c.data()
		c.cmd(150, "STOR g")
		_, _ = io.WriteString(d, "plain text")
		_ = d.CloseWrite()
		c.expect(425)
		if names := f.names(); len(names) != 1 {
			t.Errorf("files %q", names)
		}
		c.cmd(200, "NOOP")
	})
}

// TestInjection: C228 (CVE-2011-1575). What comes with AUTH in clear is not carried
// out after the handshake.
func TestInjection(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS)
		c := f.dial()
		c.raw("AUTH TLS\r\nUSER mallory\r\nNOOP\r\n")
		c.expect(234)
		c.handshake(clientTLS(0))
		c.cmd(503, "PASS x") // there was no USER, and no reply of NOOP comes first
	})
}

// TestImplicitTLS: C230.
func TestImplicitTLS(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := startImplicit(t, e)
		cfg := clientTLS(0)
		c := f.dialRaw()
		c.handshake(cfg)
		c.expect(220)
		c.steps([]step{{331, "USER " + testUser, ""}, {230, "PASS " + testPassword, ""}, {503, "AUTH TLS", ""}})
		c.securePut(cfg, "STOR f", "x")
	})
}

// TestImplicitTLSRefused: a client that is turned away reads it in the words of TLS.
func TestImplicitTLSRefused(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := startImplicit(t, e, func(c *server.Config) { c.MaxSessions = 1 })
		c := f.dialRaw()
		c.handshake(clientTLS(0))
		c.expect(220)
		refused := f.dialRaw()
		if err := tls.Client(refused.conn, clientTLS(0)).Handshake(); err == nil || err.Error() != "remote error: tls: access denied" {
			t.Errorf("handshake: %v, want the alert access denied", err)
		}
	})
}

// startImplicit is start of a server with a listener for implicit TLS, which the fixture
// dials.
func startImplicit(t *testing.T, e server.Engine, change ...func(*server.Config)) *fixture {
	t.Helper()
	f := start(t, e, append(change, withTLS)...)
	l, err := e.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	served := make(chan error, 1)
	e.GoBalanced(func() { served <- f.srv.ServeTLS(l) })
	t.Cleanup(func() {
		if err := f.srv.Shutdown(context.Background()); err != nil && !errors.Is(err, server.ErrServerClosed) {
			t.Error(err)
		}
		if err := <-served; err != server.ErrServerClosed {
			t.Error(err)
		}
	})
	return f
}

// TestHandshakes: C237, and handshakes that do not come about: a client that offers
// another protocol (ALPACA), one that sends nothing.
func TestHandshakes(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS, func(cfg *server.Config) {
			cfg.Hosts = map[string]*server.Host{"localhost": {}, "other.example": {}}
		})
		c := f.dial()
		c.auth(clientTLS(0))
		c.steps([]step{{504, "HOST other.example", "C237"}, {220, "HOST localhost", "C237"}})
		for protocol, good := range map[string]bool{"ftp": true, "http/1.1": false} {
			c := f.dial()
			c.cmd(234, "AUTH TLS")
			cfg := clientTLS(0)
			cfg.NextProtos = []string{protocol}
			if err := tls.Client(c.conn, cfg).Handshake(); (err == nil) != good {
				t.Errorf("protocol %s: %v", protocol, err)
			}
		}
		c = f.dial()
		c.cmd(234, "AUTH TLS")
		c.raw("NOOP\r\n")
		if _, err := io.ReadAll(c.conn); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("plain text for a handshake: %v", err)
		}
		f = start(t, e, withTLS, func(cfg *server.Config) { cfg.LoginTimeout = time.Second })
		c = f.dial()
		c.cmd(234, "AUTH TLS")
		c.expectClosed() // by the time limit of logins
	})
}

// TestBusyOverTLS: STAT and ABOR during a transfer, secured.
func TestBusyOverTLS(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, withTLS)
		if err := os.Truncate(filepath.Join(f.root, f.sparse("big")), 1<<30); err != nil {
			t.Fatal(err)
		}
		cfg := clientTLS(0)
		c := f.loginTLS(cfg)
		d := c.secureData(cfg, "RETR big")
		if _, err := io.ReadFull(d, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if text := c.cmd(211, "STAT").Text(); !strings.Contains(text, "RETR /big") {
			t.Errorf("STAT: %s", text)
		}
		c.send("ABOR")
		c.expect(426)
		c.expect(226)
		if _, err := io.Copy(io.Discard, d); err == nil {
			t.Error("an aborted download ends well")
		}
		c.cmd(200, "NOOP")
	})
}

// sparse makes an empty file.
func (f *fixture) sparse(name string) string {
	f.write(name, "")
	return name
}

// TestTLSConfig: what can't be.
func TestTLSConfig(t *testing.T) {
	cert, _ := certificate()
	single, err := auth.NewSingle(auth.Identity{Name: testUser, Home: "/"}, testPassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]server.TLS{
		"required, none": {RequireControl: true},
		"no certificate": {Config: new(tls.Config)},
		"own tickets": {Config: &tls.Config{Certificates: []tls.Certificate{cert}, WrapSession: func(tls.ConnectionState, *tls.SessionState) ([]byte, error) {
			return nil, nil
		}}},
		"no tickets": {Config: &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true}, DataReuse: server.ReuseRequire},
	} {
		_, err := server.New(server.Config{Auth: single, Root: storage.NewMem(), TLS: cfg})
		var bad *server.ConfigError
		if !errors.As(err, &bad) || bad.Field != "TLS" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
