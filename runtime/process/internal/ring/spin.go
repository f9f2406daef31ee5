package ring

import (
	goruntime "runtime"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
)

// A Spinner looks a little longer before its party goes to sleep: to be woken by another
// process takes ten or twenty microseconds, with what both sides do for it. How long it looks
// depends on how often that was of use. The zero Spinner is ready for use, by any number of
// parties.
type Spinner struct {
	budget atomic.Int64  // nanoseconds
	failed atomic.Uint32 // in a row
}

const (
	longestSpin  = int64(40 * time.Microsecond)
	shortestSpin = int64(time.Microsecond)

	// One in so many times it looks for long even if that was of no use before: two
	// processes that have both come to sleep at once would do so for ever.
	probing = 16
)

// alone says that there is one processor only: what is waited for cannot happen
// while we look.
var alone = goruntime.NumCPU() == 1

// Until calls ready until it reports true, or for as long as seems worth it. Between
// the looks other tasks have their turn. A kill of the task meanwhile is for the wait
// that follows.
func (s *Spinner) Until(ready func() bool) bool {
	if alone {
		return false
	}
	budget := s.budget.Load()
	if failed := s.failed.Load(); budget == 0 || failed%probing == probing-1 {
		budget = longestSpin
	}
	end := runtime.Now().Add(time.Duration(budget))
	for {
		for range 50 {
			if ready() {
				s.budget.Store(longestSpin)
				s.failed.Store(0)
				return true
			}
		}
		if runtime.Now() > end {
			s.budget.Store(max(budget/2, shortestSpin))
			s.failed.Add(1)
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
