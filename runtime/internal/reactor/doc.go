// Package reactor adapts one netpoll Poll to one worker of the scheduler.
//
// It is the only package that imports netpoll. It knows descriptors, an
// eventfd and a timerfd, and turns their events into two calls: Wake on the
// party that waits for the descriptor, and Hub.Run, which lets the scheduler
// run whatever became ready. It knows nothing of tasks.
//
// netpoll calls the callbacks of a descriptor inline, on the goroutine that
// runs [Reactor.Run]; Hub.Run switches into tasks from there. So a callback
// lasts as long as the tasks that it woke keep running, and everything below
// is written with that in mind: no lock is held while Hub.Run runs.
package reactor
