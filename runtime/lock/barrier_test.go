package lock

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestBarrier: in each of many rounds all parties pass, with numbers of their
// own, when all are there, and after the action of the last has run once.
func TestBarrier(t *testing.T) {
	rt := runtimetest.New(t, 2)
	const parties, rounds = 6, 50
	acted := 0 // the barrier orders the accesses: the race detector watches
	b := NewBarrier(parties, func() { acted++ })
	want(t, "Parties", b.Parties(), parties)
	var indexes [rounds][parties]int
	var joins []func()
	for i := range parties {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			for round := range rounds {
				index, err := b.Wait()
				wantErr(t, "Wait", err, nil)
				indexes[round][i] = index
				if acted < round+1 {
					t.Errorf("round %d, %d actions", round, acted)
				}
			}
		}))
	}
	for _, join := range joins {
		join()
	}
	want(t, "actions", acted, rounds)
	for round := range rounds {
		if slices.Sort(indexes[round][:]); !slices.Equal(indexes[round][:], []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("round %d: %v", round, indexes[round])
		}
	}
	want(t, "Waiting", b.Waiting(), 0)
	want(t, "Broken", b.Broken(), false)
}

// partiesAt starts n that wait at b, on one worker, and returns what they got.
func partiesAt(b *Barrier, n int) (tasks []*runtime.Task, indexes []int, errs []error) {
	indexes, errs = make([]int, n), make([]error, n)
	for i := range n {
		tasks = append(tasks, runtime.Spawn(func() { indexes[i], errs[i] = b.Wait() }))
	}
	runtime.Yield()
	return tasks, indexes, errs
}

// TestBarrierBreaks: one that times out or is killed while it waits breaks the
// barrier for all, until Reset; and so does Abort.
func TestBarrierBreaks(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for _, how := range []string{"deadline", "timeout", "kill", "swallowed", "abort"} {
			b := NewBarrier(4, nil)
			tasks, indexes, errs := partiesAt(b, 2)
			want(t, how+": Waiting", b.Waiting(), 2)
			var err error
			breaker := runtime.Spawn(func() {
				switch how {
				case "deadline":
					_, err = b.WaitUntil(soon())
				case "timeout":
					err = runtime.WithTimeout(time.Millisecond, func() error { _, err := b.Wait(); return err })
				case "kill":
					_, err = b.Wait()
				case "swallowed": // its Wait is left by a panic
					func() {
						defer func() { _ = recover() }()
						runtime.Sleep(time.Hour)
					}()
					_, _ = b.Wait()
				case "abort":
					b.Abort()
				}
			})
			runtime.Yield()
			if how == "kill" || how == "swallowed" {
				breaker.Kill(errCause)
			}
			_ = breaker.Join()
			switch how {
			case "deadline", "timeout":
				wantErr(t, how, err, runtime.ErrTimeout)
			case "kill":
				wantErr(t, how, err, errCause)
			case "swallowed":
				wantErr(t, how, breaker.Err(), errCause)
			}
			for i, task := range tasks {
				_ = task.Join()
				want(t, how, errs[i], ErrBroken)
				want(t, how+": index", indexes[i], -1)
			}
			want(t, how+": Broken", b.Broken(), true)
			want(t, how+": Waiting", b.Waiting(), 0)
			_, err = b.Wait()
			want(t, how+": a later Wait", err, ErrBroken)
			b.Reset()
			want(t, how+": Broken after Reset", b.Broken(), false)
			tasks, _, errs = partiesAt(b, 4)
			for i, task := range tasks {
				_ = task.Join()
				want(t, how+": after Reset", errs[i], nil)
			}
		}
	})
}

// TestBarrierAllOrNone: the last party comes when another has been killed, and
// has not run since. None passes.
func TestBarrierAllOrNone(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		for victim := range 3 {
			b := NewBarrier(4, nil)
			tasks, _, errs := partiesAt(b, 3)
			tasks[victim].Kill(errCause)
			_, err := b.Wait()
			want(t, "the last", err, ErrBroken)
			for i, task := range tasks {
				_ = task.Join()
				if i == victim {
					wantErr(t, "the killed", errs[i], errCause)
				} else {
					want(t, "another", errs[i], ErrBroken)
				}
			}
			want(t, "Broken", b.Broken(), true)
		}
	})
}

// TestBarrierKilledAfterwards: one that is killed when all were there passes, and
// the barrier is not broken.
func TestBarrierKilledAfterwards(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		b := NewBarrier(2, nil)
		tasks, indexes, errs := partiesAt(b, 1)
		index, err := b.Wait()
		tasks[0].Kill(nil)
		_ = tasks[0].Join()
		want(t, "the last", err, nil)
		want(t, "its index", index, 1)
		want(t, "the killed", errs[0], nil)
		want(t, "its index", indexes[0], 0)
		want(t, "Broken", b.Broken(), false)
	})
}

// TestBarrierReset: those that wait get ErrBroken, and the barrier is as new.
func TestBarrierReset(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		b := NewBarrier(3, nil)
		tasks, _, errs := partiesAt(b, 2)
		b.Reset()
		want(t, "Broken", b.Broken(), false)
		want(t, "Waiting", b.Waiting(), 0)
		later, _, laterErrs := partiesAt(b, 3)
		for i, task := range tasks {
			_ = task.Join()
			want(t, "before", errs[i], ErrBroken)
		}
		for i, task := range later {
			_ = task.Join()
			want(t, "after", laterErrs[i], nil)
		}
	})
}

