package queue_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

type peeker interface {
	face
	Peek() (int, error)
	PeekUntil(runtime.Instant) (int, error)
	TryPeek() (int, error)
}

func TestPeek(t *testing.T) { // D56
	each(t, 0, func(t *testing.T, f face) {
		q := f.(peeker)
		_, err := q.TryPeek()
		wantErr(t, "TryPeek when empty", err, queue.ErrEmpty)
		_, err = q.PeekUntil(soon())
		wantErr(t, "PeekUntil when empty", err, runtime.ErrTimeout)
		noTrace(t, q)

		saw := 0
		waiting := runtime.Spawn(func() { saw, _ = q.Peek() })
		settle()
		want(t, "ended while empty", waiting.Ended(), false)
		put(t, q, 3)
		joinAll(t, []*runtime.Task{waiting})
		want(t, "saw", saw, 3)
		want(t, "Len after Peek", q.Len(), 1)

		put(t, q, 2)
		put(t, q, 4)
		next, err := q.Peek()
		wantErr(t, "Peek", err, nil)
		tried, err := q.TryPeek()
		wantErr(t, "TryPeek", err, nil)
		want(t, "TryPeek", tried, next)
		want(t, "Len after Peek", q.Len(), 3)
		want(t, "Get after Peek", get(t, q), next)
	})
}

// TestPeekersAndGettersWaitInOneLine has each see the item that comes when it
// is the first.
func TestPeekersAndGettersWaitInOneLine(t *testing.T) { // D56 D51
	runtimetest.Run(t, 1, func() {
		q := queue.New[int](0)
		saw := make([]int, 5)
		var tasks []*runtime.Task
		for i, look := range []func() (int, error){q.Peek, q.Peek, q.Get, q.Peek, q.Get} {
			tasks = append(tasks, runtime.Spawn(func() { saw[i], _ = look() }))
		}
		settle()
		put(t, q, 7)
		settle()
		wantSlice(t, saw, 7, 7, 7, 0, 0)
		put(t, q, 8)
		joinAll(t, tasks)
		wantSlice(t, saw, 7, 7, 7, 8, 8)
		want(t, "Len", q.Len(), 0)
	})
}

func TestDeadPeekers(t *testing.T) { // D56 D53
	runtimetest.Run(t, 1, func() {
		q := queue.New[int](0)
		dead(t, func(deadline runtime.Instant) error { _, err := q.PeekUntil(deadline); return err },
			func() { put(t, q, 1) })
		noTrace(t, q)
		want(t, "item", get(t, q), 1)
	})
}
