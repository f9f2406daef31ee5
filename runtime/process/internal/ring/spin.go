package ring

import (
	goruntime "runtime"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
)

type word = atomic.Uint64

// A spinner looks a little longer before its party goes to sleep: to be woken by
// another process takes several microseconds on both sides. How long it looks
// depends on how often that was of use.
type spinner struct{ budget time.Duration }

const (
	longestSpin  = 20 * time.Microsecond
	shortestSpin = time.Microsecond
)

// alone says that there is one processor only: what is waited for cannot happen
// while we look.
var alone = goruntime.NumCPU() == 1

// until calls ready until it reports true, or for as long as seems worth it. Between
// the looks other tasks have their turn. It does not matter who kills the task
// meanwhile: that is for the wait that follows.
func (s *spinner) until(ready func() bool) bool {
	if alone {
		return false
	}
	if s.budget == 0 {
		s.budget = longestSpin
	}
	end := runtime.Now().Add(s.budget)
	for {
		for range 50 {
			if ready() {
				s.budget = min(2*s.budget, longestSpin)
				return true
			}
		}
		if runtime.Now() > end {
			s.budget = max(s.budget/2, shortestSpin)
			return false
		}
		Turn()
	}
}

// Turn lets the worker's, or for a goroutine the program's, other ready parties run.
func Turn() {
	if runtime.Current() == nil {
		goruntime.Gosched()
		return
	}
	w := runtime.NewWaiter()
	w.Ready()
	_ = w.Park("its turn")
}