// TestBarrierKilledBeforeReset: one that was killed, and has not run since, when
// its round was given up does not break the next.
func TestBarrierKilledBeforeReset(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		b := NewBarrier(3, nil)
		tasks, _, errs := partiesAt(b, 2)
		tasks[0].Kill(errCause)
		b.Reset()
		for _, task := range tasks {
			_ = task.Join()
		}
		wantErr(t, "the killed", errs[0], errCause)
		want(t, "the other", errs[1], ErrBroken)
		want(t, "Broken", b.Broken(), false)
	})
}

// TestBarrierAction: the action may wait. One that comes meanwhile belongs to the
// next round. If the round is given up meanwhile, all its parties get ErrBroken.
func TestBarrierAction(t *testing.T) {
	rt := runtimetest.NewConfig(t, runtime.Config{
		Workers: 1,
		OnPanic: func(*runtime.Task, *runtime.PanicError) {},
	})
	runtimetest.RunOn(t, rt, func() {
		for _, how := range []string{"pass", "abort", "reset", "kill", "panic"} {
			var gate Semaphore
			acted := 0
			b := NewBarrier(2, func() {
				acted++
				_ = gate.Acquire()
				if how == "panic" && acted == 1 {
					panic("action")
				}
			})
			tasks, _, errs := partiesAt(b, 2)
			_, err := b.WaitUntil(past)
			want(t, how+": one of the next round", err, runtime.ErrTimeout)
			next, _, nextErrs := partiesAt(b, 1)
			want(t, how+": Waiting", b.Waiting(), 1)
			switch how {
			case "abort":
				b.Abort()
			case "reset":
				b.Reset()
			case "kill":
				tasks[0].Kill(errCause)
			}
			gate.Release()
			for _, task := range tasks {
				_ = task.Join()
			}
			switch how {
			case "pass":
				want(t, how, errors.Join(errs...), nil)
			case "abort", "reset":
				want(t, how, errs[0], ErrBroken)
				want(t, how, errs[1], ErrBroken)
			case "kill":
				wantErr(t, how, errs[0], errCause)
				want(t, how, errs[1], ErrBroken)
			case "panic":
				want(t, how, errs[0], ErrBroken)
				var p *runtime.PanicError
				if !errors.As(tasks[1].Err(), &p) || p.Value != "action" {
					t.Errorf("%s: %v", how, tasks[1].Err())
				}
			}
			broken := how != "pass" && how != "reset"
			want(t, how+": Broken", b.Broken(), broken)
			gate.Release()
			if !broken {
				_, err = b.Wait()
				want(t, how+": the next round", err, nil)
			}
			_ = next[0].Join()
			if broken {
				want(t, how+": the next round", nextErrs[0], ErrBroken)
			} else {
				want(t, how+": the next round", nextErrs[0], nil)
				want(t, how+": actions", acted, 2)
			}
		}
	})
}

// TestBarrierOnHub: on the hub one can be the last, not wait.
func TestBarrierOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	b := NewBarrier(2, nil)
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		_, err := b.Wait()
		want(t, "Wait", err, runtime.ErrNotInTask)
	})
	<-done
	want(t, "Broken", b.Broken(), false)
	join := runtimetest.Start(rt, 0, func() {
		_, err := b.Wait()
		want(t, "Wait", err, nil)
	})
	queued(t, b, 1)
	rt.Workers()[0].Post(func() {
		index, err := b.Wait()
		want(t, "Wait", err, nil)
		want(t, "index", index, 1)
	})
	join()
}

// TestBarrierMisuse has a Barrier for nobody.
func TestBarrierMisuse(t *testing.T) {
	wantPanic(t, "lock: Barrier for less than one party", func() { NewBarrier(0, nil) })
	index, err := NewBarrier(1, nil).Wait()
	want(t, "index", index, 0)
	want(t, "Wait", err, nil)
}

// TestBarrierStress: parties from everywhere, some with deadlines, and Resets. In
// each round all of those that were there pass, or none.
func TestBarrierStress(t *testing.T) {
	rt := runtimetest.New(t, 2)
	const parties, steps = 3, 500
	rounds, passed := 0, NewSemaphore(0)
	b := NewBarrier(parties, func() { rounds++ })
	var joins []func()
	for i := range parties {
		joins = append(joins, runtimetest.Start(rt, i, func() {
			for j := range steps {
				deadline := runtime.Now().Add(time.Duration(j%20) * 20 * time.Microsecond)
				switch _, err := b.WaitUntil(deadline); err {
				case nil:
					passed.Release()
				case runtime.ErrTimeout:
					b.Reset()
				}
			}
			b.Abort()
		}))
	}
	for _, join := range joins {
		join()
	}
	n := passed.Count()
	if n%parties != 0 || n > rounds*parties {
		t.Errorf("%d have passed in %d rounds", n, rounds)
	}
	want(t, "Waiting", b.Waiting(), 0)
}
