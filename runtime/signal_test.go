package runtime_test

import (
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// raise sends the own process a signal, of which equal ones may be merged by the
// operating system until they are taken.
func raise(sig syscall.Signal) { _ = syscall.Kill(os.Getpid(), sig) }

// TestSignals: a task that waits for a signal gets it, the runtime is not taken to be
// stuck meanwhile, and other tasks run.
func TestSignals(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.New(t, workers)
		runtime.NoForeignGoroutines(rt)
		runtimetest.RunOn(t, rt, func() {
			q := runtime.Signals(syscall.SIGUSR1, syscall.SIGUSR2)
			defer q.Stop()
			time.AfterFunc(200*time.Millisecond, func() { raise(syscall.SIGUSR2) }) // longer than the detector's grace
			if sig, err := q.Wait(); sig != syscall.SIGUSR2 || err != nil {
				t.Errorf("Wait = %v, %v", sig, err)
			}
			raise(syscall.SIGUSR1)
			if sig, err := q.WaitUntil(runtime.Now().Add(runtimetest.Patience)); sig != syscall.SIGUSR1 || err != nil {
				t.Errorf("WaitUntil = %v, %v", sig, err)
			}
		})
	}
}

// TestSignalsFromGoroutines: a goroutine may wait as well.
func TestSignalsFromGoroutines(t *testing.T) {
	q := runtime.Signals(syscall.SIGUSR1)
	defer q.Stop()
	raise(syscall.SIGUSR1)
	if sig, err := q.Wait(); sig != syscall.SIGUSR1 || err != nil {
		t.Errorf("Wait = %v, %v", sig, err)
	}
	if sig, err := q.WaitUntil(runtime.Now().Add(time.Millisecond)); sig != nil || err != runtime.ErrTimeout {
		t.Errorf("WaitUntil = %v, %v", sig, err)
	}
}

// TestSignalsAreKept: those that come while nobody waits are not lost, nor are those that
// came before Stop; who gave up before a signal came does not eat it.
func TestSignalsAreKept(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		probe := runtime.Signals(syscall.SIGUSR1)
		defer probe.Stop()
		q := runtime.Signals(syscall.SIGUSR1)
		killed := runtime.Spawn(func() {
			if _, err := q.Wait(); !errors.Is(err, runtime.ErrKilled) {
				t.Errorf("the killed one's Wait: %v", err)
			}
		})
		runtime.Yield()
		killed.Kill(nil)
		_ = killed.Join()
		if _, err := q.WaitUntil(runtime.Now().Add(time.Microsecond)); err != runtime.ErrTimeout {
			t.Errorf("WaitUntil = %v", err)
		}
		const n = 10
		for range n {
			raise(syscall.SIGUSR1)
			if _, err := probe.Wait(); err != nil { // the next one is not merged with it
				t.Error(err)
			}
		}
		q.Stop()
		q.Stop()
		got := 0
		for range q.All() {
			got++
		}
		if got != n {
			t.Errorf("%d of %d signals", got, n)
		}
		if _, err := q.Wait(); err != runtime.ErrStopped {
			t.Errorf("Wait after Stop: %v", err)
		}
	})
}

// TestSignalGoesToOne: of those who wait the first gets it; Stop ends the others' waits.
func TestSignalGoesToOne(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		q := runtime.Signals(syscall.SIGUSR1)
		results := make([]error, 3)
		var tasks []*runtime.Task
		for i := range results {
			tasks = append(tasks, runtime.Spawn(func() { _, results[i] = q.Wait() }))
		}
		runtime.Yield()
		raise(syscall.SIGUSR1)
		_ = tasks[0].Join()
		if tasks[1].Ended() || tasks[2].Ended() {
			t.Error("a signal went to more than one")
		}
		q.Stop()
		_, _ = tasks[1].Join(), tasks[2].Join()
		if results[0] != nil || results[1] != runtime.ErrStopped || results[2] != runtime.ErrStopped {
			t.Errorf("results %v", results)
		}
	})
}

// TestSignalsAll: a kill unwinds the loop; break leaves the subscription as it is.
func TestSignalsAll(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		q := runtime.Signals(syscall.SIGUSR1)
		defer q.Stop()
		raise(syscall.SIGUSR1)
		for sig := range q.All() {
			if sig != syscall.SIGUSR1 {
				t.Error(sig)
			}
			break
		}
		loop := runtime.Spawn(func() {
			for range q.All() {
				t.Error("a signal that nobody sent")
			}
			t.Error("the loop ended")
		})
		runtime.Yield()
		loop.Kill(nil)
		if err := loop.Join(); !errors.Is(err, runtime.ErrKilled) {
			t.Error(err)
		}
	})
}

// TestOnSignal: fn runs in a new task of the caller's worker for each signal, may wait, and
// does not run any more after stop.
func TestOnSignal(t *testing.T) {
	for _, workers := range []int{1, 2} {
		rt := runtimetest.New(t, workers)
		runtimetest.RunOn(t, rt, func() {
			before := make(chan os.Signal, 10) // keeps the signal from ending the test
			signal.Notify(before, syscall.SIGUSR1)
			defer signal.Stop(before)
			home, me := runtime.CurrentWorker(), runtime.Current()
			calls := 0
			stop := runtime.OnSignal(syscall.SIGUSR1, func() {
				if runtime.CurrentWorker() != home || runtime.Current() == me {
					t.Error("fn runs elsewhere")
				}
				runtime.Sleep(time.Microsecond)
				calls++
			})
			for n := 1; n <= 3; n++ {
				raise(syscall.SIGUSR1)
				runtimetest.Eventually(t, "fn is called", func() bool { return calls == n })
			}
			stop()
			stop()
			raise(syscall.SIGUSR1)
			for range 4 {
				<-before // the last one came
			}
			runtime.Sleep(time.Millisecond)
			if calls != 3 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

// TestOnSignalEndsWithItsRuntime: the harness would find its goroutine.
func TestOnSignalEndsWithItsRuntime(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var calls atomic.Int32
	for _, w := range rt.Workers() {
		w.Post(func() { runtime.OnSignal(syscall.SIGUSR1, func() { calls.Add(1) }) })
	}
	_ = rt.Run(func() error { runtime.OnSignal(syscall.SIGUSR1, func() { calls.Add(1) }); return nil })
	raise(syscall.SIGUSR1)
	runtimetest.Eventually(t, "all are called", func() bool { return calls.Load() == 3 })
}
