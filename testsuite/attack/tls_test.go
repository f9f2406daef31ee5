package attack_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	stdnet "net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// certificate is the server's, and the pool that trusts it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost", "other.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
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

func withTLS(cfg *server.Config) {
	cert, _ := certificate()
	cfg.TLS.Config = &tls.Config{Certificates: []tls.Certificate{cert}}
}

// clientTLS has a cache of sessions of its own.
func clientTLS(version uint16) *tls.Config {
	_, pool := certificate()
	return &tls.Config{
		RootCAs: pool, ServerName: "localhost", MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
}

// eachVersion runs an attack with each version of TLS.
func eachVersion(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { test(t, version) })
	}
}

// handshake secures the control connection.
func (c *client) handshake(cfg *tls.Config) {
	c.w.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	c.tls = tls.Client(c.conn, cfg)
	if err := c.tls.Handshake(); err != nil {
		c.w.Fatal(err)
	}
	c.r = bufio.NewReader(c.tls)
}

// loginTLS logs in over TLS, with secured data connections.
func (w *world) loginTLS(user string, cfg *tls.Config) *client {
	w.Helper()
	c := w.dial()
	c.cmd("AUTH TLS", 234)
	c.handshake(cfg)
	c.cmd("PBSZ 0", 200)
	c.cmd("PROT P", 200)
	c.prot = cfg
	c.pass(user)
	c.cmd("TYPE I", 200)
	return c
}

// Commands that somebody on the way puts behind AUTH in clear are not carried out under
// the protection of what follows (CVE-2011-1575).
func TestAttack11_Injection(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/keep", "x")
		injected := "USER eve\r\nPASS " + passwords["eve"] + "\r\nDELE keep\r\n"
		for _, line := range []string{"AUTH TLS", "auth tls", "AUTH TLS-C", "AUTH SSL"} {
			c := w.dial()
			c.raw(line + "\r\n" + injected)
			c.expect(234)
			c.handshake(clientTLS(0))
			c.cmd("PWD", 530)
			c.cmd("PASS "+passwords["eve"], 503)
		}
		// Half a line, to be completed by the first secured one.
		c := w.dial()
		c.raw("AUTH TLS\r\nSITE HELP ")
		c.expect(234)
		c.handshake(clientTLS(0))
		c.cmd("NOOP", 200)
		// Behind a transfer, where commands wait for their turn.
		c = w.login("eve")
		d := c.w.dialFrom("127.0.0.1", c.passive())
		c.raw("RETR keep\r\nAUTH TLS\r\nDELE keep\r\n")
		c.expect(150)
		_, _ = io.Copy(io.Discard, d)
		d.Close()
		c.expect(226)
		c.expect(234)
		c.handshake(clientTLS(0))
		c.cmd("PWD", 530)
		// After the reply to AUTH, for the handshake.
		c = w.dial()
		c.cmd("AUTH TLS", 234)
		c.raw(injected)
		c.closed()
		if w.content("eve/keep") != "x" {
			w.Error("an injected command was carried out")
		}
	}, withTLS)
}

// Who has logged in in clear may be anybody: TLS begins with nobody, and nothing that was
// set before.
func TestAttack12_LoginBeforeAUTH(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/keep", "x")
		c := w.login("eve")
		c.cmd("MKD d", 257)
		c.cmd("CWD d", 250)
		c.cmd("EPSV", 229)
		c.cmd("RNFR /keep", 350)
		c.cmd("AUTH TLS", 234)
		c.handshake(clientTLS(0))
		for _, line := range []string{"PWD", "RNTO moved", "RETR /keep", "LIST", "STAT", "DELE /keep"} {
			c.cmd(line, 530)
		}
		c.cmd("PASS "+passwords["eve"], 503)
		c.pass("eve")
		if got := c.cmd("PWD", 257).Text(); !strings.Contains(got, `"/"`) {
			w.Errorf("in %s", got)
		}
		c.cmd("RNTO moved", 503)
		c.cmd("RETR keep", 425)
		if w.content("eve/keep") != "x" {
			w.Error("the file is gone")
		}
	}, withTLS)
}

// AUTH again, and CCC in every order, with STAT after it, are replies and no crash.
func TestAttack13_AUTHTwice(t *testing.T) {
	attack(t, func(w *world) {
		c := w.dial()
		c.cmd("CCC", 503)
		c.cmd("PROT P", 503)
		c.cmd("AUTH TLS", 234)
		c.handshake(clientTLS(0))
		for range 3 {
			c.cmd("AUTH TLS", 503)
			c.cmd("AUTH SSL", 503)
			c.cmd("CCC", 534)
			c.cmd("ADAT x", 500, 502, 503)
		}
		c.pass("eve")
		c.cmd("CCC", 534)
		c.cmd("STAT", 211)
		c.cmd("STAT /", 212, 213)
	}, withTLS)
	t.Run("allowed", func(t *testing.T) {
		attack(t, func(w *world) {
			c := w.dial()
			c.cmd("AUTH TLS", 234)
			c.handshake(clientTLS(0))
			c.pass("eve")
			c.cmd("CCC", 200)
			if _, err := c.r.ReadByte(); err != io.EOF {
				w.Fatalf("no close_notify: %v", err)
			}
			_ = c.tls.CloseWrite()
			c.tls, c.r = nil, bufio.NewReader(c.conn)
			c.cmd("STAT", 211)
			c.cmd("STAT /", 212, 213)
			c.cmd("CCC", 503)
			c.cmd("REIN", 220)
			c.cmd("STAT", 530)
		}, withTLS, func(cfg *server.Config) { cfg.TLS.AllowCCC = true })
	})
}

