package runtimetest

import "github.com/weft-go/weft/runtime"

// Start runs fn as a task of one of rt's workers, or for the last of each three
// i's on a goroutine, and returns a function that waits for its end.
func Start(rt *runtime.Runtime, i int, fn func()) (join func()) {
	if i%3 == 2 {
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	task := rt.Workers()[i%3%len(rt.Workers())].Spawn(fn)
	return func() { _ = task.Join() }
}
