package subprocess

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestMain ends the default runtime. In a process of TestParentDeath it is that.
func TestMain(m *testing.M) {
	if os.Getenv("WEFT_TEST_PARENT") != "" {
		parentOfDeath()
		return
	}
	onParent(func() {}) // its thread stays: no test is to take it for a leak
	runtimetest.Main(m)
}

// each runs body on a goroutine, and in a task of a runtime with one worker, and
// fails the test if it leaves a process, a task, a goroutine or a descriptor. spawn
// starts a function beside it, of the same kind.
func each(t *testing.T, body func(t *testing.T, spawn func(func()) (join func()))) {
	t.Helper()
	t.Run("goroutine", func(t *testing.T) {
		_ = runtimetest.New(t, 1) // for its census
		body(t, func(fn func()) func() {
			done := make(chan struct{})
			go func() { defer close(done); fn() }()
			return func() { <-done }
		})
		childless(t)
	})
	t.Run("task", func(t *testing.T) {
		runtimetest.Run(t, 1, func() {
			body(t, func(fn func()) func() {
				task := runtime.Spawn(fn)
				return func() { _ = task.Join() }
			})
			childless(t)
		})
	})
}

// childless waits until there is no process of ours left, no zombie either.
func childless(t testing.TB) {
	t.Helper()
	runtimetest.Eventually(t, "the end of all processes", func() bool {
		return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == unix.ECHILD
	})
}

// sh is a command of the shell's. Its input is empty unless the test says
// otherwise.
func sh(script string) *Cmd {
	c := Command("sh", "-c", script)
	c.Stdin = Null
	return c
}

// piped is sh with three pipes.
func piped(script string) *Cmd {
	c := sh(script)
	c.Stdin, c.Stdout, c.Stderr = Pipe, Pipe, Pipe
	return c
}

func start(t testing.TB, c *Cmd) *Process {
	t.Helper()
	p, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// line reads a line of few characters.
func line(t testing.TB, s *Stream) string {
	t.Helper()
	var text []byte
	for b := make([]byte, 1); ; {
		if _, err := s.Read(b); err != nil {
			t.Fatal(err)
		}
		if b[0] == '\n' {
			return string(text)
		}
		text = append(text, b[0])
	}
}

func say(t testing.TB, s *Stream, text string) {
	t.Helper()
	if _, err := s.Write([]byte(text)); err != nil {
		t.Error(err)
	}
}

// number reads a line with a process's number.
func number(t testing.TB, s *Stream) int {
	t.Helper()
	pid, err := strconv.Atoi(line(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone waits until process pid, which is not ours, has ended; if nobody waits for it
// it may be a zombie.
func gone(t testing.TB, pid int) {
	t.Helper()
	runtimetest.Eventually(t, "the end of another process", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ") || unix.Kill(pid, 0) == unix.ESRCH
	})
}

func is(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%v, not %v", err, target)
	}
}

// ended fails the test unless p has ended with code.
func ended(t testing.TB, p *Process, code int) {
	t.Helper()
	if got, over := p.ExitCode(); got != code || !over {
		t.Errorf("exit code %d, %v, not %d", got, over, code)
	}
}

// running fails the test if p has ended.
func running(t testing.TB, p *Process) {
	t.Helper()
	if code, over := p.ExitCode(); over {
		t.Errorf("it has ended with %d", code)
	}
	if err := p.Signal(syscall.Signal(0)); err != nil {
		t.Error(err)
	}
}
