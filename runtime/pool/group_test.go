package pool_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestGroupMembers(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		a := g.Spawn(func() {})
		b := runtime.Spawn(park)
		g.Add(b)
		g.Add(b)
		want(t, "Len", g.Len(), 2)
		wantSlice(t, g.Tasks(), a, b)
		_ = a.Join()
		runtime.Yield()
		want(t, "an ended one is a member", g.Contains(a), false)
		g.Add(a)
		want(t, "an ended one was added", g.Contains(a), false)
		want(t, "Discard", g.Discard(b), true)
		want(t, "Discard again", g.Discard(b), false)
		want(t, "Len", g.Len(), 0)
		wantErr(t, "Join", g.Join(), nil)
		want(t, "the discarded one ended", b.Ended(), false)
		g.Add(b)
		b.Kill(nil)
		_ = b.Join()
		want(t, "Len", g.Len(), 0)
	})
}

func TestJoinOfAnEmptyGroup(t *testing.T) { // D71
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		yielded := false
		runtime.Spawn(func() { yielded = true })
		wantErr(t, "Join", g.Join(), nil)
		want(t, "Join waited", yielded, false)
		wantErr(t, "JoinUntil", g.JoinUntil(past), nil)
		g.Spawn(park)
		wantErr(t, "JoinUntil", g.JoinUntil(soon()), runtime.ErrTimeout)
		wantErr(t, "JoinUntil", g.JoinUntil(past), runtime.ErrTimeout)
		g.Kill(nil)
		wantErr(t, "Join", g.Join(), nil)
	})
}

func TestJoinWaitsForThoseAddedMeanwhile(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		last := false
		g.Spawn(func() {
			runtime.Yield()
			g.Spawn(func() {
				runtime.Yield()
				last = true
			})
		})
		wantErr(t, "Join", g.Join(), nil)
		want(t, "the last one ended", last, true)
	})
}

func TestJoinSwallowsErrorsUnlessAsked(t *testing.T) { // D72 D27
	quiet(t, 1, func() {
		var g pool.Group
		fails := func(name string, turns int) {
			g.Spawn(func() {
				for range turns {
					runtime.Yield()
				}
				panic(name)
			})
		}
		fails("late", 3)
		fails("early", 1)
		wantErr(t, "Join", g.Join(), nil)
		fails("late", 3)
		fails("early", 1)
		wantPanic(t, "JoinErr", g.JoinErr(0), "early")
		wantErr(t, "JoinErr when all is over", g.JoinErr(0), nil)

		g.Add(&runtime.Async(func() (int, error) { return 0, errOdd }).Task)
		wantErr(t, "JoinErr", g.JoinErr(0), errOdd)
		g.Spawn(park).Kill(nil)
		wantErr(t, "JoinErr of a clean kill", g.JoinErr(0), nil)
		g.Spawn(park).Kill(errCause)
		wantErr(t, "JoinErr of a kill with a cause", g.JoinErr(0), errCause)
		g.Spawn(park)
		wantErr(t, "JoinErr", g.JoinErr(soon()), runtime.ErrTimeout)
		g.Kill(nil)
	})
}

func TestKillOfAGroupKillsItsMembers(t *testing.T) { // D16 D17 D6
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		var order []string
		member := func(name string) {
			g.Spawn(func() {
				defer func() { order = append(order, name) }()
				park()
			})
		}
		member("a")
		member("b")
		member("c")
		settle()
		unstarted := g.Spawn(func() { t.Error("a killed task started") })
		other := runtime.Spawn(park)
		g.Kill(errCause)
		want(t, "Len at the return of Kill", g.Len(), 4)
		wantErr(t, "Join", g.Join(), nil)
		wantSlice(t, order, "a", "b", "c")
		wantErr(t, "result", unstarted.Err(), errCause)
		want(t, "another ended", other.Ended(), false)
		other.Kill(nil)
	})
}

func TestMemberKillsItsGroup(t *testing.T) { // D20
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		var errs [2]error
		self := g.Spawn(func() {
			runtime.Yield()
			g.Kill(errCause)
			t.Error("went on after killing itself")
		})
		g.Spawn(func() { errs[0] = runtime.NewWaiter().Park("test") })
		g.Spawn(func() { errs[1] = runtime.NewWaiter().Park("test") })
		wantErr(t, "Join", g.Join(), nil)
		for _, err := range append(errs[:], self.Err()) {
			wantErr(t, "killed", err, errCause)
		}
	})
}

func TestMemberJoinsItsGroup(t *testing.T) { // own behaviour 4
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		var err error
		g.Spawn(func() { err = g.Join() })
		wantErr(t, "Join", g.Join(), nil)
		wantErr(t, "Join by a member", err, runtime.ErrJoinSelf)
	})
}

