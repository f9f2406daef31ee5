package attack_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/crypto/bcrypt"
)

// patience is how long a test waits for what must happen. No test passes because
// of it.
const patience = 30 * time.Second

// The users. Eve attacks and bob behaves; alice is who is attacked. Guest may only
// read.
var passwords = map[string]string{
	"alice": "alice's own secret",
	"bob":   "bob's own secret",
	"eve":   "eve's own secret",
	"guest": "guest's own secret",
}

// usersFile has them with hashes that cost little, each with a home of his own.
var usersFile = sync.OnceValue(func() string {
	var b strings.Builder
	for _, name := range []string{"alice", "bob", "eve", "guest"} {
		hash, err := bcrypt.GenerateFromPassword([]byte(passwords[name]), bcrypt.MinCost)
		if err != nil {
			panic(err)
		}
		perms := "rw"
		if name == "guest" {
			perms = "ro"
		}
		fmt.Fprintf(&b, "%s:%s:/%s:%s\n", name, hash, name, perms)
	}
	return b.String()
})

// secret is what nobody may read, in a file outside of all homes.
const secret = "the secret that lies outside"

// world is a server under attack.
type world struct {
	*testing.T
	srv     *server.Server
	addr    string
	root    string // what is served; eve's home is below
	outside string // a directory beside it, with the file "secret"
	log     *runtimetest.Buffer
	beside  *client // bob
	round   int
}

// attack runs an attack on a server of the task engine.
func attack(t *testing.T, test func(w *world), change ...func(*server.Config)) {
	t.Helper()
	before := runtimetest.TakeCensus()
	t.Cleanup(func() { before.Compare(t) })
	start(t, server.Tasks(runtimetest.New(t, 2)), test, change)
}

// attackBoth runs an attack on each engine.
func attackBoth(t *testing.T, test func(w *world), change ...func(*server.Config)) {
	t.Run("task", func(t *testing.T) { attack(t, test, change...) })
	t.Run("goroutine", func(t *testing.T) {
		before := runtimetest.TakeCensus()
		t.Cleanup(func() { before.Compare(t) })
		start(t, server.Goroutines(), test, change)
	})
}

func start(t *testing.T, e server.Engine, test func(w *world), change []func(*server.Config)) {
	t.Helper()
	dir := t.TempDir()
	w := &world{T: t, root: filepath.Join(dir, "root"), outside: filepath.Join(dir, "outside"), log: new(runtimetest.Buffer)}
	for _, d := range []string{"root/alice", "root/bob", "root/eve", "root/guest", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write("../outside/secret", secret)
	w.write("alice/private", secret)
	users, err := auth.ParseUsers(strings.NewReader(usersFile()), "users")
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Config{
		Engine: e, Auth: users, LoginDelay: -1,
		Logger: slog.New(rawHandler{log: w.log}),
	}
	for _, c := range change {
		c(&cfg)
	}
	if cfg.Root == nil && cfg.RootFor == nil {
		root, err := storage.OpenOSRoot(w.root, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		cfg.Root = root
	}
	if w.srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	l, err := e.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	served := make(chan error, 1)
	e.GoBalanced(func() { served <- w.srv.Serve(l) })
	t.Cleanup(func() {
		if err := w.srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != server.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		w.checkLog()
		if got, err := os.ReadFile(filepath.Join(w.outside, "secret")); err != nil || string(got) != secret {
			t.Errorf("what lies outside is %q, %v", got, err)
		}
		if entries, err := os.ReadDir(w.outside); err != nil || len(entries) != 1 {
			t.Errorf("outside lie %v, %v", entries, err)
		}
		if t.Failed() {
			log := w.log.String()
			t.Logf("log of the server:\n%s", log[max(0, len(log)-20000):])
		}
	})
	if cfg.TLS.Config != nil {
		w.beside = w.loginTLS("bob", clientTLS(0))
	} else {
		w.beside = w.login("bob")
	}
	test(w)
	w.alive()
}

// checkLog wants no password and no control character in the log.
func (w *world) checkLog() {
	w.Helper()
	log := w.log.String()
	for name, password := range passwords {
		if strings.Contains(log, password) {
			w.Errorf("the password of %s is in the log", name)
		}
	}
	if i := strings.IndexFunc(log, func(r rune) bool { return r != '\n' && r < ' ' || r == 0x7f || r == 0x9b }); i >= 0 {
		w.Errorf("a control character is in the log: %.200q", log[i:])
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") {
			w.Errorf("a forged line is in the log: %q", line)
		}
	}
}

// alive wants the session beside the attack to be served in full.
func (w *world) alive() {
	w.Helper()
	w.round++
	name, content := "besides", fmt.Sprintf("round %d", w.round)
	w.beside.cmd("NOOP", 200)
	w.beside.put("STOR "+name, content)
	if got := w.beside.get("RETR " + name); got != content {
		w.Errorf("the session beside got %q, want %q", got, content)
	}
	if got := w.beside.get("NLST"); !strings.Contains(got, name) {
		w.Errorf("the session beside sees %q", got)
	}
}

// write makes a file below the root.
func (w *world) write(name, content string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.root, name), []byte(content), 0o644); err != nil {
		w.Fatal(err)
	}
}

// content returns what a file below the root holds, "" if there is none.
func (w *world) content(name string) string {
	b, err := os.ReadFile(filepath.Join(w.root, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// names returns what a directory below the root holds.
func (w *world) names(dir string) string {
	w.Helper()
	entries, err := os.ReadDir(filepath.Join(w.root, dir))
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return fmt.Sprintf("%q", names)
}

// eventually waits for what must come about.
func (w *world) eventually(what string, check func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !check(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("never came about: %s", what)
		}
	}
}

// alone waits until only the session beside is left.
func (w *world) alone() {
	w.Helper()
	w.eventually("the end of all other sessions", func() bool { return w.srv.Sessions() == 1 })
}

// heap returns how much memory is in use.
func heap() int64 {
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc) + int64(m.StackInuse)
}

// rawHandler writes records as they are: what it is given must be harmless
// already.
type rawHandler struct {
	log   *runtimetest.Buffer
	attrs []slog.Attr
}

func (rawHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h rawHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "time=%s level=%s msg=%s", r.Time.Format(time.TimeOnly), r.Level, r.Message)
	write := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.Resolve())
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	_, err := h.log.Write([]byte(b.String() + "\n"))
	return err
}

func (h rawHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return rawHandler{h.log, slices.Concat(h.attrs, attrs)}
}

func (h rawHandler) WithGroup(string) slog.Handler { return h }
