package local_test

import (
	"errors"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/local"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantValue(t *testing.T, v *local.Var[int], value int, ok bool) {
	t.Helper()
	if got, has := v.Get(); got != value || has != ok {
		t.Errorf("Get = %v, %v; want %v, %v", got, has, value, ok)
	}
}

func TestEveryTaskHasItsOwn(t *testing.T) { // D94
	runtimetest.Run(t, 1, func() {
		var v local.Var[int]
		wantValue(t, &v, 0, false)
		v.Set(1)
		var tasks []*runtime.Task
		for i := range 10 {
			tasks = append(tasks, runtime.Spawn(func() {
				wantValue(t, &v, 0, false)
				for range 3 {
					v.Set(100 + i)
					runtime.Yield()
					wantValue(t, &v, 100+i, true)
				}
				v.Delete()
				runtime.Yield()
				wantValue(t, &v, 0, false)
			}))
		}
		for _, task := range tasks {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
		wantValue(t, &v, 1, true)
		want(t, "tasks it knows of", v.Cells(), 1)
	})
}

func TestNotVisibleInChildrenUnlessInherited(t *testing.T) { // D94
	runtimetest.Run(t, 2, func() {
		var name local.Var[string]
		var number, unset local.Var[int]
		name.Set("parent")
		number.Set(1)
		check := func(wantName, ok bool) func() {
			return func() {
				got, has := name.Get()
				want(t, "name is seen", has && got == "parent", wantName)
				wantValue(t, &number, boolToInt(ok), ok)
				wantValue(t, &unset, 0, false)
				number.Set(2)
				name.Set("child")
			}
		}
		inherit := local.Inherit(check(true, true), &name, &number, &unset)
		restore := local.Capture(&number)
		name.Set("later")
		number.Set(3)
		for _, task := range []*runtime.Task{
			runtime.Spawn(check(false, false)),
			runtime.Spawn(local.Inherit(check(false, false))),
			runtime.Spawn(inherit),
			runtime.SpawnBalanced(inherit),
			&runtime.Async(func() (int, error) {
				restore()
				check(false, true)()
				return 0, nil
			}).Task,
		} {
			if err := task.Join(); err != nil {
				t.Error(err)
			}
		}
		wantValue(t, &number, 3, true)
	})
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestReleasedAtTheEnd(t *testing.T) { // D94
	runtimetest.Run(t, 1, func() {
		var v local.Var[*[100]int]
		var refs []weak.Pointer[[100]int]
		var tasks []*runtime.Task
		set := func() {
			value := new([100]int)
			refs = append(refs, weak.Make(value))
			v.Set(value)
		}
		for _, fn := range []func(){
			set,
			func() { set(); set(); v.Delete(); set() },
			func() { set(); _ = runtime.NewWaiter().Park("test") },
			func() { set(); goruntime.Goexit() },
			func() { defer set(); _ = runtime.NewWaiter().Park("test") },
		} {
			tasks = append(tasks, runtime.Spawn(fn))
		}
		runtime.Yield()
		for _, task := range tasks {
			task.Kill(nil)
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		want(t, "tasks it knows of", v.Cells(), 0)
		goruntime.GC()
		for _, ref := range refs {
			want(t, "value kept", ref.Value() != nil, false)
		}
		want(t, "values", len(refs), 7)
		goruntime.KeepAlive(tasks)
	})
}

func TestDeleteLetsGo(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var v local.Var[*[100]int]
		value := new([100]int)
		ref := weak.Make(value)
		v.Set(value)
		v.Delete()
		value = nil
		goruntime.GC()
		want(t, "value kept", ref.Value() != nil, false)
		// Set and Delete in a loop register one call with the task.
		for range 100 {
			v.Set(nil)
			v.Delete()
		}
		want(t, "tasks it knows of", v.Cells(), 1)
	})
}

func TestGetOrInit(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var v local.Var[int]
		calls := 0
		init := func() int { calls++; runtime.Yield(); return calls }
		want(t, "first", v.GetOrInit(init), 1)
		want(t, "second", v.GetOrInit(init), 1)
		wantValue(t, &v, 1, true)
		v.Delete()
		want(t, "after Delete", v.GetOrInit(init), 2)
		v.Set(0)
		want(t, "after Set to zero", v.GetOrInit(init), 0)
	})
}

// TestOutsideTasks is the same in a goroutine and on the hub.
func TestOutsideTasks(t *testing.T) {
	var v local.Var[int]
	outside := func() {
		wantValue(t, &v, 0, false)
		v.Delete()
		want(t, "GetOrInit", v.GetOrInit(func() int { return 7 }), 7)
		wantValue(t, &v, 0, false)
		local.Inherit(func() {}, &v)()
		defer func() { want(t, "panic", recover(), any("local: Set outside a task")) }()
		v.Set(1)
	}
	outside()
	runtimetest.Run(t, 1, func() {
		v.Set(1)
		task := runtime.Spawn(func() { v.Set(2) })
		task.OnDone(func(*runtime.Task) { outside() })
		_ = task.Join()
		wantValue(t, &v, 1, true)
	})
	// Those who join a task may go on a little before it is let go.
	runtimetest.Eventually(t, "the task is let go", func() bool { return v.Cells() == 0 })
}

// TestManyWorkers has tasks of more workers than there are shards.
func TestManyWorkers(t *testing.T) {
	rt := runtimetest.New(t, 10)
	var v local.Var[int]
	var failed atomic.Int64
	var tasks []*runtime.Task
	for i := range 1000 {
		tasks = append(tasks, rt.Workers()[i%10].Spawn(func() {
			for j := range 5 {
				v.Set(i + j)
				runtime.Yield()
				if got, ok := v.Get(); got != i+j || !ok {
					failed.Add(1)
				}
			}
			if i%3 == 0 {
				v.Delete()
			}
		}))
		if i%7 == 0 {
			tasks[i].Kill(nil)
		}
	}
	for _, task := range tasks {
		if err := task.Join(); err != nil && !errors.Is(err, runtime.ErrKilled) {
			t.Error(err)
		}
	}
	want(t, "wrong values", failed.Load(), 0)
	runtimetest.Eventually(t, "all are let go", func() bool { return v.Cells() == 0 })
}

func TestShardSize(t *testing.T) { want(t, "size", local.ShardSize, 64) }
