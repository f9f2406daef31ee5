// Package local has variables of which every task has its own.
//
//	var user local.Var[string]
//
//	func serve(conn net.Conn) { // a task for each conn
//		user.Set(login(conn))
//		…
//	}
//
//	func audit(what string) {
//		name, _ := user.Get() // of the session that calls
//		log.Print(name, what)
//	}
//
// A value belongs to the task that set it. It is let go when the task ends,
// though the Task may still be referred to, and though the Var lives on.
//
// # Children
//
// A task starts without values: it does not see those of the task that spawned
// it. [Inherit] gives it copies of those that it names:
//
//	runtime.Spawn(local.Inherit(work, &user))
//
// # Listings
//
// The values of a variable made by [Named] show in listings of tasks, which package
// runtime/debug makes.
//
// # Outside tasks
//
// Goroutines, and functions on the hub (Task.OnDone, Worker.Post), have no
// variables. There Get finds nothing, Delete does nothing, GetOrInit makes a
// value that is not kept, and Set panics.
//
// # Limits
//
// A Var costs some memory of its own, apart from its values. It is meant for
// package variables and long-lived objects. A value is copied in and out: let T be
// a pointer if it is large, or to be changed in place. A pointer that is inherited
// is shared.
package local
