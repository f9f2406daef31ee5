package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
)

var (
	// ErrKilled is what a killed task's waits return. It is also
	// context.Canceled. The error in hand is a *KillError, which carries the
	// cause.
	ErrKilled = errors.New("runtime: task killed")

	// ErrTimeout is returned by waits whose own timeout passed. It is also
	// os.ErrDeadlineExceeded and context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}

	// ErrWouldBlockForever ends the wait of the main task when nothing is left
	// that could ever wake any task: no ready task, timer, descriptor, offloaded
	// call or [Hold]. The error in hand is a *DeadlockError with a list of who
	// waits on what.
	ErrWouldBlockForever = errors.New("runtime: every task waits for ever")

	// ErrNotInTask is returned by calls that make sense in a task only, when
	// called from elsewhere, and by every wait in a callback on the hub
	// ([Worker.Post]), which must not wait.
	ErrNotInTask = errors.New("runtime: not in a task")

	// ErrStopped is the result of a task spawned on a runtime that is ending
	// or has ended, and of calls on one. A stopped SignalQueue returns it too.
	ErrStopped = errors.New("runtime: stopped")

	// ErrJoinSelf is returned by Join of the calling task itself.
	ErrJoinSelf = errors.New("runtime: task joins itself")

	// ErrGoexit is the result of a task that ended by goruntime.Goexit, as
	// testing's FailNow does.
	ErrGoexit = errors.New("runtime: task called Goexit")
)

type timeoutError struct{}

func (timeoutError) Error() string   { return "runtime: timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded || target == context.DeadlineExceeded
}

// KillError is the error of a killed task: what its interrupted wait returned,
// and its result if it ended by it.
type KillError struct {
	// Cause is what was given to Kill, nil for none.
	Cause error

	wait uint64 // the one that it ended; for the task's worker
}

func (e *KillError) Error() string {
	if e.Cause == nil {
		return ErrKilled.Error()
	}
	return ErrKilled.Error() + ": " + e.Cause.Error()
}

// Is reports that a KillError is ErrKilled and context.Canceled.
func (e *KillError) Is(target error) bool {
	return target == ErrKilled || target == context.Canceled
}

// Unwrap returns the cause.
func (e *KillError) Unwrap() error { return e.Cause }

// PanicError is the result of a task, or of an offloaded call, that panicked.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // the panicking stack, as debug.Stack prints it
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("runtime: task panicked: %v", e.Value)
}

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// DeadlockError is the error in hand where errors.Is(err, ErrWouldBlockForever).
type DeadlockError struct {
	// Tasks are the tasks, each with what it waits on.
	Tasks []TaskInfo
}

func (e *DeadlockError) Error() string {
	text := ErrWouldBlockForever.Error()
	for _, info := range e.Tasks {
		text += "\n\t" + info.String()
	}
	return text
}

// Is reports that a DeadlockError is ErrWouldBlockForever.
func (e *DeadlockError) Is(target error) bool { return target == ErrWouldBlockForever }
