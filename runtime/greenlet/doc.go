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
// [CloseAll]. A task that leaves some behind is reported to
// runtime.Config.OnPanic.
//
// Greenlets and generators are bound to their task or goroutine. All methods are
// for it alone; those that switch return [ErrOwner] elsewhere.
//
// # Waiting
//
// On a plain goroutine greenlets may wait as that may: then it waits with all
// its greenlets, as only one of them runs.
//
// In a task only the main greenlet may wait (runtime.Sleep, a read of package
// net's, a lock of package lock's), spawn, or ask for the current task. Package
// runtime knows a task by the coroutine that it gave it, and takes the coroutine
// of a greenlet or generator for a plain goroutine: a wait there blocks the
// worker with all its tasks, and Spawn places the child on any worker. So let
// such greenlets compute, and switch to the main one, or yield, for what takes
// a wait.
//
// # Limits
//
// A function that locks its OS thread (LockOSThread) must keep it locked, or not,
// for as long as its greenlets live: switching to one that was started in the
// other state ends the process.
//
// A coroutine of iter.Pull's is not a part of the greenlet that resumes it: a
// switch there gives ErrOwner. Use a Generator.
package greenlet
