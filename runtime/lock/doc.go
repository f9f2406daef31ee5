// Package lock has locks for tasks: a task that waits parks, a goroutine that
// waits blocks only itself. They work between any workers and goroutines, and
// are fair: first come, first served.
//
// Use them instead of package sync's wherever the lock is held across a wait,
// I/O for instance. A sync.Mutex held by a parked task blocks the whole worker
// when another of its tasks locks it.
package lock
