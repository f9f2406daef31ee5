package runtime

import "github.com/weft-go/weft/runtime/internal/coro"

// This file and its two variants are the only ones that switch tasks.
//
// A coroutine is suspended in a *slot*, and so is the hub: see coro.Slot.
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
//  2. All swaps of a worker's slots are ordered, as only the running party
//     makes them. A slot's first swap starts its coroutine.
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
// A coroutine's task may be on another goroutine when it parks, that of a greenlet
// or generator: see strand.go.
//
// # Asymmetric switching (build tag weft_asymmetric)
//
// Every switch goes through the hub: a party yields in its own slot, the hub
// calls next on the slot of the one that comes. It is iter.Pull used as
// documented, at twice the switches, for a Go release that should break the
// above.

// party is one that can be suspended: a coroutine or the hub.
type party struct {
	at *coro.Slot // the slot it is suspended in; nil while it runs
	w  *worker
}

// newCoroutine makes a coroutine of w, suspended before its first
// instruction in its own slot.
func newCoroutine(w *worker) *coroutine {
	co := new(coroutine)
	co.w = w
	co.own.Open(co.run)
	co.at = &co.own
	return co
}
