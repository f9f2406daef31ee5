package process

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goruntime "runtime"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

var (
	square = Register("test square", func(n int) (int, error) { return n * n, nil })
	shout  = Register("test shout", func(s string) (string, error) { return strings.ToUpper(s), nil })
	power  = Register2("test power", func(n, e int) (int, error) {
		r := 1
		for range e {
			r *= n
		}
		return r, nil
	})
	odd = Register("test odd", func(n int) (int, error) {
		if n%2 == 0 {
			return 0, fmt.Errorf("%d is even: %w", n, errKnown)
		}
		return n, nil
	})
	dieAt = Register("test die at", func(a dieArgs) (int, error) {
		if a.N == a.At {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
			forever()
		}
		return a.N, nil
	})
	exitJob   = Register("test exit job", func(code int) (int, error) { os.Exit(code); return 0, nil })
	goexit    = Register("test goexit", func(int) (int, error) { goruntime.Goexit(); return 0, nil })
	workerPID = Register("test pid", func(struct{}) (int, error) { return os.Getpid(), nil })
	initOK    = Register("test init", func(n int) (int, error) { initialised.Add(int32(n)); return 0, nil })
	initFails = Register("test init fails", func(int) (int, error) { return 0, errKnown })
	initDies  = Register("test init dies", func(int) (int, error) { os.Exit(9); return 0, nil })
	isInit    = Register("test is init", func(struct{}) (int, error) { return int(initialised.Load()), nil })
	anyJob    = Register("test any job", func(v any) (any, error) { return v, nil })
	funcJob   = Register("test func job", func(n int) (any, error) {
		if n == 3 {
			return func() {}, nil
		}
		return n, nil
	})
	oddError = Register("test odd error", func(int) (int, error) { return 0, strange{func() {}} })
	block    = Register("test block", func(e *Event) (int, error) { return 1, e.Wait() })
)

type dieArgs struct{ N, At int }

var initialised atomic.Int32

// A strange error can't be encoded but as text.
type strange struct{ F func() }

func (strange) Error() string { return "strange" }

func withPool(t *testing.T, workers int, fn func(p *Pool), options ...PoolOption) {
	t.Helper()
	inTask(t, func() {
		p := ok(NewPool(workers, options...))
		fn(p)
		p.Close()
		check(t, p.Join())
	})
}

func TestPoolApply(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		want(t, "apply", ok(Apply(p, square, 7)), 49)
		want(t, "apply", ok(Apply(p, shout, "a")), "A")
		_, err := Apply(p, odd, 2)
		wantErr(t, "error", err, errKnown)
		_, err = Apply(p, panics, "oh")
		var r *RemoteError
		if !errors.As(err, &r) || !r.Panic || !strings.Contains(r.Stack, "main_test.go") {
			t.Errorf("panic: %v", err)
		}
		want(t, "after a panic", ok(Apply(p, square, 2)), 4)
	})
}

func TestPoolMap(t *testing.T) {
	withPool(t, 3, func(p *Pool) {
		for _, n := range []int{0, 1, 2, 10, 1000, 100_000} {
			args := make([]int, n)
			for i := range args {
				args[i] = i
			}
			got := ok(Map(p, square, args))
			if len(got) != n {
				t.Fatalf("%d results of %d", len(got), n)
			}
			for i, v := range got {
				if v != i*i {
					t.Fatalf("result %d of %d: %d", i, n, v)
				}
			}
		}
		words := strings.Fields("all these words of some length")
		got := ok(Map(p, shout, slices.Repeat(words, 5000)))
		if len(got) != 5000*len(words) || strings.Join(got[:len(words)], " ") != "ALL THESE WORDS OF SOME LENGTH" {
			t.Errorf("%d words, %v", len(got), got[:len(words)])
		}
		big := ok(Map(p, shout, []string{strings.Repeat("x", 3_000_000), "y"}))
		if len(big[0]) != 3_000_000 || big[1] != "Y" {
			t.Error("a long argument")
		}
		_, err := Map(p, odd, []int{1, 3, 4, 5})
		wantErr(t, "error of a job", err, errKnown)
		powers := ok(StarMap(p, power, maps.All(map[int]int{2: 10})))
		want(t, "starmap", fmt.Sprint(powers), "[1024]")
		star := ok(ok(StarMapAsync(p, power, slices.All([]int{3, 2, 1}))).Get()) // 0^3, 1^2, 2^1
		want(t, "starmap", fmt.Sprint(star), "[0 1 2]")
	})
}

