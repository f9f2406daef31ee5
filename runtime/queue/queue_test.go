package queue_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
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
