package lock

import "github.com/weft-go/weft/runtime"

// waitKind says whether a wait for a lock ends when the task is killed, or an
// enclosing timeout expires.
type waitKind bool

const (
	usual    waitKind = false
	shielded waitKind = true // it does not: a Cond takes its lock back
)

// begin begins a wait of the caller.
func (k waitKind) begin() runtime.Waiter {
	w := runtime.NewWaiter()
	if k == shielded {
		w = w.Shielded()
	}
	return w
}
