package queue

import "errors"

var (
	// ErrClosed is returned by calls on a queue that has been closed, and by
	// those that waited when it was.
	ErrClosed = errors.New("queue: closed")

	// ErrFull is returned by TryPut if the item would have to wait.
	ErrFull = errors.New("queue: full")

	// ErrEmpty is returned by TryGet and TryPeek if there is no item.
	ErrEmpty = errors.New("queue: empty")
)
