package runtime_test

import (
	"errors"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// use locks g n times, and adds to *sum without any other protection.
func use(g *runtime.Guard, sum *int, n int) {
	for range n {
		g.Lock()
		*sum++
		g.Unlock()
	}
}

// A guard that one worker alone uses becomes its own, and another party takes
// that back.
func TestGuardIsBiasedAndRevoked(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var g runtime.Guard
		sum, uses := 0, 0
		if !biased(t, &g, &sum, &uses) {
			t.Skip("guards are never biased here")
		}
		var wg sync.WaitGroup
		wg.Go(func() { use(&g, &sum, 1); uses++ })
		if err := runtime.Offload(wg.Wait); err != nil {
			t.Fatal(err)
		}
		if g.Biased() {
			t.Error("biased after a goroutine's use")
		}
		if sum != uses {
			t.Errorf("%d uses, want %d", sum, uses)
		}
	})
}

// biased uses g until it is biased.
func biased(t *testing.T, g *runtime.Guard, sum, uses *int) bool {
	if !runtime.MayBias {
		return false
	}
	runtimetest.Eventually(t, "a biased guard", func() bool {
		use(g, sum, 1)
		*uses++
		return g.Biased()
	})
	return true
}

// Nothing that a guard protects is lost while it changes hands: tasks of one
// worker, to which it is biased again and again, a task of another worker, and a
// goroutine.
func TestGuardExcludes(t *testing.T) {
	const revocations = 500
	rt := runtimetest.New(t, 2)
	var g runtime.Guard
	var parts [8]int // all equal while g is not held
	var over atomic.Bool
	var spun atomic.Int64
	use := func(pause int) {
		g.Lock()
		for i := range parts {
			parts[i]++
			for range pause {
				spun.Add(1)
			}
		}
		g.Unlock()
	}
	var made atomic.Int64
	owner := func() {
		n := 0
		for ; !over.Load(); n++ {
			use(n % 8 * 100) // up to some 30 microseconds, longer than a membarrier takes
			if n%100 == 0 {
				runtime.Yield()
			}
		}
		made.Add(int64(n))
	}
	revoke := func() {
		for range revocations {
			use(0)
			g.Lock()
			g.Unbias()
			g.Unlock()
			goruntime.Gosched()
		}
		made.Add(revocations)
	}
	owners := []*runtime.Task{rt.Workers()[0].Spawn(owner), rt.Workers()[0].Spawn(owner)}
	other := rt.Workers()[1].Spawn(revoke)
	var wg sync.WaitGroup
	wg.Go(revoke)
	wg.Wait()
	if err := other.Join(); err != nil {
		t.Error(err)
	}
	over.Store(true)
	for _, p := range owners {
		if err := p.Join(); err != nil {
			t.Error(err)
		}
	}
	for i, n := range parts {
		if int64(n) != made.Load() {
			t.Errorf("part %d: %d uses counted, %d made", i, n, made.Load())
		}
	}
}

// On the hub a guard works as in a task of its worker.
func TestGuardOnTheHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var g runtime.Guard
	sum := 0
	var done atomic.Int64
	for range 300 {
		rt.Workers()[0].Post(func() { use(&g, &sum, 1); done.Add(1) })
	}
	runtimetest.Eventually(t, "all posts", func() bool { return done.Load() == 300 })
	g.Lock()
	defer g.Unlock()
	if sum != 300 {
		t.Errorf("%d uses, want 300", sum)
	}
}

// A Caller's waiter, in a task that swallowed its kill, returns from Park and
// leaves the unwinding to Resume.
func TestCallersWaiterResumes(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var g runtime.Guard
		var cleaned, passed bool
		task := runtime.Spawn(func() {
			func() {
				defer func() { _ = recover() }()
				runtime.Sleep(runtimetest.Patience)
			}()
			c := g.Lock()
			w := c.NewWaiter()
			g.Unlock()
			err := w.Park("test")
			cleaned = err != nil
			runtime.Resume(err)
			passed = true
		})
		runtime.Yield()
		task.Kill(nil)
		if err := task.Join(); !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("ended with %v", err)
		}
		if !cleaned || passed {
			t.Errorf("cleaned up: %v, went on: %v", cleaned, passed)
		}
	})
}
