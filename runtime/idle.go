package runtime

import goruntime "runtime"

// idlers are a worker's tasks in Idle. Worker-only.
type idlers struct {
	waiting []Waiter // in the order they came
	looked  bool     // at I/O, by way of netpoll, since a task last ran
}

// Idle waits until the calling task's worker has nothing else to do: no other task
// of it is ready, I/O and timers that are due have had their turn, and so have
// hand-overs from other threads. It is for work that should come last: call it
// between the steps of that work. Several tasks in Idle go on in the order they
// came, one for each such moment.
//
// There is no limit to how long that takes. A worker that is always busy starves
// the tasks in Idle, a single other one that calls Yield in a loop is enough;
// WithTimeout sets a limit. Tasks of other workers do not matter.
//
// From a plain goroutine it is Gosched. Like Sleep it does not return if the
// task is killed, or an enclosing WithTimeout expires.
func Idle() {
	co := current()
	if co == nil {
		goruntime.Gosched()
		return
	}
	if co.task == nil {
		panic("runtime: Idle on the hub of a worker")
	}
	in := &co.w.idlers
	w := NewWaiter()
	in.waiting = append(in.waiting, w)
	err := w.Park("idle moment")
	if err == nil {
		return
	}
	for i, other := range in.waiting {
		if other == w {
			in.waiting = append(in.waiting[:i], in.waiting[i+1:]...)
			break
		}
	}
	co.task.raise(err)
}

// offerIdle ends a round in which nothing is ready and a task waits in Idle. Such a
// task goes on when the worker has twice in a row woken itself, which makes netpoll
// look at I/O and the timer, and no task had anything to do: what was due at
// the first of these looks was dealt with before the second.
func (w *worker) offerIdle() {
	in := &w.idlers
	switch {
	case w.budget < fairness: // a task ran
		in.looked = false
	case w.selfWoken: // by an event that came before the wake under way
	case !in.looked:
		in.looked = true
	default:
		in.looked = false
		first := in.waiting[0]
		in.waiting = append(in.waiting[:0], in.waiting[1:]...)
		first.Ready()
		w.exhausted = true // timers that are due go first
	}
	w.comeBack()
}
