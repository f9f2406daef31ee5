package pool

import (
	"iter"
	"slices"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
	"github.com/weft-go/weft/runtime/queue"
)

// IMap calls fn for each element of in, each in a task of p, and gives the
// results in the order of the elements, each as soon as it and those before it
// are there:
//
//	for page, err := range pool.IMap(p, 10, urls, fetch) {
//		…
//	}
//
// An error or panic of a call comes with its element, a panic as a
// *runtime.PanicError, and the loop goes on. An error without an element is the
// last: of in, when it panicked; or of the caller, whose wait for a result was
// ended by a kill or timeout. Panics are also reported, as those of all tasks are
// (runtime.Config's OnPanic).
//
// in is iterated by a task of its own, on the caller's worker, which is never
// more than maxsize elements ahead of the loop: those under way and those that
// wait to be seen count alike. So that is also a bound on how many calls run at
// once. A maxsize of 0 means no bound; IMap panics if it is negative.
//
// Work begins with the loop. When the loop is left early, in and all calls under
// way are killed, with cause ErrAbandoned, and have ended when it is over. Each
// loop over what IMap returned iterates in anew.
func IMap[In, Out any](p Spawner, maxsize int, in iter.Seq[In], fn func(In) (Out, error)) iter.Seq2[Out, error] {
	return stream(p, maxsize, in, fn, true)
}

// IMapUnordered is IMap that gives the results in the order in which they come
// about.
func IMapUnordered[In, Out any](p Spawner, maxsize int, in iter.Seq[In], fn func(In) (Out, error)) iter.Seq2[Out, error] {
	return stream(p, maxsize, in, fn, false)
}

func stream[In, Out any](p Spawner, maxsize int, in iter.Seq[In], fn func(In) (Out, error), ordered bool) iter.Seq2[Out, error] {
	if maxsize < 0 {
		panic("pool: negative maxsize")
	}
	return func(yield func(Out, error) bool) {
		f := &flow[In, Out]{p: p, in: in, fn: fn, ordered: ordered}
		f.ahead.size = maxsize
		f.run(yield)
	}
}

// flow is one loop over the results of IMap or IMapUnordered.
type flow[In, Out any] struct {
	// immutable
	p       Spawner
	in      iter.Seq[In]
	fn      func(In) (Out, error)
	ordered bool

	feeder  *runtime.Task // iterates in
	err     error         // the feeder's, valid when it has ended
	ahead   slots         // one for each element taken from in and not seen yet
	pending atomic.Int64  // the feeder, and calls whose result is not in results

	// results are those of calls that were started, if ordered, else of those
	// that have ended. It is closed when nothing more will come.
	results queue.Queue[*Result[Out]]

	mu    waitlist.Mutex
	live  []*Result[Out] // mu guards: those not taken from results
	calls int            // mu guards
}

// run is the caller's side.
func (f *flow[In, Out]) run(yield func(Out, error) bool) {
	var zero Out
	f.pending.Store(1)
	if runtime.Current() != nil {
		f.feeder = runtime.Spawn(f.feed)
	} else {
		f.feeder = f.p.tasks().start(f.feed)
	}
	defer f.abandon()
	f.feeder.OnDone(func(*runtime.Task) { f.arrived() })
	for {
		r, err := f.results.Get()
		switch {
		case err == queue.ErrClosed:
			if err = f.feeder.Err(); err == nil {
				err = f.err
			}
			if err != nil {
				yield(zero, err)
			}
			return
		case err == nil:
			if err = r.task.Join(); r.task.Ended() {
				err = nil
			}
		}
		if err != nil {
			yield(zero, err)
			return
		}
		f.seen(r)
		if !yield(r.ended()) {
			return
		}
	}
}

// feed is the feeder's function.
func (f *flow[In, Out]) feed() {
	if f.err = f.allow(); f.err != nil {
		return
	}
	for v := range f.in {
		if f.err = f.call(v); f.err != nil {
			return
		}
		if f.err = f.allow(); f.err != nil {
			return
		}
	}
}

// allow waits until another element may be taken.
func (f *flow[In, Out]) allow() error {
	if f.ahead.size == 0 {
		return nil
	}
	return f.ahead.take("pool map's reader", 0)
}

// call starts the call for v.
func (f *flow[In, Out]) call(v In) error {
	r := new(Result[Out])
	t, err := f.p.spawn(r.call(func() (Out, error) { return f.fn(v) }), 0)
	if err != nil {
		return err
	}
	r.task = t
	f.mu.Lock()
	r.number, r.at = f.calls, len(f.live)
	f.calls++
	f.live = append(f.live, r)
	f.mu.Unlock()
	if f.ordered {
		return f.results.TryPut(r)
	}
	f.pending.Add(1)
	t.OnDone(func(*runtime.Task) {
		_ = f.results.TryPut(r) // unbounded, and closed by nobody before arrived
		f.arrived()
	})
	return nil
}

// arrived closes the results after the last.
func (f *flow[In, Out]) arrived() {
	if f.pending.Add(-1) == 0 {
		_ = f.results.Close()
	}
}

// seen notes that the loop gets r, which has ended.
func (f *flow[In, Out]) seen(r *Result[Out]) {
	f.mu.Lock()
	last := len(f.live) - 1
	f.live[r.at] = f.live[last]
	f.live[r.at].at = r.at
	f.live[last] = nil
	f.live = f.live[:last]
	f.mu.Unlock()
	if f.ahead.size > 0 {
		f.ahead.give()
	}
}

// abandon ends what is left when the loop is over.
func (f *flow[In, Out]) abandon() {
	if !f.feeder.Ended() {
		f.feeder.Kill(ErrAbandoned)
		_ = f.feeder.Join()
	}
	f.mu.Lock()
	live := f.live
	f.live = nil
	f.mu.Unlock()
	slices.SortFunc(live, func(a, b *Result[Out]) int { return a.number - b.number })
	abandon(live)
}
