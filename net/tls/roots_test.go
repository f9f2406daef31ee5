package tls_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// TestRoots: the first client of a program loads the system's roots, and holds no worker
// meanwhile. They come from a pipe here, into which only another task of that worker
// writes. The program is this test again: it loads them once.
func TestRoots(t *testing.T) {
	if os.Getenv("WEFT_TLS_ROOTS") != "" {
		onOneWorker(t, func(n implementation) { clientOfRoots(t, n, os.Getenv("SSL_CERT_FILE")) })
		return
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "roots")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRoots$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "WEFT_TLS_ROOTS=1", "SSL_CERT_FILE="+pipe, "SSL_CERT_DIR="+dir+"/none")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func clientOfRoots(t *testing.T, n implementation, pipe string) {
	a, b := n.sockets(t)
	server := n.start(func() { _ = tls.Server(b, serverConfig()).Handshake() })
	client := n.start(func() {
		if err := tls.Client(a, &tls.Config{ServerName: "localhost"}).Handshake(); err != nil {
			t.Error(err)
		}
	})
	fd, err := unix.Open(pipe, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	for err == unix.ENXIO { // nobody has it open to read yet
		runtime.Sleep(time.Millisecond)
		fd, err = unix.Open(pipe, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		t.Error(err)
		return
	}
	cert, _ := identity()
	_, err = unix.Write(fd, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	if err != nil {
		t.Error(err)
	}
	_ = unix.Close(fd)
	client()
	server()
}
