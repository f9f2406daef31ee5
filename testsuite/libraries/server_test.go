package libraries

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
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

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// The servers of all tests, "" where not installed: the directory of PostgreSQL's socket, and Redis's socket.
var postgresDir, redisSocket string

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
		postgresDir = dir
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

// startPostgres makes a cluster in dir and runs a server on it, whose socket is there, too. It refuses to run
// as root: then it runs as the user "postgres", as on Debian, or "nobody".
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
	data := filepath.Join(dir, "data")
	initdb := exec.Command(postgresProgram("initdb"), "-D", data, "-U", "weft", "-A", "trust", "--locale", "C", "-E", "UTF8", "-N")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return serve("database system is ready to accept connections", "INT", as, postgresProgram("postgres"), "-D", data, "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=150")
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
