package subprocess

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestExit: Wait, ExitCode and State tell how a process ended, as often as they are
// asked.
func TestExit(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		for script, want := range map[string]int{
			"exit 0": 0, "exit 7": 7, "exit 255": 255, "kill -TERM $$": -15, "kill -KILL $$": -9,
		} {
			p := start(t, sh(script))
			for range 3 {
				join := spawn(func() {
					err := p.Wait()
					if exit, ok := errors.AsType[*exec.ExitError](err); ok != (want != 0) {
						t.Errorf("%s: %v", script, err)
					} else if ok && exit.ProcessState != p.State() {
						t.Error("another state")
					}
				})
				if err := p.Wait(); (err == nil) != (want == 0) {
					t.Errorf("%s: %v", script, err)
				}
				join()
			}
			ended(t, p, want)
			if p.State().Pid() != p.PID() {
				t.Errorf("process %d", p.State().Pid())
			}
			is(t, p.Kill(), os.ErrProcessDone)
			is(t, p.Terminate(), os.ErrProcessDone)
		}
	})
}

// TestStartFails: nothing is left of a process that could not be started.
func TestStartFails(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		for _, tt := range []struct {
			name string
			cmd  Cmd
			want error
		}{
			{"not in PATH", Cmd{Args: []string{"no-such-program"}}, exec.ErrNotFound},
			{"no file", Cmd{Args: []string{"/no/such/program"}}, fs.ErrNotExist},
			{"no file by Path", Cmd{Path: "/no/such/program"}, unix.ENOENT},
			{"not executable", Cmd{Args: []string{file}}, fs.ErrPermission},
			{"no folder", Cmd{Args: []string{"sh"}, Dir: "/no/such/folder"}, fs.ErrNotExist},
			{"context", *CommandContext(done, "sh"), context.Canceled},
			{"merged output", Cmd{Args: []string{"sh"}, Stdout: Merge}, errStdio},
			{"merged input", Cmd{Args: []string{"sh"}, Stdin: Merge}, errStdio},
		} {
			for _, stream := range []Stdio{Pipe, Null} {
				c := tt.cmd
				if c.Stdin == nil {
					c.Stdin = stream
				}
				c.Stderr = stream
				if p, err := c.Start(); p != nil || !errors.Is(err, tt.want) {
					t.Errorf("%s: %v", tt.name, err)
				}
				is(t, c.Run(), tt.want)
				c.Stdout, c.Stderr = nil, nil
				if tt.want != errStdio {
					_, err := c.CombinedOutput()
					is(t, err, tt.want)
				}
			}
		}
		if _, err := new(Cmd).Start(); err == nil {
			t.Error("no command was started")
		}
	})
}

// TestOutput: Output and CombinedOutput return all that was written, also by a
// process that fails.
func TestOutput(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		const script = "echo out; echo err >&2; exit 3"
		c := sh(script)
		c.Stderr = Null
		out, err := c.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 || string(out) != "out\n" {
			t.Errorf("%q, %v", out, err)
		}
		for range 2 { // a Cmd can be used again
			c.Stderr = nil
			out, err = c.CombinedOutput()
			if err == nil || string(out) != "out\nerr\n" {
				t.Errorf("%q, %v", out, err)
			}
		}
		c.Stdout = Null
		if _, err := c.Output(); err == nil {
			t.Error("Stdout was set already")
		}
		c.Stdout, c.Stderr = nil, Null
		if _, err := c.CombinedOutput(); err == nil {
			t.Error("Stderr was set already")
		}
		// A Pipe nobody has the end of.
		c = piped("cat; exit 4")
		if exit, ok := errors.AsType[*exec.ExitError](c.Run()); !ok || exit.ExitCode() != 4 {
			t.Error("Run with pipes")
		}
	})
}

