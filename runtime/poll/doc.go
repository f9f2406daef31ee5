// Package poll has FD, a non-blocking descriptor whose operations park the
// calling task, or block the calling goroutine only, until they can go on.
//
// It is what package net is made of, after the standard library's
// internal/poll. Any task of any worker and any goroutine may use an FD: one
// reads and one writes at a time, others queue. Deadlines and Close take effect
// on operations under way. An operation that need not wait keeps the worker, but
// every so often it lets the worker's other tasks run.
package poll
