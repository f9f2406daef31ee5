package queue_test

import (
	"iter"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestClose(t *testing.T) {
	each(t, 2, func(t *testing.T, f face) {
		q := f.(peeker)
		put(t, q, 1)
		put(t, q, 2)
		putter := runtime.Spawn(func() { wantErr(t, "waiting Put", q.Put(3), queue.ErrClosed) })
		settle()
		wantErr(t, "Close", q.Close(), nil)
		wantErr(t, "Close again", q.Close(), queue.ErrClosed)
		joinAll(t, []*runtime.Task{putter})
		noTrace(t, q)
		wantErr(t, "Put", q.Put(4), queue.ErrClosed)
		wantErr(t, "TryPut", q.TryPut(4), queue.ErrClosed)
		want(t, "Len", q.Len(), 2)
		want(t, "sum", get(t, q)+get(t, q), 3)
		for what, look := range map[string]func() (int, error){
			"Get": q.Get, "TryGet": q.TryGet, "Peek": q.Peek, "TryPeek": q.TryPeek,
		} {
			_, err := look()
			wantErr(t, what, err, queue.ErrClosed)
		}
	})
}

func TestCloseEndsWaits(t *testing.T) {
	eachAndChannel(t, 1, func(t *testing.T, q face) {
		var tasks []*runtime.Task
		for range 3 {
			tasks = append(tasks, runtime.Spawn(func() {
				_, err := q.Get()
				wantErr(t, "Get", err, queue.ErrClosed)
			}))
		}
		if p, ok := q.(peeker); ok {
			tasks = append(tasks, runtime.Spawn(func() {
				_, err := p.Peek()
				wantErr(t, "Peek", err, queue.ErrClosed)
			}))
		}
		killed := runtime.Spawn(func() {
			_, err := q.Get()
			wantErr(t, "killed Get", err, runtime.ErrKilled)
		})
		settle()
		killed.Kill(nil)
		wantErr(t, "Close", q.Close(), nil)
		joinAll(t, append(tasks, killed))
		noTrace(t, q)
	})
}

func TestCloseChannel(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		putter := runtime.Spawn(func() { wantErr(t, "waiting Put", c.Put(1), queue.ErrClosed) })
		settle()
		wantErr(t, "Close", c.Close(), nil)
		wantErr(t, "Close again", c.Close(), queue.ErrClosed)
		joinAll(t, []*runtime.Task{putter})
		wantErr(t, "Put", c.Put(1), queue.ErrClosed)
		wantErr(t, "TryPut", c.TryPut(1), queue.ErrClosed)
		_, err := c.Get()
		wantErr(t, "Get", err, queue.ErrClosed)
		_, err = c.TryGet()
		wantErr(t, "TryGet", err, queue.ErrClosed)
		noTrace(t, &c)
	})
}

func TestAll(t *testing.T) { // D61
	runtimetest.Run(t, 1, func() {
		for name, q := range map[string]interface {
			face
			All() iter.Seq[int]
		}{
			"Queue":   queue.New[int](2),
			"Channel": new(queue.Channel[int]),
		} {
			producer := runtime.Spawn(func() {
				for i := range 6 {
					put(t, q, i)
				}
				wantErr(t, "Close", q.Close(), nil)
			})
			var got []int
			for v := range q.All() {
				if got = append(got, v); v == 2 {
					break
				}
			}
			for v := range q.All() {
				got = append(got, v)
			}
			wantSlice(t, got, 0, 1, 2, 3, 4, 5)
			for range q.All() {
				t.Errorf("%s gives items after its end", name)
			}
			joinAll(t, []*runtime.Task{producer})
		}
	})
}

func TestAllUnwindsTheKilled(t *testing.T) { // D61
	runtimetest.Run(t, 1, func() {
		var q queue.Queue[int]
		cleaned, after := false, false
		task := runtime.Spawn(func() {
			defer func() { cleaned = true }()
			for range q.All() {
			}
			after = true
		})
		settle()
		task.Kill(errCause)
		wantErr(t, "Join", task.Join(), errCause)
		want(t, "cleaned up", cleaned, true)
		want(t, "went on", after, false)
		noTrace(t, &q)
		err := runtime.WithTimeout(1, func() error {
			for range q.All() {
			}
			return nil
		})
		wantErr(t, "WithTimeout", err, runtime.ErrTimeout)
	})
}
