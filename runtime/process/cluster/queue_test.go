package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/process"
	taskqueue "github.com/weft-go/weft/runtime/queue"
)

// soon is a deadline that passes during the test.
func soon() runtime.Instant { return runtime.Now().Add(5 * time.Millisecond) }

func TestQueueMethods(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewQueue[string](c.Queue("q"), 2))
		_, err := q.TryGet()
		wantErr(t, "get", err, taskqueue.ErrEmpty)
		_, err = q.GetUntil(soon())
		wantErr(t, "get", err, runtime.ErrTimeout)
		want(t, "empty", ok(q.Empty()), true)
		check(t, q.Put("a"))
		check(t, q.TryPut(""))
		wantErr(t, "put", q.TryPut("c"), taskqueue.ErrFull)
		wantErr(t, "put", q.PutUntil("c", soon()), runtime.ErrTimeout)
		wantErr(t, "put", runtime.WithTimeout(5*time.Millisecond, func() error { return q.Put("c") }), runtime.ErrTimeout)
		want(t, "length", ok(q.Len()), 2)
		want(t, "item", ok(q.Get()), "a")
		want(t, "length without what is taken", ok(q.Len()), 1)
		wantErr(t, "put while the item is not acknowledged", q.TryPut("c"), taskqueue.ErrFull)
		check(t, q.Flush())
		check(t, q.TryPut("c"))
		want(t, "item", ok(q.TryGet()), "")
		var into string
		check(t, q.GetInto(&into))
		want(t, "item", into, "c")
		put := runtime.Async(func() (int, error) { return 1, errors.Join(q.Put("d"), q.Put("e"), q.Put("f")) })
		for _, item := range []string{"d", "e", "f"} {
			want(t, "item that had to wait for room", ok(q.GetUntil(patience())), item)
		}
		ok(put.Get())

		var encode *process.EncodeError
		var size *SizeError
		if err := q.Put(strings.Repeat("x", embeddedPayload)); !errors.As(err, &size) || !errors.As(err, &encode) {
			t.Errorf("long item: %v", err)
		}
		check(t, q.Put("last"))
		check(t, q.Close())
		wantErr(t, "put", q.Put("x"), taskqueue.ErrClosed)
		wantErr(t, "put", q.TryPut("x"), taskqueue.ErrClosed)
		wantErr(t, "close", q.Close(), taskqueue.ErrClosed)
		want(t, "item", ok(q.Get()), "last")
		_, err = q.GetUntil(patience())
		wantErr(t, "get", err, taskqueue.ErrClosed)
		_, err = q.TryGet()
		wantErr(t, "get", err, taskqueue.ErrClosed)
		for range q.All() {
			t.Error("an item of nothing")
		}
		check(t, q.Remove())
		wantErr(t, "put", q.Put("x"), process.ErrGone)
		_, err = q.Get()
		wantErr(t, "get", err, process.ErrGone)
		_, err = q.Len()
		wantErr(t, "len", err, process.ErrGone)
		wantErr(t, "close", q.Close(), process.ErrGone)
	})
}

// TestQueueWaitersHear: those who wait in another process hear that there is room, that the queue was
// closed, and that it is gone.
func TestQueueWaitersHear(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		other := ok(Open(Config{URL: c.URL()}))
		q := ok(process.NewQueue[int](c.Queue("q"), 1))
		theirs := ok(process.NewQueue[int](other.Queue("q"), 1))
		check(t, q.Put(1))
		put := runtime.Async(func() (int, error) { return 1, theirs.PutUntil(2, patience()) })
		want(t, "item", ok(q.Get()), 1)
		want(t, "item", ok(q.GetUntil(patience())), 2)
		ok(put.Get())
		get := runtime.Async(func() (int, error) { return theirs.GetUntil(patience()) })
		check(t, q.Flush())
		check(t, q.Close())
		_, err := get.Get()
		wantErr(t, "get of a closed one", err, taskqueue.ErrClosed)
		check(t, q.Remove())
		wantErr(t, "put", theirs.Put(1), process.ErrGone)

		q = ok(process.NewQueue[int](c.Queue("r"), 0))
		theirs = ok(process.NewQueue[int](other.Queue("r"), 0))
		get = runtime.Async(func() (int, error) { return theirs.GetUntil(patience()) })
		check(t, q.Put(3))
		want(t, "item", ok(get.Get()), 3)
		get = runtime.Async(func() (int, error) { return theirs.GetUntil(patience()) })
		check(t, q.Remove())
		_, err = get.Get()
		wantErr(t, "get of a removed one", err, process.ErrGone)
		q = ok(process.NewQueue[int](c.Queue("r"), 0))
		check(t, q.Close())
		_, err = theirs.GetUntil(patience())
		wantErr(t, "get of a new one of that name, closed", err, taskqueue.ErrClosed)
		check(t, q.Remove())
		q = ok(process.NewQueue[int](c.Queue("r"), 0))
		get = runtime.Async(func() (int, error) { return theirs.GetUntil(patience()) })
		check(t, q.Put(4))
		want(t, "item of the third one", ok(get.Get()), 4)
		check(t, other.Close())
	})
}

