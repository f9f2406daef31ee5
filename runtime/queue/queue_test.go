package queue_test

import (
	goruntime "runtime"
	"testing"
	"time"
	"weak"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestOrder(t *testing.T) { // D51
	for name, order := range map[string][]int{
		"Queue":    {3, 1, 2, 1, 0},
		"Joinable": {3, 1, 2, 1, 0},
		"Lifo":     {0, 1, 2, 1, 3},
		"Priority": {0, 1, 1, 2, 3},
	} {
		q := kinds[name](0)
		for _, v := range []int{3, 1, 2, 1, 0} {
			put(t, q, v)
		}
		want(t, name+" Len", q.Len(), 5)
		var got []int
		for range 5 {
			got = append(got, get(t, q))
		}
		wantSlice(t, got, order...)
		want(t, name+" Empty", q.Empty(), true)
	}
}

func TestPriorityOfEqualsIsFirstIn(t *testing.T) { // D51
	type job struct{ class, number int }
	q := queue.NewPriority(0, func(a, b job) bool { return a.class < b.class })
	for i := range 300 {
		if err := q.Put(job{i % 3, i}); err != nil {
			t.Fatal(err)
		}
	}
	last := job{}
	for range 300 {
		j, err := q.Get()
		if err != nil || j.class < last.class || j.class == last.class && j.number < last.number {
			t.Fatalf("%v after %v, %v", j, last, err)
		}
		last = j
	}
}

// TestRing takes the ring round its end at each size.
func TestRing(t *testing.T) { // D51
	q := queue.New[int](0)
	in, out := 0, 0
	for round := range 40 {
		for range round {
			put(t, q, in)
			in++
		}
		for range round - 1 {
			want(t, "item", get(t, q), out)
			out++
		}
	}
	for out < in {
		want(t, "item", get(t, q), out)
		out++
	}
}

func TestBlockedPuttersCompleteInOrder(t *testing.T) { // D51
	eachAndChannel(t, 1, func(t *testing.T, q face) {
		if q.Cap() == 1 {
			put(t, q, -1)
		}
		var done []int
		for i := range 5 {
			runtime.Spawn(func() {
				put(t, q, i)
				done = append(done, i)
			})
		}
		settle()
		want(t, "completed", len(done), 0)
		for i := range 5 {
			get(t, q)
			settle()
			want(t, "completed", len(done), i+1)
		}
		wantSlice(t, done, 0, 1, 2, 3, 4)
		noTrace(t, q)
	})
}

func TestBlockedGettersAreServedInOrder(t *testing.T) { // D51
	eachAndChannel(t, 0, func(t *testing.T, q face) {
		var got []int
		var tasks []*runtime.Task
		for i := range 5 {
			tasks = append(tasks, runtime.Spawn(func() { got = append(got, 10*i+get(t, q)) }))
		}
		settle()
		for i := range 5 {
			put(t, q, i)
		}
		joinAll(t, tasks)
		wantSlice(t, got, 0, 11, 22, 33, 44)
		noTrace(t, q)
	})
}

// TestNobodyOvertakes has a party that comes when another has been served, but
// has not run.
func TestNobodyOvertakes(t *testing.T) { // D51
	each(t, 1, func(t *testing.T, q face) {
		first := 0
		getter := runtime.Spawn(func() { first = get(t, q) })
		settle()
		put(t, q, 1)
		_, err := q.TryGet()
		wantErr(t, "TryGet of an item that was handed over", err, queue.ErrEmpty)
		want(t, "Len", q.Len(), 0)
		joinAll(t, []*runtime.Task{getter})
		want(t, "the getter's", first, 1)

		put(t, q, 2)
		putter := runtime.Spawn(func() { put(t, q, 3) })
		settle()
		want(t, "item", get(t, q), 2)
		wantErr(t, "TryPut into room that was given away", q.TryPut(4), queue.ErrFull)
		want(t, "Len", q.Len(), 1)
		joinAll(t, []*runtime.Task{putter})
		want(t, "item", get(t, q), 3)
	})
}

func TestThirdPutWaits(t *testing.T) { // D52
	each(t, 2, func(t *testing.T, q face) {
		put(t, q, 1)
		put(t, q, 2)
		want(t, "Full", q.Full(), true)
		done := false
		putter := runtime.Spawn(func() { put(t, q, 3); done = true })
		settle()
		want(t, "done while full", done, false)
		want(t, "Len", q.Len(), 2)
		get(t, q)
		joinAll(t, []*runtime.Task{putter})
		want(t, "Len", q.Len(), 2)
	})
}

func TestTimedOutGetterEatsNoItem(t *testing.T) { // D53
	eachAndChannel(t, 0, func(t *testing.T, q face) {
		for _, deadline := range []runtime.Instant{past, soon()} {
			_, err := q.GetUntil(deadline)
			wantErr(t, "GetUntil", err, runtime.ErrTimeout)
			noTrace(t, q)
		}
		putter := runtime.Spawn(func() { put(t, q, 7) })
		settle()
		want(t, "item", get(t, q), 7)
		joinAll(t, []*runtime.Task{putter})
	})
}

// dead has tasks that wait in fn until they are ended by a deadline, a
// WithTimeout and a kill, and calls meanwhile in the turn of the worker in which
// they have been ended, but have not run since.
func dead(t *testing.T, fn func(runtime.Instant) error, meanwhile func()) {
	t.Helper()
	errs := make([]error, 3)
	deadline := runtime.Now().Add(2 * time.Millisecond)
	var timed, within, killed *runtime.Task
	first := runtime.Spawn(func() {
		runtime.Sleep(time.Millisecond)
		killed.Kill(errCause)
		meanwhile()
	})
	timed = runtime.Spawn(func() { errs[0] = fn(deadline) })
	within = runtime.Spawn(func() {
		errs[1] = runtime.WithTimeout(time.Millisecond, func() error { return fn(0) })
	})
	killed = runtime.Spawn(func() { errs[2] = fn(0) })
	settle()
	for runtime.Now() < deadline.Add(time.Millisecond) {
		// The worker is held up, so that all timers fire at once, first's first.
	}
	joinAll(t, []*runtime.Task{first, timed, within, killed})
	wantErr(t, "own deadline", errs[0], runtime.ErrTimeout)
	wantErr(t, "WithTimeout", errs[1], runtime.ErrTimeout)
	wantErr(t, "kill", errs[2], runtime.ErrKilled)
	wantErr(t, "kill", errs[2], errCause)
}

func TestDeadGettersLeaveTheItem(t *testing.T) { // D53
	each(t, 0, func(t *testing.T, q face) {
		dead(t, func(deadline runtime.Instant) error { _, err := q.GetUntil(deadline); return err },
			func() { put(t, q, 7) })
		noTrace(t, q)
		want(t, "Len", q.Len(), 1)
		want(t, "item", get(t, q), 7)
	})
}

func TestDeadPuttersLeaveNoItem(t *testing.T) { // D54
	each(t, 1, func(t *testing.T, q face) {
		put(t, q, 1)
		dead(t, func(deadline runtime.Instant) error { return q.PutUntil(2, deadline) },
			func() { want(t, "item", get(t, q), 1) })
		noTrace(t, q)
		want(t, "Len", q.Len(), 0)
		put(t, q, 3)
		want(t, "item", get(t, q), 3)
	})
}

// TestTheOneBehindTheDeadIsServed has one that has been killed, and has not run
// since, in front of another.
func TestTheOneBehindTheDeadIsServed(t *testing.T) { // D53 D54
	eachAndChannel(t, 1, func(t *testing.T, q face) {
		gone := runtime.Spawn(func() { _, _ = q.Get() })
		got := 0
		next := runtime.Spawn(func() { got = get(t, q) })
		settle()
		gone.Kill(nil)
		put(t, q, 5)
		joinAll(t, []*runtime.Task{gone, next})
		want(t, "item", got, 5)

		if q.Cap() == 1 {
			put(t, q, 6)
		}
		gone = runtime.Spawn(func() { _ = q.Put(7) })
		next = runtime.Spawn(func() { put(t, q, 8) })
		settle()
		gone.Kill(nil)
		if q.Cap() == 1 {
			want(t, "item", get(t, q), 6)
		}
		want(t, "item", get(t, q), 8)
		joinAll(t, []*runtime.Task{gone, next})
		noTrace(t, q)
	})
}

// TestSwallowedKill has a task that caught the panic of a kill. Its next wait
// unwinds it, and must leave the queue, too.
func TestSwallowedKill(t *testing.T) { // own behaviour 2
	eachAndChannel(t, 0, func(t *testing.T, q face) {
		after := false
		task := runtime.Spawn(func() {
			func() {
				defer func() { _ = recover() }()
				runtime.Sleep(time.Hour)
			}()
			_, _ = q.Get()
			after = true
		})
		settle()
		task.Kill(nil)
		wantErr(t, "Join", task.Join(), runtime.ErrKilled)
		want(t, "went on", after, false)
		noTrace(t, q)
		if q.TryPut(1) == nil {
			want(t, "Len", q.Len(), 1)
		}
	})
}

func TestTryFromTheHub(t *testing.T) { // D55
	eachAndChannel(t, 1, func(t *testing.T, q face) {
		onHub := func(fn func()) {
			done := false
			runtime.CurrentWorker().Post(func() { fn(); done = true })
			runtimetest.Eventually(t, "the callback", func() bool { return done })
		}
		got := 0
		getter := runtime.Spawn(func() { got = get(t, q) })
		settle()
		onHub(func() { wantErr(t, "TryPut to a getter", q.TryPut(1), nil) })
		joinAll(t, []*runtime.Task{getter})
		want(t, "item", got, 1)

		if q.Cap() == 1 {
			onHub(func() { wantErr(t, "TryPut", q.TryPut(2), nil) })
		}
		onHub(func() { wantErr(t, "TryPut when full", q.TryPut(3), queue.ErrFull) })
		putter := runtime.Spawn(func() { put(t, q, 4) })
		settle()
		if q.Cap() == 1 {
			onHub(func() {
				v, err := q.TryGet()
				wantErr(t, "TryGet", err, nil)
				want(t, "item", v, 2)
			})
		}
		onHub(func() {
			v, err := q.TryGet()
			wantErr(t, "TryGet", err, nil)
			want(t, "the putter's item", v, 4)
			_, err = q.TryGet()
			wantErr(t, "TryGet when empty", err, queue.ErrEmpty)
		})
		joinAll(t, []*runtime.Task{putter})

		onHub(func() {
			_, err := q.Get()
			wantErr(t, "Get", err, runtime.ErrNotInTask)
			noTrace(t, q)
		})
		if q.Cap() == 1 {
			put(t, q, 5)
		}
		onHub(func() {
			wantErr(t, "Put", q.Put(6), runtime.ErrNotInTask)
			noTrace(t, q)
		})
	})
}

// A function given to OnDone runs on the hub.
func TestTryFromOnDone(t *testing.T) { // D55
	runtimetest.Run(t, 1, func() {
		q := queue.New[*runtime.Task](0)
		task := runtime.Spawn(func() {})
		task.OnDone(func(ended *runtime.Task) { wantErr(t, "TryPut", q.TryPut(ended), nil) })
		got, err := q.Get()
		want(t, "task", got, task)
		wantErr(t, "Get", err, nil)
	})
}

func TestCounts(t *testing.T) {
	each(t, 2, func(t *testing.T, q face) {
		check := func(length int, empty, full bool) {
			t.Helper()
			want(t, "Len", q.Len(), length)
			want(t, "Empty", q.Empty(), empty)
			want(t, "Full", q.Full(), full)
		}
		want(t, "Cap", q.Cap(), 2)
		check(0, true, false)
		put(t, q, 1)
		check(1, false, false)
		put(t, q, 1)
		check(2, false, true)
		waiting := runtime.Spawn(func() { put(t, q, 1) })
		settle()
		check(2, false, true)
		get(t, q)
		joinAll(t, []*runtime.Task{waiting})
		check(2, false, true)
	})
	var unbounded queue.Queue[int]
	for i := range 1000 {
		put(t, &unbounded, i)
	}
	want(t, "Cap", unbounded.Cap(), 0)
	want(t, "Full", unbounded.Full(), false)
}

func TestMisuse(t *testing.T) {
	for what, call := range map[string]func(){
		"queue: negative maxsize": func() { queue.New[int](-1) },
		"queue: no less function": func() { queue.NewPriority[int](0, nil) },
	} {
		func() {
			defer func() { want(t, "panic", recover(), any(what)) }()
			call()
		}()
	}
}

// TestPanicInLess shows that the queue is not left locked.
func TestPanicInLess(t *testing.T) {
	q := queue.NewPriority(0, func(a, b int) bool {
		if a == 13 || b == 13 {
			panic("unlucky")
		}
		return a < b
	})
	panicked := func(call func()) (r any) {
		defer func() { r = recover() }()
		call()
		return nil
	}
	put(t, q, 1)
	want(t, "panic of Put", panicked(func() { _ = q.Put(13) }), any("unlucky"))
	want(t, "panic of TryPut", panicked(func() { _ = q.TryPut(13) }), any("unlucky"))
	want(t, "panic of Get", panicked(func() { _, _ = q.Get() }), any("unlucky"))
	want(t, "Len", q.Len(), 3)
}

// TestRoom has a queue that gives the memory of a burst back, unless bursts are
// the rule.
func TestRoom(t *testing.T) {
	for name, kind := range kinds {
		q := kind(0)
		burst := func(n int) {
			for range n {
				put(t, q, 1)
			}
			for range n {
				get(t, q)
			}
		}
		room := q.(interface{ Room() int }).Room
		burst(10_000)
		large := room()
		burst(10_000)
		want(t, name+" after like bursts", room(), large)
		burst(10)
		if room() > 100 {
			t.Errorf("%s keeps room for %d after a small burst", name, room())
		}
		burst(50)
		small := room()
		burst(1)
		want(t, name+" small room", room(), small)
	}
}

func TestItemsAreLetGo(t *testing.T) {
	type large struct{ _ [100]int }
	runtimetest.Run(t, 1, func() {
		for name, q := range map[string]interface {
			Put(*large) error
			Get() (*large, error)
		}{
			"Queue":    queue.New[*large](1),
			"Lifo":     queue.NewLifo[*large](1),
			"Priority": queue.NewPriority(1, func(a, b *large) bool { return a == b }),
			"Channel":  new(queue.Channel[*large]),
		} {
			var refs []weak.Pointer[large]
			run := func(first, second func()) {
				a, b := runtime.Spawn(first), runtime.Spawn(second)
				joinAll(t, []*runtime.Task{a, b})
			}
			puts := func() {
				for range 5 {
					item := new(large)
					refs = append(refs, weak.Make(item))
					_ = q.Put(item)
				}
			}
			gets := func() {
				for range 5 {
					_, _ = q.Get()
				}
			}
			run(puts, gets)
			run(gets, puts)
			goruntime.GC()
			for i, ref := range refs {
				if ref.Value() != nil {
					t.Errorf("%s keeps item %d", name, i)
				}
			}
			goruntime.KeepAlive(q)
		}
	})
}