// Where TLS is required a client from whom AUTH was hidden gets nowhere, and is asked for
// no password.
func TestAttack14_Stripped(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/f", "x")
		c := w.dial()
		c.cmd("USER eve", 534)
		c.cmd("PASS "+passwords["eve"], 503)
		for _, line := range []string{"PWD", "EPSV", "PORT 127,0,0,1,20,20", "RETR f", "STAT"} {
			c.cmd(line, 530)
		}
		c.cmd("AUTH TLS", 234)
		c.handshake(clientTLS(0))
		c.cmd("PBSZ 0", 200)
		c.cmd("PROT C", 534)
		c.pass("eve")
		for _, line := range []string{"RETR f", "STOR g", "LIST"} {
			c.cmd("EPSV", 229)
			c.cmd(line, 521)
		}
		c.cmd("REIN", 220)
	}, withTLS, func(cfg *server.Config) { cfg.TLS.RequireControl, cfg.TLS.RequireData = true, true })
}

// A TLS client that means another protocol is not served, so that nobody can turn its
// connection to this port (ALPACA): on the control connection and on data connections.
func TestAttack15_OtherProtocol(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/f", "x")
		for offer, good := range map[string]bool{"": true, "ftp": true, "http/1.1 ftp": true, "http/1.1": false, "h2 http/1.1": false, "imap": false} {
			cfg := clientTLS(0)
			cfg.NextProtos = strings.Fields(offer)
			c := w.dial()
			c.cmd("AUTH TLS", 234)
			secured := tls.Client(c.conn, cfg)
			if err := secured.Handshake(); (err == nil) != good {
				w.Errorf("%q: %v", offer, err)
			}
			if got := secured.ConnectionState().NegotiatedProtocol; good && offer != "" && got != "ftp" {
				w.Errorf("%q: protocol %q", offer, got)
			}
			if !good {
				c.closed()
			}
		}
		cfg := clientTLS(0)
		c := w.loginTLS("eve", cfg)
		other := clientTLS(0)
		other.NextProtos = []string{"http/1.1"}
		d := tls.Client(c.begin("RETR f"), other)
		if err := d.Handshake(); err == nil {
			w.Error("a data connection for http")
		}
		c.expect(425)
		if got := c.get("RETR f"); got != "x" {
			w.Errorf("got %q", got)
		}
	}, withTLS)
}

// A client whose handshake named one host does not become another's by HOST.
func TestAttack16_HostMismatch(t *testing.T) {
	attack(t, func(w *world) {
		c := w.dial()
		c.cmd("AUTH TLS", 234)
		c.handshake(clientTLS(0))
		for _, host := range []string{"other.example", "OTHER.example", "[127.0.0.1]", "none.example"} {
			c.cmd("HOST "+host, 501, 504)
		}
		c.cmd("HOST LOCALHOST", 220)
	}, withTLS, func(cfg *server.Config) {
		cfg.Hosts = map[string]*server.Host{"localhost": {}, "other.example": {}}
	})
}

// An upload that somebody on the way ends, at whatever place, is not taken for whole, and
// the file that was there stays. A download that ends early looks so.
func TestAttack17_Truncation(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		attackBoth(t, func(w *world) {
			w.write("eve/f", "the old one")
			cfg := clientTLS(version)
			c := w.loginTLS("eve", cfg)
			for name, cut := range map[string]func(raw *stdnet.TCPConn, d *tls.Conn){
				"between records": func(raw *stdnet.TCPConn, d *tls.Conn) { raw.Close() },
				"half close":      func(raw *stdnet.TCPConn, d *tls.Conn) { _ = raw.CloseWrite() },
				"in a header":     func(raw *stdnet.TCPConn, d *tls.Conn) { _, _ = raw.Write([]byte{23, 3}); raw.Close() },
				"in a record":     func(raw *stdnet.TCPConn, d *tls.Conn) { _, _ = raw.Write([]byte{23, 3, 3, 0, 99, 1, 2}); raw.Close() },
				"a forged alert":  func(raw *stdnet.TCPConn, d *tls.Conn) { _, _ = raw.Write([]byte{21, 3, 3, 0, 2, 1, 0}); raw.Close() },
				"a reset":         func(raw *stdnet.TCPConn, d *tls.Conn) { _ = raw.SetLinger(0); raw.Close() },
			} {
				for _, line := range []string{"STOR f", "STOR new"} {
					raw := c.begin(line)
					d := tls.Client(raw, cfg)
					if _, err := io.WriteString(d, "half of it"); err != nil {
						w.Fatal(err)
					}
					cut(raw, d)
					if r := c.expect(426, 451); w.content("eve/f") != "the old one" {
						w.Errorf("%s: %v, now %q", name, r.Code, w.content("eve/f"))
					}
				}
			}
			if got := w.names("eve"); got != `["f"]` {
				w.Errorf("left %s", got)
			}
			w.write("eve/big", strings.Repeat("0123456789abcdef", 4<<20))
			d := tls.Client(c.begin("RETR big"), cfg)
			if _, err := io.ReadFull(d, make([]byte, 1<<20)); err != nil {
				w.Fatal(err)
			}
			c.cmd("ABOR", 426)
			c.expect(226)
			if _, err := io.Copy(io.Discard, d); err == nil {
				w.Error("an aborted download looks whole")
			}
			// One that is whole says so.
			if got := c.get("RETR f"); got != "the old one" {
				w.Errorf("got %q", got)
			}
		}, withTLS)
	})
}

