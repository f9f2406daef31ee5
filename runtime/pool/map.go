package pool

import (
	"iter"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// Map calls fn for each element of in, each in a task of p, and returns the
// results in the order of the elements. It waits as p's Spawn does before it
// takes the next element; in is iterated by the caller.
//
// The first error or panic of a call ends Map, with that error, a panic's as a
// *runtime.PanicError: no more elements are taken, calls under way are killed,
// with cause ErrAbandoned, and when they have ended Map returns. The same happens
// if the caller is killed or timed out, or in panics, which goes on to the caller
// then.
func Map[In, Out any](p Spawner, in iter.Seq[In], fn func(In) (Out, error)) ([]Out, error) {
	var b batch
	var results []*Result[Out]
	over := false
	defer func() {
		if !over {
			abandon(results)
		}
	}()
	for v := range in {
		r := new(Result[Out])
		t, err := p.spawn(r.call(func() (Out, error) { return fn(v) }), 0)
		if err != nil {
			return nil, err
		}
		r.task = t
		results = append(results, r)
		b.add(t, func() error { _, err := r.ended(); return err })
		if err := b.failure(); err != nil {
			return nil, err
		}
	}
	if err := b.join(); err != nil {
		return nil, err
	}
	over = true
	outs := make([]Out, len(results))
	for i, r := range results {
		outs[i] = r.value
	}
	return outs, nil
}

// abandon kills what is left of tasks, and waits for their ends, unless the
// caller is interrupted again.
func abandon[T any](results []*Result[T]) {
	for _, r := range results {
		r.task.Kill(ErrAbandoned)
	}
	for _, r := range results {
		if _ = r.task.Join(); !r.task.Ended() {
			return
		}
	}
}

// batch watches the tasks of a Map.
type batch struct {
	mu     waitlist.Mutex
	live   int                     // mu guards this and the rest
	err    error                   // the first
	joiner waitlist.List[struct{}] // the caller of Map
}

// add counts t, whose result is what result returns when it has ended.
func (b *batch) add(t *runtime.Task, result func() error) {
	b.mu.Lock()
	b.live++
	b.mu.Unlock()
	t.OnDone(func(*runtime.Task) {
		err := result()
		c := b.mu.Lock()
		defer b.mu.Unlock()
		b.live--
		if b.err == nil {
			b.err = err
		}
		if b.live == 0 || b.err != nil {
			b.joiner.WakeAll(c)
		}
	})
}

func (b *batch) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// join waits until all have ended, or one has failed.
func (b *batch) join() error {
	c := b.mu.Lock()
	if b.live == 0 || b.err != nil {
		defer b.mu.Unlock()
		return b.err
	}
	if _, err := b.joiner.Wait(&b.mu, c.NewWaiter(), struct{}{}, "pool map", 0); err != nil {
		return err
	}
	return b.failure()
}
