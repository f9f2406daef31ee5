package pool_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestStress has tasks of four workers and goroutines spawn into one pool, some
// giving up, and others kill its tasks: never do more run than there are slots,
// and none is lost.
func TestStress(t *testing.T) { // D69 D70
	rt := quietRuntime(t, 4)
	const size, parties, rounds = 3, 9, 150
	p := pool.New(size)
	p.PlaceBy(rt.Spawn)
	var running, spawned, ended atomic.Int64
	work := func(i int) func() {
		return func() {
			if n := running.Add(1); n > size {
				t.Errorf("%d run at once", n)
			}
			defer running.Add(-1)
			switch i % 4 {
			case 0:
				panic("in a task")
			case 1:
				runtime.Sleep(20 * time.Microsecond)
			case 2:
				park()
			}
		}
	}
	stop := make(chan struct{})
	var killers sync.WaitGroup
	killers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, task := range p.Tasks() {
				task.Kill(nil)
			}
			time.Sleep(50 * time.Microsecond)
		}
	})
	var wg sync.WaitGroup
	for i := range parties {
		party := func() {
			for r := range rounds {
				task, err := p.SpawnUntil(work(i+r), runtime.Now().Add(time.Duration(r*i%40)*10*time.Microsecond))
				switch {
				case err == nil:
					spawned.Add(1)
					task.OnDone(func(*runtime.Task) { ended.Add(1) })
				case !errors.Is(err, pool.ErrFull):
					t.Error(err)
				}
			}
		}
		if i%3 == 0 {
			wg.Go(party)
			continue
		}
		wg.Add(1)
		rt.Workers()[i%4].Spawn(func() { defer wg.Done(); party() })
	}
	wg.Wait()
	wantErr(t, "Join", p.Join(), nil)
	close(stop)
	killers.Wait()
	runtimetest.Eventually(t, "every end is told", func() bool { return ended.Load() == spawned.Load() })
	want(t, "Free", p.Free(), size)
	want(t, "Len", p.Len(), 0)
	want(t, "waiting", p.Waiting(), 0)
}

// TestStressMaps has many maps share one pool, some of which are left early.
func TestStressMaps(t *testing.T) { // D73 D76
	rt := runtimetest.New(t, 4)
	p := pool.New(4)
	p.PlaceBy(rt.Spawn)
	var running atomic.Int64
	fn := func(i int) (int, error) {
		if n := running.Add(1); n > 4 {
			t.Errorf("%d run at once", n)
		}
		defer running.Add(-1)
		runtime.Yield()
		return i, nil
	}
	var tasks []*runtime.Task
	for i := range 8 {
		tasks = append(tasks, rt.Workers()[i%4].Spawn(func() {
			for round := range 5 {
				sum := 0
				for v, err := range pool.IMapUnordered(p, i%3, numbers(30), fn) {
					wantErr(t, "IMapUnordered", err, nil)
					if sum += v; round == 1 && v > 20 {
						break
					}
				}
				if round != 1 {
					want(t, "sum", sum, 435)
				}
				next := 0
				for v, err := range pool.IMap(p, i%3, numbers(30), fn) {
					wantErr(t, "IMap", err, nil)
					want(t, "IMap", v, next)
					if next++; round == 1 && v > 20 {
						break
					}
				}
			}
		}))
	}
	for _, task := range tasks {
		wantErr(t, "Join", task.Join(), nil)
	}
	wantErr(t, "Join", p.Join(), nil)
	want(t, "Free", p.Free(), 4)
}
