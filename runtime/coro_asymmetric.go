//go:build weft_asymmetric

package runtime

import "github.com/weft-go/weft/runtime/internal/coro"

// switchState is what a worker keeps for this variant.
type switchState struct {
	forward *coroutine // always nil
	target  *party     // whom the hub resumes next
}

// leave begins the switch from from, the running coroutine, to to, by way of
// the hub: it returns the slot on which the caller must swap, and after that
// settle.
func leave(from, to *party) *coro.Slot {
	// The hub is suspended in the slot of the coroutine that it resumed, which
	// is the running one.
	w := from.w
	s := w.hub.at
	w.hub.at = nil
	from.at = s
	w.target = to
	return s
}

// settle ends a switch.
func settle(*worker, *party) {}

// switchTo suspends from, the running party, and resumes to.
func switchTo(from, to *party) {
	w := from.w
	if from != &w.hub {
		leave(from, to).Swap()
		return
	}
	for to != &w.hub {
		s := to.at
		to.at = nil
		w.hub.at = s
		w.target = &w.hub
		s.Swap()
		to = w.target
	}
}

// reap lets co, which waits for its end, end. Hub only.
func (w *worker) reap(co *coroutine) {
	defer coro.AbsorbEnd()
	co.own.Ending = true
	w.hub.at = &co.own
	co.at = nil
	co.own.Swap() // returns by co's end
	w.hub.at = nil
}
