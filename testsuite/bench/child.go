package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// childEnv is set in the children that are this program again.
	childEnv = "WEFT_BENCH_CHILD"

	// stopGrace is how long a child has to go once its standard input is closed.
	stopGrace = 5 * time.Second
)

// A child is a process that this one started. It answers in lines on its standard output and ends when
// its standard input does; it is killed if its time is up first.
type child struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	stdin  io.WriteCloser
	out    *bufio.Reader
	stderr tail
}

// startChild runs a program on the given CPUs for at most limit.
func startChild(ctx context.Context, cpus []int, limit time.Duration, program string, args ...string) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	c := &child{cancel: cancel}
	c.cmd = exec.CommandContext(ctx, program, args...)
	c.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", childEnv+"=1")
	c.cmd.Stderr = &c.stderr
	c.cmd.WaitDelay = time.Second
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	c.stdin, c.out = stdin, bufio.NewReader(stdout)
	if err := startOn(cpus, c.cmd); err != nil {
		cancel()
		return nil, err
	}
	return c, nil
}

// startSelf runs this program again as a child.
func startSelf(ctx context.Context, cpus []int, limit time.Duration, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startChild(ctx, cpus, limit, self, args...)
}

// startOn starts a command whose threads may run on these CPUs only. A process inherits this from the
// thread that starts it, and so the pin holds from its first instruction.
func startOn(cpus []int, cmd *exec.Cmd) error {
	started := make(chan error)
	go func() { started <- pinThreadAndStart(cpus, cmd) }()
	return <-started
}

// pinThreadAndStart is called on a goroutine of its own. It keeps the goroutine locked to its thread,
// so that the thread ends with it and no other goroutine runs on one that is pinned.
func pinThreadAndStart(cpus []int, cmd *exec.Cmd) error {
	goruntime.LockOSThread()
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to CPUs %v: %w", cpus, err)
	}
	return cmd.Start()
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// line waits for the child's next line.
func (c *child) line() (string, error) {
	s, err := c.out.ReadString('\n')
	if err != nil {
		return "", c.failure(err)
	}
	return strings.TrimSuffix(s, "\n"), nil
}

// say writes a line to the child.
func (c *child) say(line string) error {
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		return c.failure(err)
	}
	return nil
}

// stop ends the child and waits for it.
func (c *child) stop() {
	c.stdin.Close()
	kill := time.AfterFunc(stopGrace, c.cancel)
	defer kill.Stop()
	// How it ended is of no interest any more: whoever waited for its lines has had the error.
	_ = c.cmd.Wait()
	c.cancel()
}

// failure ends the child and explains err by what it wrote to standard error.
func (c *child) failure(err error) error {
	c.stop()
	if said := strings.TrimSpace(c.stderr.String()); said != "" {
		return errors.New(said)
	}
	if state := c.cmd.ProcessState; state != nil && !state.Success() {
		return fmt.Errorf("child process: %v", state)
	}
	return fmt.Errorf("child process: %w", err)
}

// A tail keeps the last part of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte // mu guards
}

// tailSize is enough for an error, and for the end of a crash's dump.
const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if excess := len(t.data) - tailSize; excess > 0 {
		t.data = append(t.data[:0], t.data[excess:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
