package process

import (
	"github.com/weft-go/weft/runtime"
)

// A SimpleQueue is a Queue without a bound, with the few methods of Python's.
type SimpleQueue[T any] struct{ q Queue[T] }

// NewSimpleQueue makes a SimpleQueue in a place.
func NewSimpleQueue[T any](at Place) (*SimpleQueue[T], error) {
	s := new(SimpleQueue[T])
	if err := s.q.make(at, 0, false); err != nil {
		return nil, err
	}
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
	j := new(Joinable[T])
	if err := j.make(at, maxsize, true); err != nil {
		return nil, err
	}
	return j, nil
}

// Done says that an item taken out before has been dealt with. It returns
// lock.ErrOverRelease if there was none.
func (q *Joinable[T]) Done() error {
	if q.far != nil {
		return q.far.Done()
	}
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
	if q.far != nil {
		return q.far.JoinUntil(deadline)
	}
	_, err := q.result(outgoing{op: queueJoin, reason: "items of a queue between processes", deadline: deadline, wakes: true})
	return err
}

// Unfinished returns the number of items that were put and are not done.
func (q *Joinable[T]) Unfinished() (int, error) {
	if q.far != nil {
		return q.far.Unfinished()
	}
	b, err := q.result(outgoing{op: queueUnfinished, reason: "answer about a queue"})
	n, _ := u64Of(b)
	return int(n), err
}
