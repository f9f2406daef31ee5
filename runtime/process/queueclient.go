package process

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// queueClient is what this process knows of a queue of another one. All handles share it.
type queueClient struct {
	turn lock.Mutex // held by who takes from the loan, or waits for the next one

	// the holder of turn's
	link  *link // of the loan
	word  int
	lease lease
	loan  *borrowed
	want  int
	since runtime.Instant // when the loan came

	closed sync.Once
	over   chan struct{} // closed when an item that was put has found the queue closed
}

// borrowed is what a loan has brought.
type borrowed struct {
	body   []byte // of the reply, in which the items are
	items  [][]byte
	next   int
	copied atomic.Int32 // items that were taken and are used no more
}

// queueClients are those of this process, by the address of the queue.
var queueClients struct {
	sync.Mutex
	m map[address]*queueClient
}

func queueClientOf(a address) *queueClient {
	queueClients.Lock()
	defer queueClients.Unlock()
	c := queueClients.m[a]
	if c == nil {
		if queueClients.m == nil {
			queueClients.m = make(map[address]*queueClient)
		}
		c = &queueClient{want: 1, loan: new(borrowed), over: make(chan struct{})}
		queueClients.m[a] = c
	}
	return c
}

// forgetClient is called when the queue is gone.
func forgetClient(a address) {
	queueClients.Lock()
	defer queueClients.Unlock()
	delete(queueClients.m, a)
}

// noteClosed is called when the owner says that an item has found its queue closed.
func noteClosed(a address) {
	queueClients.Lock()
	c := queueClients.m[a]
	queueClients.Unlock()
	if c != nil {
		c.closed.Do(func() { close(c.over) })
	}
}

// get takes an encoded item, and returns the loan that it is from, nil if none.
func (q *Queue[T]) get(op op, deadline runtime.Instant) ([]byte, *borrowed, error) {
	if q.far != nil {
		item, err := q.far.Get(op == queueGet, deadline)
		return item, nil, err
	}
	if q.local() {
		if o := q.here(); o != nil {
			if item, ok := o.tryGet(); ok {
				return item, nil, nil
			}
		}
		item, err := q.getOne(op, deadline)
		return item, nil, err
	}
	c := q.client()
	if op == queueTryGet {
		if !c.turn.TryLock() {
			return nil, nil, errEmpty // somebody waits already
		}
	} else if err := c.turn.LockUntil(deadline); err != nil {
		return nil, nil, err
	}
	defer c.turn.Unlock()
	for {
		if item, ok := c.take(); ok {
			return item, c.loan, nil
		}
		item, err := q.borrow(c, op, deadline)
		if item != nil || err != nil {
			return item, nil, q.noteGone(err)
		}
	}
}

// take takes the next item of the loan, if there is one that was not taken back.
func (c *queueClient) take() ([]byte, bool) {
	b := c.loan
	if b.next >= len(b.items) || !c.lease.take() {
		return nil, false
	}
	item := b.items[b.next]
	b.items[b.next] = nil
	b.next++
	return item, true
}

const (
	mostWanted = 256

	// A loan that was used up faster than quickly is followed by a larger one, one that
	// lasted for more than slowly by a smaller one.
	quickly = time.Millisecond
	slowly  = 10 * time.Millisecond
)

// borrow asks the owner for the next loan, as the holder of turn; or, if there is no word
// left for a lease, for a single item, which it returns.
func (q *Queue[T]) borrow(c *queueClient, op op, deadline runtime.Instant) ([]byte, error) {
	old := c.loan
	if old.next > 0 && old.next == len(old.items) {
		switch took := runtime.Now().Sub(c.since); {
		case took < quickly && old.next >= c.want/2:
			c.want = min(2*c.want, mostWanted)
		case took > slowly:
			c.want = max(c.want/2, 1)
		}
	}
	c.loan = new(borrowed)
	l, err := linkTo(q.process)
	if err != nil {
		return nil, err
	}
	if l != c.link {
		c.link, c.word = l, l.newWord()
		c.lease = lease{page: l.borrowing, word: c.word}
	}
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, 8), uint32(c.want))
	head = binary.LittleEndian.AppendUint32(head, uint32(c.word))
	o := q.getting(op, deadline)
	if int(old.copied.Load()) == len(old.items) {
		o.into = old.body // nobody has kept a part of it
	}
	o.late = func(r reply) {
		switch {
		case r.status != statusOK || len(r.body) < 8:
		case c.word == 0:
			q.undo(queueUnget, r.body[8:])
		default:
			q.undo(queueReturn, r.body[:8])
		}
	}
	body, err := q.result(o, head)
	if err != nil {
		return nil, err
	}
	if len(body) < 8 {
		return nil, codec.ErrCorrupt
	}
	if c.word == 0 {
		return body[8:], nil
	}
	c.since = runtime.Now()
	c.loan.body, c.loan.items = body, old.items[:0]
	for body = body[8:]; len(body) > 0; {
		item, rest, ok := codec.Cut(body)
		if !ok {
			return nil, codec.ErrCorrupt
		}
		c.loan.items, body = append(c.loan.items, item), rest
	}
	return nil, nil
}

func (q *Queue[T]) getting(op op, deadline runtime.Instant) outgoing {
	return outgoing{op: op, reason: "item of a queue between processes", deadline: deadline, wakes: true}
}

// getOne takes an item of a queue of this process.
func (q *Queue[T]) getOne(op op, deadline runtime.Instant) ([]byte, error) {
	o := q.getting(op, deadline)
	o.late = func(r reply) {
		if r.status == statusOK {
			q.undo(queueUnget, r.body)
		}
	}
	return q.result(o, noLoan[:])
}

var noLoan [8]byte

// newWord returns a word of the lending pages for a new lease, 0 if there is none left.
func (l *link) newWord() int {
	if n := int(l.words.Add(1)); n < ring.Words {
		return n
	}
	return 0
}
