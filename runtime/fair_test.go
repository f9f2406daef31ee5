package runtime_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestBusyQueueStarvesNobody has tasks that yield for ever, own behaviour 10:
// timers, posts and tasks from other threads get their turn.
func TestBusyQueueStarvesNobody(t *testing.T) {
	rt := runtimetest.New(t, 1)
	stop := false
	runtimetest.RunOn(t, rt, func() {
		var busy []*runtime.Task
		for range 3 {
			busy = append(busy, runtime.Spawn(func() {
				for !stop {
					runtime.Yield()
				}
			}))
		}
		runtime.Sleep(time.Millisecond) // a timer
		posted := false
		runtime.CurrentWorker().Post(func() { posted = true })
		runtimetest.Eventually(t, "the posted function is called", func() bool { return posted })
		done := make(chan *runtime.Task)
		go func() { done <- rt.Spawn(func() {}) }()
		var task *runtime.Task
		runtimetest.Eventually(t, "the goroutine spawns", func() bool {
			select {
			case task = <-done:
			default:
			}
			return task != nil
		})
		if err := task.Join(); err != nil {
			t.Error(err)
		}
		stop = true
		for _, b := range busy {
			_ = b.Join()
		}
	})
}

// TestTimerIsDelayedByTheBudgetAtMost counts the switches between the instant a
// timer is due and its task's run.
func TestTimerIsDelayedByTheBudgetAtMost(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		stop := false
		switches := 0
		var due runtime.Instant
		late := 0
		runtime.Spawn(func() {
			for !stop {
				if due != 0 && runtime.Now() >= due {
					late++
				}
				switches++
				runtime.Yield()
			}
		})
		for range 20 {
			late = 0
			due = runtime.Now().Add(time.Millisecond)
			runtime.Sleep(time.Millisecond)
			if due = 0; late > 2*runtime.Fairness {
				t.Errorf("a timer was late by %d switches", late)
			}
		}
		stop = true
		if switches == 0 {
			t.Error("the busy task did not run")
		}
	})
}

func TestYieldAlone(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		fired := false
		runtime.Spawn(func() { runtime.Sleep(time.Millisecond); fired = true })
		runtimetest.Eventually(t, "the sleeper wakes", func() bool { runtime.Yield(); return fired })
	})
}

// TestHandoversStarveNobody has tasks of two workers wake each other without a
// pause, so that a worker always finds new work: timers get their turn.
func TestHandoversStarveNobody(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var stop atomic.Bool
	here, there := rt.Workers()[0], rt.Workers()[1]
	var tasks []*runtime.Task
	for range 64 {
		p := &pingPong{stop: &stop}
		tasks = append(tasks, here.Spawn(p.play), there.Spawn(p.play))
	}
	sleeper := here.Spawn(func() {
		for range 10 {
			runtime.Sleep(time.Millisecond)
		}
	})
	if err := sleeper.Join(); err != nil {
		t.Error(err)
	}
	stop.Store(true)
	for _, task := range tasks {
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	}
}

// pingPong is a ball for two players, of whom one waits.
type pingPong struct {
	stop    *atomic.Bool
	mu      sync.Mutex
	waiting runtime.Waiter
}

func (p *pingPong) play() {
	for {
		p.mu.Lock()
		p.waiting.Ready()
		if p.stop.Load() {
			p.mu.Unlock()
			return
		}
		p.waiting = runtime.NewWaiter()
		w := p.waiting
		p.mu.Unlock()
		if w.Park("the ball") != nil {
			return
		}
	}
}
