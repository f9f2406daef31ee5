package subprocess

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// A Process is one that Cmd.Start has started. Its methods may be called from any
// task or goroutine. It keeps no descriptor after its end but the streams, which
// Close closes.
type Process struct {
	// Stdin, Stdout and Stderr are the program's ends of the pipes that the Cmd asked
	// for by Pipe, nil for others. They are not changed.
	Stdin, Stdout, Stderr *Stream

	// immutable
	proc        *os.Process
	pidfd       *poll.FD // closed by the end
	group       bool
	waitDelay   time.Duration
	fed         *Stream   // copied to by feeder
	copied      []*Stream // copied from by copiers
	feeder      *runtime.Task
	copiers     []*runtime.Task // nil ones are goroutines
	stopContext func() bool

	copies   tally
	exited   event.Event // state is known
	finished event.Event // err is known, too, and all was copied
	state    *os.ProcessState
	err      error

	talk conversation

	mu        sync.Mutex // held for a moment only
	reaped    bool       // mu guards this and the rest
	copyErr   error      // of the first copy that failed
	cancelErr error      // of the context that was done first
}

// tally counts parties that have not ended.
type tally struct {
	n    atomic.Int32
	over event.Event
}

// begin says how many, before any of them may end.
func (t *tally) begin(n int) {
	t.n.Store(int32(n))
	if n == 0 {
		t.over.Set()
	}
}

func (t *tally) done() {
	if t.n.Add(-1) == 0 {
		t.over.Set()
	}
}

// PID returns the number of the process. Another one may have it after the end.
func (p *Process) PID() int { return p.proc.Pid }

// Wait waits for the end of the process, and until all its output has been copied
// where Cmd.Stdout and Stderr say so. The result is nil if the process exited with
// status 0, an *exec.ExitError if it exited otherwise or by a signal, the
// context's error if it was killed for that, else the error of copying, or
// exec.ErrWaitDelay.
//
// It parks a task and blocks a goroutine. Any number may wait, and any number of
// times. A kill or timeout of the task ends the wait with its error; the
// process goes on. One that writes more to a Pipe than the kernel holds
// (64 KiB), and finds nobody who reads, does not end: see Communicate.
func (p *Process) Wait() error { return p.WaitUntil(0) }

// WaitUntil is Wait that gives up at deadline with runtime.ErrTimeout. The zero
// deadline means none.
func (p *Process) WaitUntil(deadline runtime.Instant) error {
	if err := p.finished.WaitUntil(deadline); err != nil {
		return err
	}
	return p.err
}

// OnReady makes fn be called when Wait need not wait, so that runtime.Wait can wait
// for processes: see runtime.Waitable.
func (p *Process) OnReady(fn func()) (cancel func() bool) { return p.finished.OnReady(fn) }

// State returns how the process ended, nil while it has not. It does not park.
func (p *Process) State() *os.ProcessState {
	if !p.exited.IsSet() {
		return nil
	}
	return p.state
}

// ExitCode returns the status with which the process exited, or -n if signal n
// ended it. It reports false while it has not ended. It does not park.
func (p *Process) ExitCode() (code int, ended bool) {
	state := p.State()
	if state == nil {
		return 0, false
	}
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		return -int(status.Signal()), true
	}
	return state.ExitCode(), true
}

// Close closes the streams that are open: a process that reads its input finds its
// end then. It does not wait for the process, but parks until calls on the streams
// have returned. It returns nil, also when called again.
func (p *Process) Close() error {
	for _, s := range []*Stream{p.Stdin, p.Stdout, p.Stderr} {
		if s != nil {
			_ = s.Close()
		}
	}
	return nil
}

// Signal sends a signal to the process. It returns os.ErrProcessDone after the
// end, and never hits another process. It does not park.
func (p *Process) Signal(sig os.Signal) error { return p.proc.Signal(sig) }

// Terminate asks the process to end: Signal with SIGTERM.
func (p *Process) Terminate() error { return p.Signal(syscall.SIGTERM) }

