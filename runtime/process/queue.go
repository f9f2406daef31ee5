package process

import (
	"encoding/binary"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// A Queue is a first in, first out queue of items between any number of processes that put
// and get. The items are with the owner, the process where it was made.
//
// No process can harm it by dying: one that is killed while it puts has put its item or has
// not; one that is killed while it gets has lost at most the item that Get had given it. A
// process that has put something may end at once; nobody needs to take it out before.
//
// Handles of the same queue may be made by sending one; a Queue itself must not be copied.
// Methods may be called from any task or goroutine. They return ErrGone when the owner has
// ended, or Remove was called.
type Queue[T any] struct {
	address
	codec codec.Codec[T]
	max   int

	once   sync.Once
	shared *queueClient
}

// NewQueue makes a Queue in a place, which holds at most maxsize items; 0 means no bound. It
// panics if maxsize is negative, and if items have pipe ends in them, which a queue can't
// carry.
func NewQueue[T any](at Place, maxsize int) (*Queue[T], error) {
	q := &Queue[T]{codec: codec.For[T](), max: positive(maxsize)}
	if q.codec.Carries {
		panic("process: a Queue can't carry pipe ends")
	}
	var err error
	q.address, err = at.create(makeQueue, numbers(maxsize))
	return q, err
}

// MarshalBinary makes a handle that is part of an argument, an item or a value be sent as the
// address of its object.
func (q *Queue[T]) MarshalBinary() ([]byte, error) {
	b, err := q.address.MarshalBinary()
	return binary.LittleEndian.AppendUint64(b, uint64(q.max)), err
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (q *Queue[T]) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return codec.ErrCorrupt
	}
	q.codec = codec.For[T]()
	q.max = int(binary.LittleEndian.Uint64(b[len(b)-8:]))
	return q.address.UnmarshalBinary(b[:len(b)-8])
}

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

func (q *Queue[T]) client() *queueClient {
	q.once.Do(func() { q.shared = queueClientOf(q.address) })
	return q.shared
}

// encode encodes an item, in the caller: who puts what can't be encoded is told.
func (q *Queue[T]) encode(item *T) ([]byte, error) {
	if b, ok := q.codec.View(item); ok {
		if !q.local() {
			return b, nil // it is copied on its way
		}
		if o := q.here(); o != nil && len(b) >= spareFrom {
			return append(o.buffer(len(b)), b...), nil
		}
		return append([]byte(nil), b...), nil
	}
	b, err := q.codec.Append(nil, *item)
	if err != nil {
		return nil, &EncodeError{What: "item", Err: err}
	}
	return b, nil
}

// Put adds an item.
//
// With a bound it waits while the queue is full, and returns nil if and only if the item was
// added. Without one it returns when the item is on its way, so that it need not wait for the
// owner's answer, and nothing can keep it from being added but that the queue was closed:
// that is the error, queue.ErrClosed, of a later Put or Flush. It waits only while more
// is on its way than fits into the ring between the two processes.
//
// The error is queue.ErrClosed, ErrGone, an *EncodeError, or that of an interrupt, and then
// the item was not added.
func (q *Queue[T]) Put(item T) error { return q.PutUntil(item, 0) }

// PutUntil is Put that gives up at deadline with runtime.ErrTimeout. The zero deadline means
// none.
func (q *Queue[T]) PutUntil(item T, deadline runtime.Instant) error {
	b, err := q.encode(&item)
	if err != nil {
		return err
	}
	if o := q.here(); o != nil && o.tryPut(b) {
		return nil
	}
	if q.max > 0 || q.local() {
		_, err := q.result(outgoing{op: queuePut, reason: "room in a queue between processes", deadline: deadline, wakes: true}, b)
		return err
	}
	select {
	case <-q.client().over:
		return errClosed
	default:
		return q.noteGone(q.tell(deadline, queuePut, b))
	}
}

// here returns the queue itself, if it is this process's and exists.
func (q *Queue[T]) here() *queueObject {
	if !q.local() {
		return nil
	}
	o, _ := objects.get(q.object).(*queueObject)
	return o
}

// noteGone forgets a queue that is gone.
func (q *Queue[T]) noteGone(err error) error {
	if err != nil && errors.Is(err, ErrGone) {
		forgetClient(q.address)
	}
	return err
}

// TryPut adds an item if there is room, else it returns queue.ErrFull. It waits for the
// owner's answer.
func (q *Queue[T]) TryPut(item T) error {
	b, err := q.encode(&item)
	if err == nil {
		_, err = q.result(outgoing{op: queueTryPut, reason: "answer about a queue"}, b)
	}
	return err
}

// Flush waits until the owner has what this process has put, and returns queue.ErrClosed if
// it found the queue closed. The end of the process needs no Flush.
func (q *Queue[T]) Flush() error {
	if _, err := q.Len(); err != nil {
		return err
	}
	select {
	case <-q.client().over:
		return errClosed
	default:
		return nil
	}
}