func TestJoinerIsKilled(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var g pool.Group
		g.Spawn(park)
		var err error
		joiner := runtime.Spawn(func() { err = g.Join() })
		settle()
		joiner.Kill(errCause)
		_ = joiner.Join()
		wantErr(t, "Join", err, errCause)
		want(t, "listed", g.Joining(), 0)
		g.Kill(nil)
	})
}

// TestGroupOfManyWorkers is joined from a goroutine and from a task.
func TestGroupOfManyWorkers(t *testing.T) {
	rt := runtimetest.New(t, 4)
	var g pool.Group
	g.PlaceBy(rt.Spawn)
	for i := range 200 {
		if i%2 == 0 {
			g.Spawn(park)
		} else {
			g.Spawn(runtime.Yield)
		}
	}
	joined := make(chan error)
	rt.Spawn(func() {
		err := g.Join()
		go func() { joined <- err }()
	})
	g.Kill(nil)
	wantErr(t, "Join", g.Join(), nil)
	wantErr(t, "Join", <-joined, nil)
	want(t, "Len", g.Len(), 0)
}

// TestGroupOnAnEndedRuntime has tasks that are refused.
func TestGroupOnAnEndedRuntime(t *testing.T) { // own behaviour 5
	rt := runtimetest.New(t, 2)
	var g pool.Group
	p := pool.New(1)
	g.PlaceBy(rt.Spawn)
	p.PlaceBy(rt.Spawn)
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	task := g.Spawn(func() { t.Error("started") })
	wantErr(t, "Join", g.Join(), nil)
	wantErr(t, "result", task.Err(), runtime.ErrStopped)
	for range 3 {
		task, err := p.Spawn(func() { t.Error("started") })
		wantErr(t, "Spawn", err, nil)
		wantErr(t, "result", task.Err(), runtime.ErrStopped)
	}
	want(t, "Free", p.Free(), 1)
	_, err := pool.Map(p, numbers(3), func(int) (int, error) { return 0, nil })
	wantErr(t, "Map", err, runtime.ErrStopped)
	for _, err := range pool.IMap(p, 1, numbers(3), func(int) (int, error) { return 0, nil }) {
		wantErr(t, "IMap", err, runtime.ErrStopped)
	}
	_, err = pool.ApplyAsync(p, func() (int, error) { return 0, nil }).Get()
	wantErr(t, "ApplyAsync", err, runtime.ErrStopped)
}

// TestStopEndsEverything stops a runtime whose tasks wait in every way.
func TestStopEndsEverything(t *testing.T) {
	rt := runtimetest.New(t, 2)
	p := pool.New(1)
	p.PlaceBy(rt.Spawn)
	spawn(t, p, park)
	var errs [4]error
	calls := []func() error{
		func() error { _, err := p.Spawn(park); return err },
		func() error { return p.Join() },
		func() error {
			_, err := pool.Map(p, numbers(2), func(int) (int, error) { return 0, nil })
			return err
		},
		func() error {
			for _, err := range pool.IMap(p, 0, numbers(2), func(int) (int, error) { return 0, nil }) {
				return err
			}
			return nil
		},
	}
	var tasks []*runtime.Task
	for i, call := range calls {
		tasks = append(tasks, rt.Spawn(func() { errs[i] = call() }))
	}
	runtimetest.Eventually(t, "three wait for a slot", func() bool { return p.Waiting() == 3 && p.Joining() == 1 })
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, task := range tasks {
		want(t, "ended", task.Ended(), true)
		// The first may get the slot just in time, the second may see all end.
		if i >= 2 && !errors.Is(errs[i], runtime.ErrStopped) {
			t.Errorf("call %d: %v", i, errs[i])
		}
	}
	want(t, "Free", p.Free(), 1)
	want(t, "waiting", p.Waiting()+p.Joining(), 0)
}

// TestStopSurfacesInALoop has a goroutine loop over the results of tasks that a
// Stop keeps from being started.
func TestStopSurfacesInALoop(t *testing.T) { // D75
	rt := runtimetest.New(t, 1)
	p := pool.New(0)
	p.PlaceBy(rt.Spawn)
	stopped := make(chan error)
	go func() {
		for p.Waiting() == 0 {
			goruntime.Gosched()
		}
		stopped <- rt.Stop(context.Background())
	}()
	_, errs := collect(pool.IMap(p, 0, numbers(1), backwards))
	wantErr(t, "Stop", <-stopped, nil)
	if len(errs) != 1 {
		t.Fatal(errs)
	}
	wantErr(t, "the loop's last error", errs[0], runtime.ErrStopped)
}
