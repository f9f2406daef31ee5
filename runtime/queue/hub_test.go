package queue_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

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
