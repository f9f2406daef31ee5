package event

import (
	"errors"

	"github.com/weft-go/weft/runtime"
)

// ErrNotReady is returned by TryGet of a Result that is not set.
var ErrNotReady = errors.New("event: result not ready")

// A Result is a value, or an error, that is set once and that parties wait for:
// gevent's AsyncResult. The zero Result is not set. It must not be copied after
// first use. Its methods may be called from any task or goroutine.
type Result[T any] struct {
	flag  flag
	value T // immutable once set
	err   error
}

// Set sets the value, and wakes all that wait, in the order they came. Then it
// calls the functions of OnReady. If the result was set before, by Set or Fail,
// it reports false and changes nothing. It never parks, and may be called from
// anywhere.
func (r *Result[T]) Set(value T) bool { return r.settle(value, nil) }

// Fail is Set with an error, which every Get returns. It panics if err is nil.
func (r *Result[T]) Fail(err error) bool {
	if err == nil {
		panic("event: Fail without an error")
	}
	var zero T
	return r.settle(zero, err)
}

func (r *Result[T]) settle(value T, err error) bool {
	c := r.flag.mu.Lock()
	if r.flag.set {
		r.flag.mu.Unlock()
		return false
	}
	r.value, r.err = value, err
	r.flag.raise(c)
	return true
}

// Get waits until the result is set, and returns the value or error. It returns
// the error of a kill or timeout that ended the wait first. Ready tells the two
// apart.
func (r *Result[T]) Get() (T, error) { return r.GetUntil(0) }

// GetUntil is Get that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (r *Result[T]) GetUntil(deadline runtime.Instant) (T, error) {
	if err := r.flag.wait("result", deadline); err != nil {
		var zero T
		return zero, err
	}
	return r.value, r.err
}

// TryGet returns the value or error if the result is set, else ErrNotReady. It
// never parks, and may be called from anywhere, the hub included.
func (r *Result[T]) TryGet() (T, error) {
	if !r.flag.isSet() {
		var zero T
		return zero, ErrNotReady
	}
	return r.value, r.err
}

// Ready reports whether the result is set, to a value or an error.
func (r *Result[T]) Ready() bool { return r.flag.isSet() }

// Successful reports whether the result is set to a value.
func (r *Result[T]) Successful() bool { return r.flag.isSet() && r.err == nil }

// OnReady makes fn be called once: by the Set or Fail that sets the result, after
// it has woken those that wait and before it returns, in the order of the OnReady
// calls; or, if the result is set, before OnReady returns. fn runs in the task,
// goroutine or hub that calls Set, and must not wait. It may use the result. A
// panic of fn reaches that caller when the functions after it have been called,
// and harms no other.
//
// cancel takes the call back. It reports false if fn was called, or cancel was,
// before. OnReady and cancel never park, and may be called from anywhere.
func (r *Result[T]) OnReady(fn func()) (cancel func() bool) { return r.flag.onReady(fn) }
