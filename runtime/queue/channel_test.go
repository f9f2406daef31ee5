package queue_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestChannelIsARendezvous(t *testing.T) { // D57
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		wantErr(t, "TryPut without a getter", c.TryPut(1), queue.ErrFull)
		_, err := c.TryGet()
		wantErr(t, "TryGet without a putter", err, queue.ErrEmpty)
		want(t, "Empty", c.Empty(), true)
		want(t, "Full", c.Full(), true)
		want(t, "Len", c.Len(), 0)
		want(t, "Cap", c.Cap(), 0)

		done := false
		putter := runtime.Spawn(func() { put(t, &c, 1); done = true })
		settle()
		want(t, "Put ended without a Get", done, false)
		want(t, "Len", c.Len(), 0)
		want(t, "item", get(t, &c), 1)
		joinAll(t, []*runtime.Task{putter})

		wantErr(t, "PutUntil", c.PutUntil(1, soon()), runtime.ErrTimeout)
		wantErr(t, "PutUntil", c.PutUntil(1, past), runtime.ErrTimeout)
		noTrace(t, &c)
		_, err = c.TryGet()
		wantErr(t, "TryGet after a Put that timed out", err, queue.ErrEmpty)
	})
}

func TestChannelPutterFirst(t *testing.T) { // D58
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[string]
		var events []string
		get := func() {
			v, err := c.Get()
			wantErr(t, "Get", err, nil)
			events = append(events, v)
		}
		runtime.Spawn(func() { get(); get() })
		events = append(events, "sending")
		wantErr(t, "Put", c.Put("hello"), nil)
		events = append(events, "sent hello")
		wantErr(t, "Put", c.Put("world"), nil)
		events = append(events, "sent world")
		wantSlice(t, events, "sending", "hello", "sent hello", "world", "sent world")
	})
}

func TestChannelGetterFirst(t *testing.T) { // D58
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[string]
		var events []string
		get := func() {
			v, err := c.Get()
			wantErr(t, "Get", err, nil)
			events = append(events, v)
		}
		runtime.Spawn(func() {
			events = append(events, "sending hello")
			wantErr(t, "Put", c.Put("hello"), nil)
			events = append(events, "sending world")
			wantErr(t, "Put", c.Put("world"), nil)
			events = append(events, "sent world")
		})
		events = append(events, "waiting")
		get()
		get()
		wantSlice(t, events, "waiting", "sending hello", "hello", "sending world", "world")
		runtime.Yield()
		wantSlice(t, events[5:], "sent world")
	})
}

func TestDeadChannelGetters(t *testing.T) { // D53
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		dead(t, func(deadline runtime.Instant) error { _, err := c.GetUntil(deadline); return err },
			func() { wantErr(t, "TryPut to the dead", c.TryPut(1), queue.ErrFull) })
		noTrace(t, &c)
	})
}

func TestDeadChannelPutters(t *testing.T) { // D54
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		dead(t, func(deadline runtime.Instant) error { return c.PutUntil(1, deadline) },
			func() {
				_, err := c.TryGet()
				wantErr(t, "TryGet from the dead", err, queue.ErrEmpty)
			})
		noTrace(t, &c)
	})
}

// TestChannelKillAfterTheHandOver kills both sides when the item has been given
// and neither has run since: the Put has happened, and so has the Get. Each
// meets its kill in its next wait.
func TestChannelKillAfterTheHandOver(t *testing.T) { // D54
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		var putter, getter *runtime.Task
		getter = runtime.Spawn(func() {
			want(t, "item", get(t, &c), 1)
			_, err := c.Get()
			wantErr(t, "next wait of the getter", err, runtime.ErrKilled)
		})
		settle()
		putter = runtime.Spawn(func() {
			wantErr(t, "Put", c.Put(1), nil)
			wantErr(t, "next wait of the putter", c.Put(2), runtime.ErrKilled)
		})
		// It runs after the putter and before the getter.
		runtime.Spawn(func() {
			getter.Kill(nil)
			putter.Kill(nil)
		})
		joinAll(t, []*runtime.Task{putter, getter})
		noTrace(t, &c)
	})
}

// TestChannelPutEndsAfterTheGetter has a getter that has been given its item, and
// can't run since its worker is held up.
func TestChannelPutEndsAfterTheGetter(t *testing.T) { // D57
	rt := runtimetest.New(t, 1)
	var c queue.Channel[int]
	getter := rt.Spawn(func() { want(t, "item", get(t, &c), 1) })
	waiting := func(n int) bool { getters, _ := c.Waiting(); return getters == n }
	runtimetest.Eventually(t, "the getter waits", func() bool { return waiting(1) })
	var returned atomic.Bool
	held := make(chan struct{})
	rt.Spawn(func() {
		close(held)
		for !waiting(0) {
			continue
		}
		for until := runtime.Now().Add(2 * time.Millisecond); runtime.Now() < until; {
			if returned.Load() {
				t.Error("Put ended before the getter ran")
				return
			}
		}
	})
	<-held
	put(t, &c, 1)
	returned.Store(true)
	joinAll(t, []*runtime.Task{getter})
}

func TestChannelPutOnTheHub(t *testing.T) { // D87
	runtimetest.Run(t, 1, func() {
		var c queue.Channel[int]
		getter := runtime.Spawn(func() { want(t, "item", get(t, &c), 2) })
		settle()
		runtime.CurrentWorker().Post(func() {
			wantErr(t, "Put", c.Put(1), runtime.ErrNotInTask)
			wantErr(t, "TryPut", c.TryPut(2), nil)
		})
		joinAll(t, []*runtime.Task{getter})
	})
}