// TestEnvironment: Env, Dir, Path and ExtraFiles; no other descriptor is inherited.
func TestEnvironment(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		dir := t.TempDir()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString("extra\n"); err != nil {
			t.Fatal(err)
		}
		other := start(t, piped("cat"))
		c := sh("echo $X; pwd; head -n1 <&3")
		c.Env, c.Dir, c.ExtraFiles = []string{"X=old", "X=new", "PATH=" + os.Getenv("PATH")}, dir, []*os.File{r}
		out, err := c.Output()
		if want := fmt.Sprintf("new\n%s\nextra\n", dir); string(out) != want || err != nil {
			t.Errorf("%q, %v, not %q", out, err, want)
		}
		// The standard library's process has what we have inherited ourselves.
		var want []byte
		if err := runtime.Offload(func() { want, _ = exec.Command("ls", "/proc/self/fd").Output() }); err != nil {
			t.Fatal(err)
		}
		c = Command("ls", "/proc/self/fd")
		c.Stdin, c.Stderr = Null, Null
		if out, err := c.Output(); string(out) != string(want) || err != nil {
			t.Errorf("%q, %v, not %q", out, err, want)
		}
		_, _ = r.Close(), w.Close()
		_ = other.Close()
		_ = other.Wait()

		c = &Cmd{Path: "/bin/sh", Args: []string{"another name", "-c", "echo $0"}}
		if out, err := c.Output(); string(out) != "another name\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// TestContext: the end of a context kills the process, with its group if it has
// one, or calls Cancel.
func TestContext(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		for _, group := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			c := CommandContext(ctx, "sh", "-c", "sleep 1000 & echo $!; wait")
			c.Stdin, c.Stdout, c.Group = Pipe, Pipe, group
			p := start(t, c)
			grandchild := number(t, p.Stdout)
			cancel()
			is(t, p.Wait(), context.Canceled)
			ended(t, p, -9)
			if !group {
				_ = unix.Kill(grandchild, unix.SIGKILL)
			}
			gone(t, grandchild)
			_ = p.Close()
		}

		ctx, cancel := context.WithCancelCause(context.Background())
		c := CommandContext(ctx, "sh", "-c", "read line")
		c.Stdin = Pipe
		canceled := make(chan struct{})
		c.Cancel = func(p *Process) error { defer close(canceled); return p.Stdin.Close() }
		p := start(t, c)
		running(t, p)
		cancel(nil)
		is(t, p.Wait(), context.Canceled)
		ended(t, p, 1)
		<-canceled

		// One that ends before, or well, is left alone.
		ctx, stop := context.WithCancel(context.Background())
		c = CommandContext(ctx, "true")
		if err := c.Run(); err != nil {
			t.Error(err)
		}
		stop()
	})
}

// TestRunInterrupted: a Run that is killed, or times out, kills its process.
func TestRunInterrupted(t *testing.T) {
	runtimetest.Run(t, 2, func() {
		for _, group := range []bool{false, true} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c := sh("echo $$ >&3; exec cat <&4")
			if group {
				c = sh("cat <&4 & echo $! >&3; wait")
			}
			r2, w2, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c.Group, c.ExtraFiles = group, []*os.File{w, r2}
			task := runtime.Async(func() ([]byte, error) { return c.Output() })
			buf := make([]byte, 32)
			n, err := runtime.Await(func() (int, error) { return r.Read(buf) })
			if err != nil {
				t.Fatal(err)
			}
			var pid int
			if _, err := fmt.Sscan(string(buf[:n]), &pid); err != nil {
				t.Fatal(err)
			}
			task.Kill(nil)
			is(t, task.Join(), runtime.ErrKilled)
			gone(t, pid)
			_, _, _, _ = r.Close(), w.Close(), r2.Close(), w2.Close()
		}
		c := Command("cat")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stdin = r
		is(t, runtime.WithTimeout(time.Millisecond, c.Run), runtime.ErrTimeout)
		childless(t)
		_, _ = r.Close(), w.Close()
	})
}

// TestMany runs 1,000 short commands by 50 tasks.
func TestMany(t *testing.T) {
	rt := runtimetest.New(t, 2)
	var left, wrong atomic.Int32
	left.Store(1000)
	var joins []func()
	for range 50 {
		task := rt.Spawn(func() {
			for {
				n := left.Add(-1)
				if n < 0 {
					return
				}
				word := fmt.Sprint("word ", n)
				c := Command("cat")
				c.Stdin = strings.NewReader(word)
				if out, err := c.Output(); string(out) != word || err != nil {
					t.Errorf("%q, %v", out, err)
					wrong.Add(1)
				}
			}
		})
		joins = append(joins, func() { _ = task.Join() })
	}
	for _, join := range joins {
		join()
	}
	childless(t)
}
