package greenlet

import (
	"slices"

	"github.com/weft-go/weft/runtime/internal/strand"
)

// A stack is a strand of the owner's, if that is a task: a greenlet's or a
// generator's. A greenlet that is in a generator's function runs, and is
// suspended, on that one's stack.
type stack struct {
	strand.Strand
	under *stack // for a generator's that executes: that of the call which made it do so
}

// move makes to the stack that runs, just before the switch.
func (o *owner) move(to *stack) {
	if o.task == nil {
		return
	}
	from := o.stack
	o.stack = to
	o.task.Switch(&from.Strand, &to.Strand)
}

// Outward is for package runtime, and to be called at any time.
func (o *owner) Outward() *strand.Strand {
	s, c := o.stack, o.current
	var passed []*core
	for {
		for ; s.under != nil; s = s.under {
			s.Outer = &s.under.Strand
		}
		passed = append(passed, c)
		if c = c.heirAfter(passed); c == nil {
			s.Outer = nil
			return o.stack.Outer
		}
		s.Outer = &c.on.Strand
		s = c.on
	}
}

// heirAfter returns who would get the panic with which c ends, if those passed
// had ended by it before.
func (c *core) heirAfter(passed []*core) *core {
	gone := func(c *core) bool { return c.dead || !c.started || slices.Contains(passed, c) }
	if c.closer != nil && !gone(c.closer) {
		return c.closer
	}
	for c = c.parent; c != nil && gone(c); {
		c = c.parent
	}
	return c
}

// End is for package runtime, when the owner is a task whose function has ended.
func (o *owner) End() {
	for closed, err := o.closeLast(); closed; closed, err = o.closeLast() {
		if err != nil {
			panic(&leftError{err}) // to Config.OnPanic
		}
	}
	o.running.Store(0)
	remove(o.root, ownerEntry{strong: o})
}
