//go:build !weft_asymmetric

package greenlet

import "github.com/weft-go/weft/runtime/internal/coro"

// switchState is what an owner keeps for this variant.
type switchState struct {
	ending  *core // whose end the resumed party has to see to
	forward *core // whom the resumed party has to swap with at once
}

// leave begins the switch from from, the running party, to to, which it starts
// if need be: it returns the slot on which the caller must swap, and after that
// settle.
func leave(from, to *core) *coro.Slot {
	s := to.at
	if s == nil {
		s = to.open()
	}
	to.at = nil
	from.at = s
	return s
}

// settle ends a switch, for the party that was resumed: see point 3 in coro.go.
func (o *owner) settle(self *core) {
	if o.forward != nil || o.ending != nil {
		o.help(self)
	}
}

func (o *owner) help(self *core) {
	for o.forward != nil {
		to := o.forward
		o.forward = nil
		leave(self, to).Swap()
	}
	if c := o.ending; c != nil {
		o.ending = nil
		o.reap(self, c)
	}
}

// reap lets c, which waits for its end, end.
func (o *owner) reap(self, c *core) {
	defer coro.AbsorbEnd()
	self.at = &c.own
	if c.at != &c.own {
		o.forward = c
	} else {
		c.at = nil
	}
	c.own.Swap() // returns by c's end
	self.at = nil
}

// end is the last thing that c does before it returns from its coroutine, or
// leaves it by a panic, which resumes heir.
func (c *core) end(heir *core, byPanic bool) {
	if heir.at == &c.own && !byPanic {
		heir.at = nil
		return
	}
	c.o.ending = c
	leave(c, heir).Swap()
}
