package tls

import (
	"crypto/x509"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
)

// rootsLoaded says that crypto/x509 has the system's roots in memory.
var rootsLoaded atomic.Bool

// needsRoots reports whether a client with that config verifies by the system's roots.
func needsRoots(config *Config) bool {
	return config == nil || config.RootCAs == nil && !config.InsecureSkipVerify
}

// loadRoots has the system's roots loaded, once for the program: it takes some
// hundred files and milliseconds, for which the first handshake would hold its worker.
func loadRoots() error {
	if rootsLoaded.Load() {
		return nil
	}
	return runtime.Offload(func() {
		_, _ = x509.SystemCertPool() // the handshake meets the error, too
		rootsLoaded.Store(true)
	})
}
