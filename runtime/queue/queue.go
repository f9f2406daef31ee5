package queue

// A Queue gives items in the order in which they were put. The zero Queue is
// empty and unbounded. It must not be copied after first use. Its methods may be
// called from any task or goroutine.
type Queue[T any] struct {
	base[T]
}

// New returns an empty Queue that holds at most maxsize items; 0 means no bound.
// It panics if maxsize is negative.
func New[T any](maxsize int) *Queue[T] {
	q := new(Queue[T])
	q.max = checked(maxsize)
	return q
}

// A Lifo is a Queue that gives the item put last first. When one is taken out of
// a full Lifo, the item of the putter that has waited longest comes in, and is
// the next to leave. Make one with NewLifo: the zero Lifo is a Queue. It must not
// be copied after first use.
type Lifo[T any] struct {
	base[T]
}

// NewLifo returns an empty Lifo that holds at most maxsize items; 0 means no
// bound. It panics if maxsize is negative.
func NewLifo[T any](maxsize int) *Lifo[T] {
	q := new(Lifo[T])
	q.max = checked(maxsize)
	q.items.order = newest
	return q
}

// A Priority is a Queue that gives the smallest item first, and of equal ones
// the one put first. The items of those that wait to put are not compared before
// they come in. Make one with NewPriority: the zero Priority is a Queue. It must
// not be copied after first use.
type Priority[T any] struct {
	base[T]
}

// NewPriority returns an empty Priority that holds at most maxsize items; 0
// means no bound. less reports whether a comes before b. It is called with the
// queue locked: it must be quick, must not wait, and must not use the queue. A
// panic of it reaches the queue's caller, and leaves the order of the items open.
// NewPriority panics if maxsize is negative or less is nil.
func NewPriority[T any](maxsize int, less func(a, b T) bool) *Priority[T] {
	if less == nil {
		panic("queue: no less function")
	}
	q := new(Priority[T])
	q.max = checked(maxsize)
	q.items.order = smallest
	q.items.less = func(a, b T) bool {
		returned := false
		defer func() {
			if !returned {
				q.mu.Unlock() // as it leaves all that is between
			}
		}()
		before := less(a, b)
		returned = true
		return before
	}
	return q
}

func checked(maxsize int) int {
	if maxsize < 0 {
		panic("queue: negative maxsize")
	}
	return maxsize
}
