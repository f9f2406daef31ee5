package subprocess

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestNobodyWaits: a process that nobody waits for leaves no zombie.
func TestNobodyWaits(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		var all []*Process
		for range 20 {
			all = append(all, start(t, sh("exit 3")))
		}
		childless(t)
		for _, p := range all {
			runtimetest.Eventually(t, "its state", func() bool { return p.State() != nil })
			ended(t, p, 3)
		}
	})
}

// TestWaitInterrupted: a kill or timeout of who waits does not harm the process,
// and leaves nothing.
func TestWaitInterrupted(t *testing.T) {
	runtimetest.Run(t, 2, func() {
		p := start(t, piped("cat"))
		for range 3 {
			task := runtime.Spawn(func() { is(t, p.Wait(), runtime.ErrKilled) })
			runtime.Yield()
			task.Kill(nil)
			_ = task.Join()
			is(t, p.WaitUntil(runtime.Now().Add(time.Millisecond)), runtime.ErrTimeout)
			is(t, runtime.WithTimeout(time.Millisecond, p.Wait), runtime.ErrTimeout)
			running(t, p)
		}
		say(t, p.Stdin, "hello\n")
		if got := line(t, p.Stdout); got != "hello" {
			t.Errorf("%q", got)
		}
		_ = p.Close()
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestWaitAny: processes are among what runtime.Wait waits for.
func TestWaitAny(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		a, b := start(t, piped("cat")), start(t, piped("cat"))
		_ = b.Close()
		first, err := runtime.Wait(1, 0, a, b)
		if len(first) != 1 || first[0] != b || err != nil {
			t.Errorf("%v, %v", first, err)
		}
		_ = a.Close()
		if all, err := runtime.Wait(0, 0, a, b); len(all) != 2 || err != nil {
			t.Errorf("%v, %v", all, err)
		}
	})
}

// TestIgnoresTerm: a process that ignores SIGTERM goes on until it is killed.
func TestIgnoresTerm(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		p := start(t, piped("trap '' TERM; echo ready; while read x; do echo $x; done"))
		if got := line(t, p.Stdout); got != "ready" {
			t.Errorf("%q", got)
		}
		if err := p.Terminate(); err != nil {
			t.Error(err)
		}
		say(t, p.Stdin, "alive\n")
		if got := line(t, p.Stdout); got != "alive" {
			t.Errorf("%q", got)
		}
		is(t, p.SignalGroup(unix.SIGTERM), errNoGroup)
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		_ = p.Wait()
		ended(t, p, -9)
		_ = p.Close()
	})
}

// TestKillGroup: it ends what the process has started, too.
func TestKillGroup(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		c := piped("(trap '' TERM; exec sleep 1000) & echo $!; read x")
		c.Group = true
		p := start(t, c)
		grandchild := number(t, p.Stdout)
		if err := p.KillGroup(); err != nil {
			t.Error(err)
		}
		if rest, err := io.ReadAll(p.Stdout); len(rest) != 0 || err != nil {
			t.Errorf("%q, %v", rest, err) // the grandchild held the pipe open
		}
		_ = p.Wait()
		ended(t, p, -9)
		gone(t, grandchild)
		is(t, p.KillGroup(), os.ErrProcessDone)
		_ = p.Close()
	})
}

// TestWaitDelay: others that hold the pipes of a process open do not hold up Wait
// and Communicate for longer than WaitDelay.
func TestWaitDelay(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		for code, script := range []string{"sleep 1000 & echo $!; exit 0", "sleep 1000 & echo $!; exit 1"} {
			check := func(out string, err error) {
				t.Helper()
				if exit, ok := errors.AsType[*exec.ExitError](err); ok != (code == 1) || ok && exit.ExitCode() != 1 {
					t.Error(err)
				}
				if code == 0 {
					is(t, err, exec.ErrWaitDelay)
				}
				var pid int
				if _, err := fmt.Sscan(out, &pid); err != nil {
					t.Error(err)
					return
				}
				_ = unix.Kill(pid, unix.SIGKILL)
				gone(t, pid)
			}
			c := sh(script)
			c.WaitDelay = 20 * time.Millisecond
			out, err := c.CombinedOutput()
			check(string(out), err)

			c = piped(script)
			c.WaitDelay = 20 * time.Millisecond
			p := start(t, c)
			out, _, err = p.Communicate(nil)
			check(string(out), err)
		}
	})
}