// TestQueueSame: a queue is found again by its name, unless it is another one.
func TestQueueSame(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewQueue[int](c.Queue("q"), 5))
		check(t, q.Put(1))
		want(t, "item", ok(ok(process.NewQueue[int](c.Queue("q"), 5)).Get()), 1)
		_, err := process.NewQueue[int](c.Queue("q"), 6)
		wantErr(t, "another bound", err, ErrOtherQueue)
		_, err = process.NewQueue[string](c.Queue("q"), 5)
		wantErr(t, "other items", err, ErrOtherQueue)
		_, err = process.NewJoinable[int](c.Queue("q"), 5)
		wantErr(t, "another kind", err, ErrOtherQueue)
		_, err = process.NewEvent(c.Queue("q"))
		wantErr(t, "an event", err, process.ErrQueuesOnly)
		s := ok(process.NewSimpleQueue[string](c.Queue("s")))
		check(t, s.Put("x"))
		want(t, "empty", ok(s.Empty()), false)
		want(t, "item", ok(s.Get()), "x")
		check(t, s.Close())
		wantErr(t, "put", s.Put("x"), process.ErrGone)
		for _, name := range []string{"", "a.b", "*", strings.Repeat("x", 101)} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("the name %q is good", name)
					}
				}()
				c.Queue(name)
			}()
		}
	})
}

func TestJoinable(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewJoinable[int](c.Queue("q"), 0))
		check(t, q.Join())
		wantErr(t, "done", q.Done(), lock.ErrOverRelease)
		for i := range 3 {
			check(t, q.Put(i))
		}
		wantErr(t, "join", q.JoinUntil(soon()), runtime.ErrTimeout)
		wantErr(t, "join", runtime.WithTimeout(5*time.Millisecond, q.Join), runtime.ErrTimeout)
		join := runtime.Async(func() (int, error) { return 0, q.JoinUntil(patience()) })
		for i := range 3 {
			want(t, "item", ok(q.Get()), i)
			want(t, "unfinished", ok(q.Unfinished()), 3)
		}
		check(t, q.Flush()) // does not acknowledge: Done does
		// Done in another task: of the item that was taken first.
		check(t, runtime.Spawn(func() { check(t, q.Done()) }).Join())
		check(t, q.Done())
		want(t, "unfinished", ok(q.Unfinished()), 1)
		check(t, q.Done())
		ok(join.Get())
		wantErr(t, "done", q.Done(), lock.ErrOverRelease)
		check(t, q.Remove())
	})
}

// TestQueueManyToMany: producers and consumers in many processes: each item is taken.
func TestQueueManyToMany(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		for _, max := range []int{0, 5} {
			const each = 100
			q := ok(process.NewQueue[int](c.Queue(fmt.Sprint("q", max)), max))
			var consumers []*process.Running[[]int]
			for range 2 {
				consumers = append(consumers, ok(process.Start(getsAll, intsArgs{URL: c.URL(), Q: q})))
			}
			own := runtime.Async(func() (all []int, _ error) {
				for v := range q.All() {
					all = append(all, v)
				}
				return all, nil
			})
			producers := []*runtime.Future[int]{}
			for i := range 2 {
				producers = append(producers, runtime.Async(func() (int, error) {
					for k := range each {
						if err := q.Put(i*each + k); err != nil {
							return k, err
						}
					}
					return each, nil
				}))
			}
			for _, p := range producers {
				ok(p.Get())
			}
			check(t, q.Close())
			all := ok(own.Get())
			for _, p := range consumers {
				all = append(all, ok(p.Result())...)
			}
			slices.Sort(all)
			// No process has died, so none came twice.
			if !slices.Equal(all, slices.Collect(count(2*each))) {
				t.Errorf("bound %d: %d items of %d", max, len(all), 2*each)
			}
			check(t, q.Remove())
		}
	})
}

