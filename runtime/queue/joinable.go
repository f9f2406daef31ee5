package queue

import (
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// A Joinable is a Queue that knows when all its items have been dealt with:
// those who take items out call Done for each, and Join waits until as many are
// done as were put. The zero Joinable is empty and unbounded. It must not be
// copied after first use.
type Joinable[T any] struct {
	base[T]
	joiners waitlist.List[struct{}] // base's mu guards
}

// NewJoinable returns an empty Joinable that holds at most maxsize items; 0
// means no bound. It panics if maxsize is negative.
func NewJoinable[T any](maxsize int) *Joinable[T] {
	q := new(Joinable[T])
	q.max = checked(maxsize)
	return q
}

// Done says that an item taken out before has been dealt with. It panics if
// there was none: more calls of Done than items put. It never parks, and may be
// called from anywhere, also after Close.
func (q *Joinable[T]) Done() {
	c := q.mu.Lock()
	if q.unfinished == 0 {
		q.mu.Unlock()
		panic("queue: Done called more often than items were put")
	}
	if q.unfinished--; q.unfinished == 0 {
		q.joiners.WakeAll(c)
	}
	q.mu.Unlock()
}

// Unfinished returns the number of items that were put and are not done.
func (q *Joinable[T]) Unfinished() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.unfinished
}

// Join waits until every item that was put is done; at once if none was put. It
// returns the error of a kill or timeout that ended the wait first. Closing the
// queue does not end it.
func (q *Joinable[T]) Join() error { return q.JoinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (q *Joinable[T]) JoinUntil(deadline runtime.Instant) error {
	c := q.mu.Lock()
	if q.unfinished == 0 {
		q.mu.Unlock()
		return nil
	}
	_, err := q.joiners.Wait(&q.mu, c.NewWaiter(), struct{}{}, "queue join", deadline)
	return err
}
