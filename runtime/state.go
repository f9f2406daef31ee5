package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/weft-go/weft/runtime/internal/store"
)

// waitCell is the word on which one party, task or goroutine, waits. Bits:
//
//	0..1   state: running, waiting, claimed
//	2..63  generation: the number of the wait
//
// Transitions, each by exactly one party:
//
//	running -> waiting   begin: the party itself; the generation grows
//	waiting -> claimed   claim: whoever ends this wait, once; a stale
//	                     generation finds another number and does nothing
//	claimed -> running   the party itself, when it goes on
//
// Who claims must make the party runnable, and no one else may. So a party is
// queued exactly once per wait, and needs no further check when it is dequeued.
type waitCell struct {
	word atomic.Uint64

	// outcome is why the wait ended: nil for Ready, else written by the
	// claimer before it makes the party runnable. The party takes it in end,
	// and leaves nil.
	outcome error

	task *Task // the party; nil in a goroutineCell
}

// goroutineCell is the waitCell of a goroutine.
type goroutineCell struct {
	waitCell
	gate chan struct{} // capacity 1
}

// ofGoroutine returns the cell of which c, without a task, is the first part.
func (c *waitCell) ofGoroutine() *goroutineCell {
	// SAFETY: waitCells without a task are made in goroutineCells only.
	return (*goroutineCell)(unsafe.Pointer(c))
}

const (
	cellRunning = iota
	cellWaiting
	cellClaimed

	cellStateBits = 2
	cellStateMask = 1<<cellStateBits - 1
)

// begin starts a wait and returns its generation.
func (c *waitCell) begin() uint64 {
	word := c.word.Load()
	if word&cellStateMask != cellRunning {
		panic("runtime: wait begun inside another wait")
	}
	gen := word>>cellStateBits + 1
	store.Own(&c.word, gen<<cellStateBits|cellWaiting)
	return gen
}

// claim ends wait gen, and reports whether the caller is the one who did.
func (c *waitCell) claim(gen uint64) bool {
	return c.word.CompareAndSwap(gen<<cellStateBits|cellWaiting, gen<<cellStateBits|cellClaimed)
}

// waiting reports whether a wait goes on, and its generation.
func (c *waitCell) waiting() (gen uint64, ok bool) {
	word := c.word.Load()
	return word >> cellStateBits, word&cellStateMask == cellWaiting
}

// claimed reports whether wait gen has been ended, and its party has not gone on
// yet.
func (c *waitCell) claimed(gen uint64) bool {
	return c.word.Load() == gen<<cellStateBits|cellClaimed
}

// end goes from claimed to running and returns the outcome.
func (c *waitCell) end() error {
	word := c.word.Load()
	if word&cellStateMask != cellClaimed {
		panic("runtime: wait ended without a claim")
	}
	err := c.outcome
	c.outcome = nil
	store.Own(&c.word, word&^cellStateMask)
	return err
}
