package process

import (
	"errors"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/far"
)

// farPool is the engine of a Pool whose jobs another package runs.
type farPool struct{ far far.Pool }

func (p farPool) submit(g *jobGroup) error {
	if g.n == 0 {
		g.done.Set()
		return nil
	}
	return p.far.Submit(g)
}

// hungry: each job is a message of its own, so nothing is saved by waiting for others.
func (p farPool) hungry() bool                             { return true }
func (p farPool) drop(g *jobGroup, err error)              { p.far.Drop(g, err) }
func (p farPool) help(func() bool)                         {}
func (p farPool) close()                                   { p.far.Close() }
func (p farPool) terminate()                               { p.far.Terminate() }
func (p farPool) joinUntil(deadline runtime.Instant) error { return p.far.JoinUntil(deadline) }

func (p farPool) processes() (all []*Process) {
	for _, w := range p.far.Workers() {
		all = append(all, w.(*Process))
	}
	return all
}

// Func, Len, Arg and Deliver make a jobGroup an far.Jobs.
func (g *jobGroup) Func() string { return g.name }

func (g *jobGroup) Len() int { return g.n }

func (g *jobGroup) Arg(i int) []byte { return g.bytes(i, i+1) }

func (g *jobGroup) Deliver(i int, result []byte, err error) {
	g.deliver(segment{from: i, n: 1, encoded: result, err: err})
}

// farPlace is where another package has queues.
type farPlace struct {
	open func(far.Spec) (far.Queue, error)
}

// ErrQueuesOnly is returned for locks and other shared objects in a place that has queues only.
var ErrQueuesOnly = errors.New("process: this place has queues only")

func (farPlace) create(byte, []byte) (address, error) { return address{}, ErrQueuesOnly }

// farHandle is how a handle of a queue of another package begins: no process has this number.
var farHandle processID

func init() {
	far.PoolOption = func(open func(far.Start) (far.Pool, error)) any {
		return PoolOption(func(c *poolConfig) error { c.far = open; return nil })
	}
	far.Place = func(open func(far.Spec) (far.Queue, error)) any { return Place(farPlace{open}) }
	far.StartOf = func(workers int, options any) (far.Start, error) {
		c, err := configure(workers, options.([]PoolOption))
		return c.farStart(), err
	}
	far.Call = func(name string, arg []byte) ([]byte, error) {
		f, err := functionOf(name)
		if err != nil {
			return nil, err
		}
		return f.callOne(arg)
	}
	far.Initialise = func(s far.Start) error {
		start := workerStart{Init: s.Init, Arg: s.Arg}
		return start.initialise()
	}
	far.EncodeError = encodeError
	far.DecodeError = decodeError
}

// callOne is call for the argument and the result of a job, as AppendAll has them.
func (f *Func[A, R]) callOne(b []byte) ([]byte, error) {
	var arg [1]A
	if err := f.args.DecodeAll(b, arg[:]); err != nil {
		return nil, &EncodeError{What: f.what("argument"), Err: err}
	}
	result, err := f.run(arg[0])
	if err != nil {
		return nil, err
	}
	out, err := f.results.AppendAll(nil, []R{result})
	if err != nil {
		return nil, &EncodeError{What: f.what("result"), Err: err}
	}
	return out, nil
}
