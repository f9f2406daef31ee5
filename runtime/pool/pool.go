package pool

import "github.com/weft-go/weft/runtime"

// A Pool is a Group with a number of slots: at most so many of its tasks run at
// once. The zero Pool has none, and so is always full. It must not be copied
// after first use. Its methods may be called from any task or goroutine.
type Pool struct {
	members
}

// New returns a Pool with size slots. It panics if size is negative. A pool of
// size 0 is always full.
func New(size int) *Pool {
	if size < 0 {
		panic("pool: negative size")
	}
	p := new(Pool)
	p.slots.size = size
	return p
}

// Spawn waits for a slot, and starts fn as a task of the pool: on the caller's
// worker, unless PlaceBy says otherwise. Those that wait get slots in the order
// they came. It returns the error of a kill or timeout that ended the wait; fn is
// not called then.
func (p *Pool) Spawn(fn func()) (*runtime.Task, error) { return p.spawn(fn, 0) }

// SpawnUntil is Spawn that gives up at deadline with ErrFull. The zero deadline
// means none.
func (p *Pool) SpawnUntil(fn func(), deadline runtime.Instant) (*runtime.Task, error) {
	return p.spawn(fn, deadline)
}

// TrySpawn starts fn as a task of the pool if a slot is free, else it returns
// ErrFull. It never parks.
func (p *Pool) TrySpawn(fn func()) (*runtime.Task, error) { return p.try(fn) }

// Add makes t, which was started elsewhere, a member in a slot, for which it
// waits. A task that has ended, or is a member, needs none. Add returns the error
// of a kill or timeout that ended the wait.
func (p *Pool) Add(t *runtime.Task) error {
	if t.Ended() || p.Contains(t) {
		return nil
	}
	if err := p.slots.take(waiting, 0); err != nil {
		return err
	}
	if !p.enter(t, true) {
		p.slots.give()
	}
	return nil
}

// Size returns the number of slots.
func (p *Pool) Size() int { return p.slots.size }

// Free returns the number of free slots.
func (p *Pool) Free() int { return p.slots.free() }

// Full reports whether no slot is free.
func (p *Pool) Full() bool { return p.Free() == 0 }

const waiting = "pool slot"

func (p *Pool) spawn(fn func(), deadline runtime.Instant) (*runtime.Task, error) {
	switch err := p.slots.take(waiting, deadline); err {
	case nil:
		return p.occupy(fn), nil
	case runtime.ErrTimeout:
		return nil, ErrFull
	default:
		return nil, err
	}
}

func (p *Pool) try(fn func()) (*runtime.Task, error) {
	if !p.slots.try() {
		return nil, ErrFull
	}
	return p.occupy(fn), nil
}

// occupy starts fn in the slot that was taken for it.
func (p *Pool) occupy(fn func()) *runtime.Task {
	entered := false
	defer func() {
		if !entered { // it has ended already, or could not be started
			p.slots.give()
		}
	}()
	t := p.start(fn)
	entered = p.enter(t, true)
	return t
}

func (p *Pool) tasks() *members { return &p.members }
