package process

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goruntime "runtime"

	"github.com/weft-go/weft/runtime"
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

// TestPoolWorkerKilled: the job that a dying worker runs fails, all others are done. Python's
// Pool.map never returns.
func TestPoolWorkerKilled(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		before := p.Workers()
		args := make([]dieArgs, 200)
		for i := range args {
			args[i] = dieArgs{i, 100}
		}
		errs := 0
		for v, err := range IMapUnordered(p, 0, slices.Values(args), dieAt) {
			var died *WorkerDiedError
			switch {
			case err == nil:
				if v == 100 {
					t.Error("the dead one has a result")
				}
			case errors.As(err, &died):
				want(t, "exit code", died.ExitCode, -9)
				errs++
			default:
				t.Error(err)
			}
		}
		if errs == 0 || errs > 100 {
			t.Errorf("%d jobs failed", errs)
		}
		_, err := Map(p, dieAt, args)
		var died *WorkerDiedError
		if !errors.As(err, &died) {
			t.Errorf("Map: %v", err)
		}
		_, err = Apply(p, exitJob, 5)
		if !errors.As(err, &died) || died.ExitCode != 5 {
			t.Errorf("os.Exit in a job: %v", err)
		}
		want(t, "after that", ok(Apply(p, square, 5)), 25)
		runtimetest.Eventually(t, "new workers", func() bool { return len(p.Workers()) == 2 })
		for _, w := range p.Workers() {
			if slices.Contains(before, w) && !w.Alive() {
				t.Error("a dead worker was not replaced")
			}
		}
	})
}

// TestPoolWorkerKilledFromOutside: exactly the job that the killed worker ran fails; the
// other worker's, and those that wait, are done.
func TestPoolWorkerKilledFromOutside(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		e := ok(NewEvent(Here))
		barrier := ok(NewBarrier(Here, 3))
		running := []*AsyncResult[int]{ok(ApplyAsync(p, meetThenBlock, meetArgs{barrier, e})), ok(ApplyAsync(p, meetThenBlock, meetArgs{barrier, e}))}
		waiting := ok(MapAsync(p, square, []int{1, 2, 3}))
		ok(barrier.Wait()) // both run
		check(t, p.Workers()[0].Kill())
		done := ok(runtime.Wait(1, 0, running...))
		_, err := done[0].Get()
		var died *WorkerDiedError
		if !errors.As(err, &died) {
			t.Errorf("the killed worker's job: %v", err)
		}
		want(t, "jobs that waited", fmt.Sprint(ok(waiting.Get())), "[1 4 9]")
		check(t, e.Set())
		for _, r := range running {
			if r != done[0] {
				want(t, "the other worker's job", ok(r.Get()), 1)
			}
		}
		check(t, e.Close())
		check(t, barrier.Close())
	})
}

type meetArgs struct {
	Barrier *Barrier
	Event   *Event
}

var meetThenBlock = Register("test meet then block", func(a meetArgs) (int, error) {
	if _, err := a.Barrier.Wait(); err != nil {
		return 0, err
	}
	return 1, a.Event.Wait()
})

// TestPoolIdleWorkersSteal: jobs that wait behind a long one go to a worker that has nothing
// to do.
func TestPoolSteals(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		e := ok(NewEvent(Here))
		args := make([]blockArgs, 1000)
		args[0].Event = e
		r := ok(MapAsync(p, blockFirst, args))
		other := ok(MapAsync(p, square, []int{2}))
		want(t, "a later job", fmt.Sprint(ok(other.Get())), "[4]") // so all but the first are done
		check(t, e.Set())
		want(t, "results", len(ok(r.Get())), 1000)
		check(t, e.Close())
	})
}

type blockArgs struct{ Event *Event }

var blockFirst = Register("test block first", func(a blockArgs) (int, error) {
	if a.Event != nil {
		return 0, a.Event.Wait()
	}
	return 0, nil
})

// TestPoolRespawn: many deaths in a row harm nobody.
func TestPoolRespawn(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		for range 20 {
			_, err := Apply(p, exitJob, 1)
			var died *WorkerDiedError
			if !errors.As(err, &died) {
				t.Fatal(err)
			}
		}
		want(t, "after that", fmt.Sprint(ok(Map(p, square, []int{1, 2}))), "[1 4]")
	})
}

