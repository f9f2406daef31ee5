package runtime

import (
	"errors"

	"github.com/weft-go/weft/runtime/internal/strand"
)

// A task may run on more coroutines than its own, those of its greenlets and
// generators: see package strand. A bound, and the state of being unwound,
// belong to the strand in which they came about: the interrupts of a task are
// those of the strand that runs, and are exchanged when it switches to another.
//
// What interrupts a strand unwinds it, and then the strands outward, up to the
// one that holds the bound. So a bound is in effect in its own strand and in
// those from which a panic gets there.

// strandTask is a Task with the methods that are for package greenlet.
type strandTask Task

func init() {
	strand.Current = func() strand.Task {
		if t := Current(); t != nil {
			return (*strandTask)(t)
		}
		return nil
	}
}

func (s *strandTask) Attach(strands strand.Strands) { (*Task)(s).extra().strands = strands }

// SAFETY: a worker's swaps exchange who runs with who is in a slot, and none asks
// on which goroutine a party runs. So a task may park on any, and is resumed
// there. It is back on its own when its function returns, and that is where its
// coroutine goes on to the next task: release sees to it that the others have
// ended by then, so that none acts for that one.

func (s *strandTask) Enlist() {
	enroll(s.co, true)
	s.w.coroutines.Add(1)
}

func (s *strandTask) Discharge() {
	strike()
	s.w.coroutines.Add(-1)
}

func (s *strandTask) Switch(from, to *strand.Strand) {
	t := (*Task)(s)
	x := t.extra()
	from.Bounds, from.Unwound = x.bounds, t.unwound
	x.bounds, _ = to.Bounds.(*bound)
	t.unwound = to.Unwound || from.Ended && from.Unwound
	t.interrupted = true // for all we know: the next wait looks
}

func (s *strandTask) Unwinding(r any) bool {
	_, is := r.(*unwind)
	return is
}

// release ends the strands that the function of co's task left suspended.
func (co *coroutine) release(t *Task) {
	x := t.ext.Load()
	for x != nil && x.strands != nil {
		err := co.call(t, func() {
			x.strands.End()
			x.strands = nil
		})
		if p, ok := err.(*PanicError); ok {
			_ = errors.As(p.Unwrap(), &p) // the one that End tells of
			t.w.rt.reportPanic(t, p)
		}
	}
}

// boundWalk goes over the bounds in effect, the innermost first.
type boundWalk struct {
	b *bound
	s *strand.Strand // who holds those after it
}

func (x *taskExt) boundsInEffect() boundWalk {
	walk := boundWalk{b: x.bounds}
	if x.strands != nil {
		walk.s = x.strands.Outward()
	}
	return walk
}

func (walk *boundWalk) next() *bound {
	for walk.b == nil && walk.s != nil {
		walk.b, _ = walk.s.Bounds.(*bound)
		walk.s = walk.s.Outer
	}
	b := walk.b
	if b != nil {
		walk.b = b.outer
	}
	return b
}
