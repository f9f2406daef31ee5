package cluster

import (
	"errors"
	"fmt"
	"maps"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

var (
	square = process.Register("test square", func(n int) (int, error) { return n * n, nil })
	shout  = process.Register("test shout", func(s string) (string, error) { return strings.ToUpper(s), nil })
	length = process.Register("test length", func(s string) (int, error) { return len(s), nil })
	repeat = process.Register("test repeat", func(n int) (string, error) { return strings.Repeat("x", n), nil })
	power  = process.Register2("test power", func(n, e int) (int, error) {
		r := 1
		for range e {
			r *= n
		}
		return r, nil
	})
	odd = process.Register("test odd", func(n int) (int, error) {
		if n%2 == 0 {
			return 0, fmt.Errorf("%d is even: %w", n, errKnown)
		}
		return n, nil
	})
	panics    = process.Register("test panic", func(text string) (int, error) { panic(text) })
	goexit    = process.Register("test goexit", func(int) (int, error) { goruntime.Goexit(); return 0, nil })
	workerPID = process.Register("test pid", func(struct{}) (int, error) { return os.Getpid(), nil })
	anyJob    = process.Register("test any job", func(v any) (any, error) { return v, nil })
	funcJob   = process.Register("test func job", func(int) (any, error) { return func() {}, nil })
	initOK    = process.Register("test init", func(n int) (int, error) { initialised.Add(int32(n)); return 0, nil })
	initFails = process.Register("test init fails", func(int) (int, error) { return 0, errKnown })
	initDies  = process.Register("test init dies", func(int) (int, error) { os.Exit(9); return 0, nil })
	isInit    = process.Register("test is init", func(struct{}) (int, error) { return int(initialised.Load()), nil })
)

var initialised atomic.Int32

var errKnown = errors.New("an error that both sides know")

func init() { process.RegisterError("test known", errKnown) }

func withPool(t *testing.T, workers int, fn func(c *Cluster, p *process.Pool), options ...process.PoolOption) {
	t.Helper()
	withCluster(t, func(c *Cluster) {
		p := ok(process.NewPool(workers, append(options, c.Pool("pool"))...))
		fn(c, p)
		p.Close()
		check(t, p.JoinUntil(patience()))
		want(t, "workers", len(p.Workers()), 0)
		want(t, "what is left of the pool", leftOf(c, "pool"), "0 messages, 1 consumers")
	})
}

// leftOf says what the servers have of the pools of a name, of which there is none any more. The one
// consumer is the workers'.
func leftOf(c *Cluster, name string) string {
	s, _, err := c.poolStreams(name)
	if err != nil {
		return err.Error()
	}
	info := ok(s.Info(tContext))
	return fmt.Sprintf("%d messages, %d consumers", info.State.Msgs, info.State.Consumers)
}

// TestPoolCalls: everything that a process.Pool is given to do has the same results as there.
func TestPoolCalls(t *testing.T) {
	withPool(t, 2, func(_ *Cluster, p *process.Pool) {
		want(t, "apply", ok(process.Apply(p, square, 7)), 49)
		want(t, "apply", ok(process.Apply(p, shout, "a")), "A")
		want(t, "map of nothing", len(ok(process.Map(p, square, nil))), 0)
		args := slices.Collect(count(1000))
		for i, r := range ok(process.Map(p, square, args)) {
			if r != i*i {
				t.Fatalf("result %d: %d", i, r)
			}
		}
		want(t, "starmap", fmt.Sprint(ok(process.StarMap(p, power, maps.All(map[int]int{2: 10})))), "[1024]")
		star := ok(ok(process.StarMapAsync(p, power, slices.All([]int{3, 2, 1}))).Get())
		want(t, "starmap", fmt.Sprint(star), "[0 1 2]")

		async := ok(process.ApplyAsync(p, square, 3))
		want(t, "waited for", len(ok(runtime.Wait(1, patience(), async))), 1)
		want(t, "result", ok(async.Get()), 9)
		want(t, "ready", async.Ready(), true)
		called := make(chan int, 1)
		ok(process.ApplyAsync(p, square, 4)).OnSuccess(func(n int) { called <- n })
		want(t, "callback", ok(runtime.Await(func() (int, error) { return <-called, nil })), 16)

		for _, maxsize := range []int{0, 1, 7} {
			i := 0
			for v, err := range process.IMap(p, maxsize, count(100), square) {
				check(t, err)
				want(t, "element", v, i*i)
				i++
			}
			want(t, "elements", i, 100)
			sum := 0
			for v, err := range process.IMapUnordered(p, maxsize, count(100), square) {
				check(t, err)
				sum += v
			}
			want(t, "sum", sum, 328350)
		}
		for v := range process.IMap(p, 4, func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		}, square) {
			if v == 100 {
				break // the jobs that are left are dropped
			}
		}
		want(t, "after that", ok(process.Apply(p, square, 2)), 4)
	})
}

