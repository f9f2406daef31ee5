package pool

import "errors"

var (
	// ErrFull is returned when a task could not be started for want of a slot.
	ErrFull = errors.New("pool: full")

	// ErrAbandoned is the cause with which Map, IMap and IMapUnordered kill tasks
	// whose results nobody will see: the loop over them was left, or another
	// element failed.
	ErrAbandoned = errors.New("pool: result no longer wanted")
)
