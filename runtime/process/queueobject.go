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

// A loan is what a client has been lent.
type loan struct {
	id    uint64
	to    *client
	lease lease
	items [][]byte
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

// A delivery is a reply with items. It is sent when mu is free again, as to copy long items
// takes long.
type delivery struct {
	to    answer
	parts [][]byte
}

// unlock unlocks mu, and sends what was given out meanwhile.
func (q *queueObject) unlock() {
	given := q.given
	q.given = nil
	q.mu.Unlock()
	for _, d := range given {
		d.to.reply(statusOK, d.parts...)
	}
}

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
	case queueClose, queueLen, queueJoin, queueUnfinished:
		// Not before what others have put.
		op, a := r.op, r.answer()
		links.heard(func() { q.lookAt(op, a) })
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

// buffer returns memory for an item of this process.
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

// getLocked gives g items, or lets it wait. mu is held.
func (q *queueObject) getLocked(g getter, try bool) {
	if q.items.len() == 0 {
		q.recallLocked()
	}
	switch {
	case q.removed:
		g.reply(statusGone)
	case g.to.dead.Load(): // it would not take what it is given
	case q.items.len() > 0:
		q.giveLocked(g)
		q.admitLocked()
	case q.closed:
		g.reply(statusClosed)
	case try:
		g.reply(statusEmpty)
	default:
		q.getters = append(q.getters, g)
	}
}

// passLocked gives items to those that wait, as long as there are some; none is left when
// the queue is closed. mu is held.
func (q *queueObject) passLocked() {
	for len(q.getters) > 0 && q.items.len() > 0 {
		g := q.getters[0]
		q.getters = slices.Delete(q.getters, 0, 1)
		g.want = 1 // others wait, too, or nobody knows how long the next one takes
		q.giveLocked(g)
		q.admitLocked()
	}
	if q.closed && q.items.len() == 0 {
		for _, g := range q.getters {
			g.reply(statusClosed)
		}
		q.getters = nil
	}
}

// lendAtMost is how many bytes are lent at once, if it is more than one item.
const lendAtMost = 192 << 10

// giveLocked gives g as many items as it wants and as there are. mu is held.
func (q *queueObject) giveLocked(g getter) {
	if g.word == 0 || g.to.link == nil {
		item := q.items.shift()
		q.addTakenLocked(g.to, 1)
		if g.to.link != nil {
			g.reply(statusOK, u64(0), item)
		} else if c := localCalls.remove(g.id); c != nil {
			c.complete(reply{status: statusOK, body: item}) // the very item, not a copy
		}
		return
	}
	n := 1
	if q.max == 0 { // what is lent would not count
		n = min(max(g.want, 1), q.items.len())
	}
	q.lastID++
	l := &loan{id: q.lastID, to: g.to, lease: lease{page: g.to.link.lending, word: g.word}}
	// The items are not put together before they go into the ring: they may be long.
	parts := make([][]byte, 0, 1+2*n)
	parts = append(parts, u64(l.id))
	lengths := make([]byte, 0, n*binary.MaxVarintLen64)
	for size := 0; len(l.items) < n; {
		if size += len(q.items.first()); len(l.items) > 0 && size > lendAtMost {
			break
		}
		item := q.items.shift()
		l.items = append(l.items, item)
		from := len(lengths)
		lengths = binary.AppendUvarint(lengths, uint64(len(item)))
		parts = append(parts, lengths[from:], item)
	}
	l.lease.grant(len(l.items))
	q.loans = append(q.loans, l)
	q.given = append(q.given, delivery{g.answer, parts})
}

// admitLocked lets putters in as long as there is room. mu is held.
func (q *queueObject) admitLocked() {
	for len(q.putters) > 0 && q.items.len() < q.max {
		p := q.putters[0]
		q.putters = slices.Delete(q.putters, 0, 1)
		q.storeLocked(p.item)
		p.reply(statusOK)
	}
}

// recallLocked takes back half of what some client has not taken yet, for one that has to
// wait. mu is held.
func (q *queueObject) recallLocked() {
	for _, l := range q.loans {
		if lent, some := l.lease.halve(true); some {
			q.items.unshift(l.items[lent:])
			l.items = l.items[:lent]
			return
		}
	}
}

// settleLocked ends the loan of a client that asks for the next one. mu is held.
func (q *queueObject) settleLocked(c *client, word int) {
	if word == 0 {
		return
	}
	for _, l := range q.loans {
		if l.to == c && l.lease.word == word {
			q.endLoanLocked(l)
			return
		}
	}
}

// endLoanLocked takes back what the client has not taken. mu is held.
func (q *queueObject) endLoanLocked(l *loan) {
	l.lease.revoke(0)
	taken := l.lease.taken()
	q.loans = slices.DeleteFunc(q.loans, func(other *loan) bool { return other == l })
	q.addTakenLocked(l.to, taken)
	for _, item := range l.items[:taken] {
		q.spare.give(item)
	}
	if taken < len(l.items) {
		q.items.unshift(l.items[taken:])
	}
	q.passLocked()
}

// addTakenLocked counts items that a client has taken and are not done. mu is held.
func (q *queueObject) addTakenLocked(c *client, n int) {
	if q.taken == nil {
		q.taken = make(map[*client]int)
	}
	q.taken[c] += n
}

// doneLocked counts items that are done, and wakes those in Join when all are. mu is held.
func (q *queueObject) doneLocked(n int) {
	q.unfinished -= n
	if q.unfinished > 0 || len(q.joiners) == 0 {
		return
	}
	status := statusOK
	if q.lost > 0 {
		status = statusAbandoned
	}
	q.lost = 0
	for _, w := range q.joiners {
		w.reply(status)
	}
	q.joiners = nil
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

// itemRing is a queue of items at whose front some can be put back.
type itemRing struct {
	buf  [][]byte
	head int
	n    int
}

func (r *itemRing) len() int { return r.n }

func (r *itemRing) first() []byte { return r.buf[r.head] }

func (r *itemRing) grow(n int) {
	if r.n+n <= len(r.buf) {
		return
	}
	buf := make([][]byte, max(2*len(r.buf), r.n+n, 16))
	k := copy(buf, r.buf[r.head:])
	copy(buf[k:], r.buf[:r.head])
	r.buf, r.head = buf, 0
}

func (r *itemRing) push(item []byte) {
	r.grow(1)
	r.buf[(r.head+r.n)%len(r.buf)] = item
	r.n++
}

func (r *itemRing) shift() []byte {
	item := r.buf[r.head]
	r.buf[r.head] = nil
	r.head = (r.head + 1) % len(r.buf)
	if r.n--; r.n == 0 && len(r.buf) > 1024 {
		*r = itemRing{} // a burst is over
	}
	return item
}

func (r *itemRing) unshift(items [][]byte) {
	r.grow(len(items))
	for i := len(items) - 1; i >= 0; i-- {
		r.head = (r.head + len(r.buf) - 1) % len(r.buf)
		r.buf[r.head] = items[i]
		r.n++
	}
}

// spares is memory of long items that nobody needs any more. It is used again, which is worth
// more than what the collector saves: it is in the processor's cache.
type spares struct {
	list  [][]byte
	bytes int
}

const (
	spareFrom   = 1 << 10 // shorter items are no matter
	spareAtMost = 1 << 20
)

func (s *spares) give(b []byte) {
	if n := cap(b); n >= spareFrom && s.bytes+n <= spareAtMost {
		s.list = append(s.list, b[:0])
		s.bytes += n
	}
}

// take returns memory for n bytes, of length 0.
func (s *spares) take(n int) []byte {
	if last := len(s.list) - 1; n >= spareFrom && last >= 0 {
		b := s.list[last]
		s.list[last] = nil
		s.list = s.list[:last]
		s.bytes -= cap(b)
		if cap(b) >= n {
			return b
		}
	}
	return make([]byte, 0, n)
}
