package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"reflect"
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"github.com/weft-go/weft/runtime/process/internal/far"
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
//
// A queue in a place of package cluster has no owner, but is kept by servers. What is different
// then is said there.
type Queue[T any] struct {
	address
	codec codec.Codec[T]
	max   int
	far   far.Queue // nil: the owner is a process

	once   sync.Once
	shared *queueClient
}

// NewQueue makes a Queue in a place, which holds at most maxsize items; 0 means no bound. It
// panics if maxsize is negative, and if items have pipe ends in them, which a queue can't
// carry.
func NewQueue[T any](at Place, maxsize int) (*Queue[T], error) {
	q := new(Queue[T])
	return q, q.make(at, maxsize, false)
}

func (q *Queue[T]) make(at Place, maxsize int, joinable bool) (err error) {
	q.codec, q.max = codec.For[T](), positive(maxsize)
	if q.codec.Carries {
		panic("process: a Queue can't carry pipe ends")
	}
	if place, ok := at.(farPlace); ok {
		q.far, err = place.open(far.Spec{Max: maxsize, Joinable: joinable, Item: reflect.TypeFor[T]().String()})
		return err
	}
	q.address, err = at.create(makeQueue, numbers(maxsize))
	return err
}

// MarshalBinary makes a handle that is part of an argument, an item or a value be sent as the
// address of its object.
func (q *Queue[T]) MarshalBinary() ([]byte, error) {
	if q.far != nil {
		return append(farHandle[:], q.far.Handle()...), nil
	}
	b, err := q.address.MarshalBinary()
	return binary.LittleEndian.AppendUint64(b, uint64(q.max)), err
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (q *Queue[T]) UnmarshalBinary(b []byte) error {
	q.codec = codec.For[T]()
	if handle, ok := bytes.CutPrefix(b, farHandle[:]); ok && far.OpenQueue != nil {
		var err error
		q.far, err = far.OpenQueue(handle)
		return err
	}
	if len(b) < 8 {
		return codec.ErrCorrupt
	}
	q.max = int(binary.LittleEndian.Uint64(b[len(b)-8:]))
	return q.address.UnmarshalBinary(b[:len(b)-8])
}

func (q *Queue[T]) client() *queueClient {
	q.once.Do(func() { q.shared = queueClientOf(q.address) })
	return q.shared
}

// encode encodes an item, in the caller: who puts what can't be encoded is told.
func (q *Queue[T]) encode(item *T) ([]byte, error) {
	if b, ok := q.codec.View(item); ok {
		if q.far == nil && !q.local() {
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
	if q.far != nil {
		return q.far.Put(b, true, deadline)
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
	if q.far != nil || !q.local() {
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
	switch {
	case err != nil:
	case q.far != nil:
		err = q.far.Put(b, false, 0)
	default:
		_, err = q.result(outgoing{op: queueTryPut, reason: "answer about a queue"}, b)
	}
	return err
}

// Flush waits until the owner has what this process has put, and returns queue.ErrClosed if
// it found the queue closed. The end of the process needs no Flush.
func (q *Queue[T]) Flush() error {
	if q.far != nil {
		return q.far.Settle()
	}
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
			if err != nil {
				return
			}
			if !yield(item) {
				if q.far != nil {
					_ = q.far.Settle() // of no use any more: what can't be acknowledged comes again
				}
				return
			}
		}
	}
}

// Len returns the number of items that can be taken. Those of waiting putters don't count.
func (q *Queue[T]) Len() (int, error) {
	if q.far != nil {
		return q.far.Len()
	}
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
	if q.far != nil {
		return q.far.Close()
	}
	_, err := q.result(outgoing{op: queueClose, reason: "answer about a queue"})
	return err
}

// Remove ends the queue with all that is in it: who waits for it, and whoever uses it later,
// gets ErrGone.
func (q *Queue[T]) Remove() error {
	if q.far != nil {
		return q.far.Remove()
	}
	err := q.remove()
	forgetClient(q.address)
	return err
}
