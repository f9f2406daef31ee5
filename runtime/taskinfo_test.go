package runtime_test

import (
	"errors"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/petermattis/goid"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// infoOf returns what rt's list says of task.
func infoOf(t *testing.T, rt *runtime.Runtime, task *runtime.Task) runtime.TaskInfo {
	t.Helper()
	for _, info := range rt.Tasks() {
		if info.Task == task {
			return info
		}
	}
	t.Errorf("%v is not listed", task)
	return runtime.TaskInfo{}
}

// TestTasks: the list has each task with its state, also one that has not started, and
// in the order of their start.
func TestTasks(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.New(t, workers)
		runtimetest.RunOn(t, rt, func() {
			w := runtime.CurrentWorker()
			waits := runtime.Spawn(func() { _ = runtime.NewWaiter().Park("a bell") })
			var wakes runtime.Waiter
			ready := runtime.Spawn(func() { wakes = runtime.NewWaiter(); _ = wakes.Park("a call") })
			yields := runtime.Spawn(func() {
				for wakes.Worker() != nil {
					runtime.Yield()
				}
			})
			runtime.Yield()
			wakes.Ready()
			fresh := runtime.Spawn(func() {})
			later := runtime.SpawnAfter(time.Hour, func() {})
			list := rt.Tasks()
			want := []struct {
				task *runtime.Task
				text string
			}{
				{runtime.Current(), "is running"},
				{waits, "waits: a bell"},
				{ready, "is ready"},
				{yields, "is ready"},
				{fresh, "has not started"},
				{later, "is to start later"},
			}
			if len(list) != len(want) {
				t.Fatalf("list %v", list)
			}
			for i, info := range list {
				worker := " on worker " + string(rune('0'+w.Index())) + " "
				if info.Task != want[i].task || info.String() != want[i].task.String()+worker+want[i].text {
					t.Errorf("entry %d is %v, want %v %s", i, info, want[i].task, want[i].text)
				}
				if started := info.Task != fresh && info.Task != later; started != (info.Goroutine != 0) {
					t.Errorf("%v has goroutine %d", info, info.Goroutine)
				}
				if info.Parent != uuid.Nil || !info.Created.IsZero() || info.Spawned != nil {
					t.Errorf("%v has an origin without TraceTasks", info)
				}
			}
			wakes = runtime.Waiter{}
		})
	}
}

// TestTasksWithStrands: the goroutine of a task is its own, also while it waits in a
// generator of its.
func TestTasksWithStrands(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		own := make(chan int64, 1)
		task := runtime.Spawn(func() {
			own <- goid.Get()
			var last *greenlet.Generator[int, int]
			for range 3 { // each has a goroutine
				last = greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
					y.Yield(0)
					return park()
				})
				defer last.Close()
				_, _ = last.Next()
			}
			_, _ = last.Next()
		})
		runtime.Yield()
		id := <-own
		if info := infoOf(t, rt, task); info.Goroutine != id || info.State != runtime.TaskWaiting {
			t.Errorf("%v has goroutine %d, want %d, and to wait", info, info.Goroutine, id)
		}
		task.Kill(nil)
		_ = task.Join()
	})
}

// TestTasksFromElsewhere: goroutines and callbacks may ask as well; a callback is told of
// its own worker.
func TestTasksFromElsewhere(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, w := range rt.Workers() {
		w.Spawn(func() { _ = runtime.NewWaiter().Park("a bell") })
	}
	waiting := func(n int) func() bool {
		return func() bool { return strings.Count(texts(rt.Tasks()), "waits: a bell") == n }
	}
	runtimetest.Eventually(t, "both wait", waiting(2))
	got := make(chan string)
	rt.Workers()[1].Post(func() { got <- texts(rt.Tasks()) })
	if text := <-got; strings.Count(text, "waits: a bell") != 1 || !strings.Contains(text, "on worker 1") {
		t.Errorf("a callback was told %s", text)
	}
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := rt.Tasks(); len(list) != 0 {
		t.Errorf("tasks of an ended runtime: %v", list)
	}
}

func texts(list []runtime.TaskInfo) string {
	var lines []string
	for _, info := range list {
		lines = append(lines, info.String())
	}
	return strings.Join(lines, "\n")
}

