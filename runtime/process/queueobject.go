package process

import (
	"encoding/binary"
	"slices"
	"sync"
)

// queueObject is the object behind Queue, SimpleQueue and Joinable.
//
// A client that takes many items gets several at once, as a loan: they are still the
// queue's until it takes them one by one. What it has not taken the owner takes back, when
// another client has to wait, or the client has died. So nobody is kept waiting by items
// that lie with somebody else, and a client that dies loses what it was given by Get, no
// more.
type queueObject struct {
	max int    // immutable; 0: no bound
	id  uint64 // immutable; the object's number

	mu      sync.Mutex // held for the time of one operation
	items   itemRing   // mu guards this and the rest
	getters []getter
	putters []putter
	loans   []*loan
	lastID  uint64 // of a loan
	closed  bool
	removed bool
	given   []delivery
	spare   spares

	unfinished int // items that were put and are not done
	lost       int // of those, items of clients that died, since the last Join
	taken      map[*client]int
	joiners    []waiter
}

type getter struct {
	waiter
	want int // items at most
	word int // of its loans; 0: it takes one item, and no loan
}

type putter struct {
	waiter
	item []byte
}

const (
	queuePut    = op(iota + 1) // body: the item; the reply comes when it has found room
	queueTryPut                // likewise, but if there is no room it is refused
	queueGet                   // body: how many at most, word of the lease: 4 bytes each; the reply is the loan's number and the items
	queueTryGet                // likewise, but if there is none the reply is statusEmpty
	queueReturn                // body: number of a loan that nobody wants
	queueUnget                 // body: an item that was given without a loan, and that nobody wants
	queueClose
	queueLen
	queueDone // body: how many
	queueJoin
	queueUnfinished
)

func newQueueObject(max int) *queueObject { return &queueObject{max: max} }

func (q *queueObject) serve(r *request) {
	switch r.op {
	case queueClose, queueLen, queueJoin, queueUnfinished:
		// Not before what others have put.
		op, a := r.op, r.answer()
		links.heard(func() { q.lookAt(op, a) })
	case queueGet, queueTryGet:
		q.serveGet(r)
	default:
		q.serveNow(r)
	}
}

func (q *queueObject) serveGet(r *request) {
	if len(r.body) < 8 {
		r.reply(statusGone)
		return
	}
	g := getter{
		waiter: waiter{answer: r.answer()},
		want:   int(binary.LittleEndian.Uint32(r.body)),
		word:   int(binary.LittleEndian.Uint32(r.body[4:])),
	}
	q.mu.Lock()
	q.settleLocked(r.from, g.word)
	if r.op == queueGet || q.items.len() > 0 {
		q.getLocked(g, false)
		q.unlock()
		return
	}
	q.unlock()
	links.heard(func() {
		q.mu.Lock()
		defer q.unlock()
		q.getLocked(g, true)
	})
}

func (q *queueObject) serveNow(r *request) {
	q.mu.Lock()
	defer q.unlock()
	switch r.op {
	case queuePut, queueTryPut:
		q.putLocked(r)
	case queueReturn:
		if id, ok := u64Of(r.body); ok {
			for _, l := range q.loans {
				if l.id == id {
					q.endLoanLocked(l)
					break
				}
			}
		}
		r.reply(statusOK)
	case queueUnget:
		q.taken[r.from]--
		q.items.unshift([][]byte{slices.Clone(r.body)})
		q.passLocked()
		r.reply(statusOK)
	case queueDone:
		n, ok := u64Of(r.body)
		if !ok || int(n) > q.unfinished {
			r.reply(statusOverRelease)
			return
		}
		q.addTakenLocked(r.from, -int(n))
		q.doneLocked(int(n))
		r.reply(statusOK)
	default:
		r.reply(statusGone)
	}
}

