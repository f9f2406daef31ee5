package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

func TestResult(t *testing.T) {
	inTask(t, func() {
		p := ok(Start(double, 21))
		want(t, "result", ok(p.Result()), 42)
		want(t, "again", ok(p.Result()), 42)
		code, ended := p.ExitCode()
		want(t, "exit code", code, 0)
		want(t, "ended", ended, true)
		want(t, "alive", p.Alive(), false)
	})
}

// TestFromGoroutine: everything works from goroutines, too.
func TestFromGoroutine(t *testing.T) {
	p := ok(Start(double, 4))
	want(t, "result", ok(p.Result()), 8)
	inTask(t, func() {})
}

// TestExitCodes: as Python's: None before the end, n for exit(n), -signal.
func TestExitCodes(t *testing.T) {
	inTask(t, func() {
		for _, tt := range []struct {
			p    *Process
			code int
		}{
			{&ok(Start(exits, 7)).Process, 7},
			{&ok(Start(exits, 0)).Process, 0},
			{&ok(Start(killSelf, int(unix.SIGTERM))).Process, -15},
			{&ok(Start(killSelf, int(unix.SIGKILL))).Process, -9},
			{&ok(Start(fail, "x")).Process, exitError},
		} {
			check(t, tt.p.Join())
			code, ended := tt.p.ExitCode()
			want(t, "exit code", code, tt.code)
			want(t, "ended", ended, true)
		}
		p := ok(Start(exits, 3))
		_, err := p.Result()
		var died *WorkerDiedError
		if !errors.As(err, &died) || died.ExitCode != 3 || died.PID != p.PID() {
			t.Errorf("no result: %v", err)
		}
	})
}

func TestErrors(t *testing.T) {
	inTask(t, func() {
		_, err := ok(Start(fail, "text")).Result()
		var r *RemoteError
		if !errors.As(err, &r) || r.Text != "text: "+errKnown.Error() || r.Panic {
			t.Errorf("error: %#v", err)
		}
		wantErr(t, "a registered error", err, errKnown)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOENT) {
			t.Error("it is another error, too")
		}

		stderr := quiet(t)
		p := ok(Start(panics, "oh no"))
		_, err = p.Result()
		stderr()
		if !errors.As(err, &r) || !r.Panic || !strings.Contains(r.Text, "oh no") || !strings.Contains(r.Stack, "main_test.go") {
			t.Errorf("panic: %#v", err)
		}
		code, _ := p.ExitCode()
		want(t, "exit code", code, exitPanic)

		_, err = ok(Start(unencodable, struct{}{})).Result()
		if !errors.As(err, &r) || !strings.Contains(r.Text, "result of test unencodable result") {
			t.Errorf("a result that can't be encoded: %v", err)
		}
	})
}

// quiet sends standard error, which children inherit, nowhere.
func quiet(t *testing.T) (restore func()) {
	t.Helper()
	saved := ok(unix.FcntlInt(2, unix.F_DUPFD_CLOEXEC, 0))
	null := ok(os.OpenFile(os.DevNull, os.O_WRONLY, 0))
	check(t, unix.Dup2(int(null.Fd()), 2))
	_ = null.Close()
	return func() {
		check(t, unix.Dup2(saved, 2))
		_ = unix.Close(saved)
	}
}

func TestRemoteErrors(t *testing.T) {
	for _, known := range []error{os.ErrNotExist, runtime.ErrTimeout, ErrNotFound, unix.ENOSPC} {
		err := decodeError(encodeError(fmt.Errorf("wrapped: %w", known)))
		wantErr(t, "after encoding", err, known)
		want(t, "text", err.Error(), "wrapped: "+known.Error())
	}
	if err := decodeError([]byte("junk")); err == nil {
		t.Error("junk is no error")
	}
}

