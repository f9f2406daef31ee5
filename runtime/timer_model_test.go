package runtime

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// modelTimer is what the model knows of a started timer.
type modelTimer struct {
	timer *timer
	when  Instant
	order int // of its start
}

// TestTimersModel compares heap and row with a slice that is sorted anew for each
// question, D95: timers fire in the order of their instants, equal ones in
// that of their start; a stopped one is gone at once (own behaviour 7) and may be started
// again; one that is started while others fire waits for the next call,
// and holds up no other.
func TestTimersModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s timers
		var model []modelTimer
		var fired, want []*timer
		order := 0
		var firing Instant // the instant of the expire under way
		timers := make([]*timer, 60)
		instant := rapid.Custom(func(t *rapid.T) Instant { return Instant(rapid.IntRange(1, 12).Draw(t, "instant")) })
		index := rapid.IntRange(0, len(timers)-1)
		start := func(tm *timer, when Instant) {
			s.start(tm, when)
			order++
			model = append(model, modelTimer{tm, max(when, firing), order})
		}
		started := func(tm *timer) bool {
			return slices.ContainsFunc(model, func(m modelTimer) bool { return m.timer == tm })
		}
		// What the timers do when they fire next.
		restart := make([]Instant, len(timers))
		for i := range timers {
			timers[i] = &timer{fire: func(tm *timer) {
				fired = append(fired, tm)
				if tm.place != 0 {
					t.Fatal("fired while started")
				}
				if restart[i] != 0 {
					start(tm, restart[i])
					restart[i] = 0
				}
			}}
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				tm := timers[index.Draw(t, "timer")]
				if started(tm) {
					t.Skip("started")
				}
				start(tm, instant.Draw(t, "when"))
			},
			"start a row": func(t *rapid.T) {
				when := instant.Draw(t, "when")
				for _, tm := range timers {
					if !started(tm) {
						start(tm, when)
					}
				}
			},
			"stop many": func(t *rapid.T) {
				for range 40 {
					tm := timers[index.Draw(t, "timer")]
					s.stop(tm)
					model = slices.DeleteFunc(model, func(m modelTimer) bool { return m.timer == tm })
				}
			},
			"start twice": func(t *rapid.T) {
				tm := timers[index.Draw(t, "timer")]
				if !started(tm) {
					t.Skip("not started")
				}
				defer func() {
					if recover() == nil {
						t.Fatal("no panic")
					}
				}()
				s.start(tm, 1)
			},
			"stop": func(t *rapid.T) {
				tm := timers[index.Draw(t, "timer")]
				s.stop(tm) // does nothing if it is not started
				model = slices.DeleteFunc(model, func(m modelTimer) bool { return m.timer == tm })
			},
			"restart when fired": func(t *rapid.T) {
				restart[index.Draw(t, "timer")] = instant.Draw(t, "when")
			},
			"expire": func(t *rapid.T) {
				now := instant.Draw(t, "now")
				slices.SortFunc(model, func(a, b modelTimer) int {
					return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.order, b.order))
				})
				fired, want = nil, nil
				for len(model) > 0 && model[0].when <= now {
					want = append(want, model[0].timer)
					model = model[1:]
				}
				model = slices.Clone(model)
				firing = now + 1
				s.expire(now)
				firing = 0
				if !slices.Equal(fired, want) {
					t.Fatalf("fired %d timers, want %d, or in another order", len(fired), len(want))
				}
			},
			"": func(t *rapid.T) {
				var next Instant
				for _, m := range model {
					if next == 0 || m.when < next {
						next = m.when
					}
				}
				if s.next() != next || s.len() != len(model) {
					t.Fatalf("next %d of %d timers, want %d of %d", s.next(), s.len(), next, len(model))
				}
				for i, tm := range s.heap {
					if tm.place != i+1 {
						t.Fatalf("timer at %d of the heap has place %d", i, tm.place)
					}
				}
				n := 0
				for tm := range s.all() {
					n++
					if !started(tm) {
						t.Fatal("yields a timer that is not started")
					}
				}
				if n != len(model) {
					t.Fatalf("yields %d timers of %d", n, len(model))
				}
				for i, e := range s.row.entries {
					if i >= s.row.begin && e.timer != nil && e.place != ^(s.row.base+i) {
						t.Fatalf("timer at %d of the row, whose base is %d, has place %d", i, s.row.base, e.place)
					}
					if i < s.row.begin && e.timer != nil {
						t.Fatal("the row keeps a timer that left it")
					}
				}
				if gaps := s.row.gaps; gaps < 0 || gaps > 16+s.row.len() {
					t.Fatalf("%d gaps among %d timers", gaps, s.row.len())
				}
				for _, tm := range timers {
					if (tm.place != 0) != started(tm) {
						t.Fatalf("place %d of a timer with started = %v", tm.place, started(tm))
					}
				}
			},
		})
	})
}
