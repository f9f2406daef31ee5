// Package event has what tasks and goroutines wait on until something has
// happened. Everything works between any workers and goroutines.
//
// An [Event] is a flag that is set and cleared, a [Result] a value or an error
// that is set once. Setting one wakes all that wait. A waiting task parks, a
// goroutine blocks only itself. On a worker's hub (runtime.Worker.Post), where
// nobody may wait, a wait that would be one returns runtime.ErrNotInTask.
package event
