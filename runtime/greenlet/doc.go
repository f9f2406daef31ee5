// Package greenlet has functions that give up control in the middle, to whom
// they say, and are resumed where they were: greenlets, which switch to each
// other, and generators, which yield values to whoever asks for the next.
//
//	numbers := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
//		for i := 0; ; i++ {
//			y.Yield(i)
//		}
//	})
//	for i := range numbers.All() { // closes it when the loop is left
//		if i == 3 {
//			break
//		}
//		fmt.Println(i)
//	}
//
// # Model
//
// Each task and each goroutine has a main [Greenlet], which is its own function,
// and makes more by [New]. One of them runs at a time; there is no scheduler, and
// nothing runs in parallel. They form a tree: a greenlet's parent is the one that
// made it, or what SetParent says.
//
// Switch passes a value to a greenlet and control with it, and suspends the
// caller until somebody switches to it. The first value is the argument of the
// greenlet's function, the following ones are results of the calls in which it
// waits. When the function returns, the greenlet is dead, and its result is
// switched to its parent; so is an error, a panic as a *runtime.PanicError. What
// is switched to a dead greenlet goes to its parent as well.
//
// There are three ways to switch, for the sake of types: [Greenlet.Switch] waits
// for a result of the target, as a parent does; [Greenlet.SwitchParent] is its
// counterpart; [SwitchTo] is between equals.
//
// A [Generator] is simpler: Next resumes it, Yield goes back to Next's caller.
//
// # Ends
//
// A suspended greenlet or generator is never collected, whether anybody refers to
// it or not: see to it that it ends, or call Close, which unwinds it, or
// [CloseAll]. Those of a task are closed when its function has ended, however it
// did, before Join returns; what they fail with goes to runtime.Config.OnPanic.
// Those of a plain goroutine stay.
//
// Greenlets and generators are bound to their task or goroutine. All methods are
// for it alone; those that switch return [ErrOwner] elsewhere.
//
// # Waiting
//
// A greenlet or generator may do what its task may: wait (runtime.Sleep, a read of
// package net's, a lock of package lock's), spawn, be killed. On a plain goroutine
// it may block as that may. The task or goroutine waits with all its greenlets, as
// only one of them runs.
//
// What interrupts a wait (runtime.Task.Kill, an expired runtime.WithTimeout, a
// failed runtime.WithScope) unwinds the greenlet that waits, running its deferred
// functions, then its parent, and so on: to the WithTimeout or WithScope, or to the
// end of the task. From a generator it goes on in the call of Next. A WithTimeout
// or WithScope concerns the greenlet that called it and those that would pass what
// unwinds them on to that one. If others run when it is due, it waits for one of
// these to wait. A greenlet that swallows its unwinding by a kill with recover is
// unwound again by its own next wait or, if it ends, by that of the one that gets
// its result.
//
// # Limits
//
// A function that locks its OS thread (LockOSThread) must keep it locked, or not,
// for as long as its greenlets live: switching to one that was started in the
// other state ends the process.
//
// A coroutine of iter.Pull's is not a part of the greenlet that resumes it: a
// switch there gives ErrOwner, and a wait blocks the worker. Use a Generator.
package greenlet
