// Package queue has queues between tasks: a task that waits for an item or for
// room parks, a goroutine that waits blocks only itself.
//
//	q := queue.New[string](10)
//	runtime.Spawn(func() {
//		defer q.Close()
//		for _, name := range names {
//			if q.Put(name) != nil { // waits while ten are stored
//				return
//			}
//		}
//	})
//	for name := range q.All() { // until q is closed and empty
//		fmt.Println(name)
//	}
//
// # Kinds
//
// [Queue] is first in, first out; [Lifo] last in, first out; [Priority] gives the
// smallest item first; [Joinable] is a Queue whose user can wait until all items
// have been dealt with; [Channel] stores nothing: a Put and a Get meet. Each may
// be used by any number of tasks, of any workers and runtimes, and goroutines at
// once.
//
// # Waiting
//
// The queues are fair. Those that wait for an item are served in the order they
// came, and so are those that wait for room; nobody overtakes them. An item goes
// directly from the one who puts it to the one who waits.
//
// Each wait ends by its event, by the deadline of the Until form
// (runtime.ErrTimeout), by a kill of the task or an enclosing WithTimeout, whose
// error it returns, or by Close (ErrClosed). A Get that fails has taken no
// item, a Put that fails has left none, and neither leaves a trace in the queue.
// The Try forms never wait: they also work where waiting is not allowed, in
// functions given to OnDone and Post.
//
// # Limits
//
// A Get that finds an item does not give up the worker: a task that takes items
// from a queue that is never empty should call runtime.Yield now and then.
//
// An unbounded queue holds whatever is put into it. A bound is what makes a fast
// producer wait for its consumer.
//
// The queues work within a process. Package process has the ones between
// processes.
package queue
