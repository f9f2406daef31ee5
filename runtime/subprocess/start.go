package subprocess

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// Start starts the process. The error is an *exec.Error (exec.ErrNotFound) if the
// program is not in PATH, an *fs.PathError if it can't be started, or that of the
// context. Start parks while it forks; a kill or timeout meanwhile is
// delivered to the task's next wait.
func (c *Cmd) Start() (*Process, error) {
	if c.Path == "" && len(c.Args) == 0 {
		return nil, errors.New("subprocess: no command")
	}
	if c.ctx != nil && c.ctx.Err() != nil {
		return nil, c.ctx.Err()
	}
	l := &launch{cmd: *c, p: &Process{group: c.Group, waitDelay: c.WaitDelay}}
	err := l.streams()
	if err == nil {
		// Shielded: it is not to go on with files that were closed.
		if offloadErr := runtime.OffloadShielded(func() { err = l.fork() }); offloadErr != nil {
			err = offloadErr
		}
	}
	for _, f := range l.close {
		_ = f.Close()
	}
	p := l.p
	if err != nil {
		for _, s := range l.ours {
			_ = s.Close()
		}
		return nil, err
	}
	p.copies.begin(len(l.out))
	if l.in != nil {
		p.feeder = beside(l.in)
	}
	for _, fn := range l.out {
		p.copiers = append(p.copiers, beside(func() { defer p.copies.done(); fn() }))
	}
	if c.ctx != nil {
		p.stopContext = context.AfterFunc(c.ctx, func() { p.cancel(c) })
	}
	beside(p.watch)
	return p, nil
}

// launch is what a Start collects.
type launch struct {
	cmd   Cmd
	p     *Process
	files []*os.File // the process's
	close []*os.File // of these, the ones to be closed after the fork
	ours  []*Stream
	in    func() // copies to the standard input
	out   []func()
}

// streams opens the standard streams.
func (l *launch) streams() error {
	stdin, err := l.stdin()
	if err != nil {
		return err
	}
	stdout, err := l.output(l.cmd.Stdout, os.Stdout, "stdout", &l.p.Stdout)
	if err != nil {
		return err
	}
	stderr := stdout
	if !l.merged() {
		if stderr, err = l.output(l.cmd.Stderr, os.Stderr, "stderr", &l.p.Stderr); err != nil {
			return err
		}
	}
	l.files = append([]*os.File{stdin, stdout, stderr}, l.cmd.ExtraFiles...)
	return nil
}

// merged reports whether standard error goes where the output goes. One writer for
// both is one pipe as well, so that it is called by one at a time.
func (l *launch) merged() bool {
	if l.cmd.Stderr == Merge {
		return true
	}
	if l.cmd.Stderr == nil || l.cmd.Stderr == Pipe || l.cmd.Stderr == Null {
		return false
	}
	defer func() { _ = recover() }() // types that can't be compared
	return l.cmd.Stderr == l.cmd.Stdout
}

func (l *launch) stdin() (*os.File, error) {
	switch r := l.cmd.Stdin.(type) {
	case nil:
		return os.Stdin, nil
	case *os.File:
		return r, nil
	case Stdio:
		if r == Null {
			return l.null(os.O_RDONLY)
		}
		if r != Pipe {
			return nil, errStdio
		}
	}
	s, theirs, err := l.pipe("stdin", true)
	if err != nil {
		return nil, err
	}
	if l.cmd.Stdin == Pipe {
		l.p.Stdin = s
		return theirs, nil
	}
	l.p.fed = s
	l.in = func() {
		defer s.Close()
		_, err := io.Copy(s, l.cmd.Stdin)
		if !errors.Is(err, unix.EPIPE) && !l.p.exited.IsSet() { // it need not read all
			l.p.copyFailed(err)
		}
	}
	return theirs, nil
}

func (l *launch) output(w io.Writer, inherited *os.File, name string, pipe **Stream) (*os.File, error) {
	switch w := w.(type) {
	case nil:
		return inherited, nil
	case *os.File:
		return w, nil
	case Stdio:
		if w == Null {
			return l.null(os.O_WRONLY)
		}
		if w != Pipe {
			return nil, errStdio
		}
	}
	s, theirs, err := l.pipe(name, false)
	if err != nil {
		return nil, err
	}
	if w == Pipe {
		*pipe = s
		return theirs, nil
	}
	l.p.copied = append(l.p.copied, s)
	l.out = append(l.out, func() {
		defer s.Close()
		_, err := io.Copy(w, s)
		l.p.copyFailed(err)
	})
	return theirs, nil
}

func (l *launch) pipe(name string, reads bool) (*Stream, *os.File, error) {
	s, theirs, err := newStream(name, reads)
	if err == nil {
		l.ours, l.close = append(l.ours, s), append(l.close, theirs)
	}
	return s, theirs, err
}

func (l *launch) null(mode int) (*os.File, error) {
	f, err := os.OpenFile(os.DevNull, mode, 0)
	if err == nil {
		l.close = append(l.close, f)
	}
	return f, err
}

// fork starts the process. It may block.
func (l *launch) fork() error {
	c := &l.cmd
	path, args := c.Path, c.Args
	if path == "" {
		path = args[0]
		if !strings.Contains(path, "/") {
			found, err := exec.LookPath(path)
			if err != nil {
				return err
			}
			path = found
		}
	}
	if len(args) == 0 {
		args = []string{path}
	}
	var sys syscall.SysProcAttr
	if c.SysProcAttr != nil {
		sys = *c.SysProcAttr
	}
	if c.Group {
		sys.Setpgid, sys.Pgid = true, 0
	}
	if c.ParentDeath != 0 {
		sys.Pdeathsig = c.ParentDeath
	}
	pidfd := -1
	sys.PidFD = &pidfd
	attr := &os.ProcAttr{Dir: c.Dir, Files: l.files, Sys: &sys, Env: (&exec.Cmd{Dir: c.Dir, Env: c.Env}).Environ()}
	var proc *os.Process
	var err error
	start := func() { proc, err = os.StartProcess(path, args, attr) }
	if sys.Pdeathsig != 0 {
		onParent(start)
	} else {
		start()
	}
	if err != nil {
		return err
	}
	if pidfd < 0 {
		_ = proc.Kill()
		_, _ = proc.Wait()
		return os.NewSyscallError("pidfd_open", unix.ENOSYS)
	}
	l.p.proc, l.p.pidfd = proc, poll.New(pidfd, false)
	return nil
}

// onParent calls fn on a thread that lives as long as the program: to the kernel it
// is a thread that is the parent whose death is signaled, and Go may end others.
func onParent(fn func()) {
	parent.once.Do(func() {
		parent.calls = make(chan func())
		go func() {
			goruntime.LockOSThread()
			for fn := range parent.calls {
				fn()
			}
		}()
	})
	done := make(chan struct{})
	parent.calls <- func() { defer close(done); fn() }
	<-done
}

var parent struct {
	once  sync.Once
	calls chan func()
}

// beside starts fn as a task on the caller's worker, or for a goroutine as another
// one. It returns nil then. fn is called in any case: if the task is killed before
// it has begun, or its runtime ends, on a goroutine.
func beside(fn func()) *runtime.Task {
	if runtime.Current() == nil {
		go fn()
		return nil
	}
	began := false
	task := runtime.Spawn(func() {
		began = true
		fn()
	})
	task.OnDone(func(*runtime.Task) {
		if !began {
			go fn()
		}
	})
	return task
}
