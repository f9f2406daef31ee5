package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weft-go/weft/runtime"
)

// An end is somebody who waits until the handlers have ended.
type end struct {
	w runtime.Waiter
	// inside says that it is a handler itself. Such a one does not wait for itself,
	// nor for others that wait here as well: two would wait for each other.
	inside bool
	done   bool // core.mu guards
}

// wakeEnds ends the waits of those whose time has come. The caller holds mu.
func (c *core) wakeEnds() {
	inside := 0
	for _, e := range c.ends {
		if e.inside {
			inside++
		}
	}
	c.ends = slices.DeleteFunc(c.ends, func(e *end) bool {
		e.done = c.running == 0 || e.inside && c.running == inside
		if e.done {
			e.w.Ready()
		}
		return e.done
	})
}

// join waits until the handlers have ended.
func (c *core) join() error {
	_, err := c.joinUntil(context.Background())
	return err
}

// joinUntil is join that returns false when ctx is done first, or with the error
// of a kill or timeout of the caller.
func (c *core) joinUntil(ctx context.Context) (bool, error) {
	c.mu.Lock()
	e := &end{w: runtime.NewWaiter(), inside: c.inside()}
	c.ends = append(c.ends, e)
	c.wakeEnds()
	c.mu.Unlock()
	defer func() { // Park may unwind
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ends = slices.DeleteFunc(c.ends, func(other *end) bool { return other == e })
	}()
	w := e.w
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { e.w.Ready() })
		defer stop()
		w = w.External()
	}
	err := w.Park("end of handlers")
	c.mu.Lock()
	done, sources := e.done, c.open()
	c.mu.Unlock()
	if !done {
		return false, err
	}
	if !e.inside { // who is a handler may still have to reply
		for _, src := range sources {
			_ = src.Close()
		}
	}
	return true, nil
}

// inside reports whether the caller is a handler. It holds mu.
func (c *core) inside() bool {
	t := runtime.Current()
	return t != nil && c.jobs[t] != nil
}

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// Pause stops accepting until Resume: callers queue in the kernel. Handlers that
// run, or start just now, go on. An Accept under way is ended by its listener's
// deadline, which Resume clears; if the listener has no SetDeadline it may still
// accept one connection, which waits for Resume then. Pausing twice is pausing once,
// and it may be done before Serve. Pause may be called from any task or
// goroutine, and parks for an instant at most.
func (c *core) Pause() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	if c.stopped || c.paused {
		c.mu.Unlock()
		return
	}
	c.paused = true
	c.pauses++
	sources := c.open()
	c.mu.Unlock()
	for _, src := range sources {
		src.setDeadline(aLongTimeAgo)
	}
}

// Resume ends Pause. Without one it does nothing. It may be called from any task
// or goroutine, and parks for an instant at most.
func (c *core) Resume() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	sources := c.open()
	idle := c.stopped || !c.paused
	c.mu.Unlock()
	if idle {
		return
	}
	for _, src := range sources {
		src.setDeadline(time.Time{})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = false
	c.wakeGates()
}

// open returns the sources there are. The caller holds mu.
func (c *core) open() []source {
	sources := make([]source, 0, len(c.sources))
	for src := range c.sources {
		sources = append(sources, src)
	}
	return sources
}

// Stop stops accepting for good. Listeners are closed; callers that the kernel has
// queued are turned away by it. Handlers go on: Serve returns when the last one has
// ended. Stop may be called more than once, from any task or goroutine, also from
// a handler. It does not wait for handlers.
func (c *core) Stop() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	c.stopped = true
	sources := c.open()
	c.wakeGates()
	c.mu.Unlock()
	for _, src := range sources {
		src.stop()
	}
}

// Shutdown is Stop that waits until the handlers have ended, and returns nil then.
// When ctx is done first it kills those that are left, with a cause that is
// ErrServerClosed and the cause of ctx, waits until they have ended, their deferred
// functions included, and returns the cause of ctx. A handler that ignores its kill
// holds that up, until a Close from elsewhere takes its connection away.
//
// Shutdown parks a task, and blocks a goroutine. If the caller is itself killed or
// timed out first, that is the error, and handlers go on. It may be called more than
// once, and from a handler: that one is neither waited for nor killed. A task which
// a handler waits for must not call it without a limit.
func (c *core) Shutdown(ctx context.Context) error {
	c.Stop()
	done, err := c.joinUntil(ctx)
	if err == nil && !done {
		c.kill(fmt.Errorf("%w: %w", ErrServerClosed, context.Cause(ctx)))
		if err = c.join(); err == nil {
			err = context.Cause(ctx)
		}
	}
	return err
}

// Close is Stop that kills the handlers with the cause ErrServerClosed, closes
// their connections, but for those of Hijack, and waits until they have ended. It
// may be called as Shutdown may; a handler that calls it keeps its own connection
// until it returns.
func (c *core) Close() error {
	c.Stop()
	for _, j := range c.kill(ErrServerClosed) {
		c.mu.Lock()
		conn := j.conn
		c.mu.Unlock()
		if conn != nil {
			_ = conn.Close()
		}
	}
	return c.join()
}

// kill kills all handlers but the caller, and returns their jobs. Those that start
// just now are killed by bind.
func (c *core) kill(cause error) []*job {
	self := runtime.Current()
	c.mu.Lock()
	c.cause = cause
	tasks := make([]*runtime.Task, 0, len(c.jobs))
	jobs := make([]*job, 0, len(c.jobs))
	for t, j := range c.jobs {
		if t != self {
			tasks, jobs = append(tasks, t), append(jobs, j)
		}
	}
	c.mu.Unlock()
	runtime.KillAll(cause, tasks...)
	return jobs
}
