package queue_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// item says who put it, and as its how manyth.
type item struct{ producer, number int }

type itemQueue interface {
	PutUntil(item, runtime.Instant) error
	GetUntil(runtime.Instant) (item, error)
	Close() error
	Waiting() (int, int)
}

// TestStress has producers and consumers, tasks of four workers and goroutines,
// some of which give up now and then. Every item put is got, once, and none
// whose Put failed; a consumer sees the items of a producer in order.
func TestStress(t *testing.T) { // D51 D53 D54 D57
	for name, q := range map[string]itemQueue{
		"unbounded": new(queue.Queue[item]),
		"one":       queue.New[item](1),
		"ten":       queue.New[item](10),
		"channel":   new(queue.Channel[item]),
	} {
		t.Run(name, func(t *testing.T) { stress(t, q) })
	}
}

func stress(t *testing.T, q itemQueue) {
	const producers, consumers, each = 6, 6, 1000
	rt := runtimetest.New(t, 4)
	var wg sync.WaitGroup
	party := func(i int, fn func()) {
		if i%3 == 0 {
			wg.Go(fn)
			return
		}
		wg.Add(1)
		rt.Workers()[i%4].Spawn(func() { defer wg.Done(); fn() })
	}
	var failed atomic.Int64
	var producing sync.WaitGroup
	for p := range producers {
		producing.Add(1)
		party(p, func() {
			defer producing.Done()
			for i := range each {
				// It gives up often, and then puts the same item again, with more
				// patience.
				for tries := 0; ; tries++ {
					deadline := runtime.Now().Add(time.Duration(tries*(1+i%5)) * 5 * time.Microsecond)
					err := q.PutUntil(item{p, i}, deadline)
					if err == nil {
						break
					}
					failed.Add(1)
					if err != runtime.ErrTimeout {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	counts := make([]atomic.Int64, producers)
	for c := range consumers {
		party(c, func() {
			last := make([]int, producers)
			for i := range last {
				last[i] = -1
			}
			for tries := 0; ; tries++ {
				got, err := q.GetUntil(runtime.Now().Add(time.Duration(tries*(1+c)) * 5 * time.Microsecond))
				switch {
				case err == nil:
					tries = 0
					if got.number <= last[got.producer] {
						t.Errorf("item %d after %d of producer %d", got.number, last[got.producer], got.producer)
					}
					last[got.producer] = got.number
					counts[got.producer].Add(1)
				case errors.Is(err, queue.ErrClosed):
					return
				case err != runtime.ErrTimeout:
					t.Error(err)
					return
				}
			}
		})
	}
	producing.Wait()
	_ = q.Close()
	wg.Wait()
	for p := range counts {
		if n := counts[p].Load(); n != each {
			t.Errorf("%d items of %d of producer %d", n, each, p)
		}
	}
	noTrace(t, q)
	t.Logf("%d Puts gave up", failed.Load())
}

// TestStressKills kills tasks that put and get: what was put, says Put, is got,
// and what was not is not.
func TestStressKills(t *testing.T) { // D53 D54
	rt := runtimetest.New(t, 4)
	q := queue.New[int](2)
	const parties, rounds = 8, 150
	var put, got [parties * rounds]atomic.Int32
	var tasks []*runtime.Task
	for p := range parties {
		tasks = append(tasks, rt.Workers()[p%4].Spawn(func() {
			for r := range rounds {
				number := p*rounds + r
				putter := runtime.Spawn(func() {
					if q.Put(number) == nil {
						put[number].Add(1)
					}
				})
				getter := runtime.Spawn(func() {
					if n, err := q.Get(); err == nil {
						got[n].Add(1)
					}
				})
				victim := rt.Workers()[(p+1)%4].Spawn(func() {
					switch r % 3 {
					case 0:
						putter.Kill(nil)
					case 1:
						getter.Kill(nil)
					case 2:
						putter.Kill(nil)
						getter.Kill(nil)
					}
				})
				_ = victim.Join()
				_ = putter.JoinUntil(runtime.Now().Add(time.Millisecond))
				putter.Kill(nil)
				getter.Kill(nil)
				_ = putter.Join()
				_ = getter.Join()
			}
		}))
	}
	joinAll(t, tasks)
	noTrace(t, q)
	for q.Len() > 0 {
		n, err := q.Get()
		if err != nil {
			t.Fatal(err)
		}
		got[n].Add(1)
	}
	for n := range put {
		if put[n].Load() != got[n].Load() {
			t.Errorf("item %d was put %d times and got %d times", n, put[n].Load(), got[n].Load())
		}
	}
}

// TestStressJoin has many that take items out and say so, and one that joins.
func TestStressJoin(t *testing.T) { // D59
	rt := runtimetest.New(t, 4)
	q := queue.NewJoinable[int](5)
	var done atomic.Int64
	var tasks []*runtime.Task
	for range 8 {
		tasks = append(tasks, rt.Spawn(func() {
			for range q.All() {
				done.Add(1)
				q.Done()
			}
		}))
	}
	for round := range 20 {
		for range 50 {
			if err := q.Put(1); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Join(); err != nil {
			t.Fatal(err)
		}
		want(t, "done", done.Load(), int64(50*(round+1)))
	}
	_ = q.Close()
	joinAll(t, tasks)
}
