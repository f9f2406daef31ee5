package process

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

type intsArgs struct {
	Q       *Queue[int]
	From, N int
	Up      *Sender[int]
}

var (
	putsInts = Register("test put", func(a intsArgs) (int, error) {
		for i := range a.N {
			if err := a.Q.Put(a.From + i); err != nil {
				return i, err
			}
		}
		return a.N, nil
	})
	putsAndDies = Register("test put and die", func(a intsArgs) (int, error) {
		if _, err := putsInts.fn(a); err != nil {
			return 0, err
		}
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		return 0, nil
	})
	getsAll = Register("test get all", func(a intsArgs) ([]int, error) {
		var all []int
		for v := range a.Q.All() {
			all = append(all, v)
		}
		return all, nil
	})
	// getsAndTells takes items as fast as it can, and tells each, until it is killed.
	getsAndTells = Register("test get and tell", func(a intsArgs) (int, error) {
		for v := range a.Q.All() {
			if err := a.Up.Send(v); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	// getsSomeAndWaits takes many items and then holds on.
	getsSomeAndWaits = Register("test get some", func(a intsArgs) (int, error) {
		for range a.N {
			if _, err := a.Q.Get(); err != nil {
				return 0, err
			}
		}
		_ = a.Up.Send(a.N)
		forever()
		return 0, nil
	})
)

func count1(from, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// TestQueueManyToMany: producers and consumers in many processes: each item arrives once.
func TestQueueManyToMany(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		for _, max := range []int{0, 5} {
			const each = 300
			q := ok(NewQueue[int](at, max))
			var consumers []*Running[[]int]
			for range 2 {
				consumers = append(consumers, ok(Start(getsAll, intsArgs{Q: q})))
			}
			own := runtime.Async(func() ([]int, error) { return getsAll.fn(intsArgs{Q: q}) })
			var producers []*Running[int]
			for i := range 2 {
				producers = append(producers, ok(Start(putsInts, intsArgs{Q: q, From: i * each, N: each})))
			}
			ok(putsInts.fn(intsArgs{Q: q, From: 2 * each, N: each}))
			for _, p := range producers {
				ok(p.Result())
			}
			check(t, q.Flush())
			check(t, q.Close())
			all := ok(own.Get())
			for _, p := range consumers {
				all = append(all, ok(p.Result())...)
			}
			slices.Sort(all)
			if !slices.Equal(all, count1(0, 3*each)) {
				t.Errorf("bound %d: %d items of %d", max, len(all), 3*each)
			}
			check(t, q.Remove())
		}
	})
}

func TestQueueMethods(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		q := ok(NewQueue[string](at, 2))
		_, err := q.TryGet()
		wantErr(t, "get", err, queue.ErrEmpty)
		_, err = q.GetUntil(soon())
		wantErr(t, "get", err, runtime.ErrTimeout)
		want(t, "empty", ok(q.Empty()), true)
		check(t, q.Put("a"))
		check(t, q.TryPut(""))
		wantErr(t, "put", q.TryPut("c"), queue.ErrFull)
		wantErr(t, "put", q.PutUntil("c", soon()), runtime.ErrTimeout)
		want(t, "length", ok(q.Len()), 2)
		putter := runtime.Async(func() (int, error) { return 0, q.Put("d") })
		runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&putter.Task, "room in a queue between processes") })
		for _, want1 := range []string{"a", "", "d"} {
			want(t, "item", ok(q.Get()), want1)
		}
		ok(putter.Get())

		getter := runtime.Async(q.Get)
		runtimetest.Eventually(t, "the wait", func() bool { return waitsFor(&getter.Task, "item of a queue between processes") })
		getter.Kill(nil)
		_, err = getter.Get()
		wantErr(t, "killed", err, runtime.ErrKilled)
		check(t, q.Put("kept")) // which the killed one has not taken
		want(t, "item", ok(q.Get()), "kept")

		check(t, q.Put("last"))
		check(t, q.Close())
		wantErr(t, "close", q.Close(), queue.ErrClosed)
		wantErr(t, "put", q.Put("x"), queue.ErrClosed)
		want(t, "item", ok(q.Get()), "last")
		_, err = q.Get()
		wantErr(t, "get", err, queue.ErrClosed)
		check(t, q.Remove())
		_, err = q.Get()
		wantErr(t, "removed", err, ErrGone)
	})
}