func TestStates(t *testing.T) {
	inTask(t, func() {
		p := New(waits, struct{}{}, Named("sleeper"))
		want(t, "name", p.Name(), "sleeper")
		want(t, "pid", p.PID(), 0)
		want(t, "alive", p.Alive(), false)
		wantErr(t, "join before start", p.Join(), ErrNotStarted)
		wantErr(t, "terminate before start", p.Terminate(), ErrNotStarted)
		check(t, p.Start())
		wantErr(t, "second start", p.Start(), ErrStarted)
		want(t, "alive", p.Alive(), true)
		want(t, "active", slices.Contains(Active(), &p.Process), true)
		wantErr(t, "close", p.Close(), ErrRunning)
		wantErr(t, "join with timeout", p.JoinUntil(soon()), runtime.ErrTimeout)
		if _, ended := p.ExitCode(); ended || !exists(p.PID()) {
			t.Error("it has ended")
		}
		check(t, p.Terminate())
		check(t, p.Join())
		want(t, "active", slices.Contains(Active(), &p.Process), false)
		check(t, p.Close())
		check(t, p.Kill()) // of an ended process: nothing
		code, _ := p.ExitCode()
		want(t, "exit code", code, -15)

		unstarted := New(double, 1)
		check(t, unstarted.Close())
		wantErr(t, "start after close", unstarted.Start(), ErrStarted)
	})
}

// TestKillBeatsHandler: Kill ends a process that ignores SIGTERM.
func TestKillBeatsHandler(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[int]()
		check(t, err)
		p := ok(Start(ignoresTerm, w))
		ok(r.Recv())
		check(t, p.Terminate())
		wantErr(t, "join", p.JoinUntil(soon()), runtime.ErrTimeout)
		check(t, p.Kill())
		check(t, p.Join())
		code, _ := p.ExitCode()
		want(t, "exit code", code, -9)
		check(t, r.Close())
	})
}

func TestIdentity(t *testing.T) {
	inTask(t, func() {
		got := ok(ok(Start(identity, struct{}{}, Named("n"), Daemon())).Result())
		want(t, "identity", got, fmt.Sprintln("n", true, true, os.Getpid(), true, true))
		want(t, "own name", Current().Name, "main")
		_, ok := CurrentParent()
		want(t, "own parent", ok, false)
	})
}

// TestWaitMany: processes are Waitables.
func TestWaitMany(t *testing.T) {
	inTask(t, func() {
		slow := ok(Start(waits, struct{}{}))
		fast := ok(Start(double, 1))
		ready := ok(runtime.Wait(1, 0, &slow.Process, &fast.Process))
		if len(ready) != 1 || ready[0] != &fast.Process {
			t.Errorf("ready: %v", ready)
		}
		check(t, slow.Kill())
		check(t, slow.Join())
	})
}

// TestKilledWaiter: a task that is killed while it waits leaves the process alone.
func TestKilledWaiter(t *testing.T) {
	inTask(t, func() {
		p := ok(Start(waits, struct{}{}))
		task := runtime.Async(func() (int, error) { return p.Result() })
		runtime.Yield()
		task.Kill(nil)
		_, err := task.Get()
		wantErr(t, "killed", err, runtime.ErrKilled)
		want(t, "alive", p.Alive(), true)
		check(t, p.Kill())
		check(t, p.Join())
	})
}

// TestUnencodableArgument: the caller is told, and no process is started.
func TestUnencodableArgument(t *testing.T) {
	inTask(t, func() {
		p, err := Start(takesAny, any(func() {}))
		var encode *EncodeError
		if !errors.As(err, &encode) {
			t.Errorf("got %v", err)
		}
		want(t, "pid", p.PID(), 0)
		want(t, "children", hasChildren(), false)
	})
}

var takesAny = Register("test any", func(any) (int, error) { return 0, nil })

// TestNotInitialised: without Init a program that would start itself again and again is
// told what to do.
func TestNotInitialised(t *testing.T) {
	self.ready = false
	defer func() { self.ready = true }()
	_, err := Start(double, 1)
	wantErr(t, "start", err, ErrNotInitialised)
}

func TestRegisterTwice(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "test double") {
			t.Errorf("panic %v", r)
		}
	}()
	Register("test double", func(int) (int, error) { return 0, nil })
}

