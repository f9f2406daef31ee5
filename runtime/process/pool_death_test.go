package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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