// Kill ends the process: Signal with SIGKILL.
func (p *Process) Kill() error { return p.Signal(syscall.SIGKILL) }

// errNoGroup is returned by SignalGroup.
var errNoGroup = errors.New("subprocess: the process was not started with Cmd.Group")

// SignalGroup sends a signal to the process and to all that it has started and that
// have not left its group, if it was started with Cmd.Group. Once the process
// itself has ended it returns os.ErrProcessDone, since its number may be another
// group's by then. It does not park.
func (p *Process) SignalGroup(sig syscall.Signal) error {
	if !p.group {
		return errNoGroup
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", unix.Kill(-p.proc.Pid, sig))
}

// KillGroup is SignalGroup with SIGKILL.
func (p *Process) KillGroup() error { return p.SignalGroup(syscall.SIGKILL) }

// kill kills as much as it may.
func (p *Process) kill() error {
	if p.group {
		return p.KillGroup()
	}
	return p.Kill()
}

// cancel is called when the context is done.
func (p *Process) cancel(c *Cmd) {
	p.mu.Lock()
	if !p.reaped {
		p.cancelErr = c.ctx.Err()
	}
	p.mu.Unlock()
	if c.Cancel != nil {
		_ = c.Cancel(p)
		return
	}
	_ = p.kill()
}

// abandon kills the process and gives up its output.
func (p *Process) abandon() {
	_ = p.kill()
	p.stopCopies()
	_ = p.Close()
}

// stopCopies ends the copies that are under way.
func (p *Process) stopCopies() {
	for _, task := range p.copiers {
		if task != nil {
			task.Kill(nil)
		}
	}
	for _, s := range p.copied {
		_ = s.Close()
	}
}

// stopFeeding ends the copy to the standard input, which nobody reads any more.
func (p *Process) stopFeeding() {
	if p.feeder != nil {
		p.feeder.Kill(nil)
	}
	if p.fed != nil {
		_ = p.fed.Close()
	}
}

// copyFailed notes the error of a copy.
func (p *Process) copyFailed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.copyErr == nil {
		p.copyErr = err
	}
}

// watch waits for the end of the process, and tells. It is the process's task.
func (p *Process) watch() {
	err := p.pidfd.RawRead(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	if err != nil {
		// The task was killed, with its runtime say. A goroutine, with its thread, takes
		// over: it must not be missed.
		go func() {
			p.awaitEnd()
			p.reap()
		}()
		return
	}
	p.reap()
}

// reap is the end of the process, which has ended.
func (p *Process) reap() {
	p.mu.Lock()
	state, err := p.proc.Wait() // returns at once
	p.reaped = true
	p.mu.Unlock()
	_ = p.pidfd.Close()
	if p.stopContext != nil {
		p.stopContext()
	}
	p.state = state
	p.exited.Set()
	p.stopFeeding()
	if err := p.awaitCopies(); err != nil {
		p.copyFailed(err) // before the errors that stopCopies makes
		p.stopCopies()
	}
	p.mu.Lock()
	switch {
	case err != nil:
		p.err = err
	case state.Success():
		p.err = p.copyErr
	case p.cancelErr != nil:
		p.err = p.cancelErr
	default:
		p.err = &exec.ExitError{ProcessState: state}
	}
	p.mu.Unlock()
	p.finished.Set()
}

// awaitEnd blocks the thread until the process has ended.
func (p *Process) awaitEnd() {
	_ = p.pidfd.RawControl(func(fd uintptr) {
		for unix.Waitid(unix.P_PIDFD, int(fd), nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	})
}

// awaitCopies waits for the copies, for WaitDelay at most.
func (p *Process) awaitCopies() error {
	var deadline runtime.Instant
	if p.waitDelay > 0 {
		deadline = runtime.Now().Add(p.waitDelay)
	}
	err := p.copies.over.WaitUntil(deadline)
	if err == runtime.ErrTimeout {
		return exec.ErrWaitDelay
	}
	return err
}
