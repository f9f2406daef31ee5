package pool_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestApply(t *testing.T) {
	quiet(t, 1, func() {
		p := pool.New(1)
		var task *runtime.Task
		v, err := pool.Apply(p, func() (string, error) { task = runtime.Current(); return "done", errOdd })
		want(t, "value", v, "done")
		wantErr(t, "Apply", err, errOdd)
		want(t, "ran in a task of its own", task != runtime.Current() && task.Ended(), true)
		_, err = pool.Apply(p, func() (int, error) { panic("odd") })
		wantPanic(t, "Apply", err, "odd")
		_, err = pool.Apply(p, func() (int, error) { runtime.Current().Kill(errCause); return 0, nil })
		wantErr(t, "Apply", err, errCause)
		want(t, "Free", p.Free(), 1)
	})
}

func TestApplyFromAMember(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		v, err := pool.Apply(p, func() (int, error) {
			self := runtime.Current()
			return pool.Apply(p, func() (int, error) {
				want(t, "called directly", runtime.Current(), self)
				return 42, nil
			})
		})
		want(t, "value", v, 42)
		wantErr(t, "Apply", err, nil)
	})
}

func TestApplyAsync(t *testing.T) {
	quiet(t, 1, func() {
		for _, spawner := range spawners {
			p := spawner()
			first := pool.ApplyAsync(p, func() (int, error) { runtime.Yield(); return 1, nil })
			second := pool.ApplyAsync(p, func() (int, error) { return 2, errOdd })
			third := pool.ApplyAsync(p, func() (int, error) { panic("odd") })
			want(t, "Ready", first.Ready(), false)
			var called []int
			first.OnDone(func(r *pool.Result[int]) {
				v, err := r.Get()
				wantErr(t, "Get in OnDone", err, nil)
				called = append(called, v)
			})
			v, err := second.Get()
			want(t, "value", v, 2)
			wantErr(t, "Get", err, errOdd)
			_, err = third.Get()
			wantPanic(t, "Get", err, "odd")
			v, err = first.Get()
			want(t, "value", v, 1)
			wantErr(t, "Get", err, nil)
			want(t, "Ready", first.Ready(), true)
			wantSlice(t, called, 1)
		}
	})
}

// TestApplyAsyncOnAFullPool does not wait, whatever becomes of it later.
func TestApplyAsyncOnAFullPool(t *testing.T) {
	quiet(t, 1, func() {
		p := pool.New(1)
		running := spawn(t, p, park)
		started := 0
		call := func() *pool.Result[int] {
			return pool.ApplyAsync(p, func() (int, error) {
				started++
				err := runtime.NewWaiter().Park("test")
				wantErr(t, "kill", err, errCause)
				return started, err
			})
		}
		unstarted, waits, runs := call(), call(), call()
		want(t, "Free", p.Free(), 0)
		want(t, "Len", p.Len(), 4)
		unstarted.Kill(errCause)
		_, err := unstarted.Get()
		wantErr(t, "killed before its task started", err, errCause)
		settle()
		want(t, "waiting for a slot", p.Waiting(), 2)
		waits.Kill(errCause)
		_, err = waits.Get()
		wantErr(t, "killed while it waits for a slot", err, errCause)
		_, err = runs.GetUntil(soon())
		wantErr(t, "GetUntil", err, runtime.ErrTimeout)
		running.Kill(nil)
		settle()
		want(t, "started", started, 1)
		runs.Kill(errCause)
		v, err := runs.Get()
		want(t, "the function's own value", v, 1)
		wantErr(t, "killed while it runs", err, errCause)
		want(t, "Free", p.Free(), 1)
		want(t, "Len", p.Len(), 0)
	})
}

// TestKillOfAPoolWithWaitingCalls ends those as well.
func TestKillOfAPoolWithWaitingCalls(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		spawn(t, p, park)
		late := pool.ApplyAsync(p, func() (int, error) { t.Error("started"); return 0, nil })
		settle()
		p.Kill(errCause)
		wantErr(t, "Join", p.Join(), nil)
		_, err := late.Get()
		wantErr(t, "Get", err, errCause)
	})
}

func TestGetterOfAResultIsKilled(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		p := pool.New(1)
		r := pool.ApplyAsync(p, func() (int, error) { runtime.Yield(); runtime.Yield(); runtime.Yield(); return 1, nil })
		getter := runtime.Spawn(func() {
			_, err := r.Get()
			wantErr(t, "killed Get", err, errCause)
		})
		runtime.Yield()
		getter.Kill(errCause)
		_ = getter.Join()
		want(t, "Ready", r.Ready(), false)
		v, err := r.Get()
		want(t, "value", v, 1)
		wantErr(t, "Get", err, nil)
	})
}