// TestPoolErrors: a job that does not go well fails, with an error that says why, and no other.
func TestPoolErrors(t *testing.T) {
	withPool(t, 1, func(c *Cluster, p *process.Pool) {
		_, err := process.Apply(p, odd, 2)
		wantErr(t, "error", err, errKnown)
		_, err = process.Map(p, odd, []int{1, 3, 4, 5})
		wantErr(t, "error of one of many", err, errKnown)
		n, errs := 0, 0
		for v, err := range process.IMap(p, 0, count(10), odd) {
			if err != nil {
				wantErr(t, "element", err, errKnown)
				errs++
			} else {
				want(t, "element", v, n)
			}
			n++
		}
		want(t, "errors", errs, 5)
		_, err = process.Apply(p, panics, "oh")
		var remote *process.RemoteError
		if !errors.As(err, &remote) || !remote.Panic || !strings.Contains(remote.Stack, "pool_test.go") {
			t.Errorf("panic: %v", err)
		}
		_, err = process.Apply(p, goexit, 1)
		wantErr(t, "goexit", err, runtime.ErrGoexit)

		var encode *process.EncodeError
		_, err = process.ApplyAsync(p, anyJob, any(func() {}))
		if !errors.As(err, &encode) {
			t.Errorf("argument that can't be encoded: %v", err)
		}
		_, err = process.Apply(p, funcJob, 1)
		if err == nil || !strings.Contains(err.Error(), "result of test func job") {
			t.Errorf("result that can't be encoded: %v", err)
		}
		most := int(c.nc.MaxPayload())
		var size *SizeError
		_, err = process.ApplyAsync(p, length, strings.Repeat("x", most))
		if !errors.As(err, &size) || !errors.As(err, &encode) || size.Max >= int64(most) {
			t.Errorf("long argument: %v", err)
		}
		want(t, "argument that just fits", ok(process.Apply(p, length, strings.Repeat("x", int(size.Max)-50))), int(size.Max)-50)
		_, err = process.Apply(p, repeat, most)
		if err == nil || !strings.Contains(err.Error(), "result of test repeat") || !strings.Contains(err.Error(), "the servers take") {
			t.Errorf("long result: %v", err)
		}
		want(t, "result that just fits", len(ok(process.Apply(p, repeat, int(size.Max)-10))), int(size.Max)-10)
	})
}

func TestPoolEnds(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		p := ok(process.NewPool(1, c.Pool("p")))
		want(t, "workers", len(p.Workers()), 1)
		wantErr(t, "join before close", p.Join(), process.ErrRunning)
		r := ok(process.MapAsync(p, square, []int{1, 2, 3}))
		p.Close()
		_, err := process.ApplyAsync(p, square, 1)
		wantErr(t, "after close", err, process.ErrPoolClosed)
		check(t, p.JoinUntil(patience()))
		want(t, "jobs from before", fmt.Sprint(ok(r.Get())), "[1 4 9]")
		p.Terminate() // of an ended pool: nothing
		check(t, p.Join())
		check(t, c.RemovePool("p"))
		check(t, c.RemovePool("p"))
	})
}

