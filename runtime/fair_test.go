package runtime_test

import (
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
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

// newPipe returns a pipe to read from in tasks, and its other end.
func newPipe(t *testing.T) (r *poll.FD, w int) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r = poll.New(fds[0], true)
	t.Cleanup(func() { _, _ = r.Close(), unix.Close(fds[1]) })
	return r, fds[1]
}

// TestBusyQueueDoesNotStarveIO, own behaviour 10.
func TestBusyQueueDoesNotStarveIO(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		r, w := newPipe(t)
		stop := false
		busy := runtime.Spawn(func() {
			for !stop {
				runtime.Yield()
			}
		})
		for range 100 {
			reader := runtime.Spawn(func() {
				var b [1]byte
				if n, err := r.Read(b[:]); n != 1 || err != nil {
					t.Errorf("Read = %d, %v", n, err)
				}
			})
			runtime.Yield()
			if _, err := unix.Write(w, []byte{1}); err != nil {
				t.Error(err)
			}
			_ = reader.Join()
		}
		stop = true
		_ = busy.Join()
	})
}

// TestIOComesBeforeIdle: what is ready to be read is read first, and so is what its
// reader writes to another pipe, and so on; also if the worker's own wake came
// before.
func TestIOComesBeforeIdle(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		const pipes = 5
		var r [pipes]*poll.FD
		var w [pipes]int
		for i := range r {
			r[i], w[i] = newPipe(t)
		}
		send := func(i int) {
			if _, err := unix.Write(w[i], []byte{1}); err != nil {
				t.Error(err)
			}
		}
		for n := range 50 {
			read := 0
			for i := range r {
				runtime.Spawn(func() {
					var b [1]byte
					_, _ = r[i].Read(b[:])
					runtime.Yield()
					if read++; i+1 < pipes {
						send(i + 1)
					}
				})
			}
			runtime.Idle() // the readers wait for what is not there
			if read != 0 {
				t.Fatal("read from an empty pipe")
			}
			if n%2 == 0 {
				runtime.CurrentWorker().Reactor().Wake()
			}
			send(0)
			if runtime.Idle(); read != pipes {
				t.Fatalf("idle after %d of %d readers", read, pipes)
			}
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
			_ = runtime.NewWaiter().ParkUntil("test", due)
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

// TestHandoversStarveNobody has each task see to it, before it ends, that a
// goroutine has handed over the next one, so that the worker never finds nothing
// to do: timers get their turn all the same.
func TestHandoversStarveNobody(t *testing.T) {
	rt := runtimetest.New(t, 1)
	worker := rt.Workers()[0]
	const enough = 50_000 // hand-overs, many times as long as the sleep
	slept := false
	count := 0
	over := make(chan struct{})
	var next func()
	next = func() {
		if count++; slept || count == enough {
			close(over)
			return
		}
		handed := make(chan struct{})
		go func() {
			worker.Spawn(next)
			close(handed)
		}()
		<-handed // blocks the worker, on purpose
	}
	sleeper := worker.Spawn(func() {
		runtime.Spawn(next)
		runtime.Sleep(time.Millisecond)
		slept = true
	})
	<-over
	if err := sleeper.Join(); err != nil {
		t.Error(err)
	}
	if count == enough {
		t.Errorf("a timer of 1 ms did not fire during %d hand-overs", enough)
	}
}
