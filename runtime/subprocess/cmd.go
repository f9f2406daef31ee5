package subprocess

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Cmd says what to run. It is not changed by running it, and may be run more than
// once, also at the same time. The zero Cmd needs at least Args.
type Cmd struct {
	// Path is the program. If it is empty, that is Args[0], which is looked up in
	// PATH if there is no slash in it.
	Path string

	Args []string // with the name of the program as the first
	Env  []string // "name=value", the last one of a name counts; nil: as this process
	Dir  string   // working directory; empty: as this process

	// Stdin is nil (inherited), Null, Pipe, an *os.File, or a reader to copy from.
	Stdin io.Reader

	// Stdout and Stderr are nil (inherited), Null, Pipe, an *os.File, or a writer to
	// copy to; Stderr may be Merge.
	Stdout io.Writer
	Stderr io.Writer

	// ExtraFiles are inherited as descriptors 3, 4 and so on.
	ExtraFiles []*os.File

	// WaitDelay, if not 0, is for how long after the end of the process Wait and
	// Communicate wait for the end of its output, which others may hold open.
	// After that they return exec.ErrWaitDelay, if there is no other error.
	WaitDelay time.Duration

	// Group makes the process the first of a new process group: see
	// Process.KillGroup.
	Group bool

	// ParentDeath, if not 0, is a signal for the process when this program ends,
	// however it does. The children of the process don't get it. The first
	// process with a ParentDeath takes a thread for good, as the kernel means
	// the death of a thread.
	ParentDeath syscall.Signal

	// Cancel is what is done when the context of CommandContext is done before the
	// process has ended; nil means Process.KillGroup with Group, else Process.Kill.
	Cancel func(*Process) error

	// SysProcAttr has the operating system's other attributes. The fields that
	// correspond to those above, and PidFD, are set by Start.
	SysProcAttr *syscall.SysProcAttr

	ctx context.Context
}

// Command returns a Cmd that runs a program with arguments.
func Command(name string, args ...string) *Cmd {
	return &Cmd{Args: append([]string{name}, args...)}
}

// CommandContext is Command with a context: when that is done the process is
// killed (see Cmd.Cancel), and Wait then returns the context's error, unless the
// process has succeeded all the same.
func CommandContext(ctx context.Context, name string, args ...string) *Cmd {
	c := Command(name, args...)
	c.ctx = ctx
	return c
}

// Run starts the process and waits for its end: see Start and Process.Wait. It
// parks. If it is interrupted, by a kill or timeout, it kills the process, its
// whole group with Cmd.Group, and returns the interrupt's error at once. A Pipe
// makes no sense here: it is closed at once.
func (c *Cmd) Run() error {
	p, err := c.Start()
	if err != nil {
		return err
	}
	_ = p.Close() // of a Pipe nobody has the other end
	// Deferred: a wait may unwind a killed task.
	defer func() {
		if !p.finished.IsSet() {
			p.abandon()
		}
	}()
	return p.Wait()
}

// Output is Run that returns what the process has written to its standard output,
// also if it failed. If it was interrupted it returns no output.
func (c *Cmd) Output() ([]byte, error) { return c.output(c.Stderr) }

// CombinedOutput is Output with standard error merged into it.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	if c.Stderr != nil {
		return nil, errors.New("subprocess: Stderr already set")
	}
	return c.output(Merge)
}

func (c *Cmd) output(stderr io.Writer) ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("subprocess: Stdout already set")
	}
	var out buffer
	with := *c
	with.Stdout, with.Stderr = &out, stderr
	err := with.Run()
	return out.take(), err
}

// buffer is a bytes.Buffer that can be taken from one who still writes to it,
// because he was interrupted.
type buffer struct {
	mu    sync.Mutex // held for a moment only
	buf   bytes.Buffer
	taken bool
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken {
		return 0, io.ErrClosedPipe
	}
	return b.buf.Write(p)
}

func (b *buffer) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = true
	return b.buf.Bytes()
}