// TestPoolTerminate: workers are killed, the jobs of other machines' are ended, and nothing is left
// with the servers.
func TestPoolTerminate(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		other := ok(c.Work("p", 1))
		p := ok(process.NewPool(1, c.Pool("p")))
		begun := ok(process.NewQueue[int](c.Queue("begun"), 0))
		r := ok(process.MapAsync(p, tellAndWait, slices.Repeat([]*process.Queue[int]{begun}, 20)))
		pids := map[int]bool{ok(begun.Get()): true, ok(begun.Get()): true}
		want(t, "both run", len(pids), 2)
		p.Terminate()
		check(t, p.JoinUntil(patience()))
		_, err := r.Get()
		wantErr(t, "jobs", err, process.ErrTerminated)
		_, err = process.ApplyAsync(p, square, 1)
		wantErr(t, "after terminate", err, process.ErrPoolClosed)
		// The other's worker is free again.
		p = ok(process.NewPool(1, c.Remote("p")))
		want(t, "no workers of its own", len(p.Workers()), 0)
		want(t, "next job", ok(process.Apply(p, square, 3)), 9)
		p.Close()
		check(t, p.JoinUntil(patience()))
		other.Close()
		check(t, other.JoinUntil(patience()))
		want(t, "what is left of the pool", leftOf(c, "p"), "0 messages, 1 consumers")
	})
}

// tellAndWait puts the number of its process, and does not end.
var tellAndWait = process.Register("test tell and wait", func(q *process.Queue[int]) (int, error) {
	if err := q.Put(os.Getpid()); err != nil {
		return 0, err
	}
	forever()
	return 0, nil
})

func TestPoolInitializer(t *testing.T) {
	withPool(t, 2, func(_ *Cluster, p *process.Pool) {
		for range 5 {
			want(t, "initialised", ok(process.Apply(p, isInit, struct{}{})), 5)
		}
	}, process.Initializer(initOK, 5))
	withCluster(t, func(c *Cluster) {
		p := ok(process.NewPool(2, c.Pool("p"), process.Initializer(initFails, 1)))
		_, err := process.Apply(p, square, 1)
		wantErr(t, "initializer that fails", err, errKnown)
		check(t, p.JoinUntil(patience()))
		p = ok(process.NewPool(2, c.Pool("p"), process.Initializer(initDies, 1)))
		_, err = process.Apply(p, square, 1)
		var died *process.WorkerDiedError
		if !errors.As(err, &died) || died.ExitCode != 9 {
			t.Errorf("initializer that dies: %v", err)
		}
		check(t, p.JoinUntil(patience()))
		w := ok(c.Work("p", 1, process.Initializer(initFails, 1)))
		wantErr(t, "initializer of Work", w.JoinUntil(patience()), errKnown)
	})
}

func TestPoolMaxTasks(t *testing.T) {
	withPool(t, 2, func(_ *Cluster, p *process.Pool) {
		jobs := make(map[int]int)
		for _, pid := range ok(process.Map(p, workerPID, make([]struct{}, 7))) {
			jobs[pid]++
		}
		for pid, n := range jobs {
			if n > 2 {
				t.Errorf("worker %d has done %d jobs", pid, n)
			}
		}
	}, process.MaxTasksPerChild(2))
}

// TestPoolClosedCluster: Close of the Cluster ends what was made with it.
func TestPoolClosedCluster(t *testing.T) {
	inTask(t, func() {
		c := ok(Open(Config{}))
		p := ok(process.NewPool(1, c.Remote("p")))
		w := ok(c.Work("other", 1))
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		get := runtime.Async(q.Get)
		r := ok(process.ApplyAsync(p, square, 1))
		runtime.Yield() // so that q's wait has begun
		check(t, c.Close())
		check(t, c.Close())
		_, err := r.Get()
		wantErr(t, "job", err, ErrClosed)
		_, err = get.Get()
		wantErr(t, "get", err, ErrClosed)
		wantErr(t, "put", q.Put(1), ErrClosed)
		_, err = q.Len()
		wantErr(t, "len", err, ErrClosed)
		check(t, p.JoinUntil(patience()))
		check(t, w.JoinUntil(patience()))
		_, err = process.NewPool(1, c.Pool("p"))
		wantErr(t, "new pool", err, ErrClosed)
		_, err = process.NewQueue[int](c.Queue("q"), 0)
		wantErr(t, "new queue", err, ErrClosed)
		_, err = c.Work("p", 1)
		wantErr(t, "work", err, ErrClosed)
	})
}
