package server_test

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// patience is how long a test waits for what must happen. No test passes because
// of it.
const patience = 20 * time.Second

const (
	testUser     = "alice"
	testPassword = "secret wörd"
)

// engines are what every functional test runs on.
var engines = []struct {
	name string
	new  func(t testing.TB) server.Engine
}{
	{"goroutine", func(testing.TB) server.Engine { return server.Goroutines() }},
	{"task", func(t testing.TB) server.Engine { return server.Tasks(runtimetest.New(t, 2)) }},
}

// onEngines runs a test on every engine, and sees to it that nothing is left
// behind.
func onEngines(t *testing.T, test func(t *testing.T, e server.Engine)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			before := runtimetest.TakeCensus()
			t.Cleanup(func() { before.Compare(t) })
			test(t, e.new(t))
		})
	}
}

// inClearAndTLS is onEngines, and once more with clients that secure their control and
// data connections.
func inClearAndTLS(t *testing.T, test func(t *testing.T, e server.Engine)) {
	t.Helper()
	onEngines(t, test)
	t.Run("TLS", func(t *testing.T) {
		onEngines(t, func(t *testing.T, e server.Engine) { test(t, secured{e}) })
	})
}

// secured is an engine for a server whose clients use TLS.
type secured struct{ server.Engine }

// fixture is a running server with one user, and the directory it serves.
type fixture struct {
	t    *testing.T
	srv  *server.Server
	addr string
	root string // the served directory
	log  *runtimetest.Buffer
	tls  func() *tls.Config // of clients; nil: they speak in clear
}

// start starts a server that serves a new directory, or what change says.
func start(t *testing.T, e server.Engine, change ...func(*server.Config)) *fixture {
	t.Helper()
	return startOn(t, e, "127.0.0.1:0", change...)
}

// startOn is start on an address.
func startOn(t *testing.T, e server.Engine, addr string, change ...func(*server.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, log: new(runtimetest.Buffer)}
	single, err := auth.NewSingle(auth.Identity{Name: testUser, Home: "/", Perms: auth.ReadWrite}, testPassword)
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Config{
		Engine:     e,
		Auth:       single,
		LoginDelay: -1,
		Logger:     slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if s, ok := e.(secured); ok {
		e, cfg.Engine = s.Engine, s.Engine
		f.tls = func() *tls.Config { return clientTLS(0) }
		withTLS(&cfg)
	}
	for _, c := range change {
		c(&cfg)
	}
	if cfg.Root == nil && cfg.RootFor == nil {
		f.root = t.TempDir()
		root, err := storage.OpenOSRoot(f.root, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		cfg.Root = root
	}
	if f.srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	l, err := e.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
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
		if strings.Contains(f.log.String(), testPassword) {
			t.Error("the password is in the log")
		}
		if t.Failed() {
			t.Logf("log of the server:\n%s", f.log)
		}
	})
	return f
}

// write makes a file in the served directory.
func (f *fixture) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.root, name), []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// content returns what a file in the served directory holds.
func (f *fixture) content(name string) string {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(f.root, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// names returns everything in the served directory, hidden files too.
func (f *fixture) names() []string {
	f.t.Helper()
	entries, err := os.ReadDir(f.root)
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// eventually waits for what must come about.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !check(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("never came about: %s", what)
		}
	}
}

// pattern returns n bytes of text that differ from line to line.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d %x\n", i, i*i)
	}
	return b.String()[:n]
}
