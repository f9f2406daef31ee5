package greenlet

import "github.com/weft-go/weft/runtime/internal/coro"

// This file and its two variants are the only ones that switch greenlets. See
// also runtime/coro.go, which does the same for tasks, and coro.Slot.
//
// The parties of an owner are its greenlets, the main one included. Exactly one
// of them runs, all others that have started are suspended. A party is not
// bound to a goroutine: inside a generator's function it runs on the
// generator's coroutine, and is suspended there if it switches. What is in the
// slot is the goroutine on which the party ran last.
//
// # Symmetric switching (the default)
//
// Each suspended party remembers the slot in which it is (core.at). To switch
// to party B, party A swaps on B's slot: A is now suspended where B was. Why
// that is sound:
//
//  1. An owner with n started greenlets that are alive has n slots and n+1
//     parties, one running; a swap exchanges the running party with a slot's
//     occupant. So each slot always holds exactly one party, and core.at says
//     which slot: it changes before a swap, by the running party, which is the
//     only one that touches any of this. A call from any other goroutine is
//     refused before (owner.running).
//  2. All swaps of an owner's slots are ordered, as only the running party makes
//     them. A slot is opened by the switch that starts its greenlet.
//  3. A coroutine's end resumes whoever is in its *own* slot, and that must be
//     the one that gets the greenlet's result, its heir. If it is not there,
//     the ending party first switches to its heir, and leaves itself in
//     owner.ending. The heir swaps on the ending one's own slot, which suspends
//     the heir there; the former occupant finds owner.forward set and swaps
//     with the ending one, and is suspended again, elsewhere; the ending one
//     returns, and the heir goes on. Nobody but these three runs meanwhile, and
//     the occupant not a line of the user's.
//  4. A panic that left a coroutine's function would surface in whoever is
//     resumed, inside next. None does: see core.live. A Goexit can't be
//     undone, so the coroutine leaves by a panic of our own, which supersedes
//     it, always the long way of point 3, where the heir absorbs it.
//  5. Under the race detector iter.Pull adds an edge per swap from who leaves
//     to who is resumed. All switches of an owner are a chain of such edges.
//  6. If the owner is a task, its worker has slots of its own, which these swaps
//     never touch. A party that parks is swapped into one of them by package
//     runtime, and out again, and meanwhile nobody uses the owner's slots. The
//     task's own coroutine ends, or runs another task, only when the main party
//     has returned or unwound there and all others have ended: see owner.End.
//
// # Asymmetric switching (build tag weft_asymmetric)
//
// Every switch goes through the main party: a greenlet yields in its own slot,
// the main party calls next on the slot of the one that comes. It is iter.Pull
// used as documented, at twice the swaps.

// open makes the slot of c, which starts at its first swap.
func (c *core) open() *coro.Slot {
	c.started = true
	c.own.Open(c.live)
	return &c.own
}
