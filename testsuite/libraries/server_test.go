package libraries

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// The servers of all tests, "" where not installed: PostgreSQL by its socket and by TLS, as pgx wants it said,
// and Redis's socket.
var postgresLocal, postgresTLS, redisSocket string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "weft") // a short name: sockets are in it
	if err != nil {
		return failure(err)
	}
	defer os.RemoveAll(dir)
	if path := postgresProgram("postgres"); path != "" {
		stop, err := startPostgres(dir)
		if err != nil {
			return failure(err)
		}
		defer stop()
	}
	if path, err := exec.LookPath("redis-server"); err == nil {
		socket := filepath.Join(dir, "redis")
		stop, err := serve("ready to accept connections", "TERM", nil,
			path, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
		if err != nil {
			return failure(err)
		}
		defer stop()
		redisSocket = socket
	}
	runtime.Default() // which serves goroutines: no test takes it for left behind
	return m.Run()
}

func failure(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// postgresProgram returns the path of a program of PostgreSQL, "" if it is not installed. Debian does not have
// the server's in PATH.
func postgresProgram(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return ""
	}
	return slices.Max(found)
}

// startPostgres makes a cluster in dir and runs a server on it. It refuses to run as root: then it runs as the user
// "postgres", as on Debian, or "nobody".
func startPostgres(dir string) (stop func(), err error) {
	var as *syscall.Credential
	if os.Getuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			if account, err = user.Lookup("nobody"); err != nil {
				return nil, err
			}
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	data, password := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("secret"), 0o644); err != nil {
		return nil, err
	}
	initdb := exec.Command(postgresProgram("initdb"), "-D", data, "-U", "weft", "--pwfile", password,
		"--auth-local", "trust", "--auth-host", "scram-sha-256", "--locale", "C", "-E", "UTF8", "-N")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := certify(data, as); err != nil {
		return nil, err
	}
	// It takes no port 0. One that was free just now mostly still is.
	for range 5 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		stop, err = serve("database system is ready to accept connections", "INT", as, postgresProgram("postgres"), "-D", data, "-k", dir,
			"-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c", "fsync=off", "-c", "max_connections=150")
		if err == nil {
			const common = " user=weft database=postgres port="
			postgresLocal = "host=" + dir + common + port + " sslmode=disable"
			postgresTLS = "host=localhost" + common + port + " password=secret sslmode=verify-full sslrootcert=" + filepath.Join(data, "server.crt")
			return stop, nil
		}
		failure(err)
	}
	return nil, errors.New("PostgreSQL does not start")
}

func freePort() (string, error) {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := stdnet.SplitHostPort(l.Addr().String())
	return port, err
}

// certify gives a cluster a certificate of its own for localhost.
func certify(data string, as *syscall.Credential) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"server.crt": {Type: "CERTIFICATE", Bytes: certificate},
		"server.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
		if as != nil {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return err
			}
		}
	}
	return nil
}

// serve runs a server until stop is called, or this process ends in whatever way: a shell holds the other end
// of a pipe, and stops it by the signal. They are out of reach of what is sent to a process group of ours. serve
// returns when the server has said that it is ready.
func serve(ready, signal string, as *syscall.Credential, args ...string) (stop func(), err error) {
	cmd := exec.Command("sh", append([]string{"-c", `"$@" & server=$!; cat; kill -` + signal + ` $server; wait $server`, "sh"}, args...)...)
	cmd.Dir = filepath.Dir(args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setsid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_ = w.Close()
	late := time.AfterFunc(runtimetest.Patience, func() { _ = stdin.Close() })
	defer late.Stop()
	var said bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(output, &said))
	for lines.Scan() {
		if strings.Contains(strings.ToLower(lines.Text()), ready) {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return func() {
				_ = stdin.Close()
				_ = cmd.Wait()
				_ = output.Close()
			}, nil
		}
	}
	_ = stdin.Close()
	return nil, errors.Join(fmt.Errorf("%s:\n%s", args[0], said.String()), cmd.Wait())
}

// need skips the test if a server is not installed.
func need(t *testing.T, server, name string) {
	t.Helper()
	if server == "" {
		if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
			t.Fatalf("%s is required and not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}