// TestRuntimeStops: a process that outlives the runtime of its task is waited for
// all the same.
func TestRuntimeStops(t *testing.T) {
	var p *Process
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Run(func() error {
		c := Command("cat")
		c.Stdin = r
		p = start(t, c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := rt.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	running(t, p)
	_, _ = r.Close(), w.Close()
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	childless(t)
}

// TestStartOnHub: there nothing may wait.
func TestStartOnHub(t *testing.T) {
	rt := runtimetest.New(t, 1)
	done := make(chan struct{})
	rt.Workers()[0].Post(func() {
		defer close(done)
		_, err := piped("exit").Start()
		is(t, err, runtime.ErrNotInTask)
	})
	<-done
	childless(t)
}

// TestParentDeath: a process with ParentDeath ends with the program, also when
// that is killed; one without does not.
func TestParentDeath(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		c := Command("/proc/self/exe")
		c.Env = append(os.Environ(), "WEFT_TEST_PARENT=1")
		c.Stdin, c.Stdout = Pipe, Pipe
		p := start(t, c)
		mortal, orphan := number(t, p.Stdout), number(t, p.Stdout)
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		_ = p.Wait()
		ended(t, p, -9)
		gone(t, mortal)
		if err := unix.Kill(orphan, unix.SIGKILL); err != nil {
			t.Errorf("the other process: %v", err)
		}
		gone(t, orphan)
		_ = p.Close()
	})
}

// TestParentDeathOfThread: the end of the thread on which Start was called is not
// the program's.
func TestParentDeathOfThread(t *testing.T) {
	started := make(chan *Process)
	var tid int
	var begin func()
	begin = func() {
		goruntime.LockOSThread() // for good: the thread ends with the goroutine
		if tid = unix.Gettid(); tid == os.Getpid() {
			// Go does not let the main thread end. While this goroutine has it, another
			// one gets another.
			other := make(chan struct{})
			go func() {
				defer close(other)
				begin()
			}()
			<-other
			goruntime.UnlockOSThread()
			return
		}
		c := piped("cat")
		c.ParentDeath = unix.SIGKILL
		p, err := c.Start()
		if err != nil {
			t.Error(err)
		}
		started <- p
	}
	go begin()
	p := <-started
	if p == nil {
		return
	}
	runtimetest.Eventually(t, "the end of the thread", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid))
		return err != nil
	})
	if out, _, err := p.Communicate([]byte("alive")); string(out) != "alive" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	childless(t)
}

// parentOfDeath is the program that is killed.
func parentOfDeath() {
	runtime.Main(func() {
		for _, signal := range []unix.Signal{unix.SIGKILL, 0} {
			c := Command("sleep", "1000")
			c.ParentDeath = signal
			c.Stdout = Null
			p, err := c.Start()
			if err != nil {
				panic(err)
			}
			fmt.Println(p.PID())
		}
		runtime.Sleep(time.Hour)
	})
}

// TestCommunicate: both outputs are read while the input is written, however much
// that is, and in whichever order the process treats them.
func TestCommunicate(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		big := []byte(strings.Repeat("0123456789abcdef", 1<<16))
		for _, script := range []string{"cat >&2; cat >&2; echo out", "head -c 1000000 /dev/zero >&2; cat; head -c 48576 /dev/zero >&2"} {
			p := start(t, piped(script))
			out, errs, err := p.Communicate(big)
			if len(out)+len(errs) < 1<<20 || len(errs) < 1<<20 || err != nil {
				t.Errorf("%s: %d, %d, %v", script, len(out), len(errs), err)
			}
		}
		// Without pipes it is Wait.
		p := start(t, sh("exit 2"))
		if out, errs, err := p.Communicate(nil); out != nil || errs != nil || err == nil {
			t.Errorf("%q, %q, %v", out, errs, err)
		}
		// One stream only.
		c := sh("cat; echo end")
		c.Stdout = Pipe
		if out, _, err := start(t, c).Communicate([]byte("ignored")); string(out) != "end\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// TestCommunicateInterrupted: a Communicate that is killed or times out leaves the
// process alone, leaves nobody behind, and the next one loses nothing.
func TestCommunicateInterrupted(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := piped("echo first; echo error >&2; read x <&3; cat; echo last")
		c.ExtraFiles = []*os.File{r}
		p := start(t, c)
		input := []byte(strings.Repeat("0123456789abcdef", 1<<16))
		tasks := runtime.Current() != nil
		for i := range 4 {
			if i%2 == 0 || !tasks {
				out, errs, err := p.CommunicateUntil(input, runtime.Now().Add(time.Millisecond))
				if is(t, err, runtime.ErrTimeout); out != nil || errs != nil {
					t.Errorf("%q, %q", out, errs)
				}
			} else {
				task := runtime.Spawn(func() {
					_, _, err := p.Communicate(input)
					is(t, err, runtime.ErrKilled)
				})
				runtimetest.Eventually(t, "a conversation", p.talk.busy.Load)
				task.Kill(nil)
				_ = task.Join()
			}
			running(t, p)
		}
		if _, err := w.WriteString("go on\n"); err != nil {
			t.Fatal(err)
		}
		out, errs, err := p.Communicate([]byte("not looked at"))
		if want := "first\n" + string(input) + "last\n"; string(out) != want || string(errs) != "error\n" || err != nil {
			t.Errorf("%d bytes, %q, %v", len(out), errs, err)
		}
		_, _ = r.Close(), w.Close()
	})
}

// TestCommunicateTwice: one at a time.
func TestCommunicateTwice(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		c := piped("read x <&3; cat")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.ExtraFiles = []*os.File{r}
		p := start(t, c)
		join := spawn(func() {
			if out, _, err := p.Communicate([]byte("text")); string(out) != "text" || err != nil {
				t.Errorf("%q, %v", out, err)
			}
		})
		runtimetest.Eventually(t, "a conversation", p.talk.busy.Load)
		if _, _, err := p.Communicate(nil); err == nil {
			t.Error("two at once")
		}
		_, _ = w.WriteString("\n")
		join()
		_, _ = r.Close(), w.Close()
	})
}
