package process

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// barrier is the object behind Barrier.
type barrier struct {
	parties int // immutable

	mu      sync.Mutex // held for a few instructions
	waiting []waiter   // mu guards this and the rest
	acting  *client    // whose last party runs its action now
	early   []party    // of the next round, while acting
	broken  bool
}

// A party is one that has come.
type party struct {
	waiter
	acts bool // it has an action, if it is the last
}

const (
	barrierWait   = op(iota + 1) // body: 1 if there is an action; the reply is the index, then 1 if it is to be run
	barrierActed                 // the action has ended
	barrierAbort                 // so that it is broken
	barrierReset                 // so that it is as new
	barrierStatus                // the reply is how many wait, and whether it is broken
)

func (b *barrier) serve(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r.op {
	case barrierWait:
		b.arriveLocked(party{waiter{answer: r.answer()}, len(r.body) > 0})
		return
	case barrierActed:
		if b.acting != r.from {
			r.reply(statusBroken)
			return
		}
		b.passLocked()
	case barrierAbort:
		b.breakLocked()
	case barrierReset:
		b.breakLocked()
		b.broken = false
	case barrierStatus:
		state := make([]byte, 9)
		binary.LittleEndian.PutUint64(state, uint64(len(b.waiting)))
		if b.broken {
			state[8] = 1
		}
		r.reply(statusOK, state)
		return
	}
	r.reply(statusOK)
}

// arriveLocked lets a party wait, or all go on. mu is held.
func (b *barrier) arriveLocked(p party) {
	switch index := len(b.waiting); {
	case b.broken:
		p.reply(statusBroken)
	case b.acting != nil:
		b.early = append(b.early, p)
	case index+1 < b.parties:
		b.waiting = append(b.waiting, p.waiter)
	case p.acts:
		b.acting = p.to
		p.reply(statusOK, u64(uint64(index)), []byte{1})
	default:
		p.reply(statusOK, u64(uint64(index)))
		b.passLocked()
	}
}

// passLocked lets those that wait go on. mu is held.
func (b *barrier) passLocked() {
	for i, w := range b.waiting {
		w.reply(statusOK, u64(uint64(i)))
	}
	early := b.early
	b.waiting, b.acting, b.early = nil, nil, nil
	for _, p := range early {
		b.arriveLocked(p)
	}
}

// breakLocked breaks the barrier. mu is held.
func (b *barrier) breakLocked() {
	b.broken = true
	for _, w := range b.waiting {
		w.reply(statusBroken)
	}
	for _, p := range b.early {
		p.reply(statusBroken)
	}
	b.waiting, b.acting, b.early = nil, nil, nil
}

// cancel breaks the barrier: the others would wait for ever for the one that no longer does.
func (b *barrier) cancel(c *client, id uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, w := range b.waiting {
		if w.is(c, id) {
			w.reply(statusTimeout)
			b.waiting = slices.Delete(b.waiting, i, i+1)
			b.breakLocked()
			return
		}
	}
	for i, p := range b.early {
		if p.is(c, id) {
			p.reply(statusTimeout)
			b.early = slices.Delete(b.early, i, i+1)
			b.breakLocked()
			return
		}
	}
}

func (b *barrier) gone(c *client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acting == c {
		b.breakLocked()
		return
	}
	isGone := func(w waiter) bool { return w.to == c }
	if slices.ContainsFunc(b.waiting, isGone) || slices.ContainsFunc(b.early, func(p party) bool { return isGone(p.waiter) }) {
		b.breakLocked()
	}
}

func (b *barrier) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.waiting {
		w.reply(statusGone)
	}
	for _, p := range b.early {
		p.reply(statusGone)
	}
	b.waiting, b.early = nil, nil
}

// A Barrier is where a number of tasks, of any processes, wait until all are there. A party
// that stops waiting, since it was killed, its deadline passed, or its process died, breaks
// it: every Wait returns lock.ErrBroken, also those under way, until Reset. Handles may be
// copied. Methods may be called from any task or goroutine, which waits for the owner's
// answer; they return ErrGone when the owner has ended.
type Barrier struct{ address }

// NewBarrier makes a Barrier for so many parties in a place. It panics if there is none.
func NewBarrier(at Place, parties int) (*Barrier, error) {
	if parties < 1 {
		panic("process: a Barrier for no parties")
	}
	a, err := at.create(makeBarrier, numbers(parties))
	return &Barrier{a}, err
}

// Wait waits until as many parties have called it as the barrier is for. It returns the
// number of the caller among them, from 0 in the order they came. The error is
// lock.ErrBroken, ErrGone, or that of an interrupt, which has broken the barrier then.
func (b *Barrier) Wait() (index int, err error) { return b.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout, and breaks the
// barrier. The zero deadline means none.
func (b *Barrier) WaitUntil(deadline runtime.Instant) (index int, err error) {
	return b.wait(deadline, nil)
}

// WaitThen is Wait that calls action when all parties are there and before any goes on, if
// the caller is the last one. An error or panic of it, or the end of the process, breaks the
// barrier; the error is returned.
func (b *Barrier) WaitThen(action func() error) (index int, err error) { return b.wait(0, action) }

func (b *Barrier) wait(deadline runtime.Instant, action func() error) (int, error) {
	var flag []byte
	if action != nil {
		flag = []byte{1}
	}
	o := outgoing{op: barrierWait, reason: "barrier between processes", deadline: deadline, wakes: true}
	o.late = func(r reply) {
		if r.status == statusOK && len(r.body) > 8 { // nobody will act
			b.undo(barrierAbort)
		}
	}
	reply, err := b.result(o, flag)
	if err != nil {
		return -1, err
	}
	n, _ := u64Of(reply)
	index := int(n)
	if len(reply) == 8 {
		return index, nil
	}
	acted := false
	defer func() {
		if !acted {
			b.undo(barrierAbort)
		}
	}()
	if err := action(); err != nil {
		return -1, err
	}
	if _, err := b.result(outgoing{op: barrierActed, reason: "answer about a barrier"}); err != nil {
		return -1, err
	}
	acted = true
	return index, nil
}

// Abort breaks the barrier.
func (b *Barrier) Abort() error {
	_, err := b.result(outgoing{op: barrierAbort, reason: "answer about a barrier"})
	return err
}

// Reset makes the barrier as new: those that wait get lock.ErrBroken, and it is not broken
// after that.
func (b *Barrier) Reset() error {
	_, err := b.result(outgoing{op: barrierReset, reason: "answer about a barrier"})
	return err
}

// State returns how many wait at this moment, and whether the barrier is broken.
func (b *Barrier) State() (waiting int, broken bool, err error) {
	r, err := b.result(outgoing{op: barrierStatus, reason: "answer about a barrier"})
	if err != nil {
		return 0, false, err
	}
	n, ok := u64Of(r)
	if !ok || len(r) != 9 {
		return 0, false, ErrGone
	}
	return int(n), r[8] != 0, nil
}

// Close ends the object: who waits for it, and whoever uses it later, gets ErrGone.
func (b *Barrier) Close() error { return b.remove() }
