package runtime

import (
	"iter"
	"unsafe"
)

// This file and its two variants are the only ones that switch coroutines.
//
// A coroutine is made by iter.Pull. What iter.Pull gives is a *slot*: it
// holds one suspended party, at first the coroutine itself, and calling its
// next and yield functions in strict alternation swaps the caller with
// whoever is suspended there. The Go runtime does not mind who calls: a swap
// parks the calling goroutine in the slot and resumes the one that was there,
// on the same thread, without the Go scheduler.
//
// The parties of a worker are its hub (the goroutine that runs netpoll's
// loop) and its coroutines. Exactly one of them runs, all others are
// suspended.
//
// # Symmetric switching (the default)
//
// Each suspended party remembers the slot in which it is (party.at). To switch
// to party B, party A swaps on B's slot: A is now suspended where B was. So a
// task that parks goes directly to the next ready task, and control returns to
// the hub only when there is none. Why that is sound:
//
//  1. A worker with n coroutines has n slots and n+1 parties, one running; a
//     swap exchanges the running party with a slot's occupant. So each slot
//     always holds exactly one suspended party, and party.at says which slot:
//     both change in swap only, before the switch, by the one running party.
//  2. next and yield alternate per slot, whoever calls: slot.turn says whose
//     turn it is, and all swaps of a worker's slots are ordered, as only the
//     running party makes them. yield is known after the first next, which
//     starts the coroutine, and that is always the slot's first swap.
//  3. A coroutine's end resumes whoever is in its *own* slot. So before one
//     ends, the hub is moved there (reap): the hub swaps with the occupant of
//     that slot, which finds worker.forward set and passes control on to the
//     coroutine that is to end; that returns, and the hub goes on. Coroutines
//     end nowhere else.
//  4. A panic or Goexit that left a coroutine's function would surface in the
//     hub, inside next. Neither leaves it: see coroutine.run.
//  5. Under the race detector iter.Pull adds an edge per swap from who leaves
//     to who is resumed. All switches of a worker are a chain of such edges.
//
// # Asymmetric switching (build tag weft_asymmetric)
//
// Every switch goes through the hub: a party yields in its own slot, the hub
// calls next on the slot of the one that comes. It is iter.Pull used as
// documented, at twice the switches, for a Go release that should break the
// above.

// party is one that can be suspended: a coroutine or the hub.
type party struct {
	at *slot // the slot it is suspended in; nil while it runs
	w  *worker
}

// slot is one iter.Pull.
type slot struct {
	swaps [2]func() (struct{}, bool) // next, yield
	turn  uint8                      // which of them the next swap calls

	ending bool // the coroutine whose slot it is is to end when next resumed
}

// newCoroutine makes a coroutine of w, suspended before its first
// instruction in its own slot.
func newCoroutine(w *worker) *coroutine {
	co := new(coroutine)
	co.w = w
	co.own.swaps[0], _ = iter.Pull(co.main)
	co.at = &co.own
	return co
}

// main is the function of a coroutine.
func (co *coroutine) main(yield func(struct{}) bool) {
	// SAFETY: a func value is a pointer to a closure. Called as next's type,
	// which has no argument where yield's has one of size zero, and one more
	// result of size zero, the closure finds the same registers and the same
	// stack: in Go's calling convention values without size have no place. It
	// makes swap one indirect call that the compiler inlines, which saves two
	// returns per switch: see swap.
	co.own.swaps[1] = *(*func() (struct{}, bool))(unsafe.Pointer(&yield))
	co.run()
}

// swap exchanges the caller with the party suspended in s.
//
// After a switch the processor mispredicts every return to a frame that was
// called before it, about 7 ns each. So swap is small enough to be inlined, and
// Yield and park, the hot callers, call it themselves.
func (s *slot) swap() {
	turn := s.turn
	s.turn = 1 - turn
	s.swaps[turn&1]()
}

// endOfCoroutine leaves a coroutine in which a Goexit is under way, which
// iter.Pull would otherwise pass on to the hub.
type endOfCoroutine struct{}

// absorbEnd recovers endOfCoroutine on the hub's side.
func absorbEnd() {
	if r := recover(); r != nil {
		if _, ok := r.(endOfCoroutine); !ok {
			panic(r)
		}
	}
}
