package process

import (
	"encoding/binary"
	"slices"
)

// A loan is what a client has been lent.
type loan struct {
	id    uint64
	to    *client
	lease lease
	items [][]byte
}

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
