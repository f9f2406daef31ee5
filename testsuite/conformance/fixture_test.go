package conformance

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// patience is how long a test waits for what must happen. No test passes because
// of it.
const patience = 20 * time.Second

// The users. Their passwords are their names.
const (
	user   = "alice"  // may do everything
	reader = "reader" // may list and read
)

// users is cheap to ask, unlike those of package auth: a check must not wait for
// the hashing of passwords.
type users struct{}

func (users) Authenticate(_ context.Context, name, password string, _ auth.Peer) (*auth.Identity, error) {
	perms, known := map[string]auth.Permissions{user: auth.ReadWrite, reader: auth.ReadOnly}[name]
	if !known || password != name {
		return nil, auth.ErrDenied
	}
	return &auth.Identity{Name: name, Home: "/", Perms: perms}, nil
}

// engines are what every check runs on.
var engines = []struct {
	name string
	new  func(testing.TB) server.Engine
}{
	{"goroutine", func(testing.TB) server.Engine { return server.Goroutines() }},
	{"task", func(t testing.TB) server.Engine { return server.Tasks(runtimetest.New(t, 2)) }},
}

func onEngines(t *testing.T, test func(t *testing.T, e server.Engine)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.new(t)) })
	}
}

// fifty is what the file called file holds.
var fifty = strings.Repeat("0123456789", 5)

// fixture is a running server for one row, and the directory it serves:
//
//	file (fifty bytes)  a.txt  b.txt  .hidden  old (of 2001)  dir/x  empty/  link -> dir  out -> /etc/passwd
type fixture struct {
	*testing.T
	check   check
	engine  server.Engine
	srv     *server.Server
	addr    string
	dir     string
	log     *runtimetest.Buffer
	decided ftp.Code
}

func start(t *testing.T, e server.Engine, r check, change ...func(*server.Config)) *fixture {
	t.Helper()
	return startOn(t, e, r, "127.0.0.1:0", change...)
}

func startOn(t *testing.T, e server.Engine, r check, addr string, change ...func(*server.Config)) *fixture {
	t.Helper()
	f := &fixture{T: t, check: r, engine: e, dir: t.TempDir(), log: new(runtimetest.Buffer)}
	f.fill()
	root, err := storage.OpenOSRoot(f.dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	cfg := server.Config{
		Engine: e, Auth: users{}, Root: root, LoginDelay: -1,
		Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	if f.srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	l, err := e.Listen("tcp", addr)
	if err != nil {
		t.Skipf("SKIP: can't listen on %s: %v", addr, err)
	}
	f.addr = l.Addr().String()
	served := make(chan error, 1)
	e.GoBalanced(func() { served <- f.srv.Serve(l) })
	t.Cleanup(func() {
		if err := f.srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != server.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("%s: %s: %s (%s)\nlog of the server:\n%s", r.id, r.command, r.expected, r.note, f.log)
		}
	})
	return f
}

func (f *fixture) fill() {
	f.Helper()
	for name, content := range map[string]string{
		"file": fifty, "a.txt": "a", "b.txt": "b", ".hidden": "h", "old": "old",
	} {
		f.write(name, content)
	}
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, err := range []error{
		os.Mkdir(f.path("dir"), 0o755),
		os.Mkdir(f.path("empty"), 0o755),
		os.Symlink("dir", f.path("link")),
		os.Symlink("/etc/passwd", f.path("out")),
		os.Chtimes(f.path("old"), old, old),
	} {
		if err != nil {
			f.Fatal(err)
		}
	}
	f.write("dir/x", "x")
}

// decide says which reply decided the row, for the row to allow.
func (f *fixture) decide(code ftp.Code) { f.decided = code }

// path returns the server's own path of a name.
func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fixture) write(name, content string) {
	f.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o644); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) content(name string) string {
	f.Helper()
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		f.Fatal(err)
	}
	return string(b)
}

// want fails unless a file holds content.
func (f *fixture) want(name, content string) {
	f.Helper()
	if got := f.content(name); got != content {
		f.Errorf("%s holds %s, not %s", name, brief(got), brief(content))
	}
}

// gone fails if there is such a name, or a hidden one of an upload.
func (f *fixture) gone(name string) {
	f.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == name || strings.HasPrefix(e.Name(), storage.TempPrefix) {
			f.Errorf("%s is there", e.Name())
		}
	}
}

// bigSize is more than the kernel's buffers hold: sending it does not end before
// it is read.
const bigSize = 64 << 20

func (f *fixture) big(name string) {
	f.Helper()
	f.write(name, "")
	if err := os.Truncate(f.path(name), bigSize); err != nil {
		f.Fatal(err)
	}
}

// eventually waits for what must come about.
func (f *fixture) eventually(what string, check func() bool) {
	f.Helper()
	for end := time.Now().Add(patience); !check(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			f.Fatalf("never came about: %s", what)
		}
	}
}

func brief(s string) string {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return "\"" + s + "\""
}
