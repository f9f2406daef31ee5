package cluster

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestWorkersKilled: workers are killed in the middle of jobs, again and again. All jobs are done,
// and each has one result.
func TestWorkersKilled(t *testing.T) {
	withPool(t, 2, func(_ *Cluster, p *process.Pool) {
		const jobs = 300
		var results [jobs]int
		n := 0
		for v, err := range process.IMapUnordered(p, 0, count(jobs), slowIdentity) {
			check(t, err)
			results[v]++
			if n++; n%100 == 50 {
				check(t, p.Workers()[0].Kill())
			}
		}
		want(t, "results", n, jobs)
		for i, n := range results {
			want(t, "results of a job", n, 1)
			if n != 1 {
				t.Fatalf("job %d", i)
			}
		}
	})
}

var slowIdentity = process.Register("test slow identity", func(n int) (int, error) {
	runtime.Sleep(time.Millisecond)
	return n, nil
})

// TestPoisonJob: a job that kills each worker it is given to fails after a number of them, and says
// so; the others are done.
func TestPoisonJob(t *testing.T) {
	inTask(t, func() {
		c := ok(Open(Config{Lease: 300 * time.Millisecond, Attempts: 3}))
		tries := ok(process.NewQueue[int](c.Queue("tries"), 0))
		p := ok(process.NewPool(2, c.Pool("p")))
		poison := ok(process.ApplyAsync(p, killSelf, tries))
		others := ok(process.MapAsync(p, square, slices.Collect(count(200))))
		want(t, "others", len(ok(others.Get())), 200)
		_, err := poison.GetUntil(patience())
		var attempts *AttemptsError
		if !errors.As(err, &attempts) || attempts.Attempts != 3 || attempts.Func != killSelf.Name() {
			t.Errorf("a job that kills its workers: %v", err)
		}
		want(t, "workers that died of it", ok(tries.Len()), 3)
		p.Close()
		check(t, p.JoinUntil(patience()))
		check(t, c.Close())
	})
}

var killSelf = process.Register("test kill self", func(tries *process.Queue[int]) (int, error) {
	if err := tries.Put(os.Getpid()); err != nil {
		return 0, err
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	forever()
	return 0, nil
})

// TestJobLongerThanLease: a job stays with its worker as long as that lives, also one that never
// waits.
func TestJobLongerThanLease(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		begun := ok(process.NewQueue[int](c.Queue("begun"), 0))
		p := ok(process.NewPool(2, c.Pool("p")))
		for _, wait := range []bool{true, false} {
			want(t, "result", ok(process.Apply(p, outlast, outlastArgs{begun, wait})), 1)
		}
		want(t, "times begun", ok(begun.Len()), 2)
		p.Close()
		check(t, p.JoinUntil(patience()))
	})
}

type outlastArgs struct {
	Begun *process.Queue[int]
	Wait  bool
}

var outlast = process.Register("test outlast", func(a outlastArgs) (int, error) {
	if err := a.Begun.Put(1); err != nil {
		return 0, err
	}
	if a.Wait {
		runtime.Sleep(2 * testLease)
		return 1, nil
	}
	for until := runtime.Now().Add(2 * testLease); runtime.Now() < until; {
	}
	return 1, nil
})

// TestMachineLost: programs that work for a pool end, with their workers, and others do what they had.
func TestMachineLost(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		begun := ok(process.NewQueue[int](c.Queue("begun"), 0))
		p := ok(process.NewPool(0, c.Remote("p")))
		machine := func() *process.Running[int] {
			return ok(process.Start(workMachine, workArgs{c.URL(), "p"}))
		}
		lost := machine()
		held := ok(process.ApplyAsync(p, firstWaits, firstArgs{begun, ok(process.NewQueue[int](c.Queue("before"), 0))}))
		want(t, "one runs it", ok(begun.Get()), 1)
		results := ok(process.MapAsync(p, square, slices.Collect(count(50))))
		check(t, lost.Kill())
		check(t, lost.Join())
		other := machine()
		want(t, "the job it had", ok(held.GetUntil(patience())), 2)
		want(t, "the jobs it had not begun", len(ok(results.GetUntil(patience()))), 50)
		p.Close()
		check(t, p.JoinUntil(patience()))
		check(t, other.Terminate())
		code := ok(other.Result())
		want(t, "an orderly end", code, 1)
	})
}

type workArgs struct{ URL, Pool string }

// workMachine is a program that works until it gets SIGTERM.
var workMachine = process.Register("test machine", func(a workArgs) (int, error) {
	c, err := Open(Config{URL: a.URL})
	if err != nil {
		return 0, err
	}
	w, err := c.Work(a.Pool, 1)
	if err != nil {
		return 0, err
	}
	runtime.OnSignal(syscall.SIGTERM, w.Close)
	if err := w.Join(); err != nil {
		return 0, err
	}
	return 1, c.Close()
})

