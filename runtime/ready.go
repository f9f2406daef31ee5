package runtime

import (
	"iter"
	"sync"
)

// A Waitable is what Wait and IWait wait for: a *Task, a *Future, package event's
// Event and Result.
type Waitable interface {
	// OnReady makes fn be called once, when the object is ready: before OnReady
	// returns if it is ready already, else on whatever thread makes it so. fn
	// must not wait. cancel takes the call back, and reports false if fn was
	// called, or cancel was, before.
	OnReady(fn func()) (cancel func() bool)
}

// OnReady is OnDone as a Waitable has it: if the task has ended, fn is called at
// once, by the caller.
func (t *Task) OnReady(fn func()) (cancel func() bool) {
	if t.ended.Load() {
		fn()
		return func() bool { return false }
	}
	return t.OnDone(func(*Task) { fn() })
}

// Wait waits until count of the objects are ready, and returns those that are, in
// the order in which they became so; among those that were ready at the call, the
// order is that of objs. A count of 0 means all. An object that is given twice
// counts once; objects are compared with ==.
//
// When deadline passes first, Wait returns those that are ready by then, maybe none:
// that is no error. The zero deadline means none. An interrupt of the calling task,
// a kill say, is an error; those that are ready are returned, too.
//
// Wait parks a task, and blocks a goroutine. It does not look at how a task ended:
// see JoinAll. A task that waits for its own end waits in vain.
func Wait[W Waitable](count int, deadline Instant, objs ...W) ([]W, error) {
	if count < 0 {
		panic("runtime: Wait for a negative number of objects")
	}
	a := collect(objs)
	defer a.forget()
	if count == 0 || count > len(a.cancels) {
		count = len(a.cancels)
	}
	ready := make([]W, 0, count)
	for len(ready) < count {
		obj, err := a.next(deadline)
		if err == ErrTimeout {
			break
		}
		if err != nil {
			return ready, err
		}
		ready = append(ready, obj)
	}
	return ready, nil
}

// IWait returns a loop over the objects in the order in which they become ready,
// as Wait has it:
//
//	for task := range runtime.IWait(0, tasks...) {
//
// The loop waits for the next one, which parks a task and blocks a goroutine. It
// ends after the last one, or when deadline passes; the zero deadline means none.
// The objects keep nothing of a loop that was left early. An interrupt during a
// wait unwinds the calling task, as in Sleep.
func IWait[W Waitable](deadline Instant, objs ...W) iter.Seq[W] {
	return func(yield func(W) bool) {
		a := collect(objs)
		defer a.forget()
		for range a.cancels {
			obj, err := a.next(deadline)
			if err == ErrTimeout {
				return
			}
			if err != nil {
				Unwind(err)
			}
			if !yield(obj) {
				return
			}
		}
	}
}

// arrivals collects objects in the order in which they become ready.
type arrivals[W Waitable] struct {
	cancels []func() bool // one for each object

	mu       sync.Mutex // held for a few instructions only
	ready    []W        // mu guards: not taken yet
	waiter   Waiter     // mu guards: who waits in next
	awaiting bool       // mu guards
}

func collect[W Waitable](objs []W) *arrivals[W] {
	a := new(arrivals[W])
	seen := make(map[any]bool, len(objs))
	for _, obj := range objs {
		if !seen[obj] {
			seen[obj] = true
			a.cancels = append(a.cancels, obj.OnReady(func() { a.arrive(obj) }))
		}
	}
	return a
}

func (a *arrivals[W]) arrive(obj W) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = append(a.ready, obj)
	if a.awaiting {
		a.awaiting = false
		a.waiter.Ready()
	}
}

// next waits for the next object. One that is there is returned even past the
// deadline.
func (a *arrivals[W]) next(deadline Instant) (obj W, err error) {
	obj, w, ok := a.take(true)
	if ok {
		return obj, nil
	}
	if err = w.ParkUntil("objects", deadline); err != nil && err != ErrTimeout {
		return obj, err
	}
	if obj, _, ok = a.take(false); ok {
		return obj, nil
	}
	return obj, err
}

// take returns the next object if it is there, and else, if wanted, a wait for it.
func (a *arrivals[W]) take(orWait bool) (obj W, w Waiter, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.awaiting = false
	if len(a.ready) > 0 {
		obj = a.ready[0]
		a.ready = a.ready[1:]
		return obj, w, true
	}
	if orWait {
		a.waiter, a.awaiting = NewWaiter(), true
	}
	return obj, a.waiter, false
}

// forget takes back what is left.
func (a *arrivals[W]) forget() {
	for _, cancel := range a.cancels {
		cancel()
	}
}