// TestPoolBadValues: values that can't be encoded fail their job, at once.
func TestPoolBadValues(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		var encode *EncodeError
		_, err := ApplyAsync(p, anyJob, any(func() {}))
		if !errors.As(err, &encode) {
			t.Errorf("argument: %v", err)
		}
		_, err = MapAsync(p, anyJob, []any{1, make(chan int)})
		if !errors.As(err, &encode) || !strings.Contains(err.Error(), "item 1") {
			t.Errorf("arguments: %v", err)
		}
		n, errs := 0, 0
		for v, err := range IMap(p, 0, count(6), funcJob) {
			if err != nil {
				errs++
				want(t, "element", n, 3)
				if !strings.Contains(err.Error(), "result of test func job") {
					t.Errorf("result: %v", err)
				}
			} else {
				want(t, "element", v, any(int64(n)))
			}
			n++
		}
		want(t, "errors", errs, 1)
		_, err = Apply(p, oddError, 1) // Python hangs for ever
		var r *RemoteError
		if !errors.As(err, &r) || r.Text != "strange" {
			t.Errorf("error that can't be encoded: %v", err)
		}
		_, err = Apply(p, goexit, 1)
		wantErr(t, "goexit", err, runtime.ErrGoexit)
		want(t, "after that", ok(Apply(p, square, 2)), 4)
		unknown := &Func[int, int]{name: "nobody knows"}
		unknown.args, unknown.results = square.args, square.results
		if _, err := Apply(p, unknown, 1); err == nil || !strings.Contains(err.Error(), "nobody knows") {
			t.Errorf("unknown function: %v", err)
		}
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

// TestPoolTerminate: under load, with busy workers and many jobs left.
func TestPoolTerminate(t *testing.T) {
	inTask(t, func() {
		for round := range 5 {
			p := ok(NewPool(3))
			e := ok(NewEvent(Here))
			args := make([]blockArgs, 100)
			for i := range args {
				if i%10 == round {
					args[i].Event = e
				}
			}
			all := []*AsyncResult[[]int]{ok(MapAsync(p, blockFirst, args)), ok(MapAsync(p, blockFirst, args))}
			numbers := ok(MapAsync(p, square, make([]int, 50_000)))
			for range round {
				runtime.Yield()
			}
			p.Terminate()
			wantErr(t, "join", p.JoinUntil(runtime.Now().Add(runtimetest.Patience)), nil)
			for _, r := range all {
				_, err := r.Get()
				wantErr(t, "a job", err, ErrTerminated)
			}
			_, err := numbers.Get()
			wantErr(t, "jobs", err, ErrTerminated)
			_, err = ApplyAsync(p, square, 1)
			wantErr(t, "after terminate", err, ErrPoolClosed)
			check(t, e.Close())
		}
	})
}

func TestPoolInitializer(t *testing.T) {
	withPool(t, 2, func(p *Pool) {
		for range 10 {
			want(t, "initialised", ok(Apply(p, isInit, struct{}{})), 5)
		}
	}, Initializer(initOK, 5))
}

// TestPoolBadInitializer: the jobs fail, and workers are not started for ever.
func TestPoolBadInitializer(t *testing.T) {
	inTask(t, func() {
		p := ok(NewPool(2, Initializer(initFails, 1)))
		_, err := Apply(p, square, 1)
		wantErr(t, "job", err, errKnown)
		check(t, p.Join())
		p = ok(NewPool(2, Initializer(initDies, 1)))
		_, err = Apply(p, square, 1)
		var died *WorkerDiedError
		if !errors.As(err, &died) || died.ExitCode != 9 {
			t.Errorf("an initializer that dies: %v", err)
		}
		check(t, p.Join())
	})
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

// TestPoolParentKilled: the workers end with the process that has the pool.
func TestPoolParentKilled(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[[]int]()
		check(t, err)
		p := ok(Start(poolParent, w))
		workers := ok(r.Recv())
		for _, pid := range workers {
			want(t, "worker is there", exists(pid), true)
		}
		check(t, p.Kill())
		check(t, p.Join())
		for _, pid := range workers {
			runtimetest.Eventually(t, "the worker's end", func() bool { return !exists(pid) })
		}
		check(t, r.Close())
	})
}

var poolParent = Register("test pool parent", func(up *Sender[[]int]) (int, error) {
	p, err := NewPool(2)
	if err != nil {
		return 0, err
	}
	var pids []int
	for _, w := range p.Workers() {
		pids = append(pids, w.PID())
	}
	r, err := MapAsync(p, blockForever, make([]int, 1000))
	if err != nil {
		return 0, err
	}
	_ = up.Send(pids)
	_, err = r.Get()
	return 0, err
})

var blockForever = Register("test block forever", func(int) (int, error) {
	for {
		_ = syscall.Getpid()
	}
})
