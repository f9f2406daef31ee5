package cluster

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// Workers are a number of processes of this machine that do the jobs of the pools of a name,
// whichever machine these are on: see Cluster.Work. One that dies is replaced. They are daemons:
// they end with this process. Their methods may be called from any task or goroutine.
type Workers struct {
	// immutable
	c      *Cluster
	pool   string
	start  workerStart
	onFail func(error) // or nil
	over   event.Event // all have ended, for good

	mu      sync.Mutex // held for a few instructions
	procs   []*workerProcess
	alive   int   // processes that have not ended, or are being started
	crashes int   // in a row, before they were ready
	closed  bool  // none that ends is replaced
	broken  error // why not, if it was not asked for
}

// A workerProcess is one of them.
type workerProcess struct {
	p     *process.Running[struct{}]
	ready bool                  // Workers.mu guards it
	stop  *process.Sender[bool] // to be closed when it is to end
}

// mostCrashes is how many workers in a row may die before they are ready.
const mostCrashes = 3

// Work starts workers for the pools of a name, 0 for as many as there are processors: what the
// main function of a program on another machine does, which must be the same program. The options
// are those of process.NewPool. Work panics if workers is negative, and if the name has anything but
// letters, digits, - and _. It parks for the starting of the processes.
func (c *Cluster) Work(name string, workers int, options ...process.PoolOption) (*Workers, error) {
	checkName(name)
	start, err := far.StartOf(workers, options)
	if err != nil {
		return nil, err
	}
	w := c.newWorkers(name, start, nil)
	return w, w.open()
}

func (c *Cluster) newWorkers(name string, start far.Start, onFail func(error)) *Workers {
	return &Workers{
		c: c, pool: name, onFail: onFail, alive: start.Workers,
		start: workerStart{Config: c.config, Pool: name, Start: start},
	}
}

// open starts the workers. If it can't, there are none.
func (w *Workers) open() error {
	w.c.mu.Lock()
	closed := w.c.closed
	if !closed {
		w.c.workers[w] = true
	}
	w.c.mu.Unlock()
	if closed {
		w.over.Set()
		return ErrClosed
	}
	var err error
	for range w.start.Start.Workers {
		err = errors.Join(err, w.hire())
	}
	if err != nil {
		w.Terminate()
		_ = w.Join()
	}
	return err
}

// hire starts a worker, which was counted in alive.
func (w *Workers) hire() error {
	own, err := w.launch()
	w.mu.Lock()
	if err != nil {
		w.leftLocked()
		w.mu.Unlock()
		return err
	}
	w.procs = append(w.procs, own.workerProcess)
	closed := w.closed
	w.mu.Unlock()
	runtime.Default().Spawn(func() { w.attend(own) })
	if closed {
		own.end(w)
	}
	return nil
}

// A launched is a worker that may say that it is ready.
type launched struct {
	*workerProcess
	says *process.Receiver[readiness]
}

func (w *Workers) launch() (*launched, error) {
	says, ready, err := process.OneWay[readiness]()
	if err != nil {
		return nil, err
	}
	hears, stop, err := process.OneWay[bool]()
	if err != nil {
		return nil, errors.Join(err, says.Close(), ready.Close())
	}
	start := w.start
	start.Ready, start.Stop = ready, hears
	p, err := process.Start(work, start, process.Daemon(), process.Named("worker"))
	if err != nil {
		return nil, errors.Join(err, says.Close(), ready.Close(), hears.Close(), stop.Close())
	}
	return &launched{&workerProcess{p: p, stop: stop}, says}, nil
}

// attend is a task that sees to a worker until it has ended.
func (w *Workers) attend(own *launched) {
	r, err := own.says.Recv()
	_ = own.says.Close()
	switch {
	case err == nil && len(r.Err) > 0:
		w.fail(fmt.Errorf("cluster: initializer: %w", far.DecodeError(r.Err)))
	case err == nil:
		w.mu.Lock()
		own.ready, w.crashes = true, 0
		w.mu.Unlock()
	case !errors.Is(err, io.EOF): // interrupted, and so is this program
		_ = own.p.Kill()
	}
	_, err = own.p.Result()
	_ = own.stop.Close()
	w.ended(own.workerProcess, err)
}

// ended is called when a worker has ended.
func (w *Workers) ended(own *workerProcess, err error) {
	w.mu.Lock()
	w.procs = slices.DeleteFunc(w.procs, func(other *workerProcess) bool { return other == own })
	var failed error
	if !own.ready && !w.closed {
		if w.crashes++; w.crashes >= mostCrashes {
			failed = fmt.Errorf("cluster: initializer: %w", err)
		}
	}
	if w.closed || failed != nil {
		w.leftLocked()
		w.mu.Unlock()
		if failed != nil {
			w.fail(failed)
		}
		return
	}
	w.mu.Unlock()
	if err := w.hire(); err != nil {
		w.fail(err)
	}
}

// leftLocked notes that there is a worker less, and none will take its place. mu is held.
func (w *Workers) leftLocked() {
	if w.alive--; w.alive > 0 {
		return
	}
	w.over.Set()
	w.c.mu.Lock()
	delete(w.c.workers, w)
	w.c.mu.Unlock()
}

// fail ends the workers because of an error.
func (w *Workers) fail(err error) {
	w.mu.Lock()
	first := w.broken == nil && !w.closed
	if first {
		w.broken = err
	}
	w.mu.Unlock()
	if first {
		w.Terminate()
		if w.onFail != nil {
			w.onFail(err)
		}
	}
}

// Close lets the workers end, each after the job that it has. It does not park; Join waits.
func (w *Workers) Close() {
	for _, own := range w.close() {
		own.end(w)
	}
}

// end makes a worker end after its job.
func (own *workerProcess) end(w *Workers) {
	w.mu.Lock()
	ready := own.ready
	w.mu.Unlock()
	if !ready {
		_ = own.p.Kill() // it has no job
	}
	_ = own.stop.Close()
}

// Terminate kills the workers. The jobs that they have go to others. It does not park; Join
// waits.
func (w *Workers) Terminate() {
	for _, own := range w.close() {
		_ = own.p.Kill()
	}
}

func (w *Workers) close() []*workerProcess {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return slices.Clone(w.procs)
}

// Join waits until all workers have ended, for good: after Close or Terminate of these or of the
// Cluster, which is no error; or because none can be started, or the initializer fails, and so would
// those of others. The error may be that of an interrupt, too.
func (w *Workers) Join() error { return w.JoinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The zero deadline means
// none.
func (w *Workers) JoinUntil(deadline runtime.Instant) error {
	if err := w.over.WaitUntil(deadline); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// Processes returns the processes that are the workers at this moment.
func (w *Workers) Processes() []*process.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*process.Process, 0, len(w.procs))
	for _, own := range w.procs {
		all = append(all, &own.p.Process)
	}
	return all
}

func (w *Workers) all() (all []far.Worker) {
	for _, p := range w.Processes() {
		all = append(all, p)
	}
	return all
}
