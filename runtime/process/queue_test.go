package process

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

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
