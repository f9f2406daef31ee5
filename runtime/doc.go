// Package runtime runs tasks: lightweight threads that take turns on a small
// fixed number of workers, and give up their worker only when they wait.
//
//	runtime.Main(func() {
//		task := runtime.Spawn(func() {
//			runtime.Sleep(time.Second) // parks the task, not the thread
//		})
//		if err := task.Join(); err != nil {
//			log.Print(err)
//		}
//	})
//
// # Model
//
// A [Runtime] has a number of workers, by default as many as there are
// processors. A task lives on one worker from start to end. Tasks of one worker
// never run at the same instant and switch only in calls that wait ([Sleep],
// [Yield], [Task.Join], a read of package net's), so data that only they share
// needs no lock. Tasks of different workers run in parallel.
//
// [Spawn] starts a task on the caller's worker, [SpawnBalanced] on the least
// loaded one. A task that computes for long holds up its worker: call [Yield] now
// and then, or use [Offload], which runs a function on a pool of goroutines while
// the task waits. Offload is also for whatever blocks a thread: files, Go
// channels, the standard library's network and its users.
//
// # Goroutines
//
// Everything here may be called from plain goroutines too, and then blocks that
// goroutine only. The two kinds live in one program; a task and a goroutine
// wait for each other by [Waiter], package lock or package event. A Go lock
// (sync.Mutex) must not be held across a wait by tasks: another task of the
// same worker that wants it would block the worker for ever.
//
// A task must not lock its OS thread (LockOSThread): switching to it from
// another one would end the process. Use Offload.
//
// # Ends
//
// A task ends by returning, by a panic, which harms no other, or by
// [Task.Kill]. Its waits can be given a limit with [WithTimeout]. When a
// program has come to a point where nothing can ever wake any task,
// [Runtime.Run] returns [ErrWouldBlockForever] and says who waits on what.
package runtime
