package process

import (
	"os"
	goruntime "runtime"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// A Pool is a number of processes, its workers, that run jobs: calls of registered
// functions. See Apply, Map, IMap and their kin. Make one with NewPool. Its methods may be
// called from any task or goroutine.
//
// A worker runs one job at a time. When it dies in the middle of one, that job fails with a
// *WorkerDiedError, and another worker takes its place; jobs that it was given and had not
// begun go to others. (Of jobs that take less than a millisecond, those that it had finished
// within the last one may fail, too: their results come together.) No job is run twice.
//
// Jobs are begun in the order in which they were given. A worker gets several at once, to
// save messages, but another one that has nothing to do takes half of those that were not
// begun: so there is no chunk size to be chosen.
//
// Workers are daemons: they end with this process.
//
// Package cluster has an option by which the jobs are run by several machines. What is different
// then is said there.
type Pool struct{ engine engine }

// An engine is where jobs are run: processes of this machine (localEngine), or what another
// package has (farPool).
type engine interface {
	// submit takes jobs over. It does not wait.
	submit(g *jobGroup) error
	// hungry reports whether somebody waits for jobs: then they should come at once,
	// not many together.
	hungry() bool
	// drop fails the jobs of g that were not begun.
	drop(g *jobGroup, err error)
	// help may do something to make done report true soon, for a moment.
	help(done func() bool)
	close()
	terminate()
	// joinUntil waits until all is over, after close or terminate.
	joinUntil(deadline runtime.Instant) error
	processes() []*Process
}

// A PoolOption says how a Pool is to be.
type PoolOption func(*poolConfig) error

// A poolConfig is what the options ask for.
type poolConfig struct {
	size          int
	tasksPerChild int // 0: no limit
	start         workerStart
	far           func(far.Start) (far.Pool, error) // nil: the local engine
}

// configure applies options. workers may be 0, and must not be negative.
func configure(workers int, options []PoolOption) (poolConfig, error) {
	if positive(workers) == 0 {
		workers = goruntime.NumCPU()
	}
	c := poolConfig{size: workers}
	for _, option := range options {
		if err := option(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *poolConfig) farStart() far.Start {
	return far.Start{Workers: c.size, Init: c.start.Init, Arg: c.start.Arg, JobsEach: c.tasksPerChild}
}

// MaxTasksPerChild makes a worker be replaced by a new process after n jobs. NewPool panics if
// n is not positive.
func MaxTasksPerChild(n int) PoolOption {
	if n <= 0 {
		panic("process: MaxTasksPerChild of no tasks")
	}
	return func(c *poolConfig) error { c.tasksPerChild = n; return nil }
}

// Initializer makes each worker call f with arg before its first job. If that fails, or three
// workers in a row die in it, all jobs fail with its error: there is no use in starting others
// again and again.
func Initializer[A, R any](f *Func[A, R], arg A) PoolOption {
	return func(c *poolConfig) error {
		if f.args.Carries {
			return &EncodeError{What: f.what("argument"), Err: errManyTakers}
		}
		b, _, err := f.encodeArg(arg)
		c.start.Init, c.start.Arg = f.name, b
		return err
	}
}

// NewPool starts a Pool of so many workers; 0 means as many as there are processors. End it
// with Close or Terminate, and Join. It panics if workers is negative. It parks for the
// starting of the processes.
func NewPool(workers int, options ...PoolOption) (*Pool, error) {
	c, err := configure(workers, options)
	if err != nil {
		return nil, err
	}
	if c.far != nil {
		p, err := c.far(c.farStart())
		if err != nil {
			return nil, err
		}
		return &Pool{engine: farPool{p}}, nil
	}
	e := &localEngine{poolConfig: c}
	// A worker takes its part of the processors. What happens in one then happens on one
	// thread, if there are as many workers as processors, and nothing has to be handed
	// from thread to thread.
	if os.Getenv("GOMAXPROCS") == "" {
		e.procs = max(goruntime.GOMAXPROCS(0)/c.size, 1)
	}
	if err := e.open(); err != nil {
		return nil, err
	}
	return &Pool{engine: e}, nil
}

// Close lets the pool end: no more jobs can be given to it, and when those it has are done
// its workers end. It does not park; Join waits.
func (p *Pool) Close() { p.engine.close() }

// Terminate ends the pool at once: its workers are killed, and the jobs that are left fail
// with ErrTerminated. It does not park; Join waits.
func (p *Pool) Terminate() { p.engine.terminate() }

// Join waits, after Close or Terminate, until all workers have ended; before, it returns
// ErrRunning. The error of an interrupt is returned, too.
func (p *Pool) Join() error { return p.engine.joinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The zero deadline means
// none.
func (p *Pool) JoinUntil(deadline runtime.Instant) error { return p.engine.joinUntil(deadline) }

// Workers returns the processes that are the pool's workers at this moment.
func (p *Pool) Workers() []*Process { return p.engine.processes() }
