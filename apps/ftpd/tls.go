package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
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
}

// tlsConfig returns how the options secure connections, and the certificate, nil for
// none.
func tlsConfig(o *options) (server.TLS, *certificate, error) {
	c := &certificate{certFile: o.tlsCert, keyFile: o.tlsKey}
	var t server.TLS
	switch {
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
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// reload reads the files again. If that fails the server goes on with what it has.
func (c *certificate) reload(log *slog.Logger) {
	if c == nil || c.certFile == "" {
		return
	}
	if err := c.load(); err != nil {
		log.Error("certificate not reloaded", slog.Any("error", err))
		return
	}
	log.Info("certificate reloaded")
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
	c.current.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	return nil
}

// fingerprint is the SHA-256 of the certificate, for clients to compare.
func (c *certificate) fingerprint() string {
	return fmt.Sprintf("%x", sha256.Sum256(c.current.Load().Certificate[0]))
}

// reuses are the values of -tls-reuse.
var reuses = map[string]server.Reuse{"off": server.ReuseOff, "log": server.ReuseLog, "require": server.ReuseRequire}
