//go:build weft_asymmetric

package greenlet

import "github.com/weft-go/weft/runtime/internal/coro"

// switchState is what an owner keeps for this variant.
type switchState struct {
	target *core // whom the main party resumes next
}

// leave begins the switch from from, the running party, to to. For a greenlet
// it returns the slot on which the caller must swap, its own; for the main party
// it returns nil when somebody has switched back.
func leave(from, to *core) *coro.Slot {
	o := from.o
	o.target = to
	if from != &o.main.core {
		from.at = &from.own
		return from.at
	}
	for o.target != from {
		to := o.target
		s := to.at
		if s == nil {
			s = to.open()
		}
		to.at = nil
		resume(s)
	}
	return nil
}

// resume runs the coroutine until it yields or ends.
func resume(s *coro.Slot) {
	defer coro.AbsorbEnd()
	s.Swap()
}

// settle ends a switch.
func (o *owner) settle(*core) {}

// end is the last thing that c does before it returns from its coroutine, or
// leaves it by a panic, which resumes heir.
func (c *core) end(heir *core, _ bool) { c.o.target = heir }
