// Package coro has the slot, from which package runtime and package greenlet
// make their coroutines. How parties are arranged in slots is theirs; see the
// opening comments of runtime/coro.go and runtime/greenlet/coro.go.
package coro

import (
	"iter"
	"unsafe"
)

// A Slot is one iter.Pull. It holds one suspended party, at first the
// coroutine itself: calling its next and yield functions in strict alternation
// swaps the caller with whoever is suspended there. The Go runtime does not
// mind who calls: a swap parks the calling goroutine in the slot and resumes
// the one that was there, on the same thread, without the Go scheduler.
//
// All calls of Swap on one slot must be ordered, as they are if only the one
// running party of a set makes them. Under the race detector iter.Pull adds an
// edge per swap from who leaves to who is resumed.
type Slot struct {
	swaps [2]func() (struct{}, bool) // next, yield
	turn  uint8                      // which of them the next swap calls

	// Ending is for whoever makes the coroutine end; it stands here as there is
	// room for it.
	Ending bool
}

// Open makes the slot's coroutine, suspended before the first instruction of
// run. That starts by the first swap, so yield is known to the second.
//
// When run returns, whoever is in the slot is resumed. A panic or Goexit that
// left run would go on in that one, out of Swap.
func (s *Slot) Open(run func()) {
	s.swaps[0], _ = iter.Pull(func(yield func(struct{}) bool) {
		// SAFETY: a func value is a pointer to a closure. Called as next's type,
		// which has no argument where yield's has one of size zero, and one more
		// result of size zero, the closure finds the same registers and the same
		// stack: in Go's calling convention values without size have no place. It
		// makes Swap one indirect call that the compiler inlines, which saves two
		// returns per switch.
		s.swaps[1] = *(*func() (struct{}, bool))(unsafe.Pointer(&yield))
		run()
	})
}

// Swap exchanges the caller with the party suspended in s.
//
// After a switch the processor mispredicts every return to a frame that was
// called before it, about 7 ns each. So Swap is small enough to be inlined, and
// the hot callers call it themselves.
func (s *Slot) Swap() {
	turn := s.turn
	s.turn = 1 - turn
	s.swaps[turn&1]()
}

// End is the panic that leaves a coroutine in which a Goexit is under way, which
// iter.Pull would otherwise pass on to whoever is resumed.
type End struct{}

// AbsorbEnd, deferred around the Swap that End comes out of, recovers it.
func AbsorbEnd() {
	if r := recover(); r != nil {
		if _, ok := r.(End); !ok {
			panic(r)
		}
	}
}
