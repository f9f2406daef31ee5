package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestMain makes the test binary able to be a worker.
func TestMain(m *testing.M) {
	process.Init()
	if os.Getenv("GORACE") == "" {
		// A child with a race fails its test, and does not last a second longer.
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0 halt_on_error=1")
	}
	runtime.Default()
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), runtimetest.Patience)
	defer cancel()
	if err := runtime.Default().Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// inTask runs fn as a task of the Default runtime, and fails the test if it leaves a process, task,
// connection or descriptor behind. FailNow may be called in it.
func inTask(t *testing.T, fn func()) {
	t.Helper()
	before := runtimetest.Descriptors()
	rt := runtime.Default()
	err := rt.Run(func() error { fn(); return nil })
	if t.Failed() || err != nil {
		for _, p := range process.Active() {
			_ = p.Kill()
		}
	}
	if err != nil && !t.Failed() {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	process.Shutdown()
	runtimetest.Eventually(t, "the end of processes, connections, tasks and descriptors", func() bool {
		opened.mu.Lock()
		n := len(opened.list)
		opened.mu.Unlock()
		return n == 0 && len(process.Active()) == 0 && rt.Stats().Tasks == 0 && runtimetest.Descriptors() <= before && !hasChildren()
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

// withCluster runs fn with a server in this process. The lease is short enough for tests to wait
// for its end, and long enough for a machine that has other things to do.
func withCluster(t *testing.T, fn func(c *Cluster)) {
	t.Helper()
	inTask(t, func() {
		c := ok(Open(Config{Lease: testLease}))
		fn(c)
		check(t, c.Close())
	})
}

// tContext is for requests whose end needs no waiting for.
var tContext = context.Background()

// forever never returns.
func forever() {
	for {
		runtime.Sleep(time.Hour)
	}
}

const testLease = time.Second

// patience is a deadline that does not pass unless something is wrong.
func patience() runtime.Instant { return runtime.Now().Add(runtimetest.Patience) }

// ok returns v, and ends the test, from whatever goroutine, if there is an error.
func ok[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t testing.TB, err error) {
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

// count yields 0..n-1.
func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
