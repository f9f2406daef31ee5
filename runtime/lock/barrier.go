package lock

import (
	"errors"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// ErrBroken is returned by a Barrier's Wait if the barrier is broken, or becomes
// so while it waits.
var ErrBroken = errors.New("lock: broken barrier")

// A Barrier is where a number of parties wait until all are there. Then all go
// on, and it can be used again. Make one with NewBarrier. Its methods may be
// called from any task or goroutine. It must not be copied after first use.
//
// A party that stops waiting, since it was killed, or its deadline passed, would
// be missed by the others for ever. So it breaks the barrier: every Wait returns
// ErrBroken, also those under way, until Reset. In each round either all parties
// pass, or none does.
type Barrier struct {
	parties int // immutable
	action  func()

	mu     waitlist.Mutex
	here   waitlist.List[struct{}] // mu guards this and the rest: those of the round
	next   waitlist.List[struct{}] // those that came while the action runs
	round  *round
	acting bool // the last party of a round runs the action
	broken bool
}

// round is what the parties that wait for each other share. Whoever ends a round
// replaces it, and has its parties made ready, in one go: they look at it with
// the mutex held, so all find the same.
type round struct {
	broken bool
}

// NewBarrier returns a Barrier for so many parties. action, if not nil, is called
// in each round by the last party, when all are there and before any goes on. It
// may wait. If it panics the barrier breaks, and the panic is that party's.
// NewBarrier panics if parties is less than 1.
func NewBarrier(parties int, action func()) *Barrier {
	if parties < 1 {
		panic("lock: Barrier for less than one party")
	}
	return &Barrier{parties: parties, action: action, round: new(round)}
}

// Wait waits until as many parties have called it as the barrier is for. It
// returns the number of the caller among them, from 0 in the order they came: so
// one of them can be told from the others. It returns -1 and ErrBroken if the
// barrier is or becomes broken, or -1 and the error of a kill or timeout that
// ended the wait, and has broken the barrier then.
func (b *Barrier) Wait() (index int, err error) { return b.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout, and breaks
// the barrier. The zero deadline means none.
func (b *Barrier) WaitUntil(deadline runtime.Instant) (index int, err error) {
	c := b.mu.Lock()
	for b.acting && !b.broken { // it is not one of this round, and breaks nothing
		if _, err := b.next.Wait(&b.mu, c.NewWaiter(), struct{}{}, "barrier", deadline); err != nil {
			return -1, err
		}
		c = b.mu.Lock()
	}
	if b.broken {
		b.mu.Unlock()
		return -1, ErrBroken
	}
	index = b.here.Len()
	if index == b.parties-1 {
		err = b.complete(c)
	} else {
		err = b.await(c, deadline)
	}
	if err != nil {
		return -1, err
	}
	return index, nil
}

// await waits for the others. It is called with the mutex held, and unlocks it.
func (b *Barrier) await(c runtime.Caller, deadline runtime.Instant) (err error) {
	w := c.NewWaiter()
	if w.OnHub() {
		b.mu.Unlock()
		return runtime.ErrNotInTask // on the hub: it has not come at all
	}
	r, ready := b.round, false
	defer func() {
		c := b.mu.Lock()
		if !ready && b.round == r { // left by an error, or by a panic out of Wait
			b.fail(c)
		}
		if ready && r.broken {
			err = ErrBroken
		}
		b.mu.Unlock()
	}()
	_, err = b.here.Wait(&b.mu, w, struct{}{}, "barrier", deadline)
	ready = err == nil
	return err
}

// complete is the part of the last party. It is called with the mutex held, and
// unlocks it.
func (b *Barrier) complete(c runtime.Caller) error {
	defer b.mu.Unlock()
	r := b.round
	if b.action != nil {
		c = b.act(r)
	}
	if b.round != r {
		return ErrBroken
	}
	for n := b.here.Pop(); n != nil; n = b.here.Pop() {
		if !b.here.Ready(c, n) { // it has given up, and has not run since
			r.broken = true
		}
	}
	b.round = new(round)
	if r.broken {
		b.fail(c)
		return ErrBroken
	}
	return nil
}

// act runs the action, without the mutex, which is held before and after.
func (b *Barrier) act(r *round) (c runtime.Caller) {
	returned := false
	defer func() {
		c = b.mu.Lock()
		b.acting = false
		if !returned && b.round == r {
			b.fail(c)
		}
		b.next.WakeAll(c)
	}()
	b.acting = true
	b.mu.Unlock()
	b.action()
	returned = true
	return c
}

// fail breaks the barrier. The mutex is held.
func (b *Barrier) fail(c runtime.Caller) {
	b.broken = true
	b.giveUp(c)
	b.next.WakeAll(c)
}

// giveUp ends the present round: those that wait in it get ErrBroken. The mutex
// is held.
func (b *Barrier) giveUp(c runtime.Caller) {
	b.round.broken = true
	b.round = new(round)
	b.here.WakeAll(c)
}

// Abort breaks the barrier. It never parks, and may be called from anywhere.
func (b *Barrier) Abort() {
	c := b.mu.Lock()
	defer b.mu.Unlock()
	b.fail(c)
}

// Reset makes the barrier as new: those that wait get ErrBroken, and it is not
// broken after that. It never parks, and may be called from anywhere.
func (b *Barrier) Reset() {
	c := b.mu.Lock()
	defer b.mu.Unlock()
	b.giveUp(c)
	b.broken = false
}

// Parties returns how many parties the barrier is for.
func (b *Barrier) Parties() int { return b.parties }

// Waiting returns how many wait for the others at this moment.
func (b *Barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.here.Len()
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}