// Get takes the next item out. While there is none it waits; those that wait are served in
// the order they came, though tasks of one process wait as one. It returns queue.ErrClosed if
// the queue is closed and empty, ErrGone, an *EncodeError if the item is none of type T, and
// lost, or the error of an interrupt, and has taken no item then.
func (q *Queue[T]) Get() (T, error) { return q.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero deadline means
// none.
func (q *Queue[T]) GetUntil(deadline runtime.Instant) (T, error) {
	b, _, err := q.get(queueGet, deadline)
	return q.decode(b, err)
}

// TryGet takes the next item out if there is one, else it returns queue.ErrEmpty. It waits
// for the owner's answer.
func (q *Queue[T]) TryGet() (T, error) {
	b, _, err := q.get(queueTryGet, 0)
	return q.decode(b, err)
}

// GetInto is Get into *item, whose memory is used again where that is possible: long items of
// type []byte are taken several times as fast as with Get.
func (q *Queue[T]) GetInto(item *T) error {
	b, from, err := q.get(queueGet, 0)
	if err != nil {
		return err
	}
	if err := q.codec.Decode(b, item); err != nil {
		return &EncodeError{What: "item", Err: err}
	}
	if from != nil {
		from.copied.Add(1)
	} else if o := q.here(); o != nil && len(b) >= spareFrom {
		o.giveBack(b)
	}
	return nil
}

func (q *Queue[T]) decode(b []byte, err error) (item T, _ error) {
	if err != nil {
		return item, err
	}
	if err := q.codec.Adopt(b, &item); err != nil {
		return item, &EncodeError{What: "item", Err: err}
	}
	return item, nil
}

// get takes an encoded item, and returns the loan that it is from, nil if none.
func (q *Queue[T]) get(op op, deadline runtime.Instant) ([]byte, *borrowed, error) {
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

// All takes items, waiting for them as Get does, until the queue is closed and empty, or
// gone. A task that is killed, or whose WithTimeout expires, while it waits for one is
// unwound.
func (q *Queue[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			item, err := q.Get()
			if err != nil && !errors.Is(err, errClosed) && !errors.Is(err, ErrGone) {
				runtime.Unwind(err)
			}
			if err != nil || !yield(item) {
				return
			}
		}
	}
}

// Len returns the number of items that can be taken. Those of waiting putters don't count.
func (q *Queue[T]) Len() (int, error) {
	b, err := q.result(outgoing{op: queueLen, reason: "answer about a queue"})
	n, _ := u64Of(b)
	return int(n), err
}

// Empty reports whether there is no item.
func (q *Queue[T]) Empty() (bool, error) {
	n, err := q.Len()
	return n == 0 && err == nil, err
}

// Close closes the queue, for all processes. Nothing can be put any more: every Put returns
// queue.ErrClosed, also those that wait. What is in the queue can still be taken out. Close
// returns queue.ErrClosed if the queue was closed before.
func (q *Queue[T]) Close() error {
	_, err := q.result(outgoing{op: queueClose, reason: "answer about a queue"})
	return err
}

// Remove ends the queue with all that is in it: who waits for it, and whoever uses it later,
// gets ErrGone.
func (q *Queue[T]) Remove() error {
	err := q.remove()
	forgetClient(q.address)
	return err
}

// A SimpleQueue is a Queue without a bound, with the few methods of Python's.
type SimpleQueue[T any] struct{ q Queue[T] }

// NewSimpleQueue makes a SimpleQueue in a place.
func NewSimpleQueue[T any](at Place) (*SimpleQueue[T], error) {
	q, err := NewQueue[T](at, 0)
	if err != nil {
		return nil, err
	}
	s := new(SimpleQueue[T])
	s.q.address, s.q.codec = q.address, q.codec
	return s, nil
}

// Put is Queue.Put.
func (s *SimpleQueue[T]) Put(item T) error { return s.q.Put(item) }

// Get is Queue.Get.
func (s *SimpleQueue[T]) Get() (T, error) { return s.q.Get() }

// Empty is Queue.Empty.
func (s *SimpleQueue[T]) Empty() (bool, error) { return s.q.Empty() }

// Close ends the queue, as Queue.Remove does.
func (s *SimpleQueue[T]) Close() error { return s.q.Remove() }

// MarshalBinary is Queue.MarshalBinary.
func (s *SimpleQueue[T]) MarshalBinary() ([]byte, error) { return s.q.MarshalBinary() }

// UnmarshalBinary is Queue.UnmarshalBinary.
func (s *SimpleQueue[T]) UnmarshalBinary(b []byte) error { return s.q.UnmarshalBinary(b) }

// A Joinable is a Queue that knows when all its items have been dealt with: those who take
// items out call Done for each, and Join waits until as many are done as were put.
type Joinable[T any] struct{ Queue[T] }

// NewJoinable makes a Joinable in a place. It is as NewQueue otherwise.
func NewJoinable[T any](at Place, maxsize int) (*Joinable[T], error) {
	q, err := NewQueue[T](at, maxsize)
	if err != nil {
		return nil, err
	}
	j := new(Joinable[T])
	j.address, j.codec, j.max = q.address, q.codec, q.max
	return j, nil
}

// Done says that an item taken out before has been dealt with. It returns
// lock.ErrOverRelease if there was none.
func (q *Joinable[T]) Done() error {
	_, err := q.result(outgoing{op: queueDone, reason: "answer about a queue"}, u64(1))
	return err
}

// Join waits until every item that was put is done; at once if none was put. ErrAbandoned
// says that some are not, but were taken by a process that has died since, so that it is no
// use to wait for them. The error may also be ErrGone, or that of an interrupt.
func (q *Joinable[T]) Join() error { return q.JoinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The zero deadline
// means none.
func (q *Joinable[T]) JoinUntil(deadline runtime.Instant) error {
	_, err := q.result(outgoing{op: queueJoin, reason: "items of a queue between processes", deadline: deadline, wakes: true})
	return err
}

// Unfinished returns the number of items that were put and are not done.
func (q *Joinable[T]) Unfinished() (int, error) {
	b, err := q.result(outgoing{op: queueUnfinished, reason: "answer about a queue"})
	n, _ := u64Of(b)
	return int(n), err
}
