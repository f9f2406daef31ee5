//go:build !weft_asymmetric

package runtime

import "github.com/weft-go/weft/runtime/internal/coro"

// switchState is what a worker keeps for this variant.
type switchState struct {
	forward *coroutine // whom the running party has to switch to: see coro.go
}

// leave begins the switch from from, the running party, to to: it returns the
// slot on which the caller must swap, and after that settle.
func leave(from, to *party) *coro.Slot {
	s := to.at
	to.at = nil
	from.at = s
	return s
}

// settle ends a switch, for the party that was resumed. It may have been
// resumed only to pass control on, see point 3 in coro.go.
func settle(w *worker, self *party) {
	for w.forward != nil {
		to := &w.forward.party
		w.forward = nil
		leave(self, to).Swap()
	}
}

// switchTo suspends from, the running party, and resumes to.
func switchTo(from, to *party) {
	leave(from, to).Swap()
	settle(from.w, from)
}

// reap lets co, which waits for its end, end. Hub only.
func (w *worker) reap(co *coroutine) {
	defer coro.AbsorbEnd()
	co.own.Ending = true
	w.hub.at = &co.own
	if co.at != &co.own {
		w.forward = co
	} else {
		co.at = nil
	}
	co.own.Swap() // returns by co's end
	w.hub.at = nil
}
