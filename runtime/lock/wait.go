package lock

import "github.com/weft-go/weft/runtime"

// waitKind says what happens when the task is killed, or an enclosing timeout
// expires, while it waits for a lock.
type waitKind uint8

const (
	usual     waitKind = iota // the wait ends with an error
	unwinding                 // the task is unwound
	shielded                  // the wait goes on: a Cond takes its lock back
)

// begin begins a wait of c.
func (k waitKind) begin(c runtime.Caller) runtime.Waiter {
	w := c.NewWaiter()
	if k == shielded {
		w = w.Shielded()
	}
	return w
}

// end is called with the error of a wait.
func (k waitKind) end(err error) error {
	if k == unwinding {
		runtime.Unwind(err)
	}
	return err
}
