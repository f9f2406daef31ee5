package event

import (
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// flag is what Event and Result have in common.
type flag struct {
	mu      waitlist.Mutex
	set     bool // mu guards this and the rest
	waiting waitlist.List[struct{}]
	calls   *waitlist.List[*call] // of OnReady, nil as long as there was none; these nodes wait for nothing
}

// call is one function of OnReady.
type call struct {
	fn   func()
	used atomic.Bool // called, or taken back
}

func (c *call) run() {
	if c.used.CompareAndSwap(false, true) {
		c.fn()
	}
}

// raise sets the flag, and does what follows from it. It is called by c with the
// mutex held, and unlocks it.
func (f *flag) raise(c runtime.Caller) {
	f.set = true
	f.waiting.WakeAll(c)
	if f.calls == nil {
		f.mu.Unlock()
		return
	}
	var calls []*call
	for n := f.calls.Pop(); n != nil; n = f.calls.Pop() {
		calls = append(calls, n.Value)
	}
	f.mu.Unlock()
	runAll(calls)
}

// runAll calls all, also those after one that panics.
func runAll(calls []*call) {
	for i, c := range calls {
		returned := false
		func() {
			defer func() {
				if !returned {
					runAll(calls[i+1:])
				}
			}()
			c.run()
			returned = true
		}()
	}
}

func (f *flag) isSet() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set
}

func (f *flag) wait(reason string, deadline runtime.Instant) error {
	c := f.mu.Lock()
	if f.set {
		f.mu.Unlock()
		return nil
	}
	n := f.waiting.Push(c.NewWaiter(), struct{}{})
	f.mu.Unlock()
	if err := n.Park(reason, deadline); err != nil {
		return f.waiting.GiveUp(&f.mu, n, err)
	}
	n.Take()
	return nil
}

func (f *flag) onReady(fn func()) (cancel func() bool) {
	f.mu.Lock()
	if f.set {
		f.mu.Unlock()
		fn()
		return func() bool { return false }
	}
	if f.calls == nil {
		f.calls = new(waitlist.List[*call])
	}
	c := &call{fn: fn}
	n := f.calls.Push(runtime.Waiter{}, c)
	f.mu.Unlock()
	return func() bool {
		if !c.used.CompareAndSwap(false, true) {
			return false
		}
		f.mu.Lock()
		f.calls.Remove(n)
		f.mu.Unlock()
		return true
	}
}
