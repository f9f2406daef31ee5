package lock

import (
	"sync"

	"github.com/petermattis/goid"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// An RLock is a lock that its owner, a task or goroutine, may lock again: it is
// free when it has been unlocked as often. It is handed on in the order of Lock
// calls. The zero RLock is unlocked. It must not be copied after first use.
//
// Functions on the hub of a worker (Worker.Post) are one owner.
type RLock struct {
	mu      waitlist.Mutex
	owner   owner // mu guards this and the rest
	depth   int   // how often it is locked
	waiting waitlist.List[owner]
}

var _ sync.Locker = (*RLock)(nil)

// owner is a task or, by its id, a goroutine. A task's coroutine has an id too,
// but another task may have it later.
type owner struct {
	task      *runtime.Task
	goroutine int64
}

func caller() owner {
	if t := runtime.Current(); t != nil {
		return owner{task: t}
	}
	return owner{goroutine: goid.Get()}
}

// Lock locks r, and waits while it has another owner. If the calling task is
// killed, or an enclosing WithTimeout expires, while it waits, Lock does not
// return: it unwinds the task, and the lock passes to the next. LockUntil returns
// an error instead.
func (r *RLock) Lock() {
	if err := r.LockUntil(0); err != nil {
		runtime.Unwind(err)
	}
}

// LockUntil is Lock that gives up at deadline with runtime.ErrTimeout, and
// returns the error of a kill or timeout. The zero deadline means none.
func (r *RLock) LockUntil(deadline runtime.Instant) error { return r.lock(usual, deadline) }

func (r *RLock) lock(kind waitKind, deadline runtime.Instant) error {
	self := caller()
	c := r.mu.Lock()
	if r.take(self) {
		r.mu.Unlock()
		return nil
	}
	_, err := r.waiting.Wait(&r.mu, kind.begin(c), self, "lock", deadline)
	return err
}

// take locks r if self may have it at once. The mutex is held.
func (r *RLock) take(self owner) bool {
	if r.depth > 0 && r.owner != self {
		return false
	}
	r.owner = self
	r.depth++
	return true
}

// TryLock locks r if that needs no wait, and reports whether it did. It never
// parks, and may be called from anywhere, the hub included.
func (r *RLock) TryLock() bool {
	self := caller()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.take(self)
}

// Unlock takes back one Lock of the caller. With the last, r passes to the one
// that waits longest. Unlock never parks. It panics if the caller does not own r.
func (r *RLock) Unlock() {
	self := caller()
	c := r.mu.Lock()
	defer r.mu.Unlock()
	r.check(self)
	if r.depth--; r.depth == 0 {
		r.handOn(c)
	}
}

func (r *RLock) check(self owner) {
	switch {
	case r.depth == 0:
		panic("lock: Unlock of an unlocked RLock")
	case r.owner != self:
		panic("lock: Unlock of an RLock by one that does not own it")
	}
}

// handOn gives r, which is free, to the first that still waits. The mutex is
// held.
func (r *RLock) handOn(c runtime.Caller) {
	r.owner = owner{}
	for n := r.waiting.Pop(); n != nil; n = r.waiting.Pop() {
		next := n.Value
		if r.waiting.Ready(c, n) {
			r.owner, r.depth = next, 1
			return
		}
	}
}

func (r *RLock) unlockAll() (depth int) {
	self := caller()
	c := r.mu.Lock()
	defer r.mu.Unlock()
	r.check(self)
	depth, r.depth = r.depth, 0
	r.handOn(c)
	return depth
}

func (r *RLock) relock(depth int) error {
	if err := r.lock(shielded, 0); err != nil {
		return err
	}
	r.mu.Lock()
	r.depth = depth
	r.mu.Unlock()
	return nil
}
