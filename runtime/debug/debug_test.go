package debug_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/debug"
	"github.com/weft-go/weft/runtime/local"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var (
	user  = local.Named[string]("user")
	shout = local.Named[loud]("shout")
)

// loud is a value whose String must not do what it does.
type loud string

func (l loud) String() string {
	if l == "wait" {
		if err := runtime.NewWaiter().Park("in String"); err != nil {
			return err.Error()
		}
	}
	return strings.Repeat("é", 1000)
}

func wait(what string) { _ = runtime.NewWaiter().Park(what) }

func TestMain(m *testing.M) { runtimetest.Main(m) }

// tree returns what Tree writes, with ids, ages and lines of files made plain.
func tree(t *testing.T, rt *runtime.Runtime, names map[*runtime.Task]string) string {
	t.Helper()
	var b strings.Builder
	if err := debug.Tree(&b, rt); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for task, name := range names {
		text = strings.ReplaceAll(text, task.String(), name)
	}
	text = regexp.MustCompile(`age [^ \n]+`).ReplaceAllString(text, "age")
	return regexp.MustCompile(`\.go:\d+`).ReplaceAllString(text, ".go")
}

// family makes tasks on rt: a parent with two children, of which one has a child that
// outlives it.
func family(t *testing.T, rt *runtime.Runtime) map[*runtime.Task]string {
	t.Helper()
	names := make(map[*runtime.Task]string)
	runtimetest.RunOn(t, rt, func() {
		names[runtime.Current()] = "main"
		var parent, first, second, orphan *runtime.Task
		parent = rt.Workers()[0].Spawn(func() {
			user.Set("alice")
			first = runtime.Spawn(func() { wait("a bell") })
			second = runtime.Spawn(func() {
				orphan = runtime.Spawn(func() { user.Set("bob"); wait("a call") })
				runtime.Yield()
			})
			_ = second.Join()
			wait("the end")
		})
		runtimetest.Eventually(t, "all wait", func() bool {
			return strings.Count(tree(t, rt, nil), "waits: ") >= 3
		})
		names[parent], names[first], names[second], names[orphan] = "parent", "first", "second", "orphan"
	})
	return names
}

// TestTree (D93): the tree shows parent, place of spawning and locals.
func TestTree(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.NewConfig(t, runtime.Config{Workers: workers, TraceTasks: true})
		got := tree(t, rt, family(t, rt))
		want := `parent on worker 0 waits: the end, age
  spawned at debug_test.family.func1 (debug_test.go)
  parent: main, which has ended
  user = alice
    first on worker 0 waits: a bell, age
      spawned at debug_test.family.func1.1 (debug_test.go)
orphan on worker 0 waits: a call, age
  spawned at debug_test.family.func1.1.2 (debug_test.go)
  parent: second, which has ended
  user = bob
`
		if got != want {
			t.Errorf("tree\n%s\nwant\n%s", got, want)
		}
	}
}

// TestTreeOff (D93): without TraceTasks nothing is kept of parents and places.
func TestTreeOff(t *testing.T) {
	rt := runtimetest.New(t, 1)
	got := tree(t, rt, family(t, rt))
	want := `parent on worker 0 waits: the end
  user = alice
first on worker 0 waits: a bell
orphan on worker 0 waits: a call
  user = bob
`
	if got != want {
		t.Errorf("tree\n%s\nwant\n%s", got, want)
	}
}

// TestTasks: each task has its own stack, from the place where it is down to its function;
// one that has not started has none.
func TestTasks(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.New(t, workers)
		runtimetest.RunOn(t, rt, func() {
			a := runtime.Spawn(func() { inA() })
			b := runtime.Spawn(func() { inB() })
			runtime.Yield()
			fresh := runtime.Spawn(func() {})
			want := map[*runtime.Task]string{a: "inA", b: "inB", fresh: "", runtime.Current(): "debug.Tasks"}
			list := debug.Tasks(rt)
			if len(list) != len(want) {
				t.Fatalf("list %v", list)
			}
			for _, task := range list {
				function := want[task.Task]
				if function == "" && task.Stack != "" || !strings.Contains(task.Stack, function) {
					t.Errorf("%v: no %q in %s", task, function, task.Stack)
				}
				if strings.Contains(task.Stack, "(*coroutine)") || strings.HasPrefix(task.Stack, "goroutine") {
					t.Errorf("%v: stack has too much: %s", task, task.Stack)
				}
			}
		})
	}
}

//go:noinline
func inA() { wait("a") }

//go:noinline
func inB() { wait("b") }

// waiting waits until n tasks wait.
func waiting(t *testing.T, rt *runtime.Runtime, n int) {
	t.Helper()
	runtimetest.Eventually(t, "tasks wait", func() bool {
		found := 0
		for _, task := range rt.Tasks() {
			if task.State == runtime.TaskWaiting {
				found++
			}
		}
		return found == n
	})
}

