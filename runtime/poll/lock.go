package poll

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
)

// fdLock manages the life of a descriptor and lets one reader and one writer
// at a time use it. state:
//
//	bit 0      closed: every later lock fails
//	bit 1, 2   held by a reader, by a writer
//	bit 3, 4   readers, writers wait in queue
//	bit 5..    number of references: each holder of 1 or 2, each other user
//
// Callers: operations hold the lock of their direction, or a reference, as
// long as they use the number of the descriptor; it is closed when the last
// reference of a closed fdLock is dropped.
type fdLock struct {
	state atomic.Uint64

	mu    sync.Mutex      // held for a few instructions
	queue *[2][]*lockWait // mu guards: by direction; nil as long as nobody waited
}

// lockWait is one that waits for a lock, and gets it together with a
// reference, or finds it closed.
type lockWait struct {
	w       runtime.Waiter
	granted bool
}

const (
	lockClosed = 1 << 0
	lockHeld   = 1 << 1 // shifted by the direction
	lockQueued = 1 << 3 // shifted by the direction
	lockRef    = 1 << 5
)

// acquire takes the lock for dir and a reference.
func (l *fdLock) acquire(dir reactor.Direction) error {
	for {
		old := l.state.Load()
		if old&lockClosed != 0 {
			return ErrClosed
		}
		if old&(lockHeld<<dir) != 0 {
			return l.enqueue(dir)
		}
		if l.state.CompareAndSwap(old, (old|lockHeld<<dir)+lockRef) {
			return nil
		}
	}
}

// enqueue waits for the lock for dir.
func (l *fdLock) enqueue(dir reactor.Direction) error {
	l.mu.Lock()
	for {
		old := l.state.Load()
		if old&(lockClosed|lockHeld<<dir) != lockHeld<<dir {
			l.mu.Unlock()
			return l.acquire(dir)
		}
		if l.state.CompareAndSwap(old, old|lockQueued<<dir) {
			break
		}
	}
	wait := &lockWait{w: runtime.NewWaiter()}
	if l.queue == nil {
		l.queue = new([2][]*lockWait)
	}
	l.queue[dir] = append(l.queue[dir], wait)
	l.mu.Unlock()
	if err := wait.w.Park("turn on a descriptor"); err != nil {
		l.forget(dir, wait)
		return err
	}
	if !wait.granted {
		return ErrClosed
	}
	return nil
}

// forget takes back a wait that ended otherwise.
func (l *fdLock) forget(dir reactor.Direction, wait *lockWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, q := range l.queue[dir] {
		if q == wait {
			l.queue[dir] = append(l.queue[dir][:i], l.queue[dir][i+1:]...)
			return
		}
	}
}

// release gives the lock for dir back, or on to the next in the queue. It
// reports whether the caller must destroy the descriptor.
func (l *fdLock) release(dir reactor.Direction) (last bool) {
	for {
		old := l.state.Load()
		if old&(lockQueued<<dir) != 0 {
			if l.handOn(dir) {
				return false // lock and reference are the next one's
			}
			continue
		}
		next := old&^(lockHeld<<dir) - lockRef
		if l.state.CompareAndSwap(old, next) {
			return isLast(next)
		}
	}
}

// handOn passes the lock to the first in the queue that still waits. When none
// does it takes the mark of the queue away.
func (l *fdLock) handOn(dir reactor.Direction) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue[dir]) > 0 {
		wait := l.queue[dir][0]
		l.queue[dir][0] = nil
		l.queue[dir] = l.queue[dir][1:]
		wait.granted = true
		if wait.w.Ready() {
			return true
		}
		wait.granted = false
	}
	l.queue[dir] = nil
	l.state.And(^uint64(lockQueued << dir))
	return false
}

// use takes a reference.
func (l *fdLock) use() error {
	for {
		old := l.state.Load()
		if old&lockClosed != 0 {
			return ErrClosed
		}
		if l.state.CompareAndSwap(old, old+lockRef) {
			return nil
		}
	}
}

// unuse drops a reference. It reports whether the caller must destroy the
// descriptor.
func (l *fdLock) unuse() (last bool) {
	return isLast(l.state.Add(^uint64(lockRef - 1)))
}

// close makes every later lock fail, ends the waits for one, and takes a
// reference. It reports false if it was closed before.
func (l *fdLock) close() bool {
	for {
		old := l.state.Load()
		if old&lockClosed != 0 {
			return false
		}
		if l.state.CompareAndSwap(old, (old|lockClosed)+lockRef) {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue == nil {
		return true
	}
	for dir := range l.queue {
		for _, wait := range l.queue[dir] {
			wait.w.Ready()
		}
		l.queue[dir] = nil
		l.state.And(^uint64(lockQueued << dir))
	}
	return true
}

func (l *fdLock) closed() bool { return l.state.Load()&lockClosed != 0 }

func isLast(state uint64) bool {
	return state&lockClosed != 0 && state < lockRef
}
