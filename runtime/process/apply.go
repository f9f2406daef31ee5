package process

import (
	"iter"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// An AsyncResult is the future result of one job, or of many. It is a runtime.Waitable. Its
// methods may be called from any task or goroutine.
type AsyncResult[R any] struct {
	g      *jobGroup
	engine engine
	decode func() (R, error)

	once  sync.Once
	value R
	err   error
}

// Get waits for the result. The error is that of the job, a *RemoteError or *WorkerDiedError
// say; of many jobs that of the first one to fail; ErrTerminated; or that of an interrupt,
// after which the jobs go on.
func (r *AsyncResult[R]) Get() (R, error) { return r.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero deadline means
// none.
func (r *AsyncResult[R]) GetUntil(deadline runtime.Instant) (R, error) {
	if err := r.Wait(deadline); err != nil {
		var zero R
		return zero, err
	}
	r.once.Do(func() { r.value, r.err = r.decode() })
	return r.value, r.err
}

// Wait waits until Get would not. It returns runtime.ErrTimeout at deadline, or the error of
// an interrupt. The zero deadline means none.
func (r *AsyncResult[R]) Wait(deadline runtime.Instant) error {
	if !r.Ready() {
		r.engine.help(r.g.done.IsSet)
	}
	return r.g.done.WaitUntil(deadline)
}

// Ready reports whether Get would return at once.
func (r *AsyncResult[R]) Ready() bool { return r.g.done.IsSet() }

// OnReady makes fn be called when the result is there: see runtime.Waitable.
func (r *AsyncResult[R]) OnReady(fn func()) (cancel func() bool) { return r.g.done.OnReady(fn) }

// OnSuccess makes fn be called with the result, in a task of its own, unless there is an
// error. It returns r. However long fn takes, it keeps nobody from getting other results.
func (r *AsyncResult[R]) OnSuccess(fn func(R)) *AsyncResult[R] {
	return r.inTask(func(v R, err error) {
		if err == nil {
			fn(v)
		}
	})
}

// OnError makes fn be called with the error, in a task of its own, if there is one. It
// returns r.
func (r *AsyncResult[R]) OnError(fn func(error)) *AsyncResult[R] {
	return r.inTask(func(_ R, err error) {
		if err != nil {
			fn(err)
		}
	})
}

func (r *AsyncResult[R]) inTask(fn func(R, error)) *AsyncResult[R] {
	spawn := runtime.Default().Spawn
	if t := runtime.Current(); t != nil {
		spawn = t.Worker().Spawn
	}
	r.OnReady(func() { spawn(func() { fn(r.Get()) }) })
	return r
}

// submit gives jobs to a pool.
func submit[A, R, T any](p *Pool, f *Func[A, R], args []A, decode func(*jobGroup) (T, error)) (*AsyncResult[T], error) {
	g, err := encodeJobs(f, args)
	if err == nil {
		err = p.engine.submit(g)
	}
	if err != nil {
		return nil, err
	}
	return &AsyncResult[T]{g: g, engine: p.engine, decode: func() (T, error) { return decode(g) }}, nil
}

// ApplyAsync gives one job to the pool: a call of f with arg. It does not wait. The error is
// an *EncodeError, or that of a pool that runs no more jobs: ErrPoolClosed, ErrTerminated.
func ApplyAsync[A, R any](p *Pool, f *Func[A, R], arg A) (*AsyncResult[R], error) {
	return submit(p, f, []A{arg}, func(g *jobGroup) (R, error) {
		all, err := collect(f, g)
		if err != nil {
			var zero R
			return zero, err
		}
		return all[0], nil
	})
}

// Apply is ApplyAsync and Get in one.
func Apply[A, R any](p *Pool, f *Func[A, R], arg A) (R, error) {
	r, err := ApplyAsync(p, f, arg)
	if err != nil {
		var zero R
		return zero, err
	}
	return r.Get()
}

// MapAsync gives the pool a job for each of the arguments: a call of f. Its result is the
// results in the order of the arguments. The jobs that follow one that fails are done, too. It
// does not wait; the error is as that of ApplyAsync.
func MapAsync[A, R any](p *Pool, f *Func[A, R], args []A) (*AsyncResult[[]R], error) {
	return submit(p, f, args, func(g *jobGroup) ([]R, error) { return collect(f, g) })
}

// Map is MapAsync and Get in one.
func Map[A, R any](p *Pool, f *Func[A, R], args []A) ([]R, error) {
	r, err := MapAsync(p, f, args)
	if err != nil {
		return nil, err
	}
	return r.Get()
}

// StarMapAsync is MapAsync for a function of two arguments: see Register2.
func StarMapAsync[A, B, R any](p *Pool, f *Func[Args2[A, B], R], args iter.Seq2[A, B]) (*AsyncResult[[]R], error) {
	var all []Args2[A, B]
	for arg := range pairs(args) {
		all = append(all, arg)
	}
	return MapAsync(p, f, all)
}

// StarMap is StarMapAsync and Get in one.
func StarMap[A, B, R any](p *Pool, f *Func[Args2[A, B], R], args iter.Seq2[A, B]) ([]R, error) {
	r, err := StarMapAsync(p, f, args)
	if err != nil {
		return nil, err
	}
	return r.Get()
}
