package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	stdnet "net"
	"os"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/net/tls"
)

// certificate is the server's, which may be replaced while it runs.
type certificate struct {
	certFile, keyFile string // empty: self-signed
	current           atomic.Pointer[tls.Certificate]
	asPEM             atomic.Pointer[pair]
}

// A pair is a certificate, with those that sign it, and its key, as PEM.
type pair struct{ Cert, Key []byte }

// tlsConfig returns how the options secure connections, and the certificate, nil for
// none.
func tlsConfig(o *options) (server.TLS, *certificate, error) {
	c := &certificate{certFile: o.tlsCert, keyFile: o.tlsKey}
	var t server.TLS
	switch {
	case o.tlsPair != nil:
		if err := c.use(o.tlsPair); err != nil {
			return t, nil, err
		}
	case o.tlsCert != "" && o.tlsKey != "":
		if err := c.load(); err != nil {
			return t, nil, err
		}
	case o.tlsCert != "" || o.tlsKey != "":
		return t, nil, errors.New("-tls-cert and -tls-key go together")
	case o.tlsSelfSigned:
		if err := c.selfSign(); err != nil {
			return t, nil, err
		}
	case o.tlsRequired || o.tlsCCC || o.implicitAddr != "":
		return t, nil, errors.New("TLS needs a certificate: give -tls-cert and -tls-key, or -tls-self-signed for a trial")
	default:
		return t, nil, nil
	}
	t.Config = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
	t.RequireControl, t.RequireData = o.tlsRequired, o.tlsRequired
	t.AllowCCC, t.DataReuse = o.tlsCCC, o.tlsReuse
	return t, c, nil
}

func (c *certificate) load() error {
	var p pair
	var err error
	if p.Cert, err = os.ReadFile(c.certFile); err == nil {
		p.Key, err = os.ReadFile(c.keyFile)
	}
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return c.use(&p)
}

// use takes another certificate.
func (c *certificate) use(p *pair) error {
	parsed, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.current.Store(&parsed)
	c.asPEM.Store(p)
	return nil
}

// pem returns what use was given last, nil without TLS.
func (c *certificate) pem() *pair {
	if c == nil {
		return nil
	}
	return c.asPEM.Load()
}

// reload reads the files again, and reports whether there is another certificate. If
// that fails the server goes on with what it has.
func (c *certificate) reload(log *slog.Logger) bool {
	if c == nil || c.certFile == "" {
		return false
	}
	return reloaded(c.load(), log)
}

// replace is reload in a process whose parent has read the files.
func (c *certificate) replace(p *pair, log *slog.Logger) { reloaded(c.use(p), log) }

func reloaded(err error, log *slog.Logger) bool {
	if err != nil {
		log.Error("certificate not reloaded", slog.Any("error", err))
		return false
	}
	log.Info("certificate reloaded")
	return true
}

// selfSign makes a certificate for a trial: clients must be told not to ask who
// signed it.
func (c *certificate) selfSign() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "ftpd trial"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []stdnet.IP{stdnet.IPv4(127, 0, 0, 1), stdnet.IPv6loopback},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(0, 1, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name, err := os.Hostname(); err == nil {
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return c.use(&pair{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	})
}

// fingerprint is the SHA-256 of the certificate, for clients to compare.
func (c *certificate) fingerprint() string {
	return fmt.Sprintf("%x", sha256.Sum256(c.current.Load().Certificate[0]))
}

// reuses are the values of -tls-reuse.
var reuses = map[string]server.Reuse{"off": server.ReuseOff, "log": server.ReuseLog, "require": server.ReuseRequire}