// TestDescriptors: a child gets nothing but the standard files and its link.
func TestInheritsNothing(t *testing.T) {
	inTask(t, func() {
		f := ok(os.Open("/dev/zero"))
		defer func() { _ = f.Close() }()
		r, w, err := OneWay[int]()
		check(t, err)
		other := ok(Start(waits, struct{}{})) // whose link must not be inherited
		names := ok(ok(Start(openFiles, struct{}{})).Result())
		sockets := 0
		for _, name := range names {
			if strings.HasPrefix(name, "/dev/zero") {
				t.Errorf("inherited: %s", name)
			}
			if strings.HasPrefix(name, "socket:") {
				sockets++
			}
		}
		want(t, "sockets", sockets, 3) // of the link, and the one by which it watches its parent
		check(t, other.Kill())
		check(t, other.Join())
		_, _ = r.Close(), w.Close()
	})
}

// A family is a parent that starts a child and tells the numbers of both.
var family = Register("test family", func(a familyArgs) (int, error) {
	var options []Option
	if a.Daemon {
		options = append(options, Daemon())
	}
	p, err := Start(tellAndWait, a.Up, options...)
	if err != nil {
		return 0, err
	}
	if a.Exit {
		return p.PID(), nil
	}
	forever()
	return 0, nil
})

type familyArgs struct {
	Up           *Sender[int]
	Daemon, Exit bool
}

var tellAndWait = Register("test tell and wait", func(up *Sender[int]) (int, error) {
	if err := up.Send(os.Getpid()); err != nil {
		return 0, err
	}
	if !Current().Daemon {
		if parent, ok := CurrentParent(); ok {
			_, _ = runtime.Wait(1, 0, runtime.Waitable(parent))
			_ = up.Send(-1)
		}
		return 0, nil
	}
	// A daemon that is busy, on all its workers, dies as well.
	for range runtime.Default().Workers() {
		runtime.SpawnBalanced(func() {
			for {
				_ = syscall.Getpid()
			}
		})
	}
	_ = up.Send(0)
	forever()
	return 0, nil
})

// TestParentKilled: a daemon ends when its parent is killed with SIGKILL, also one that
// is busy. A process that is none learns of it.
func TestParentKilled(t *testing.T) {
	inTask(t, func() {
		for _, daemon := range []bool{true, false} {
			r, w, err := OneWay[int]()
			check(t, err)
			parent := ok(Start(family, familyArgs{Up: w, Daemon: daemon}))
			child := ok(r.Recv())
			if daemon {
				ok(r.Recv()) // it is busy
			}
			want(t, "child is there", exists(child), true)
			check(t, parent.Kill())
			check(t, parent.Join())
			if !daemon {
				want(t, "told of the parent's end", ok(r.Recv()), -1)
			}
			_, err = r.Recv()
			if err == nil {
				t.Error("the child goes on")
			}
			runtimetest.Eventually(t, "the child's end", func() bool { return !exists(child) })
			check(t, r.Close())
		}
	})
}

// TestParentExits: at its end a process kills its daemons and joins the others.
func TestParentExits(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[int]()
		check(t, err)
		parent := ok(Start(family, familyArgs{Up: w, Daemon: true, Exit: true}))
		child := ok(parent.Result())
		want(t, "child is there", exists(child), false)
		check(t, r.Close())

		p := ok(Start(startsDouble, false))
		want(t, "result", ok(p.Result()), 0)
	})
}

var startsDouble = Register("test starts", func(daemon bool) (int, error) {
	var options []Option
	if daemon {
		options = append(options, Daemon())
	}
	_, err := Start(double, 1, options...)
	return 0, err
})

// TestDaemonsChildren: a daemon may start daemons, which Python forbids, and nothing else.
func TestDaemonsChildren(t *testing.T) {
	inTask(t, func() {
		_, err := ok(Start(startsDouble, true, Daemon())).Result()
		check(t, err)
		_, err = ok(Start(startsDouble, false, Daemon())).Result()
		wantErr(t, "a daemon's child", err, ErrDaemon)
	})
}

// TestKilledWhileStarting: of processes that are killed right after their start nothing
// is left behind.
func TestKilledWhileStarting(t *testing.T) {
	inTask(t, func() {
		for i := range 10 {
			p := ok(Start(double, i))
			runtime.Sleep(time.Duration(i) * 200 * time.Microsecond)
			check(t, p.Signal(syscall.SIGKILL))
			check(t, p.Join())
		}
	})
}
