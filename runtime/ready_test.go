package runtime_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// bell is a Waitable that counts who waits for it.
type bell struct {
	name  string
	rung  bool
	links map[int]func()
	next  int
}

func (b *bell) OnReady(fn func()) (cancel func() bool) {
	if b.rung {
		fn()
		return func() bool { return false }
	}
	if b.links == nil {
		b.links = map[int]func(){}
	}
	b.next++
	number := b.next
	b.links[number] = fn
	return func() bool {
		_, ok := b.links[number]
		delete(b.links, number)
		return ok
	}
}

func (b *bell) ring() {
	b.rung = true
	for number, fn := range b.links {
		delete(b.links, number)
		fn()
	}
}

// enders are tasks of one worker that end in the order of ranks, which begins at 1,
// once somebody waits for each of them.
func enders(spawn func(func()) *runtime.Task, ranks ...int) []*runtime.Task {
	home := spawn(func() {}).Worker()
	may := make([]event.Event, len(ranks))
	tasks := make([]*runtime.Task, len(ranks))
	for i := range tasks {
		tasks[i] = home.Spawn(func() { _ = may[i].Wait() })
	}
	home.Spawn(func() {
		for _, task := range tasks {
			for runtime.Links(task) == 0 {
				runtime.Sleep(50 * time.Microsecond)
			}
		}
		for rank := range ranks {
			i := slices.Index(ranks, rank+1)
			may[i].Set()
			_ = tasks[i].Join()
		}
	})
	return tasks
}

// eachWay calls fn from a task of a runtime with one and with two workers, and from
// a goroutine; tasks are to be spawned with spawn.
func eachWay(t *testing.T, fn func(t *testing.T, spawn func(func()) *runtime.Task)) {
	onWorkers(t, func(t *testing.T) { fn(t, runtime.SpawnBalanced) })
	t.Run("goroutine", func(t *testing.T) { fn(t, runtimetest.New(t, 2).Spawn) })
}

func TestWaitForAll(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		tasks := enders(spawn, 3, 1, 2)
		ready, err := runtime.Wait(0, 0, tasks...)
		if want := []*runtime.Task{tasks[1], tasks[2], tasks[0]}; err != nil || !slices.Equal(ready, want) {
			t.Errorf("Wait = %v, %v, want %v", ready, err, want)
		}
		// All are ready: the order is that of the list.
		if ready, err = runtime.Wait(0, 0, tasks...); err != nil || !slices.Equal(ready, tasks) {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		if ready, err = runtime.Wait[*runtime.Task](0, 0); err != nil || len(ready) != 0 {
			t.Errorf("Wait for none = %v, %v", ready, err)
		}
	})
}

// TestWaitCountsATaskOnce that is given twice, D25.
func TestWaitCountsATaskOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		tasks := enders(spawn, 1, 2)
		a, b := tasks[0], tasks[1]
		ready, err := runtime.Wait(2, 0, a, a, b, a)
		if err != nil || !slices.Equal(ready, []*runtime.Task{a, b}) {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		ready, err = runtime.Wait(10, 0, a, a, b)
		if err != nil || !slices.Equal(ready, []*runtime.Task{a, b}) {
			t.Errorf("Wait for more than there are = %v, %v", ready, err)
		}
		if err := runtime.JoinAll(a, a, b); err != nil {
			t.Error(err)
		}
	})
}

// TestWaitForTheFirst returns that only, and leaves the others alone, D26.
func TestWaitForTheFirst(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		slow := spawn(func() { _ = park() })
		quick := spawn(func() { runtime.Sleep(time.Millisecond) })
		ready, err := runtime.Wait(1, 0, slow, quick)
		if err != nil || !slices.Equal(ready, []*runtime.Task{quick}) || slow.Ended() {
			t.Errorf("Wait = %v, %v, the other ended %v", ready, err, slow.Ended())
		}
		_ = slow.KillWait(nil, 0)
	})
}

// TestWaitTimesOut without an error: it returns those that are ready, D28, maybe
// none, also when the deadline is past.
func TestWaitTimesOut(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		slow := spawn(func() { _ = park() })
		quick := spawn(func() {})
		_ = quick.Join()
		for _, deadline := range []runtime.Instant{1, runtime.Now().Add(short)} {
			ready, err := runtime.Wait(0, deadline, slow, quick)
			if err != nil || !slices.Equal(ready, []*runtime.Task{quick}) {
				t.Errorf("Wait = %v, %v", ready, err)
			}
			if ready, err = runtime.Wait(0, deadline, slow); err != nil || len(ready) != 0 {
				t.Errorf("Wait = %v, %v", ready, err)
			}
		}
		_ = slow.KillWait(nil, 0)
	})
}

// TestWaitIsInterrupted: that is an error, beside what is ready, and leaves no
// links.
func TestWaitIsInterrupted(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		loud, silent := &bell{name: "loud"}, &bell{name: "silent"}
		waiter := runtime.Spawn(func() {
			ready, err := runtime.Wait(0, 0, silent, loud)
			wantKilled(t, err, errCause)
			if !slices.Equal(ready, []*bell{loud}) {
				t.Errorf("%d ready", len(ready))
			}
		})
		runtime.Yield()
		loud.ring()
		runtime.Yield()
		waiter.Kill(errCause)
		if err := waiter.Join(); err != nil {
			t.Error(err)
		}
		if len(silent.links) != 0 {
			t.Errorf("%d links left", len(silent.links))
		}
		err := runtime.WithTimeout(short, func() error {
			_, err := runtime.Wait(0, runtime.Now().Add(time.Hour), silent)
			return err
		})
		if _, ok := err.(*runtime.Timeout); !ok {
			t.Errorf("the outer timeout is lost: %v", err) // D42
		}
		defer func() {
			if recover() == nil {
				t.Error("a negative count: no panic")
			}
		}()
		_, _ = runtime.Wait(-1, 0, silent)
	})
}