type intsArgs struct {
	URL string
	Q   *process.Queue[int]
	Up  *process.Sender[int]
}

var getsAll = process.Register("test get all", func(a intsArgs) (all []int, _ error) {
	if _, err := a.Q.Len(); !errors.Is(err, ErrNoCluster) {
		return nil, fmt.Errorf("without a cluster: %w", err)
	}
	c, err := Open(Config{URL: a.URL, Lease: testLease})
	if err != nil {
		return nil, err
	}
	for v := range a.Q.All() {
		all = append(all, v)
	}
	return all, c.Close()
})

// TestTakerKilled: the item that a process has in hand when it is killed goes to another.
func TestTakerKilled(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		for i := range 10 {
			check(t, q.Put(i))
		}
		r, w, err := process.OneWay[int]()
		check(t, err)
		p := ok(process.Start(getsAndHolds, intsArgs{URL: c.URL(), Q: q, Up: w}))
		want(t, "its first item", ok(r.Recv()), 0)
		want(t, "its second item", ok(r.Recv()), 1)
		check(t, p.Kill())
		check(t, p.Join())
		check(t, q.Close())
		var all []int
		for v := range q.All() {
			all = append(all, v)
		}
		slices.Sort(all)
		// The first one was acknowledged when the second one was asked for; but whether the servers
		// had heard that when the process was killed is not known.
		if all[0] == 0 {
			all = all[1:]
		}
		want(t, "items", fmt.Sprint(all), "[1 2 3 4 5 6 7 8 9]")
		check(t, r.Close())
		check(t, q.Remove())
	})
}

// getsAndHolds takes two items, tells of them, and then holds on.
var getsAndHolds = process.Register("test get and hold", func(a intsArgs) (int, error) {
	if _, err := Open(Config{URL: a.URL, Lease: testLease}); err != nil {
		return 0, err
	}
	for range 2 {
		v, err := a.Q.Get()
		if err != nil {
			return 0, err
		}
		if err := a.Up.Send(v); err != nil {
			return 0, err
		}
	}
	forever()
	return 0, nil
})

// TestTakerTaskEnds: what a task that was killed, or panicked, has in hand is for others, at once; what one
// that has returned had is done with.
func TestTakerTaskEnds(t *testing.T) {
	inTask(t, func() {
		c := ok(Open(Config{})) // whose leases outlast the test
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		for i := range 3 {
			check(t, q.Put(i))
		}
		check(t, runtime.Spawn(func() { want(t, "item", ok(q.Get()), 0) }).Join())
		killed := runtime.Spawn(func() {
			want(t, "item", ok(q.Get()), 1)
			forever()
		})
		for ok(q.Len()) != 1 {
			runtime.Sleep(time.Millisecond)
		}
		killed.Kill(runtime.ErrKilled)
		wantErr(t, "killed", killed.Join(), runtime.ErrKilled)
		check(t, q.Close())
		var all []int
		for v := range q.All() {
			all = append(all, v)
		}
		slices.Sort(all)
		want(t, "items", fmt.Sprint(all), "[1 2]")
		check(t, q.Remove())
		check(t, c.Close())
	})
}

// TestTakenItemIsHeld: an item is its taker's for longer than a lease, as long as that lives.
func TestTakenItemIsHeld(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		check(t, q.Put(1))
		check(t, q.Close())
		for v := range q.All() {
			want(t, "item", v, 1)
			_, err := runtime.Await(func() (int, error) { // another taker, which is a goroutine
				return q.GetUntil(runtime.Now().Add(2 * testLease))
			})
			wantErr(t, "another one", err, runtime.ErrTimeout)
		}
		check(t, q.Remove())
	})
}

// TestGetGivenUp: an item that arrives for one who no longer waits goes to others.
func TestGetGivenUp(t *testing.T) {
	inTask(t, func() {
		c := ok(Open(Config{}))
		q := ok(process.NewQueue[int](c.Queue("q"), 0))
		other := ok(Open(Config{URL: c.URL()}))
		theirs := ok(process.NewQueue[int](other.Queue("q"), 0))
		_, err := theirs.GetUntil(soon()) // leaves a request with the server
		wantErr(t, "get", err, runtime.ErrTimeout)
		for i := range 20 {
			check(t, q.Put(i))
			want(t, "item", ok(q.GetUntil(patience())), i)
		}
		check(t, other.Close())
		check(t, c.Close())
	})
}
