package lock

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestRWOrder (D64): readers and writers get the lock in the order they came; a
// run of readers holds it together, and a reader does not overtake a writer that
// waits.
func TestRWOrder(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		var m RWMutex
		m.Lock()
		var log []string
		party := func(name string) *runtime.Task {
			return runtime.Spawn(func() {
				if name[0] == 'r' {
					m.RLock()
					defer m.RUnlock()
				} else {
					m.Lock()
					defer m.Unlock()
				}
				log = append(log, "+"+name)
				settle()
				log = append(log, "-"+name)
			})
		}
		var tasks []*runtime.Task
		for _, name := range []string{"r1", "r2", "w3", "w4", "r5", "r6"} {
			tasks = append(tasks, party(name))
		}
		runtime.Yield()
		m.Unlock()
		want(t, "TryRLock past a writer", m.TryRLock(), false)
		for _, task := range tasks {
			_ = task.Join()
		}
		should := []string{"+r1", "+r2", "-r1", "-r2", "+w3", "-w3", "+w4", "-w4", "+r5", "+r6", "-r5", "-r6"}
		if !slices.Equal(log, should) {
			t.Errorf("got %v, want %v", log, should)
		}
	})
}

// TestRWGiveUp (D63, 9 of our own): a writer that gives up lets the readers in
// that it held up; however it gives up, also if it was killed before the lock
// came by, or has swallowed a kill, so that a panic unwinds it.
func TestRWGiveUp(t *testing.T) {
	swallows := func() {
		defer func() { _ = recover() }()
		runtime.Sleep(time.Hour)
	}
	runtimetest.Run(t, 1, func() {
		for _, how := range []string{"deadline", "timeout", "kill", "Lock", "swallowed"} {
			var m RWMutex
			m.RLock()
			var err error
			writer := runtime.Spawn(func() {
				switch how {
				case "deadline":
					err = m.LockUntil(soon())
				case "timeout":
					err = runtime.WithTimeout(time.Millisecond, func() error { return m.LockUntil(0) })
				case "kill":
					err = m.LockUntil(0)
				case "Lock":
					m.Lock()
				case "swallowed":
					swallows()
					m.Lock()
				}
			})
			runtime.Yield()
			if how == "swallowed" {
				writer.Kill(nil)
				runtime.Yield()
			}
			got := false
			reader := runtime.Spawn(func() { m.RLock(); got = true; m.RUnlock() })
			runtime.Yield()
			want(t, how+": the reader waits", got, how == "swallowed") // that writer never waits
			if how == "kill" || how == "Lock" {
				writer.Kill(nil)
			}
			_, _ = writer.Join(), reader.Join()
			want(t, how+": the reader got it", got, true)
			switch how {
			case "deadline", "timeout":
				wantErr(t, how, err, runtime.ErrTimeout)
			case "kill":
				wantErr(t, how, err, runtime.ErrKilled)
			default:
				wantErr(t, how, writer.Err(), runtime.ErrKilled)
			}
			m.RUnlock()
			want(t, how+": TryLock", m.TryLock(), true)
		}
	})
}

func TestRWMisuse(t *testing.T) {
	var m RWMutex
	unlockText := "lock: Unlock of an RWMutex that is not locked for writing"
	runlockText := "lock: RUnlock of an RWMutex that is not locked for reading"
	wantPanic(t, unlockText, m.Unlock)
	wantPanic(t, runlockText, m.RUnlock)
	m.RLock()
	wantPanic(t, unlockText, m.Unlock)
	want(t, "TryLock", m.TryLock(), false)
	m.RUnlock()
	m.Lock()
	wantPanic(t, runlockText, m.RUnlock)
	want(t, "TryRLock", m.TryRLock(), false)
	m.Unlock()
	want(t, "TryRLock", m.TryRLock(), true)
	want(t, "TryRLock", m.TryRLock(), true)
}

func TestRWOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	var m RWMutex
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		m.RLock()
		wantErr(t, "LockUntil", m.LockUntil(0), runtime.ErrNotInTask)
		wantErr(t, "RLockUntil", m.RLockUntil(0), nil)
		m.RUnlock()
		m.RUnlock()
		m.Lock()
		wantErr(t, "RLockUntil", m.RLockUntil(0), runtime.ErrNotInTask)
		m.Unlock()
	})
	<-done
	want(t, "waiting", m.waits(), 0)
}

// TestRWStress: a writer is alone, readers are not disturbed, and nobody waits
// for ever, from tasks and goroutines of which some give up.
func TestRWStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var m RWMutex
	var readers, writers atomic.Int32
	counter := 0 // m guards: the race detector watches
	work := func(i int) {
		for j := range 200 {
			var deadline runtime.Instant
			if (i+j)%5 == 0 {
				deadline = runtime.Now().Add(time.Duration(j) * time.Microsecond)
			}
			if (i+j)%3 == 0 {
				if m.LockUntil(deadline) != nil {
					continue
				}
				if writers.Add(1) != 1 || readers.Load() != 0 {
					t.Error("a writer is not alone")
				}
				counter++
				writers.Add(-1)
				m.Unlock()
				continue
			}
			if m.RLockUntil(deadline) != nil {
				continue
			}
			readers.Add(1)
			if writers.Load() != 0 || counter < 0 {
				t.Error("a reader beside a writer")
			}
			if j%7 == 0 {
				runtime.Yield()
			}
			readers.Add(-1)
			m.RUnlock()
		}
	}
	var joins []func()
	for i := range 12 {
		joins = append(joins, runtimetest.Start(rt, i, func() { work(i) }))
	}
	for _, join := range joins {
		join()
	}
	want(t, "waiting", m.waits(), 0)
	want(t, "TryLock", m.TryLock(), true)
}