// TestWaitForAMixture has objects of several kinds, tasks not started among them.
func TestWaitForAMixture(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		task := runtime.NewTask(func() {})
		b := &bell{}
		future := runtime.Async(func() (int, error) { runtime.Yield(); b.ring(); return 0, nil })
		runtime.SpawnAfter(short, task.Start)
		var got []runtime.Waitable
		for obj := range runtime.IWait[runtime.Waitable](0, task, future, b) {
			got = append(got, obj)
		}
		if !slices.Equal(got, []runtime.Waitable{b, future, task}) {
			t.Errorf("order %v", got)
		}
	})
}

func TestIWait(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		tasks := enders(spawn, 2, 4, 1, 3)
		tasks = append(tasks, tasks[0])
		var got []*runtime.Task
		for task := range runtime.IWait(0, tasks...) {
			if !task.Ended() {
				t.Error("not ended")
			}
			runtime.Sleep(time.Microsecond) // the body may wait
			got = append(got, task)
		}
		if len(got) != 4 || got[0] != tasks[2] || got[3] != tasks[1] {
			t.Errorf("order %v of %v", got, tasks)
		}
	})
}

// TestIWaitLeftEarly keeps no links, D29, and each loop makes its own.
func TestIWaitLeftEarly(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		first, second := &bell{}, &bell{}
		loop := runtime.IWait(0, first, second)
		if len(first.links) != 0 {
			t.Error("links before the loop")
		}
		first.ring()
		for range 2 {
			for b := range loop {
				if b != first || len(second.links) != 1 {
					t.Errorf("%d links in the loop", len(second.links))
				}
				break
			}
			if len(second.links) != 0 {
				t.Errorf("%d links after the loop", len(second.links))
			}
		}
		func() {
			defer func() { _ = recover() }()
			for range loop {
				panic("in the body")
			}
		}()
		if len(second.links) != 0 {
			t.Errorf("%d links after a panic", len(second.links))
		}
		slow := runtime.Spawn(func() { _ = park() })
		for range runtime.IWait[runtime.Waitable](0, slow, first) {
			break
		}
		if n := runtime.Links(slow); n != 0 {
			t.Errorf("%d links of a task", n)
		}
		slow.Kill(nil)
	})
}

// TestIWaitTimesOut: the loop just ends, D30.
func TestIWaitTimesOut(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		slow := spawn(func() { _ = park() })
		quick := spawn(func() {})
		var got []*runtime.Task
		for task := range runtime.IWait(runtime.Now().Add(10*short), slow, quick) {
			got = append(got, task)
		}
		if !slices.Equal(got, []*runtime.Task{quick}) {
			t.Errorf("got %v", got)
		}
		_ = slow.KillWait(nil, 0)
	})
}

// TestIWaitIsInterrupted unwinds the task.
func TestIWaitIsInterrupted(t *testing.T) {
	onWorkers(t, func(t *testing.T) {
		b := &bell{}
		task := runtime.Spawn(func() {
			for range runtime.IWait(0, b) {
				t.Error("ready")
			}
			t.Error("went on")
		})
		runtime.Yield()
		task.Kill(errCause)
		wantKilled(t, task.Join(), errCause)
		err := runtime.WithTimeout(short, func() error {
			for range runtime.IWait(runtime.Now().Add(time.Hour), b) {
				t.Error("ready")
			}
			return nil
		})
		if _, ok := err.(*runtime.Timeout); !ok {
			t.Errorf("the outer timeout is lost: %v", err) // D42
		}
		if len(b.links) != 0 {
			t.Errorf("%d links left", len(b.links))
		}
	})
}

// TestIWaitOfManyWorkers loses none of the objects that become ready at once on two
// workers.
func TestIWaitOfManyWorkers(t *testing.T) {
	eachWay(t, func(t *testing.T, spawn func(func()) *runtime.Task) {
		for range 20 {
			var tasks []*runtime.Task
			for range 50 {
				tasks = append(tasks, spawn(func() { runtime.Yield() }))
			}
			n := 0
			for range runtime.IWait(0, tasks...) {
				n++
			}
			if n != len(tasks) {
				t.Fatalf("%d of %d tasks", n, len(tasks))
			}
		}
	})
}

func ExampleWait() {
	runtimetest.Example(func() {
		slow := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		quick := runtime.Spawn(func() { runtime.Sleep(time.Millisecond) })
		ready, err := runtime.Wait(1, 0, slow, quick)
		fmt.Println(len(ready), ready[0] == quick, err)
	})
	// Output: 1 true <nil>
}

// Objects of different kinds are waited for as Waitables.
func ExampleWaitable() {
	runtimetest.Example(func() {
		task := runtime.Spawn(func() { runtime.Sleep(time.Hour) })
		future := runtime.Async(func() (int, error) { return 42, nil })
		for obj := range runtime.IWait[runtime.Waitable](0, task, future) {
			if obj == future {
				fmt.Println(future.Get())
				task.Kill(nil)
			} else {
				fmt.Println(task.Err())
			}
		}
	})
	// Output:
	// 42 <nil>
	// runtime: task killed
}

func ExampleIWait() {
	runtimetest.Example(func() {
		page := func(d time.Duration) *runtime.Future[time.Duration] {
			return runtime.Async(func() (time.Duration, error) { runtime.Sleep(d); return d, nil })
		}
		for f := range runtime.IWait(0, page(20*time.Millisecond), page(time.Millisecond), page(10*time.Millisecond)) {
			fmt.Println(f.Get())
		}
	})
	// Output:
	// 1ms <nil>
	// 10ms <nil>
	// 20ms <nil>
}
