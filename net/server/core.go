package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// The pauses after failures that pass.
const (
	minDelay = 10 * time.Millisecond
	maxDelay = time.Second
)

// A source is what a server takes its jobs from: a listener or a socket.
type source interface {
	// next waits for a job.
	next() (*job, error)
	// setDeadline sets the time at which next fails, if the source has such a thing.
	setDeadline(t time.Time)
	// stop ends next for good. Handlers may go on.
	stop()

	addr() net.Addr
	io.Closer
}

// A job is one call of the handler.
type job struct {
	core *core
	work func(*job)

	conn  net.Conn // nil if it is not the server that closes it; the task writes it, under core.mu
	began bool     // work has been called; of the task, and then of its end
}

// rules are the fields of a server that its core needs.
type rules struct {
	limit  int // 0: none
	place  func(fn func()) *runtime.Task
	report func(error)
}

func rulesOf(limit int, place func(fn func()) *runtime.Task, report func(error)) rules {
	if place == nil {
		place = runtime.SpawnBalanced
	}
	if report == nil {
		report = logError
	}
	return rules{limit, place, report}
}

// core is what both servers are made of. Its exported methods are theirs.
//
// A job is counted in running before its task is made, so that the limit holds, and
// known in jobs by its task as soon as that or its maker tells: see bind.
type core struct {
	// turn orders the calls that open and shut the sources.
	turn lock.Mutex

	mu      sync.Mutex // held for a few instructions only; guards the rest
	sources map[source]struct{}
	jobs    map[*runtime.Task]*job
	running int
	paused  bool
	pauses  uint64 // calls of Pause
	stopped bool
	cause   error            // with which all are killed, once that is so
	gates   []runtime.Waiter // who waits in pass
	ends    []*end           // who waits in join
}

// run serves what comes from src until the server is stopped, or src fails.
func (c *core) run(src source, r rules) error {
	defer src.Close()
	if !c.enter(src) {
		return ErrServerClosed
	}
	defer c.leave(src)
	err := c.loop(src, r)
	if err == ErrServerClosed {
		if err := c.join(); err != nil {
			return err
		}
	}
	return err
}

func (c *core) loop(src source, r rules) error {
	var delay time.Duration
	var earliest runtime.Instant
	for {
		pauses, err := c.pass(r.limit, earliest, false)
		if err != nil {
			return err
		}
		j, err := src.next()
		switch {
		case err == nil:
			delay, earliest = 0, 0
			if err := c.start(j, r); err != nil {
				return err
			}
		case interrupts(err):
			return err
		case c.disturbed(pauses, err):
		case passes(err):
			delay = longer(delay)
			earliest = runtime.Now().Add(delay)
			r.report(fmt.Errorf("server: %v, again in %v: %w", src.addr(), delay, err))
		default:
			return err
		}
	}
}

// longer returns the pause after another failure in a row.
func longer(delay time.Duration) time.Duration { return min(max(2*delay, minDelay), maxDelay) }

// disturbed reports whether err is the work of Pause or of the server's end. pauses
// is how often there was a Pause before.
func (c *core) disturbed(pauses uint64, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped || c.pauses != pauses && errors.Is(err, os.ErrDeadlineExceeded)
}

// pass waits until a handler may start, and the given instant has come. With take
// it counts one. It returns ErrServerClosed if none may start any more.
func (c *core) pass(limit int, earliest runtime.Instant, take bool) (pauses uint64, err error) {
	for {
		c.mu.Lock()
		if c.stopped {
			c.mu.Unlock()
			return 0, ErrServerClosed
		}
		var w runtime.Waiter
		var reason string
		var deadline runtime.Instant
		switch {
		case c.paused:
			w, reason = runtime.NewWaiter().External(), "resume of a server" // who knows whence
		case limit > 0 && c.running >= limit:
			w, reason = runtime.NewWaiter(), "end of a handler"
		case earliest > runtime.Now():
			w, reason, deadline = runtime.NewWaiter(), "pause after a failure", earliest
		default:
			if take {
				c.running++
			}
			pauses = c.pauses
			c.mu.Unlock()
			return pauses, nil
		}
		c.gates = append(c.gates, w)
		c.mu.Unlock()
		if err := w.ParkUntil(reason, deadline); err != nil {
			c.forget(w)
			if err != runtime.ErrTimeout {
				return 0, err
			}
		}
	}
}

func (c *core) forget(w runtime.Waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, other := range c.gates {
		if other == w {
			c.gates = append(c.gates[:i], c.gates[i+1:]...)
			return
		}
	}
}

// wakeGates makes those in pass look again. The caller holds mu.
func (c *core) wakeGates() {
	for _, w := range c.gates {
		w.Ready()
	}
	c.gates = c.gates[:0]
}

// start makes the task of j, when it may start; else it lets j go.
func (c *core) start(j *job, r rules) error {
	if _, err := c.pass(r.limit, 0, true); err != nil {
		if j.conn != nil {
			_ = j.conn.Close()
		}
		return err
	}
	t := r.place(j.run)
	c.bind(t, j)
	t.OnDone(func(t *runtime.Task) { c.ended(t, j) })
	return nil
}

// run is the function of j's task.
func (j *job) run() {
	j.core.bind(runtime.Current(), j)
	j.began = true
	j.work(j)
}

// bind notes that t is the task of j. The first of the two that know, the task
// itself and its maker, comes in time for a Kill and a Hijack.
func (c *core) bind(t *runtime.Task, j *job) {
	c.mu.Lock()
	known := c.jobs[t] != nil
	if c.jobs == nil {
		c.jobs = make(map[*runtime.Task]*job)
	}
	c.jobs[t] = j
	cause := c.cause
	c.mu.Unlock()
	if !known && cause != nil {
		t.Kill(cause)
	}
}

// ended is called on the hub when the task of j has ended.
func (c *core) ended(t *runtime.Task, j *job) {
	if !j.began && j.conn != nil {
		_ = j.conn.Close() // nobody uses it, so this need not wait
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.jobs, t)
	c.running--
	c.wakeGates()
	c.wakeEnds()
}

func (c *core) enter(src source) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return false
	}
	if c.sources == nil {
		c.sources = make(map[source]struct{})
	}
	c.sources[src] = struct{}{}
	return true
}

func (c *core) leave(src source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sources, src)
}

// Active returns the number of handlers that run. It does not park, and may be
// called from anywhere.
func (c *core) Active() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}
