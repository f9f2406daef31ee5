package runtime_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func TestCancelledTimersLeaveNothing(t *testing.T) { // own behaviour 7
	runtimetest.Run(t, 1, func() {
		before := runtime.Timers()
		var tasks []*runtime.Task
		for range 1000 {
			tasks = append(tasks, runtime.Spawn(func() { runtime.Sleep(time.Hour) }))
		}
		runtime.Yield()
		if n := runtime.Timers() - before; n != 1000 {
			t.Errorf("%d timers for 1000 sleepers", n)
		}
		rand.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
		for _, task := range tasks {
			task.Kill(nil)
		}
		for _, task := range tasks {
			_ = task.Join()
		}
		if n := runtime.Timers() - before; n != 0 {
			t.Errorf("%d timers left", n)
		}
	})
}

func TestWaitsEndInOrder(t *testing.T) { // D95
	runtimetest.Run(t, 1, func() {
		for lead := 20 * time.Millisecond; ; lead *= 2 {
			if endInOrder(t, lead) {
				return
			}
		}
	})
}

// endInOrder has 2,000 tasks wait until some instant after lead. It reports
// false if lead was too short for all of them to begin.
func endInOrder(t *testing.T, lead time.Duration) bool {
	start := runtime.Now().Add(lead)
	var ended []runtime.Instant
	var tasks []*runtime.Task
	for range 2000 {
		// Many are equal.
		due := start.Add(time.Duration(rand.IntN(100)) * 100 * time.Microsecond)
		tasks = append(tasks, runtime.Spawn(func() {
			if err := runtime.NewWaiter().ParkUntil("test", due); err != runtime.ErrTimeout {
				t.Error(err)
			}
			if now := runtime.Now(); now < due {
				t.Errorf("woken %v early", due.Sub(now))
			}
			ended = append(ended, due)
		}))
	}
	runtime.Yield()
	begun := runtime.Now() < start
	for _, task := range tasks {
		_ = task.Join()
	}
	if begun && !slices.IsSorted(ended) {
		t.Error("waits did not end in the order of their deadlines")
	}
	return begun
}
