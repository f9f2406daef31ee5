package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	stdnet "net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writePair writes a new certificate and its key, and returns what tells it from others.
func writePair(t *testing.T, certFile, keyFile string) string {
	t.Helper()
	c := new(certificate)
	if err := c.selfSign(); err != nil {
		t.Fatal(err)
	}
	pair := c.current.Load()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return string(pair.Certificate[0])
}

// presented returns the certificate that the daemon shows a client of AUTH TLS.
func (d *daemon) presented() string {
	d.t.Helper()
	c, err := stdnet.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "220") {
		d.t.Fatalf("%q, %v", line, err)
	}
	if _, err := c.Write([]byte("AUTH TLS\r\n")); err != nil {
		d.t.Fatal(err)
	}
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "234") {
		d.t.Fatalf("%q, %v", line, err)
	}
	secured := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := secured.Handshake(); err != nil {
		d.t.Fatal(err)
	}
	return string(secured.ConnectionState().PeerCertificates[0].Raw)
}

// TestCertificateReload: SIGHUP makes ftpd read its certificate again. One that can't be
// read is no reason to be without.
func TestCertificateReload(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := writePair(t, certFile, keyFile)
	d := begin(t, "-tls-cert", certFile, "-tls-key", keyFile)
	if d.presented() != first {
		t.Error("another certificate")
	}
	hup := func() {
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	hup()
	for range 5 {
		if d.presented() != first {
			t.Error("another certificate after a broken one")
		}
	}
	second := writePair(t, certFile, keyFile)
	hup()
	for end := time.Now().Add(patience); d.presented() != second; {
		if time.Now().After(end) {
			t.Fatal("the new certificate is never shown")
		}
	}
	if code := d.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if !strings.Contains(d.log.String(), "certificate not reloaded") || !strings.Contains(d.log.String(), "certificate reloaded") {
		t.Errorf("log: %s", d.log.String())
	}
}

// TestTLSOptions: what does not go together is refused at the start.
func TestTLSOptions(t *testing.T) {
	for _, o := range []options{
		{tlsCert: "cert.pem"}, {tlsKey: "key.pem"}, {tlsRequired: true}, {tlsCCC: true}, {implicitAddr: "127.0.0.1:0"},
		{tlsCert: "none/cert.pem", tlsKey: "none/key.pem"},
	} {
		if _, _, err := tlsConfig(&o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// SIGHUP gives all processes another certificate, and one that comes later has it, too.
func TestProcessesReload(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		writePair(t, certFile, keyFile)
		d := begin("-tls-cert", certFile, "-tls-key", keyFile)
		shown := func(number int) string {
			defer d.only(number)()
			return d.presented()
		}
		second := writePair(t, certFile, keyFile)
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			eventually(t, "the new certificate", func() bool { return shown(n+1) == second })
		}
		if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
		killed := d.pid(1)
		d.signal(1, syscall.SIGKILL)
		eventually(t, "another process", func() bool { return d.pid(1) != killed })
		if shown(1) != second {
			t.Error("another certificate after a replacement")
		}
	})
}

// All processes show the one certificate of a trial.
func TestProcessesSelfSigned(t *testing.T) {
	d := begin(t, "-processes", "2", "-tls-self-signed")
	shown := make(map[string]bool)
	for n := range 2 {
		proceed := d.only(n + 1)
		shown[d.presented()] = true
		proceed()
	}
	if len(shown) != 1 {
		t.Errorf("%d certificates", len(shown))
	}
}
