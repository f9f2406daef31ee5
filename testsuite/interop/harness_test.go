package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// limit bounds one run of a foreign program.
const limit = 2 * time.Minute

var ftpdPath string // the program under test, built by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "weft-interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ftpdPath = filepath.Join(dir, "ftpd")
	build := exec.Command("go", "build", "-o", ftpdPath, "github.com/weft-go/weft/apps/ftpd")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build of ftpd: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// peer returns the path of a foreign program, or skips the test.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
			t.Fatalf("%s is required and not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// onEngines runs a test on each engine of ftpd.
func onEngines(t *testing.T, test func(t *testing.T, engine string)) {
	for _, engine := range []string{"task", "goroutine"} {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// ftpd is a running server.
type ftpd struct {
	addr string // host:port
	root string
	pid  int
	log  *runtimetest.Buffer // what it prints to standard error
}

const password = "correct horse"

// users writes a users file with n users, user0 and so on, each with a home of
// his own, made below root.
func users(t *testing.T, root string, n int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	for i := range n {
		fmt.Fprintf(&file, "user%d:%s:/user%d:rw\n", i, hash, i)
		if err := os.Mkdir(filepath.Join(root, fmt.Sprintf("user%d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var servingLine = regexp.MustCompile(`^Serving .* on (\S+)\.$`)

// start runs ftpd with n users for the rest of the test. At the end it must
// stop by itself after SIGTERM, with status 0.
func start(t *testing.T, engine string, n int, flags ...string) *ftpd {
	t.Helper()
	root := t.TempDir()
	args := append([]string{"-addr", "127.0.0.1:0", "-root", root, "-engine", engine, "-users", users(t, root, n)}, flags...)
	cmd := exec.Command(ftpdPath, args...)
	var log runtimetest.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var addr string
	for addr == "" && lines.Scan() {
		if m := servingLine.FindStringSubmatch(lines.Text()); m != nil {
			addr = m[1]
		}
	}
	if addr == "" {
		_ = cmd.Wait()
		t.Fatalf("ftpd did not start:\n%s", log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("ftpd ended with %v", err)
		}
		if t.Failed() {
			t.Logf("ftpd's log:\n%s", log.String())
		}
	})
	return &ftpd{addr: addr, root: root, pid: cmd.Process.Pid, log: &log}
}

// url returns the URL of a path for a user, whose home is "/".
func (s *ftpd) url(user int, path string) string {
	return fmt.Sprintf("ftp://user%d:%s@%s/%s", user, strings.ReplaceAll(password, " ", "%20"), s.addr, path)
}

// home returns the directory of a user.
func (s *ftpd) home(user int) string { return filepath.Join(s.root, fmt.Sprintf("user%d", user)) }

// descriptors counts the open descriptors of the server.
func (s *ftpd) descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// peakMemory returns the largest resident set the server has had, in bytes.
func (s *ftpd) peakMemory(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(data)
	if m == nil {
		t.Fatal("no VmHWM")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// run runs a foreign program in dir and returns what it prints. Its failure is
// the error.
func run(dir string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+dir, "no_proxy=*")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %q: %w\n%s", filepath.Base(name), args, err, out.String())
	}
	return out.String(), nil
}

// mustRun is run in a fresh directory, and ends the test if it fails.
func mustRun(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := run(dir, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// randomFile makes a file with random bytes and returns their hash.
func randomFile(path string, size int64) (string, error) {
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, h), rand.Reader, size); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), f.Close()
}

// hashOf returns the hash of a file, or why there is none.
func hashOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err.Error()
	}
	return hex.EncodeToString(h.Sum(nil))
}

// wantFile fails the test unless the file has the hash.
func wantFile(t *testing.T, path, hash string) {
	t.Helper()
	if got := hashOf(path); got != hash {
		t.Errorf("%s: hash %s, want %s", path, got, hash)
	}
}