// TestQueueClosedBeforePut: without a bound Put does not wait for an answer, so a later call
// tells.
func TestQueueClosedBeforePut(t *testing.T) {
	inTask(t, func() {
		m := ok(StartManager())
		q := ok(NewQueue[int](m, 0))
		check(t, q.Close())
		check(t, q.Put(1))
		wantErr(t, "flush", q.Flush(), queue.ErrClosed)
		wantErr(t, "put", q.Put(1), queue.ErrClosed)
		check(t, m.Shutdown())
	})
}

// TestQueueUnencodable: who puts what can't be encoded is told, and the queue is not harmed.
func TestQueueUnencodable(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		q := ok(NewQueue[any](at, 0))
		var encode *EncodeError
		if err := q.Put(func() {}); !errors.As(err, &encode) {
			t.Errorf("put: %v", err)
		}
		check(t, q.Put("x"))
		want(t, "item", ok(q.Get()), any("x"))
		check(t, q.Remove())
	})
	defer func() {
		if recover() == nil {
			t.Error("a queue of pipe ends")
		}
	}()
	_, _ = NewQueue[*Sender[int]](Here, 0)
}

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
		const n, kills = 20_000, 4
		q := ok(NewQueue[int](Here, 0))
		for i := range n {
			check(t, q.Put(i))
		}
		var got []int
		for k := range kills {
			r, w, err := OneWay[int]()
			check(t, err)
			p := ok(Start(getsAndTells, intsArgs{Q: q, Up: w}))
			for range 500 * (k + 1) {
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

func TestSimpleQueue(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		q := ok(NewSimpleQueue[string](at))
		want(t, "empty", ok(q.Empty()), true)
		p := ok(Start(putsSimple, q))
		want(t, "item", ok(q.Get()), "hello")
		ok(p.Result())
		check(t, q.Put("x"))
		check(t, q.Close())
		_, err := q.Get()
		wantErr(t, "closed", err, ErrGone)
	})
}

var putsSimple = Register("test put simple", func(q *SimpleQueue[string]) (int, error) { return 0, q.Put("hello") })

func TestJoinable(t *testing.T) {
	places(t, func(t *testing.T, at Place) {
		q := ok(NewJoinable[int](at, 0))
		check(t, q.Join())
		wantErr(t, "done", q.Done(), lock.ErrOverRelease)
		for i := range 10 {
			check(t, q.Put(i))
		}
		wantErr(t, "join", q.JoinUntil(soon()), runtime.ErrTimeout)
		p := ok(Start(works, q))
		check(t, q.Join())
		want(t, "unfinished", ok(q.Unfinished()), 0)
		check(t, p.Kill())
		check(t, p.Join())
		check(t, q.Join()) // nothing was lost
		check(t, q.Remove())
	})
}

var (
	works = Register("test work", func(q *Joinable[int]) (int, error) {
		for range q.All() {
			if err := q.Done(); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	takesAndHolds = Register("test take and hold", func(q *Joinable[int]) (int, error) {
		for range 2 {
			if _, err := q.Get(); err != nil {
				return 0, err
			}
		}
		forever()
		return 0, nil
	})
)

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

// TestQueueOfStructs sends all kinds of items.
func TestQueueOfStructs(t *testing.T) {
	type item struct {
		Name string
		Tags []string
		Back *Queue[string]
	}
	places(t, func(t *testing.T, at Place) {
		q := ok(NewQueue[item](at, 0))
		back := ok(NewQueue[string](Here, 0))
		check(t, q.Put(item{"n", []string{"a", "b"}, back}))
		got := ok(q.Get())
		want(t, "item", got.Name+strings.Join(got.Tags, ""), "nab")
		check(t, got.Back.Put("through the handle"))
		want(t, "answer", ok(back.Get()), "through the handle")
		check(t, q.Remove())
		check(t, back.Remove())
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
