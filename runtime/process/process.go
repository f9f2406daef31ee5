package process

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// A Process is another process that runs a function of this program. New and Start make
// one. Its methods may be called from any task or goroutine.
type Process struct {
	// immutable
	name   string
	daemon bool
	fn     string
	encode func() ([]byte, *baggage, error)
	procs  int  // how many processors it is to use; 0: all
	calm   bool // see Calm

	state atomic.Int32
	ended event.Event // it has ended, and all it said was heard

	// set by Start, before stateRunning
	pid    int
	pidfd  *poll.FD
	link   *link
	result event.Result[[]byte]

	exit exit // set before ended
}

const (
	stateNew int32 = iota
	stateStarting
	stateRunning // or ended
	stateClosed
)

// exit says how a process has ended.
type exit struct {
	code    int
	unknown bool // somebody else has reaped it
}

// An Option says how a process is to be started.
type Option func(*Process)

// Daemon makes the process end when its parent does, however that ends: a parent that is
// killed with SIGKILL takes its daemons along. Main kills the daemons that are left, and
// waits for the other processes. A daemon may start daemons only.
func Daemon() Option { return func(p *Process) { p.daemon = true } }

// Named gives the process a name, instead of "process-N".
func Named(name string) Option { return func(p *Process) { p.name = name } }

// Processors makes the process use n processors at a time: its GOMAXPROCS, which is also the
// number of workers of its Default runtime. It panics if n is not positive. Without it a
// process has as many as the environment gives it, usually all.
func Processors(n int) Option {
	if n <= 0 {
		panic("process: no Processors")
	}
	return func(p *Process) { p.procs = n }
}

// Calm makes the process and its parent sleep when they wait for each other. Without it they
// look for a moment first, which gets answers sooner and takes processor time: too much where
// both have other things to do, and say little to each other.
func Calm() Option { return func(p *Process) { p.calm = true } }

// A Running is a Process whose function has a result of type R.
type Running[R any] struct {
	Process
	decode func([]byte) (R, error)
}

// New returns a process that will call f with arg when it is started. arg is encoded by
// Start.
func New[A, R any](f *Func[A, R], arg A, options ...Option) *Running[R] {
	p := &Running[R]{decode: f.decodeResult}
	p.fn = f.name
	p.encode = func() ([]byte, *baggage, error) { return f.encodeArg(arg) }
	for _, option := range options {
		option(&p.Process)
	}
	if p.name == "" {
		self.mu.Lock()
		self.count++
		p.name = fmt.Sprintf("process-%d", self.count)
		self.mu.Unlock()
	}
	return p
}

// Start is New and Start in one.
func Start[A, R any](f *Func[A, R], arg A, options ...Option) (*Running[R], error) {
	p := New(f, arg, options...)
	return p, p.Start()
}

// Result waits until the process has ended, and returns the result of its function. The
// error is a *RemoteError if the function has returned one, or panicked; a
// *WorkerDiedError if the process has ended without a result, killed say; or that of an
// interrupt, after which the process goes on.
func (p *Running[R]) Result() (R, error) {
	var zero R
	if err := p.Join(); err != nil {
		return zero, err
	}
	b, err := p.result.TryGet()
	if err != nil {
		if errors.Is(err, event.ErrNotReady) || err == ErrGone {
			code, _ := p.ExitCode()
			err = &WorkerDiedError{PID: p.pid, ExitCode: code}
		}
		return zero, err
	}
	return p.decode(b)
}

// Name returns the name of the process.
func (p *Process) Name() string { return p.name }

// IsDaemon reports whether the process ends with its parent.
func (p *Process) IsDaemon() bool { return p.daemon }

// PID returns the number of the process, 0 before its start.
func (p *Process) PID() int {
	if p.state.Load() < stateRunning {
		return 0
	}
	return p.pid
}

// Alive reports whether the process was started and has not ended. It does not park.
func (p *Process) Alive() bool { return p.state.Load() >= stateRunning && !p.ended.IsSet() }

// ExitCode returns how the process has ended: the status that it gave to os.Exit; 0 if
// its function has returned, 1 if that returned an error, 2 if it panicked; or the
// negative number of the signal that has ended it. ended is false for a process that has
// not ended, or was not started. If somebody else has reaped the process, which nobody
// should, the code is that of what the function did.
func (p *Process) ExitCode() (code int, ended bool) {
	if !p.ended.IsSet() {
		return 0, false
	}
	return p.exit.code, true
}

// Join waits until the process has ended, however it did. The error is ErrNotStarted, or
// that of an interrupt.
func (p *Process) Join() error { return p.JoinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The process goes
// on. The zero deadline means none.
func (p *Process) JoinUntil(deadline runtime.Instant) error {
	if p.state.Load() < stateRunning {
		return ErrNotStarted
	}
	return p.ended.WaitUntil(deadline)
}

// OnReady makes fn be called when the process has ended: so runtime.Wait and
// runtime.IWait wait for processes.
func (p *Process) OnReady(fn func()) (cancel func() bool) { return p.ended.OnReady(fn) }

// Terminate sends SIGTERM to the process, which ends it unless it handles that signal. It
// does not park. For a process that has ended it does nothing.
func (p *Process) Terminate() error { return p.Signal(unix.SIGTERM) }

// Kill sends SIGKILL to the process. It does not park; Join waits for the end.
func (p *Process) Kill() error { return p.Signal(unix.SIGKILL) }

// Signal sends a signal to the process. It does not park. There is no danger that it hits
// another process. For one that has ended it does nothing.
func (p *Process) Signal(sig syscall.Signal) error {
	if p.state.Load() < stateRunning {
		return ErrNotStarted
	}
	var err error
	if p.pidfd.RawControl(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), sig, nil, 0) }) != nil || err == unix.ESRCH {
		return nil // it has ended
	}
	return os.NewSyscallError("pidfd_send_signal", err)
}

// Close forgets a process that has ended, or was never started, which then can't be. It
// is for symmetry only: nothing of a process that has ended is left behind. It returns
// ErrRunning for a process that has not ended.
func (p *Process) Close() error {
	if p.state.CompareAndSwap(stateNew, stateClosed) {
		p.ended.Set()
		return nil
	}
	if !p.ended.IsSet() {
		return ErrRunning
	}
	return nil
}

// String returns the name and the number.
func (p *Process) String() string { return fmt.Sprintf("process %s (%d)", p.name, p.PID()) }
