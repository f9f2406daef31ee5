package process

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestQueueProducerKilled: what a process has put is there, though it was killed right after.
func TestQueueProducerKilled(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[int](Here, 0))
		p := ok(Start(putsAndDies, intsArgs{Q: q, N: 5000}))
		check(t, p.Join())
		for i := range 5000 {
			want(t, "item", ok(q.Get()), i)
		}
		want(t, "empty", ok(q.Empty()), true)
		check(t, q.Remove())
	})
}

// TestQueueUndrained: a process ends though nobody has taken out what it has put. Python's
// does not.
func TestQueueUndrained(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[[]byte](Here, 0))
		p := ok(Start(benchPut, queueArgs{q, 50, 200_000})) // far more than fits into a pipe
		ok(p.Result())
		want(t, "length", ok(q.Len()), 50)
		for range 50 {
			want(t, "item", len(ok(q.Get())), 200_000)
		}
		check(t, q.Remove())
	})
}

// TestQueueConsumerKilled: one that is killed again and again while it takes items as fast as
// it can loses one item each time, at most, and no item arrives twice.
func TestQueueConsumerKilled(t *testing.T) {
	inTask(t, func() {
		const each, kills = 5000, 4
		const n = each * kills
		q := ok(NewQueue[int](Here, 0))
		var got []int
		for k := range kills {
			for i := range each { // so there are enough, however fast the last one was
				check(t, q.Put(k*each+i))
			}
			r, w, err := OneWay[int]()
			check(t, err)
			p := ok(Start(getsAndTells, intsArgs{Q: q, Up: w}))
			for range 500 {
				got = append(got, ok(r.Recv()))
			}
			check(t, p.Kill())
			for v := range r.All() {
				got = append(got, v)
			}
			check(t, p.Join())
			check(t, r.Close())
		}
		check(t, q.Close())
		for v := range q.All() {
			got = append(got, v)
		}
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Error("items arrived twice")
		}
		if len(got) < n-kills || len(got) > n {
			t.Errorf("%d items of %d, after %d kills", len(got), n, kills)
		}
		check(t, q.Remove())
	})
}

// TestQueueRecall: items that lie with a process that does not take them go to one that waits.
func TestQueueRecall(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[int](Here, 0))
		r, w, err := OneWay[int]()
		check(t, err)
		const n = 2000
		for i := range n {
			check(t, q.Put(i))
		}
		// So fast a consumer is lent many at once; then it takes no more.
		p := ok(Start(getsSomeAndWaits, intsArgs{Q: q, N: 700, Up: w}))
		ok(r.Recv())
		for range n - 700 {
			if _, err := q.TryGet(); err != nil {
				t.Fatal(err)
			}
		}
		_, err = q.TryGet()
		wantErr(t, "get", err, queue.ErrEmpty)
		check(t, p.Kill())
		check(t, p.Join())
		want(t, "length", ok(q.Len()), 0)
		check(t, q.Remove())
		check(t, r.Close())
	})
}

// TestQueueTasksOfOneProcess: many tasks of another process take from a queue at once.
func TestQueueTasksOfOneProcess(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[int](Here, 0))
		p := ok(Start(getsInTasks, intsArgs{Q: q, N: 10}))
		for i := range 5000 {
			check(t, q.Put(i))
		}
		check(t, q.Close())
		got := ok(p.Result())
		slices.Sort(got)
		if !slices.Equal(got, count1(0, 5000)) {
			t.Errorf("%d items", len(got))
		}
		check(t, q.Remove())
	})
}

var getsInTasks = Register("test get in tasks", func(a intsArgs) ([]int, error) {
	var tasks []*runtime.Future[[]int]
	for range a.N {
		tasks = append(tasks, runtime.Async(func() ([]int, error) { return getsAll.fn(a) }))
	}
	var all []int
	for _, task := range tasks {
		got, err := task.Get()
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	return all, nil
})

// TestQueueTimeouts: gets that give up just when items come lose none.
func TestQueueTimeouts(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[int](Here, 0))
		p := ok(Start(getsWithTimeouts, intsArgs{Q: q}))
		for i := range 1000 {
			check(t, q.Put(i))
			if i%5 == 0 {
				runtime.Sleep(30 * time.Microsecond)
			}
		}
		check(t, q.Close())
		got := ok(p.Result())
		slices.Sort(got)
		if !slices.Equal(got, count1(0, 1000)) {
			t.Errorf("%d items of 1000", len(got))
		}
		check(t, q.Remove())
	})
}

var getsWithTimeouts = Register("test get with timeouts", func(a intsArgs) ([]int, error) {
	var all []int
	patience := time.Microsecond // grows until an answer comes in time
	for {
		v, err := a.Q.GetUntil(runtime.Now().Add(patience))
		patience *= 2
		switch {
		case err == nil:
			all = append(all, v)
			patience = 10 * time.Microsecond
		case errors.Is(err, queue.ErrClosed):
			return all, nil
		case !errors.Is(err, runtime.ErrTimeout):
			return all, err
		}
	}
})

// TestJoinableWorkerKilled: Join does not wait for items that nobody will finish, and says so.
func TestJoinableWorkerKilled(t *testing.T) {
	inTask(t, func() {
		q := ok(NewJoinable[int](Here, 0))
		check(t, q.Put(1))
		check(t, q.Put(2))
		p := ok(Start(takesAndHolds, q))
		runtimetest.Eventually(t, "empty", func() bool { return ok(q.Empty()) })
		joiner := runtime.Async(func() (int, error) { return 0, q.Join() })
		runtime.Yield()
		check(t, p.Kill())
		_, err := joiner.Get()
		wantErr(t, "join", err, ErrAbandoned)
		check(t, q.Join())
		check(t, p.Join())
		check(t, q.Remove())
	})
}

// TestQueueGetInto: memory is used again, and never that of an item which somebody has kept.
func TestQueueGetInto(t *testing.T) {
	inTask(t, func() {
		q := ok(NewQueue[[]byte](Here, 0))
		back := ok(NewQueue[[]byte](Here, 0))
		p := ok(Start(getsBothWays, bothArgs{q, back}))
		const n = 2000
		item := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 100+i*7%5000) }
		for i := range n {
			check(t, q.Put(item(i)))
		}
		check(t, q.Close())
		want(t, "items in order and intact", ok(p.Result()), n)
		var buf []byte
		for i := range n {
			check(t, back.GetInto(&buf))
			if !bytes.Equal(buf, item(i)) {
				t.Fatalf("item %d has come back as another", i)
			}
		}
		check(t, q.Remove())
		check(t, back.Remove())
	})
}

type bothArgs struct{ Q, Back *Queue[[]byte] }

var getsBothWays = Register("test get both ways", func(a bothArgs) (int, error) {
	var kept [][]byte
	var buf []byte
	for i := 0; ; i++ {
		var err error
		if i/100%2 == 0 || i%3 == 0 {
			err = a.Q.GetInto(&buf)
			kept = append(kept, bytes.Clone(buf))
		} else {
			var item []byte
			item, err = a.Q.Get()
			kept = append(kept, item)
		}
		if errors.Is(err, queue.ErrClosed) {
			break
		}
		if err != nil {
			return i, err
		}
	}
	n := 0
	for i, item := range kept[:len(kept)-1] {
		if len(item) > 0 && item[0] == byte(i) && len(bytes.Trim(item, string(item[:1]))) == 0 {
			n++
		}
		if err := a.Back.Put(item); err != nil {
			return 0, err
		}
	}
	return n, nil
})