// TestTasksOfAStuckWorker: the list has who holds the worker, a task or a callback,
// and all tasks of the others.
func TestTasksOfAStuckWorker(t *testing.T) {
	for name, byTask := range map[string]bool{"task": true, "callback": false} {
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, 2)
			other := rt.Workers()[0].Spawn(func() { _ = runtime.NewWaiter().Park("a bell") })
			gate := make(chan bool)
			var holder *runtime.Task
			stuck := func() { gate <- true; <-gate }
			w := rt.Workers()[1]
			if byTask {
				holder = w.Spawn(stuck)
			} else {
				w.Post(stuck)
			}
			<-gate
			list := rt.Tasks()
			if len(list) != 2 || list[0].Task != other {
				t.Fatalf("list %v", list)
			}
			info := list[1]
			if info.Task != holder || info.Worker != 1 || info.State != runtime.TaskHolding || info.Goroutine == 0 ||
				!strings.HasSuffix(info.String(), "on worker 1 holds the worker, which does not answer") {
				t.Errorf("entry %+v", info)
			}
			close(gate)
		})
	}
}

// TestTasksInterrupted: who is killed while a worker does not answer goes on at once.
func TestTasksInterrupted(t *testing.T) {
	rt := runtimetest.New(t, 2)
	gate := make(chan bool)
	rt.Workers()[1].Post(func() { <-gate })
	defer close(gate)
	asked := make(chan bool)
	asks := rt.Workers()[0].Spawn(func() {
		close(asked)
		if list := rt.Tasks(); len(list) != 1 {
			t.Errorf("list %v", list)
		}
	})
	<-asked
	asks.Kill(nil)
	if err := asks.Join(); err != nil {
		t.Error(err)
	}
}

// TestTraceTasks (D93): with TraceTasks every way to spawn a task notes its parent, time and
// place.
func TestTraceTasks(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.NewConfig(t, runtime.Config{Workers: workers, TraceTasks: true})
		start := time.Now()
		check := func(task *runtime.Task, parent uuid.UUID) {
			t.Helper()
			info := infoOf(t, rt, task)
			if info.Parent != parent {
				t.Errorf("parent %v, want %v", info.Parent, parent)
			}
			if info.Created.Before(start) || info.Created.After(time.Now()) {
				t.Errorf("created at %v", info.Created)
			}
			if !strings.Contains(functions(info.Spawned), "TestTraceTasks") {
				t.Errorf("spawned by %s", functions(info.Spawned))
			}
		}
		body := func() { _ = park() }
		outside := rt.Spawn(body)
		check(outside, uuid.Nil)
		runtimetest.RunOn(t, rt, func() {
			me := runtime.Current().ID()
			check(runtime.Spawn(body), me)
			check(runtime.SpawnBalanced(body), me)
			check(rt.Spawn(body), me)
			check(rt.LeastLoaded().Spawn(body), me)
			check(runtime.SpawnAfter(time.Hour, body), me)
			later := runtime.NewTask(body)
			runtime.Spawn(func() {
				later.Start()
				check(later, runtime.Current().ID())
			})
			runtime.Yield()
			check(&runtime.Async(func() (int, error) { body(); return 0, nil }).Task, me)
			p := pool.New(1)
			task, err := p.Spawn(body)
			if err != nil {
				t.Fatal(err)
			}
			check(task, me)
			leave := errors.New("leave")
			err = runtime.WithScope(func(s *runtime.Scope) error {
				check(s.Spawn(func() error { body(); return nil }), me)
				check(s.SpawnBalanced(func() error { body(); return nil }), me)
				return leave
			})
			if err != leave {
				t.Error(err)
			}
		})
	}
}

// functions returns the names of the functions of a stack.
func functions(stack []uintptr) string {
	var text strings.Builder
	frames := goruntime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		text.WriteString(frame.Function + " ")
		if !more {
			return text.String()
		}
	}
}

// TestTraceKeepsNoAncestors: a chain of tasks, each spawned by the one before, does not
// keep those that have ended.
func TestTraceKeepsNoAncestors(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{Workers: 1, TraceTasks: true})
	gone := make(chan bool)
	runtimetest.RunOn(t, rt, func() {
		first := runtime.Spawn(func() {
			runtime.Spawn(func() { _ = park() })
		})
		_ = first.Join()
		goruntime.AddCleanup(first, func(int) { close(gone) }, 0)
	})
	runtimetest.Eventually(t, "the parent is let go", func() bool {
		goruntime.GC()
		select {
		case <-gone:
			return true
		default:
			return false
		}
	})
}
