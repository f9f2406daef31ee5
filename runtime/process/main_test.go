package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain makes the test binary able to be a child.
func TestMain(m *testing.M) {
	if program := programs[os.Getenv(programEnv)]; program != nil {
		program()
		return
	}
	Init()
	if os.Getenv("GORACE") == "" {
		// A child with a race fails its test, and does not last a second longer.
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0 halt_on_error=1")
	}
	before := runtimetest.Descriptors()
	runtime.Default()
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
	defer cancel()
	if err := runtime.Default().Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if after := runtimetest.Descriptors(); after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "left behind: %d descriptors, was %d\n", after, before)
		code = 1
	}
	os.Exit(code)
}

// inTask runs fn as a task of the Default runtime, and fails the test if it leaves a
// process, link, object, task or descriptor behind. FailNow may be called in it.
func inTask(t *testing.T, fn func()) {
	t.Helper()
	before := runtimetest.Descriptors()
	rt := runtime.Default()
	err := rt.Run(func() error { fn(); return nil })
	if t.Failed() || err != nil {
		for _, p := range Active() {
			_ = p.Kill()
		}
	}
	if err != nil && !t.Failed() {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	stopListening()
	runtimetest.Eventually(t, "the end of processes, links, objects, tasks and descriptors", func() bool {
		objects.mu.RLock()
		n := len(objects.m)
		objects.mu.RUnlock()
		return len(Active()) == 0 && len(links.list()) == 0 && n == 0 && rt.Stats().Tasks == 0 &&
			runtimetest.Descriptors() <= before && !hasChildren()
	})
}

// hasChildren reports whether this process has children, zombies included.
func hasChildren() bool {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		b, _ := os.ReadFile("/proc/self/task/" + thread.Name() + "/children")
		if len(strings.TrimSpace(string(b))) > 0 {
			return true
		}
	}
	return false
}

// ok returns v, and ends the test, from whatever goroutine, if there is an error.
func ok[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// soon is a deadline that passes during the test.
func soon() runtime.Instant { return runtime.Now().Add(2 * time.Millisecond) }

// exists reports whether a process exists that is no zombie.
func exists(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := string(b[strings.LastIndexByte(string(b), ')')+1:])
	return !strings.HasPrefix(strings.TrimSpace(after), "Z")
}

// forever never returns.
func forever() {
	for {
		runtime.Sleep(time.Hour)
	}
}

// The functions that run in children.
var (
	double = Register("test double", func(n int) (int, error) { return 2 * n, nil })
	fail   = Register("test fail", func(text string) (int, error) {
		return 0, fmt.Errorf("%s: %w", text, errKnown)
	})
	panics   = Register("test panic", func(text string) (int, error) { panic(text) })
	exits    = Register("test exit", func(code int) (int, error) { os.Exit(code); return 0, nil })
	killSelf = Register("test kill", func(sig int) (int, error) {
		_ = syscall.Kill(os.Getpid(), syscall.Signal(sig))
		forever()
		return 0, nil
	})
	waits    = Register("test wait", func(struct{}) (int, error) { forever(); return 0, nil })
	identity = Register("test identity", func(struct{}) (string, error) {
		parent, ok := CurrentParent()
		return fmt.Sprintln(Current().Name, Current().Daemon, Current().PID == os.Getpid(), parent.PID, ok, parent.Alive()), nil
	})
	unencodable = Register("test unencodable result", func(struct{}) (any, error) { return func() {}, nil })
	openFiles   = Register("test descriptors", func(struct{}) ([]string, error) {
		var names []string
		dir, err := os.ReadDir("/proc/self/fd")
		for _, entry := range dir {
			name, _ := os.Readlink("/proc/self/fd/" + entry.Name())
			names = append(names, name)
		}
		return names, err
	})
	ignoresTerm = Register("test ignore SIGTERM", func(up *Sender[int]) (int, error) {
		signal.Ignore(syscall.SIGTERM)
		_ = up.Send(1)
		forever()
		return 0, nil
	})
)

var errKnown = errors.New("an error that both sides know")

func init() { RegisterError("test known", errKnown) }