// lookAt deals with requests that depend on all that was put before.
func (q *queueObject) lookAt(op op, a answer) {
	q.mu.Lock()
	defer q.unlock()
	if q.removed {
		a.reply(statusGone)
		return
	}
	switch op {
	case queueClose:
		if q.closed {
			a.reply(statusClosed)
			return
		}
		q.closed = true
		for _, p := range q.putters {
			p.reply(statusClosed)
		}
		q.putters = nil
		q.passLocked()
		a.reply(statusOK)
	case queueLen:
		n := q.items.len()
		for _, l := range q.loans {
			n += len(l.items) - l.lease.taken()
		}
		a.reply(statusOK, u64(uint64(n)))
	case queueJoin:
		q.joiners = append(q.joiners, waiter{answer: a})
		q.doneLocked(0)
	case queueUnfinished:
		a.reply(statusOK, u64(uint64(q.unfinished)))
	}
}

// tryPut is a put by this process, of an item that is the queue's from then on, if that needs
// no wait.
func (q *queueObject) tryPut(item []byte) bool {
	q.mu.Lock()
	defer q.unlock()
	if q.closed || q.removed || q.max > 0 && q.items.len() >= q.max {
		return false
	}
	q.storeLocked(item)
	return true
}

// buffer returns memory for an item of this process, nil if there is none to be used again.
func (q *queueObject) buffer(n int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.spare.take(n)
}

// giveBack takes an item back that was only looked at.
func (q *queueObject) giveBack(item []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare.give(item)
}

// tryGet is a get by this process, if that needs no wait.
func (q *queueObject) tryGet() ([]byte, bool) {
	q.mu.Lock()
	defer q.unlock()
	if q.items.len() == 0 || q.removed {
		return nil, false
	}
	item := q.items.shift()
	q.addTakenLocked(&here, 1)
	q.admitLocked()
	return item, true
}

// putLocked stores an item, or lets it wait for room. mu is held.
func (q *queueObject) putLocked(r *request) {
	item := r.body
	if r.from.link != nil {
		item = append(q.spare.take(len(r.body)), r.body...) // what is here was encoded for us
	}
	switch {
	case q.closed:
		if r.oneWay && r.from.link != nil {
			r.from.link.post(header{kind: kindNotice, obj: q.id}, nil)
		}
		r.reply(statusClosed)
		return
	case q.max == 0 || q.items.len() < q.max:
		q.storeLocked(item)
		r.reply(statusOK)
	case r.op == queueTryPut:
		r.reply(statusFull)
	default:
		q.putters = append(q.putters, putter{waiter{answer: r.answer()}, item})
	}
}

// storeLocked adds an item, or gives it to the one who waits longest. mu is held.
func (q *queueObject) storeLocked(item []byte) {
	q.unfinished++
	q.items.push(item)
	if len(q.getters) > 0 {
		q.passLocked()
	}
}

func (q *queueObject) cancel(c *client, id uint64) {
	q.mu.Lock()
	defer q.unlock()
	for i, g := range q.getters {
		if g.is(c, id) {
			q.getters = slices.Delete(q.getters, i, i+1)
			g.reply(statusTimeout)
			return
		}
	}
	for i, p := range q.putters {
		if p.is(c, id) {
			q.putters = slices.Delete(q.putters, i, i+1)
			p.reply(statusTimeout)
			return
		}
	}
	for i, w := range q.joiners {
		if w.is(c, id) {
			q.joiners = slices.Delete(q.joiners, i, i+1)
			w.reply(statusTimeout)
			return
		}
	}
}

func (q *queueObject) gone(c *client) {
	q.mu.Lock()
	defer q.unlock()
	q.getters = slices.DeleteFunc(q.getters, func(g getter) bool { return g.to == c })
	q.putters = slices.DeleteFunc(q.putters, func(p putter) bool { return p.to == c })
	q.joiners = slices.DeleteFunc(q.joiners, func(w waiter) bool { return w.to == c })
	for _, l := range slices.Clone(q.loans) {
		if l.to == c {
			q.endLoanLocked(l)
		}
	}
	// Nobody will say that they are done.
	lost := min(max(q.taken[c], 0), q.unfinished)
	delete(q.taken, c)
	q.lost += lost
	q.doneLocked(lost)
	q.passLocked()
}

func (q *queueObject) close() {
	q.mu.Lock()
	defer q.unlock()
	for _, g := range q.getters {
		g.reply(statusGone)
	}
	for _, p := range q.putters {
		p.reply(statusGone)
	}
	for _, w := range q.joiners {
		w.reply(statusGone)
	}
	q.getters, q.putters, q.joiners = nil, nil, nil
	q.removed = true
}
