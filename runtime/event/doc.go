// Package event has what tasks and goroutines wait on until something has
// happened. Everything works between any workers and goroutines.
package event