// TestPoolAsync: callbacks run in tasks of the parent, and a slow one delays nobody.
func TestPoolAsync(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		var release runtimeEvent
		slow := ok(ApplyAsync(p, square, 2)).OnSuccess(func(int) { release.wait() })
		results := make(chan int, 1)
		errs := make(chan error, 1)
		a := ok(ApplyAsync(p, square, 3)).OnSuccess(func(n int) { results <- n }).OnError(func(err error) { errs <- err })
		want(t, "result", ok(a.Get()), 9)
		want(t, "ready", a.Ready(), true)
		want(t, "again", ok(a.Get()), 9)
		b := ok(ApplyAsync(p, odd, 4)).OnSuccess(func(n int) { results <- n }).OnError(func(err error) { errs <- err })
		_, err := b.Get()
		wantErr(t, "error", err, errKnown)
		runtimetest.Eventually(t, "the callbacks", func() bool { return len(results) == 1 && len(errs) == 1 })
		want(t, "callback", <-results, 9)
		wantErr(t, "error callback", <-errs, errKnown)
		release.set()
		ok(slow.Get())

		e := ok(NewEvent(Here))
		r := ok(ApplyAsync(p, block, e))
		_, err = r.GetUntil(soon())
		wantErr(t, "timeout", err, runtime.ErrTimeout)
		want(t, "ready", r.Ready(), false)
		check(t, e.Set())
		ready := ok(runtime.Wait(1, 0, r))
		want(t, "waited for", len(ready), 1)
		want(t, "result", ok(r.Get()), 1)
		m := ok(MapAsync(p, square, []int{1, 2, 3}))
		want(t, "map", fmt.Sprint(ok(m.Get())), "[1 4 9]")
		check(t, e.Close())
	})
}

type runtimeEvent struct{ set_ atomic.Bool }

func (e *runtimeEvent) set() { e.set_.Store(true) }
func (e *runtimeEvent) wait() {
	for !e.set_.Load() {
		runtime.Sleep(time.Millisecond)
	}
}

func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestPoolIMap(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		for _, maxsize := range []int{0, 1, 7, 1000} {
			i := 0
			for v, err := range IMap(p, maxsize, count(3000), square) {
				check(t, err)
				if v != i*i {
					t.Fatalf("maxsize %d, result %d: %d", maxsize, i, v)
				}
				i++
			}
			want(t, "results", i, 3000)
			sum := 0
			for v, err := range IMapUnordered(p, maxsize, count(1000), square) {
				check(t, err)
				sum += v
			}
			want(t, "sum", sum, 332833500)
		}
		var errs, n int
		for v, err := range IMap(p, 10, count(100), odd) {
			if err != nil {
				wantErr(t, "element", err, errKnown)
				errs++
			} else {
				want(t, "element", v, n)
			}
			n++
		}
		want(t, "errors", errs, 50)
		for range IMap(p, 10, count(0), odd) {
			t.Error("an element of nothing")
		}
		// Left early; the generator is never far ahead.
		made := 0
		for v := range IMap(p, 4, func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
				made++
			}
		}, square) {
			if v == 100 {
				break
			}
		}
		if made > 20 {
			t.Errorf("%d elements were made", made)
		}
		last := error(nil)
		stderr := quiet(t) // the panic is reported, too
		for _, err := range IMap(p, 4, func(func(int) bool) { panic("in the generator") }, square) {
			last = err
		}
		stderr()
		var panicked *runtime.PanicError
		if !errors.As(last, &panicked) {
			t.Errorf("panic of the generator: %v", last)
		}
	})
}

// TestPoolIMapFeedback: an element is not held back for those that follow, for which the generator may
// have to wait.
func TestPoolIMapFeedback(t *testing.T) {
	withPool(t, 1, func(p *Pool) {
		e := ok(NewEvent(Here))
		var all event.Event
		in := func(yield func(*Event) bool) {
			for range 3 { // the second and the third find the worker busy
				if !yield(e) {
					return
				}
			}
			check(t, e.Set())
			if err := all.WaitUntil(runtime.Now().Add(runtimetest.Patience)); err != nil {
				t.Errorf("not all have a result: %v", err)
			}
		}
		n := 0
		for _, err := range IMap(p, 0, in, block) {
			check(t, err)
			if n++; n == 3 {
				all.Set()
			}
		}
		want(t, "results", n, 3)
		check(t, e.Close())
	})
}

func TestPoolEnds(t *testing.T) {
	inTask(t, func() {
		p := ok(NewPool(2))
		wantErr(t, "join before close", p.Join(), ErrRunning)
		r := ok(MapAsync(p, square, []int{1, 2, 3}))
		p.Close()
		_, err := ApplyAsync(p, square, 1)
		wantErr(t, "after close", err, ErrPoolClosed)
		check(t, p.Join())
		want(t, "jobs from before", fmt.Sprint(ok(r.Get())), "[1 4 9]")
		want(t, "workers", len(p.Workers()), 0)
		p.Terminate() // of an ended pool: nothing
		check(t, p.Join())
	})
}

func TestPoolInitializer(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		for range 10 {
			want(t, "initialised", ok(Apply(p, isInit, struct{}{})), 5)
		}
	}, Initializer(initOK, 5))
}

func TestPoolMaxTasks(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		jobs := make(map[int]int)
		for range 10 {
			jobs[ok(Apply(p, workerPID, struct{}{}))]++
		}
		for _, pid := range ok(Map(p, workerPID, make([]struct{}, 21))) {
			jobs[pid]++
		}
		total := 0
		for pid, n := range jobs {
			if n > 3 {
				t.Errorf("worker %d has done %d jobs", pid, n)
			}
			total += n
		}
		want(t, "jobs", total, 31)
	}, MaxTasksPerChild(3))
}