// Under PROT P nothing goes out in clear, and nothing that comes in clear is stored.
func TestAttack18_ClearData(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/f", secret)
		c := w.loginTLS("eve", clientTLS(0))
		for _, line := range []string{"RETR f", "LIST", "MLSD", "NLST", "STOR g", "APPE g"} {
			d := c.begin(line)
			_, _ = io.WriteString(d, "in clear, of more than a record's header")
			_ = d.CloseWrite()
			b, _ := io.ReadAll(d)
			c.expect(425)
			if strings.Contains(string(b), secret) || strings.Contains(string(b), "f\r\n") {
				w.Errorf("%s: %q in clear", line, b)
			}
		}
		if got := w.names("eve"); got != `["f"]` {
			w.Errorf("left %s", got)
		}
		if got := c.get("RETR f"); got != secret {
			w.Errorf("got %q", got)
		}
	}, withTLS)
}

// Who connects to another's passive port first, from the same address, gets nothing where
// the TLS session must be the control connection's: not without a session, not with an own one,
// not with one of an earlier login of the same user.
func TestAttack19_OthersSession(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		attackBoth(t, func(w *world) {
			evil, mine := clientTLS(version), clientTLS(version)
			w.loginTLS("eve", evil).get("LIST") // has tickets now
			earlier := clientTLS(version)
			w.loginTLS("alice", earlier).get("LIST")
			alice := w.loginTLS("alice", mine)
			for name, cfg := range map[string]*tls.Config{"none": clientTLS(version), "eve's": evil, "an earlier one": earlier} {
				d := tls.Client(w.dialFrom("127.0.0.1", alice.passive()), cfg)
				alice.cmd("RETR private", 150)
				b, _ := io.ReadAll(d)
				if strings.Contains(string(b), secret) {
					w.Errorf("%s: %q", name, b)
				}
				_ = d.Close()
				alice.expect(522)
				d = tls.Client(w.dialFrom("127.0.0.1", alice.passive()), cfg)
				alice.cmd("STOR planted", 150)
				_, _ = io.WriteString(d, "by eve")
				_ = d.Close()
				alice.expect(522)
				if got := alice.get("RETR private"); got != secret {
					w.Errorf("alice got %q", got)
				}
			}
			if got := w.names("alice"); got != `["private"]` {
				w.Errorf("alice has %s", got)
			}
		}, withTLS, func(cfg *server.Config) { cfg.TLS.DataReuse = server.ReuseRequire })
	})
}

// Handshakes that drip, or never come, end by the time limit of a login, and of a data
// connection; a close_notify that is never answered holds up nothing.
func TestAttack32_SlowHandshakes(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/f", "x")
		var slow []*client
		for range 5 {
			c := w.dial()
			c.cmd("AUTH TLS", 234)
			slow = append(slow, c)
		}
		cfg := clientTLS(0)
		c := w.loginTLS("eve", cfg)
		for i, c := range slow {
			if i%2 == 0 {
				for _, b := range []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3} { // the beginning of a ClientHello
					if c.try(string(b)) != nil {
						break
					}
				}
			}
			c.closed()
		}
		w.eventually("the end of slow handshakes", func() bool { return w.srv.Sessions() == 2 })
		d := c.begin("RETR f")
		_, _ = d.Write([]byte{22, 3, 1})
		c.expect(425)
		for range 20 {
			d := tls.Client(c.begin("RETR f"), cfg)
			if b, err := io.ReadAll(d); string(b) != "x" || err != nil { // and says nothing
				w.Errorf("%q, %v", b, err)
			}
			c.expect(226)
		}
	}, withTLS, func(cfg *server.Config) {
		cfg.LoginTimeout, cfg.DataTimeout = 500*time.Millisecond, 500*time.Millisecond
	})
}
