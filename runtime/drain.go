package runtime

import (
	"slices"
	"sync/atomic"
)

// count counts a task that comes, unless the runtime is ending. The count comes
// first: endIfDone looks at it after stopping was set.
func (w *worker) count() bool {
	w.load.add()
	if w.rt.stopping.Load() {
		w.uncount()
		return false
	}
	return true
}

// uncount undoes count: the task has ended, or does not come. From anywhere.
func (w *worker) uncount() {
	w.load.sub()
	if w.rt.drain.waiting.Load() {
		w.rt.checkDrained()
	}
	if w.rt.stopping.Load() {
		w.wake() // it may end now
	}
}

// drain is who waits in Drain.
type drain struct {
	waiting atomic.Bool // any does
	calls   []drainCall // guarded by the runtime's mu
}

type drainCall struct {
	w   Waiter
	own int // 1 for a task of this runtime
}

// Drain waits until no other task of the runtime is left, and reports true, or
// false when deadline passes first; the zero deadline means none. Tasks that wait
// in Drain themselves do not count, nor do those of NewTask that were not started;
// those of SpawnAfter do. Drain says nothing about tasks that are spawned after.
//
// It may be called from a task of this or another runtime, which it parks, or a
// goroutine. Like Sleep, it does not return if the task is killed, or an enclosing
// WithTimeout expires.
func (rt *Runtime) Drain(deadline Instant) bool {
	call := drainCall{w: NewWaiter()}
	if co := current(); co != nil && co.w.rt == rt {
		call.own = 1
	}
	rt.mu.Lock()
	rt.drain.calls = append(rt.drain.calls, call)
	rt.drain.waiting.Store(true)
	rt.mu.Unlock()
	defer func() {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		rt.drain.calls = slices.DeleteFunc(rt.drain.calls, func(other drainCall) bool { return other == call })
		rt.drain.waiting.Store(len(rt.drain.calls) > 0)
	}()
	rt.checkDrained()
	switch err := call.w.ParkUntil("drain", deadline); err {
	case nil:
		return true
	case ErrTimeout:
		return false
	default:
		Unwind(err)
		return false
	}
}

// checkDrained readies those who wait in Drain if no other task is left. It is
// called after every change that may bring this about: whoever makes the last
// one sees the others'.
func (rt *Runtime) checkDrained() {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if len(rt.drain.calls) == 0 || rt.others() > 0 {
		return
	}
	for _, call := range rt.drain.calls {
		call.w.Ready()
	}
	rt.drain.calls = nil
	rt.drain.waiting.Store(false)
}

// others counts the tasks that have not ended and do not wait in Drain, with mu
// held. The workers are looked at twice, until no task came or ended between: one
// that moves on by spawning its successor on another worker is not overlooked.
func (rt *Runtime) others() int {
	drainers := 0
	for _, call := range rt.drain.calls {
		drainers += call.own
	}
	words := make([]uint64, len(rt.ws))
	for {
		same, n := true, -drainers
		for i, w := range rt.ws {
			word := w.load.word.Load()
			same = same && words[i] == word
			words[i] = word
			n += int(uint32(word))
		}
		if same || n > 0 {
			return n
		}
	}
}
