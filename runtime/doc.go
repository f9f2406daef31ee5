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
// # OS threads
//
// A task must not wait, nor end, while its OS thread is locked (LockOSThread). At
// the next switch, to another task or into the worker's event loop, the Go runtime
// ends the process with
//
//	fatal error: coro: OS thread locking must match locking at coroutine creation
//
// and the task's stack. No recover catches that, and we can't see it coming: Go
// does not tell whether a thread is locked. A wait that is over before it begins,
// and an UnlockOSThread before the next wait, do no harm. Code that needs its
// thread for longer belongs in [Offload], as a whole.
//
// # Many tasks
//
// [JoinAll] waits for the end of all, [Wait] and [IWait] for those that come first,
// [Runtime.Drain] for whatever is left, and [KillAll] kills. A task can be made before
// it starts ([NewTask]), or start later ([SpawnAfter]).
//
// # Ends
//
// A task ends by returning, by a panic, which harms no other, or by
// [Task.Kill]. Its waits can be given a limit with [WithTimeout]. Goexit, as
// testing's FailNow, ends the calling task alone; os.Exit ends the process, without
// running any task's deferred functions. When a
// program has come to a point where nothing can ever wake any task,
// [Runtime.Run] returns [ErrWouldBlockForever] and says who waits on what.
package runtime
