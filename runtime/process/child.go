package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// inherited are the descriptors of the link to the parent, if this is a child.
var inherited []int

// init takes what the parent has left in the environment out of it, before anybody else
// can pass it on.
func init() {
	list, ok := os.LookupEnv(marker)
	if !ok {
		return
	}
	_ = os.Unsetenv(marker)
	list, procs, _ := strings.Cut(list, ":")
	if n, err := strconv.Atoi(procs); err == nil && n > 0 {
		goruntime.GOMAXPROCS(n)
	}
	for _, number := range strings.Split(list, ",") {
		fd, err := strconv.Atoi(number)
		if err == nil {
			_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC)
		}
		if err != nil {
			inherited = nil
			break
		}
		inherited = append(inherited, fd)
	}
	if len(inherited) != 4 {
		fmt.Fprintf(os.Stderr, "process: %s is set, but not by a parent\n", marker)
		os.Exit(exitError)
	}
}

// The exit statuses of a child.
const (
	exitOK = iota
	exitError
	exitPanic
)

// Init makes the program able to start processes, and to be one: in a child it calls the
// function for which that was started, and ends the process; it does not return. Call it
// first of all in main, before flags are parsed and anything is opened, and in TestMain.
// Main calls it. In a process that is no child it returns at once; a second call does
// nothing.
//
// A program that calls Init and not Main calls Shutdown at its end.
func Init() {
	if self.ready {
		return
	}
	self.ready = true
	if inherited != nil {
		os.Exit(runChild())
	}
}

// Main is Init and runtime.Main: it runs fn as a task of the Default runtime. When fn has
// returned it waits for the processes that are left and are no daemons, and kills the
// daemons.
func Main(fn func()) {
	Init()
	runtime.Main(func() {
		defer killDaemons() // also when fn panics
		fn()
		Shutdown()
	})
}

// Shutdown kills the daemons among the processes that this one has started, waits for all
// of them, and gives up what this package has opened. Main calls it.
func Shutdown() {
	killDaemons()
	for _, p := range Active() {
		_ = p.Join()
	}
	stopListening()
	for _, l := range links.list() {
		l.hangup()
		_ = l.over.Wait()
	}
}

func killDaemons() {
	for _, p := range Active() {
		if p.daemon {
			_ = p.Kill()
		}
	}
}

func (t *linkTable) list() []*link {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*link, 0, len(t.all))
	for l := range t.all {
		all = append(all, l)
	}
	return all
}

// runChild is the life of a child. It returns the exit status.
func runChild() int {
	self.child = true
	files := linkFilesOf(inherited)
	watched, err := unix.FcntlInt(uintptr(files.in.Socket), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return exitError
	}
	code := exitError
	err = runtime.Default().Run(func() error {
		l, err := openLink(processID{}, files)
		if err != nil {
			return err
		}
		begin, err := beginningOf(l)
		if err != nil {
			return err
		}
		self.name, self.daemon, self.parent = begin.Name, begin.Daemon, begin.PID
		links.rename(l, begin.Parent)
		l.calm.Store(begin.Calm)
		go watchParent(watched)
		code = begin.run(l)
		return nil
	})
	if err != nil && !errors.Is(err, ErrGone) {
		fmt.Fprintln(os.Stderr, "process:", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	_ = runtime.Default().Stop(ctx)
	return code
}

// stopGrace is how long a child waits for the tasks that its function has left behind,
// which are killed.
const stopGrace = 10 * time.Second

// beginningOf waits for what the parent has to say.
func beginningOf(l *link) (*beginning, error) {
	cancel := l.over.OnReady(func() { root.begin.Fail(ErrGone) })
	defer cancel()
	return root.begin.Get()
}

// rename gives a link its peer.
func (t *linkTable) rename(l *link, peer processID) {
	t.remove(l)
	l.peer = peer
	t.add(l)
}

// watchParent waits until the parent has gone, however it did: then the kernel closes its
// end of the socket. It runs on a thread of its own, so that a daemon ends even when all
// its workers are busy. (PR_SET_PDEATHSIG won't do: it tells of the end of the thread that
// forked, and Go's threads come and go.)
func watchParent(fd int) {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, -1)
		if n > 0 || err != nil && err != unix.EINTR && err != unix.EAGAIN {
			break
		}
	}
	if self.daemon {
		_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
	}
	_ = unix.Close(fd)
	self.orphan.Set()
}

// run calls the function, tells the parent of the result, and waits for the process's own
// children.
func (b *beginning) run(l *link) int {
	f, err := functionOf(b.Func)
	var result []byte
	if err == nil {
		result, err = f.call(b.Arg, &baggage{Descriptors: b.descriptors})
	} else {
		closeAll(b.descriptors)
	}
	code := exitOK
	if err != nil {
		code = exitError
		var panicked *runtime.PanicError
		if errors.As(err, &panicked) {
			code = exitPanic
			fmt.Fprintf(os.Stderr, "process %s: panic: %v\n%s", b.Name, panicked.Value, panicked.Stack)
		}
		b.answer.reply(statusFailed, encodeError(err))
	} else {
		b.answer.reply(statusOK, result)
	}
	_ = l.flushed()
	killDaemons()
	for _, p := range Active() {
		_ = p.Join()
	}
	return code
}
