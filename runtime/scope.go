package runtime

import (
	"context"
	"errors"
	"sync"
)

// ErrScopeEnded is the result of a task spawned in a Scope that has ended.
var ErrScopeEnded = errors.New("runtime: scope has ended")

// A Scope is a set of tasks that do not outlive a call of WithScope.
type Scope struct {
	owner *Task
	bound bound

	mu       sync.Mutex // held for a few instructions only
	live     map[*Task]bool
	first    error  // why the scope fails
	over     bool   // the call has returned, or is about to
	lastOne  Waiter // the owner, waiting for live to become empty
	awaiting bool   // lastOne is to be readied
}

// ScopeError is the error by which waits of the scope's function end, and with
// which its tasks are killed, when the scope fails. It wraps the first error,
// and is also context.Canceled.
type ScopeError struct{ Err error }

func (e *ScopeError) Error() string { return "runtime: scope failed: " + e.Err.Error() }

// Unwrap returns the first error of the scope.
func (e *ScopeError) Unwrap() error { return e.Err }

// Is reports that a ScopeError is context.Canceled.
func (e *ScopeError) Is(target error) bool { return target == context.Canceled }

// WithScope calls fn, and returns when fn and every task that was spawned in the
// scope have ended. The first error, or panic, of fn or of one of the tasks fails
// the scope: the other tasks are killed, and fn's waits interrupted; WithScope
// returns that first error, a task's panic as a *PanicError with its stack. A panic
// of fn goes on after the tasks have ended. If the calling task is killed, or an
// enclosing WithTimeout expires, while WithScope waits for the tasks, they are
// killed too.
//
// Scopes nest. WithScope is for tasks: elsewhere it returns ErrNotInTask without
// calling fn.
func WithScope(fn func(s *Scope) error) error {
	co := current()
	if co == nil || co.task == nil {
		return ErrNotInTask
	}
	s := &Scope{owner: co.task, live: make(map[*Task]bool)}
	failed := &ScopeError{}
	s.bound.err = failed
	s.bound.when = 1<<63 - 1 // timeouts that are due come first
	returned := false
	defer func() {
		if !returned { // fn panics
			s.fail(errors.New("runtime: the scope's function panicked"))
			s.join()
		}
	}()
	err := s.owner.within(&s.bound, func() error { return fn(s) })
	returned = true
	if err != nil && err != error(failed) {
		s.fail(err)
	}
	s.join()
	return s.first
}

// Spawn starts fn in the scope, as a task of the caller's worker. If the scope
// has failed or ended, the task does not run, and its result is a *ScopeError or
// ErrScopeEnded. Spawn may be called from any task, and does not park.
func (s *Scope) Spawn(fn func() error) *Task {
	if co := current(); co != nil {
		return s.start(fn, co.w.start)
	}
	return s.start(fn, s.owner.w.inject)
}

// SpawnBalanced is Spawn on the least loaded worker.
func (s *Scope) SpawnBalanced(fn func() error) *Task {
	return s.start(fn, s.owner.w.rt.place)
}

func (s *Scope) start(fn func() error, place func(*Task)) *Task {
	t := taskOf(fn)
	t.w = s.owner.w // until it is placed: OnDone of a refused task asks
	s.mu.Lock()
	switch {
	case s.over:
		t.refuse(ErrScopeEnded)
	case s.first != nil:
		t.refuse(&ScopeError{s.first})
	default:
		s.live[t] = true
	}
	s.mu.Unlock()
	if t.Ended() {
		return t
	}
	t.OnDone(s.ended)
	place(t)
	if t.Ended() { // refused by a runtime that is ending
		s.ended(t)
	}
	return t
}

// ended takes a task out of the scope, and fails the scope with its error.
func (s *Scope) ended(t *Task) {
	if err := t.Err(); err != nil {
		s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, t)
	if len(s.live) == 0 && s.awaiting {
		s.awaiting = false
		s.lastOne.Ready()
	}
}

// fail fails the scope with err, if it has not failed yet.
func (s *Scope) fail(err error) {
	s.mu.Lock()
	if s.first != nil {
		s.mu.Unlock()
		return
	}
	s.first = err
	s.mu.Unlock()
	failed := s.bound.err.(*ScopeError)
	s.owner.w.Post(func() {
		failed.Err = err
		s.owner.fall(&s.bound)
	})
	s.killAll(&ScopeError{err})
}

func (s *Scope) killAll(cause error) {
	s.mu.Lock()
	tasks := make([]*Task, 0, len(s.live))
	for t := range s.live {
		tasks = append(tasks, t)
	}
	s.mu.Unlock()
	KillAll(cause, tasks...)
}

// join waits until no task is left. What interrupts the wait kills them.
func (s *Scope) join() {
	for {
		s.mu.Lock()
		if len(s.live) == 0 {
			s.over = true
			s.mu.Unlock()
			return
		}
		s.lastOne, s.awaiting = NewWaiter(), true
		w := s.lastOne
		s.mu.Unlock()
		if err := w.Park("scope"); err != nil {
			s.mu.Lock()
			s.awaiting = false
			s.mu.Unlock()
			s.fail(err)
			s.killAll(err)
		}
	}
}
