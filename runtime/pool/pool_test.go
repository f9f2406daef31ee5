package pool_test

import (
	goruntime "runtime"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestSpawnWaitsExactlyUntilASlotIsFree(t *testing.T) { // D69
	runtimetest.Run(t, 1, func() {
		p := pool.New(2)
		spawn(t, p, park)
		second := spawn(t, p, park)
		want(t, "Full", p.Full(), true)
		var third *runtime.Task
		spawner := runtime.Spawn(func() { third = spawn(t, p, park) })
		settle()
		want(t, "spawned while full", spawner.Ended(), false)
		want(t, "Len", p.Len(), 2)
		second.Kill(nil)
		_ = second.Join()
		_ = spawner.Join()
		wantSlice(t, p.Tasks()[1:], third)
		want(t, "Free", p.Free(), 0)
		p.Kill(nil)
		_ = p.Join()
		want(t, "Free", p.Free(), 2)
	})
}

func TestSlotsGoInOrder(t *testing.T) { // D69
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		first := spawn(t, p, park)
		var order []int
		for i := range 5 {
			runtime.Spawn(func() { spawn(t, p, func() { order = append(order, i) }) })
		}
		settle()
		first.Kill(nil)
		_ = first.Join()
		_, err := p.TrySpawn(func() {})
		wantErr(t, "TrySpawn of one that overtakes", err, pool.ErrFull)
		for len(order) < 5 {
			runtime.Yield()
		}
		wantSlice(t, order, 0, 1, 2, 3, 4)
	})
}

func TestFull(t *testing.T) { // D69
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		never := func() { t.Error("started") }
		running, err := p.TrySpawn(park)
		wantErr(t, "TrySpawn", err, nil)
		_, err = p.TrySpawn(never)
		wantErr(t, "TrySpawn", err, pool.ErrFull)
		for _, deadline := range []runtime.Instant{past, soon()} {
			_, err = p.SpawnUntil(never, deadline)
			wantErr(t, "SpawnUntil", err, pool.ErrFull)
		}
		err = runtime.WithTimeout(time.Millisecond, func() error {
			_, err := p.Spawn(never)
			return err
		})
		wantErr(t, "Spawn in WithTimeout", err, runtime.ErrTimeout)
		killed := runtime.Spawn(func() {
			_, err := p.Spawn(never)
			wantErr(t, "killed Spawn", err, errCause)
		})
		settle()
		killed.Kill(errCause)
		running.Kill(nil) // its slot must not go to the one killed
		_ = killed.Join()
		want(t, "waiting", p.Waiting(), 0)
		want(t, "Free", p.Free(), 1)
	})
}

func TestSlotIsFreeAgain(t *testing.T) { // D70
	rt := runtimetest.NewConfig(t, runtime.Config{
		Workers: 1,
		OnPanic: func(*runtime.Task, *runtime.PanicError) { panic("the report fails, too") },
	})
	runtimetest.RunOn(t, rt, func() {
		p := pool.New(1)
		for what, end := range map[string]func(){
			"return":                 func() { spawn(t, p, func() {}) },
			"panic":                  func() { spawn(t, p, func() { panic("in a task") }) },
			"Goexit":                 func() { spawn(t, p, goruntime.Goexit) },
			"kill":                   func() { task := spawn(t, p, park); settle(); task.Kill(nil) },
			"kill before the start":  func() { spawn(t, p, park).Kill(nil) },
			"discarded":              func() { task := spawn(t, p, park); p.Discard(task); task.Kill(nil) },
			"one from elsewhere":     func() { _ = p.Add(runtime.Spawn(func() {})) },
			"one that has ended":     func() { task := runtime.Spawn(func() {}); _ = task.Join(); _ = p.Add(task) },
			"one that is not a task": func() { _ = recovered(func() { spawnBy(p, nil) }) },
			"killed while it waits": func() {
				task := spawn(t, p, park)
				waits := runtime.Spawn(func() { _, _ = p.Spawn(func() {}) })
				settle()
				waits.Kill(nil)
				task.Kill(nil)
				_ = waits.Join()
			},
		} {
			end()
			_ = p.Join()
			runtime.Yield()
			if p.Free() != 1 || p.Len() != 0 {
				t.Fatalf("after %s: %d free slots, %d members", what, p.Free(), p.Len())
			}
		}
	})
}

// spawnBy spawns where place panics.
func spawnBy(p *pool.Pool, _ func()) {
	p.PlaceBy(func(func()) *runtime.Task { panic("no place") })
	defer p.PlaceBy(nil)
	_, _ = p.Spawn(func() {})
}

func recovered(fn func()) (r any) {
	defer func() { r = recover() }()
	fn()
	return nil
}

func TestAddTakesASlot(t *testing.T) { // D69
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		task := runtime.Spawn(park)
		wantErr(t, "Add", p.Add(task), nil)
		wantErr(t, "Add of a member", p.Add(task), nil)
		want(t, "Free", p.Free(), 0)
		other := runtime.Spawn(park)
		adder := runtime.Spawn(func() { wantErr(t, "Add", p.Add(other), nil) })
		settle()
		want(t, "added while full", p.Contains(other), false)
		p.Discard(task)
		_ = adder.Join()
		want(t, "added", p.Contains(other), true)
		want(t, "Free", p.Free(), 0)
		task.Kill(nil)
		p.Kill(nil)
	})
}

// TestAddOfOneThatEndsMeanwhile has it end while Add waits, and when it has a
// slot.
func TestAddOfOneThatEndsMeanwhile(t *testing.T) { // D70
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		first := spawn(t, p, park)
		task := runtime.Spawn(park)
		adder := runtime.Spawn(func() { wantErr(t, "Add", p.Add(task), nil) })
		settle()
		task.Kill(nil)
		_ = task.Join()
		first.Kill(nil)
		_ = adder.Join()
		want(t, "Len", p.Len(), 0)
		want(t, "Free", p.Free(), 1)
	})
}

func TestPoolOfNone(t *testing.T) { // D76
	runtimetest.Run(t, 1, func() {
		var zero pool.Pool
		for _, p := range []*pool.Pool{pool.New(0), &zero} {
			want(t, "Size", p.Size(), 0)
			want(t, "Full", p.Full(), true)
			_, err := p.TrySpawn(park)
			wantErr(t, "TrySpawn", err, pool.ErrFull)
			_, err = p.SpawnUntil(park, soon())
			wantErr(t, "SpawnUntil", err, pool.ErrFull)
			wantErr(t, "Join", p.Join(), nil)
			want(t, "Len", p.Len(), 0)
		}
	})
}

func TestNegativeSize(t *testing.T) { // D76
	want(t, "New", recovered(func() { pool.New(-1) }), any("pool: negative size"))
	want(t, "IMap", recovered(func() { pool.IMap[int, int](pool.New(1), -1, nil, nil) }), any("pool: negative maxsize"))
}

func TestSwallowedKillInSpawn(t *testing.T) { // own behaviour 2
	runtimetest.Run(t, 1, func() {
		p := pool.New(0)
		task := runtime.Spawn(func() {
			func() {
				defer func() { _ = recover() }()
				runtime.Sleep(time.Hour)
			}()
			_, _ = p.Spawn(park)
			t.Error("went on")
		})
		settle()
		task.Kill(nil)
		wantErr(t, "Join", task.Join(), runtime.ErrKilled)
		want(t, "waiting", p.Waiting(), 0)
	})
}