// firstWaits says how often it was begun, and ends the second time only.
var firstWaits = process.Register("test first waits", func(a firstArgs) (int, error) {
	n, err := a.Before.Len()
	if err == nil {
		err = a.Before.Put(1)
	}
	if err == nil {
		err = a.Begun.Put(n + 1)
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		forever()
	}
	return n + 1, nil
})

type firstArgs struct{ Begun, Before *process.Queue[int] }

// TestSubmitterLost: when the process of a pool is killed, the servers forget it and its jobs.
func TestSubmitterLost(t *testing.T) {
	inTask(t, func() {
		c := ok(Open(Config{Lease: testLease, Forget: 500 * time.Millisecond}))
		begun := ok(process.NewQueue[int](c.Queue("begun"), 0))
		sub := ok(process.Start(submitter, submitArgs{c.URL(), begun}))
		w := ok(c.Work("p", 1))
		ok(begun.GetUntil(patience())) // the first one, so all have been submitted
		check(t, sub.Kill())
		check(t, sub.Join())
		s := ok(ask(c, func(ctx context.Context) (jetstream.Stream, error) { return c.js.Stream(ctx, poolStream("p")) }))
		runtimetest.Eventually(t, "the end of the jobs", func() bool {
			info, err := s.Info(tContext)
			return err == nil && info.State.Msgs == 0 && info.State.Consumers == 1
		})
		w.Terminate()
		check(t, w.JoinUntil(patience()))
		check(t, c.Close())
	})
}

type submitArgs struct {
	URL   string
	Begun *process.Queue[int]
}

var submitter = process.Register("test submitter", func(a submitArgs) (int, error) {
	c, err := Open(Config{URL: a.URL, Lease: testLease, Forget: 500 * time.Millisecond})
	if err != nil {
		return 0, err
	}
	p, err := process.NewPool(1, c.Remote("p"))
	if err != nil {
		return 0, err
	}
	_, err = process.Map(p, putAndPause, slices.Repeat([]*process.Queue[int]{a.Begun}, 1000))
	return 0, err
})

// putAndPause takes so long that no test waits for a thousand of it.
var putAndPause = process.Register("test put and pause", func(q *process.Queue[int]) (int, error) {
	err := q.Put(1)
	runtime.Sleep(100 * time.Millisecond)
	return 0, err
})

// TestForgotten: a pool that the servers have forgotten, or that was removed, says so.
func TestForgotten(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		for _, forget := range []func(){
			func() {
				s := ok(c.js.Stream(tContext, poolStream("p")))
				for name := range s.ConsumerNames(tContext).Name() {
					if name != workersName {
						check(t, s.DeleteConsumer(tContext, name))
					}
				}
			},
			func() { check(t, c.RemovePool("p")) },
		} {
			p := ok(process.NewPool(0, c.Remote("p")))
			r := ok(process.ApplyAsync(p, square, 1))
			runtimetest.Eventually(t, "the job with the servers", func() bool {
				return ok(ok(c.js.Stream(tContext, poolStream("p"))).Info(tContext)).State.Msgs == 1
			})
			ok(0, runtime.Offload(forget))
			_, err := r.GetUntil(patience())
			wantErr(t, "job", err, ErrForgotten)
			_, err = process.ApplyAsync(p, square, 1)
			wantErr(t, "another one", err, ErrForgotten)
			check(t, p.JoinUntil(patience()))
			check(t, c.RemovePool("p"))
		}
	})
}

// TestPoolRemovedWhileWorking: a worker that finds its pool gone after a job works for the next one of
// that name.
func TestPoolRemovedWhileWorking(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		begun, end := ok(process.NewQueue[int](c.Queue("begun"), 0)), ok(process.NewQueue[int](c.Queue("end"), 0))
		w := ok(c.Work("p", 1))
		p := ok(process.NewPool(0, c.Remote("p")))
		ok(process.ApplyAsync(p, tellAndGet, firstArgs{begun, end}))
		ok(begun.GetUntil(patience()))
		check(t, c.RemovePool("p"))
		p.Terminate()
		check(t, p.JoinUntil(patience()))
		check(t, end.Put(1))
		p = ok(process.NewPool(0, c.Remote("p")))
		r := ok(process.ApplyAsync(p, square, 3))
		want(t, "result", ok(r.GetUntil(patience())), 9)
		p.Close()
		check(t, p.JoinUntil(patience()))
		w.Close()
		check(t, w.JoinUntil(patience()))
	})
}

// tellAndGet says that it was begun, and ends when it gets an item.
var tellAndGet = process.Register("test tell and get", func(a firstArgs) (int, error) {
	if err := a.Begun.Put(1); err != nil {
		return 0, err
	}
	return a.Before.Get()
})