// TestLocals: values are formatted where no harm can be done: long ones are cut, a String that
// waits fails, and one that was deleted does not show.
func TestLocals(t *testing.T) {
	rt := runtimetest.New(t, 2)
	w := rt.Workers()[1]
	long := w.Spawn(func() { user.Set("c"); user.Delete(); shout.Set("long"); wait("a") })
	w.Spawn(func() { shout.Set("wait"); wait("a") })
	waiting(t, rt, 2)
	for _, task := range debug.Tasks(rt) {
		if len(task.Locals) != 1 || task.Locals[0].Name != "shout" {
			t.Fatalf("%v has locals %v", task, task.Locals)
		}
		value := task.Locals[0].Value
		if !strings.HasPrefix(value, "éé") || !strings.HasSuffix(value, "é…") || len(value) > 210 {
			if task.Task == long || !strings.Contains(value, "not in a task") {
				t.Errorf("%v has %q", task, value)
			}
		}
	}
}

// TestWhileStuck: a worker that is held does not hide the rest; who holds it is shown
// with his stack.
func TestWhileStuck(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 2, TraceTasks: true})
	gate := make(chan bool)
	other := rt.Workers()[0].Spawn(func() { user.Set("dora"); wait("a bell") })
	waiting(t, rt, 1)
	holder := rt.Workers()[1].Spawn(func() { gate <- true; holdIt(gate) })
	<-gate
	defer close(gate)
	get := httptest.NewRequest(http.MethodGet, "/debug/weft/run", nil)
	response := httptest.NewRecorder()
	debug.Handler(rt).ServeHTTP(response, get)
	text := response.Body.String()
	for _, want := range []string{
		holder.String() + " on worker 1 holds the worker, which does not answer",
		"holdIt", other.String() + " on worker 0 waits: a bell", "user = dora", "workers 2\n", "2 tasks\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

//go:noinline
func holdIt(gate chan bool) { <-gate }

func TestHandler(t *testing.T) {
	rt := runtimetest.New(t, 1)
	task := rt.Spawn(inA)
	waiting(t, rt, 1)
	for name, test := range map[string]struct {
		method, path string
		code         int
		text         string
	}{
		"index":     {"GET", "/any/where/", 200, "stats   counts"},
		"tasks":     {"GET", "/any/where/tasks", 200, "debug_test.inA"},
		"tree":      {"GET", "/tree", 200, task.String() + " on worker 0 waits: a\n"},
		"stats":     {"GET", "/x/stats", 200, "tasks 1\n"},
		"run":       {"GET", "/x/run", 200, " other goroutines\n"},
		"not found": {"GET", "/x/other", 404, "not found"},
		"post":      {"POST", "/x/tree", 405, "not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			response := httptest.NewRecorder()
			debug.Handler(rt).ServeHTTP(response, httptest.NewRequest(test.method, test.path, nil))
			if response.Code != test.code || !strings.Contains(response.Body.String(), test.text) {
				t.Errorf("status %d, body %s", response.Code, response.Body)
			}
			if kind := response.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") {
				t.Errorf("content type %s", kind)
			}
		})
	}
}

// TestInTask: the handler may serve in a task, also of the runtime that it shows.
func TestInTask(t *testing.T) {
	runtimetest.Run(t, 2, func() {
		rt := runtime.Current().Runtime()
		for name := range map[string]bool{"tasks": true, "tree": true, "stats": true, "run": true} {
			response := httptest.NewRecorder()
			debug.Handler(rt).ServeHTTP(response, httptest.NewRequest("GET", "/"+name, nil))
			if text := response.Body.String(); name != "stats" && !strings.Contains(text, runtime.Current().String()+" on worker") {
				t.Errorf("%s: %s", name, text)
			}
		}
	})
}

// TestDefault: nil is the Default runtime.
func TestDefault(t *testing.T) {
	gate := make(chan bool)
	task := runtime.Spawn(func() { wait("default"); close(gate) })
	defer func() { task.Kill(nil); <-gate }()
	runtimetest.Eventually(t, "it shows", func() bool {
		var b strings.Builder
		return debug.Tree(&b, nil) == nil && strings.Contains(b.String(), task.String()+" on worker") && len(debug.Tasks(nil)) == 1
	})
	for name, write := range map[string]func() error{
		"tree":  func() error { return debug.Tree(full{}, nil) },
		"tasks": func() error { return debug.WriteTasks(full{}, nil) },
		"stats": func() error { return debug.WriteStats(full{}, nil) },
		"run":   func() error { return debug.WriteRunInfo(full{}, nil) },
	} {
		if err := write(); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("write: %w", errFull) }
