package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"github.com/weft-go/weft/runtime/queue"
)

var (
	// ErrNotInitialised is returned when a process is to be started by a program
	// whose main function has not called Init or Main.
	ErrNotInitialised = errors.New("process: call process.Main, or process.Init first of all, in main")

	// ErrStarted is returned by a second Start of the same Process.
	ErrStarted = errors.New("process: started before")

	// ErrNotStarted is returned by calls on a Process that was not started.
	ErrNotStarted = errors.New("process: not started")

	// ErrRunning is returned by Close of a Process that has not ended, and by Join of
	// a Pool that has neither been closed nor terminated.
	ErrRunning = errors.New("process: still running")

	// ErrDaemon is returned when a daemon starts a process that is none.
	ErrDaemon = errors.New("process: a daemon can only start daemons")

	// ErrGone is returned by calls on an object whose owner, a process, has ended, or
	// that was closed.
	ErrGone = errors.New("process: the object is gone")

	// ErrAbandoned is returned, once, to the next holder of a lock whose holder has
	// died: the lock is held, and what it guards may be in disorder. Of a semaphore
	// it says that a unit came back that way, of a Joinable's Join that items were
	// lost.
	ErrAbandoned = errors.New("process: the holder has died")

	// ErrNotHeld is returned when what is not locked is to be unlocked.
	ErrNotHeld = errors.New("process: not locked")

	// ErrNotFound is returned for a key, attribute or item that does not exist. It is
	// also fs.ErrNotExist.
	ErrNotFound error = notFoundError{}

	// ErrTerminated is the error of jobs that Terminate of their Pool ended.
	ErrTerminated = errors.New("process: pool terminated")

	// ErrPoolClosed is returned for jobs that are given to a pool after Close or
	// Terminate.
	ErrPoolClosed = errors.New("process: pool closed")
)

// Errors that are other packages', or nobody's.
var (
	errClosed      = queue.ErrClosed
	errEmpty       = queue.ErrEmpty
	errFull        = queue.ErrFull
	errOverRelease = lock.ErrOverRelease
	errBroken      = lock.ErrBroken
	errChanged     = errors.New("process: changed meanwhile")
)

type notFoundError struct{}

func (notFoundError) Error() string        { return "process: not found" }
func (notFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// An EncodeError says that a value can't be sent to another process, or what came
// does not fit the type. The call that was given the value returns it; the other
// process hears nothing of it.
type EncodeError struct {
	What string // what was to be encoded or decoded: "argument of sum"
	Err  error
}

func (e *EncodeError) Error() string { return "process: " + e.What + ": " + e.Err.Error() }

// Unwrap returns what is wrong with the value.
func (e *EncodeError) Unwrap() error { return e.Err }

// A RemoteError is an error that a function returned, or a panic it ended by, in
// another process. errors.Is finds those errors in it that were found in the original
// and are known to both processes (see RegisterError), and a syscall.Errno.
type RemoteError struct {
	Text  string   // what the original's Error returned
	Panic bool     // it was a panic
	Stack string   // of the panic
	Names []string // of the registered errors in it
	Errno uint64   // the syscall.Errno in it, 0 for none
}

func (e *RemoteError) Error() string { return e.Text }

// Is reports whether target is a registered error that was found in the original.
func (e *RemoteError) Is(target error) bool {
	for _, name := range e.Names {
		if known, ok := knownErrors.Load(name); ok && known.(error) == target {
			return true
		}
	}
	errno, ok := target.(syscall.Errno)
	return ok && e.Errno != 0 && uint64(errno) == e.Errno
}

var knownErrors sync.Map // name to error

// RegisterError makes errors.Is find err in errors that come from other processes. The
// name must be the same in all of them. It is for package-level variables, as those of
// Weft, io, context and io/fs are already.
func RegisterError(name string, err error) { knownErrors.Store(name, err) }

func init() {
	for _, err := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, context.Canceled, context.DeadlineExceeded,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid,
		runtime.ErrKilled, runtime.ErrTimeout, runtime.ErrStopped, runtime.ErrGoexit, queue.ErrClosed, queue.ErrEmpty, queue.ErrFull,
		lock.ErrBroken, lock.ErrOverRelease, ErrGone, ErrAbandoned, ErrNotFound, ErrNotHeld, ErrPoolClosed, ErrTerminated,
		ErrNotInitialised, ErrStarted, ErrNotStarted, ErrRunning, ErrDaemon, ErrPipeClosed, ErrQueuesOnly,
	} {
		RegisterError("weft "+err.Error(), err)
	}
}

// remote turns an error into what another process can be told of it.
func remote(err error) *RemoteError {
	if r, ok := err.(*RemoteError); ok {
		return r
	}
	r := &RemoteError{Text: strings.ToValidUTF8(err.Error(), "\uFFFD")}
	var panicked *runtime.PanicError
	if errors.As(err, &panicked) {
		r.Panic, r.Stack = true, strings.ToValidUTF8(string(panicked.Stack), "\uFFFD")
	}
	knownErrors.Range(func(name, known any) bool {
		if errors.Is(err, known.(error)) {
			r.Names = append(r.Names, name.(string))
		}
		return true
	})
	var errno syscall.Errno
	if errors.As(err, &errno) {
		r.Errno = uint64(errno)
	}
	return r
}

// A WorkerDiedError is the error of a job whose process died, killed say, while it ran.
// Other jobs are not affected, and another process takes the place of the dead one.
type WorkerDiedError struct {
	PID      int
	ExitCode int // as Process.ExitCode has it: -9 after SIGKILL
}

func (e *WorkerDiedError) Error() string {
	return fmt.Sprintf("process: worker %d died: %s", e.PID, exitText(e.ExitCode))
}

func exitText(code int) string {
	if code < 0 {
		return "signal: " + syscall.Signal(-code).String()
	}
	return fmt.Sprintf("exit status %d", code)
}
