// Package lock has locks for tasks: a task that waits parks, a goroutine that
// waits blocks only itself. They work between any workers and goroutines.
//
//	var m lock.Mutex
//	m.Lock()
//	defer m.Unlock()
//	conn.Write(request) // parks, with m held
//
// Use them instead of package sync's wherever the lock is held across a wait,
// I/O for instance. A sync.Mutex held by a parked task blocks the whole worker
// when another of its tasks locks it.
//
// A [Mutex] has one holder, an [RLock] one owner that may lock it again, an
// [RWMutex] one writer or many readers, a [Semaphore] a number of units. At a
// [Cond] one waits until another says that something has changed, at a [Barrier]
// until all are there.
//
// # Fairness
//
// First come, first served: what is released passes directly to the one that
// waits longest, and is never free in between. So nobody overtakes: a TryLock, or
// a Lock, between an Unlock and the waiting party's turn finds the lock held
// (gevent lets it through). Nobody starves, at the price of a switch for each
// hand-over while others wait.
//
// # Kills and timeouts
//
// A party that is killed or timed out while it waits gets nothing, and what it
// waited for passes it by. If it was given it first, the wait has succeeded, and
// the kill ends the task's next wait.
//
// # The hub
//
// The forms that never wait, such as TryLock, Unlock and Signal, may be called
// anywhere, also in functions on a worker's hub (runtime.Worker.Post). A wait
// there returns runtime.ErrNotInTask.
package lock
