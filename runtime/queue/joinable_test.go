package queue_test

import (
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestJoin(t *testing.T) { // D59
	runtimetest.Run(t, 1, func() {
		var q queue.Joinable[int]
		wantErr(t, "Join of a fresh one", q.Join(), nil)
		put(t, &q, 1)
		put(t, &q, 2)
		wantErr(t, "JoinUntil", q.JoinUntil(soon()), runtime.ErrTimeout)
		want(t, "joiners listed", q.Joining(), 0)
		joined := 0
		var tasks []*runtime.Task
		for range 3 {
			tasks = append(tasks, runtime.Spawn(func() {
				wantErr(t, "Join", q.Join(), nil)
				joined++
			}))
		}
		killed := runtime.Spawn(func() { wantErr(t, "killed Join", q.Join(), runtime.ErrKilled) })
		settle()
		killed.Kill(nil)
		get(t, &q)
		q.Done()
		settle()
		want(t, "joined", joined, 0)
		want(t, "Unfinished", q.Unfinished(), 1)
		want(t, "joiners listed", q.Joining(), 3)
		get(t, &q)
		settle()
		want(t, "joined", joined, 0)
		q.Done()
		joinAll(t, tasks)
		want(t, "joined", joined, 3)
		wantErr(t, "Join again", q.Join(), nil)
	})
}

// TestJoinCountsEveryWayIn has items that are handed over, and that waited for
// room, and some that never came in.
func TestJoinCountsEveryWayIn(t *testing.T) { // D59
	runtimetest.Run(t, 1, func() {
		q := queue.NewJoinable[int](1)
		getter := runtime.Spawn(func() { get(t, q) })
		settle()
		put(t, q, 1)
		joinAll(t, []*runtime.Task{getter})
		want(t, "handed over", q.Unfinished(), 1)
		wantErr(t, "TryPut", q.TryPut(2), nil)
		wantErr(t, "TryPut", q.TryPut(2), queue.ErrFull)
		wantErr(t, "PutUntil", q.PutUntil(2, past), runtime.ErrTimeout)
		want(t, "stored", q.Unfinished(), 2)
		putter := runtime.Spawn(func() { put(t, q, 3) })
		settle()
		want(t, "waiting", q.Unfinished(), 2)
		get(t, q)
		joinAll(t, []*runtime.Task{putter})
		want(t, "let in", q.Unfinished(), 3)
		_, err := q.Peek()
		wantErr(t, "Peek", err, nil)
		want(t, "after Peek", q.Unfinished(), 3)
		wantErr(t, "Close", q.Close(), nil)
		get(t, q)
		for range 3 {
			q.Done()
		}
		wantErr(t, "Join", q.Join(), nil)
	})
}

func TestDoneTooOften(t *testing.T) { // D60
	var q queue.Joinable[int]
	for range 2 {
		func() {
			defer func() {
				want(t, "panic", recover(), any("queue: Done called more often than items were put"))
			}()
			q.Done()
		}()
		put(t, &q, 1)
		q.Done()
	}
}
