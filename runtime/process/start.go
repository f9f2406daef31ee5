package process

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/process/internal/codec"
	"golang.org/x/sys/unix"
)

type baggage = codec.Baggage

// marker is the environment variable by which a child knows that it is one: the numbers
// of the descriptors of its link, and how many processors it is to use, 0 for all.
const marker = "WEFT_PROCESS_LINK"

// Start starts the process: it runs this program again, with the same arguments, whose
// main function calls Main or Init, and that calls the function. Standard input is empty
// for it, standard output and error are the caller's; no other descriptor is inherited.
// Pipe ends in the argument move to the process.
//
// The error is ErrStarted for a second call, ErrNotInitialised, ErrDaemon, an
// *EncodeError for an argument that can't be encoded, or of the system. Start parks for
// the time of a fork and exec.
func (p *Process) Start() error {
	switch {
	case !self.ready:
		return ErrNotInitialised
	case self.daemon && !p.daemon:
		return ErrDaemon
	case !p.state.CompareAndSwap(stateNew, stateStarting):
		return ErrStarted
	}
	arg, bag, err := p.encode()
	if err == nil {
		err = p.launch(arg, bag)
	}
	if err != nil {
		p.state.Store(stateNew)
	}
	return err
}

func (p *Process) launch(arg []byte, bag *baggage) error {
	ours, theirs, err := newLinkFiles()
	if err != nil {
		closeAll(bag.Descriptors)
		return err
	}
	id := newProcessID()
	begin := beginning{
		Parent: self.id, PID: self.pid, Self: id,
		Name: p.name, Daemon: p.daemon, Calm: p.calm, Func: p.fn, Arg: arg,
	}
	body, err := beginnings.Append(nil, begin)
	if err == nil {
		// Shielded: a process must not be lost.
		offloadErr := runtime.OffloadShielded(func() { p.pid, err = spawn(theirs, p.procs, &p.pidfd) })
		if err == nil {
			err = offloadErr
		}
	}
	theirs.close()
	if err == nil {
		p.link, err = openLink(id, ours)
		if err != nil { // it has no parent to listen to, and ends
			_ = p.pidfd.RawControl(func(fd uintptr) { _ = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
			runtime.Default().Spawn(func() { p.reap() })
		}
	} else {
		ours.close()
	}
	if err != nil {
		closeAll(bag.Descriptors)
		return err
	}
	p.link.calm.Store(p.calm)
	p.list(true)
	c := &call{then: p.setResult}
	if p.link.calls.add(c) {
		p.link.post(header{kind: kindRequest, code: byte(rootRun), obj: rootID, id: c.id}, bag.Descriptors, body)
	} else {
		closeAll(bag.Descriptors)
	}
	for _, sent := range bag.Sent {
		sent()
	}
	p.state.Store(stateRunning)
	runtime.Default().Spawn(p.watch)
	return nil
}

func (p *Process) setResult(r reply) {
	if err := r.gone(); err != nil {
		p.result.Fail(err)
	} else if err := r.err(); err != nil {
		p.result.Fail(err)
	} else {
		p.result.Set(r.body)
	}
}

// spawn forks and executes this program, which gets one side of a link.
func spawn(f linkFiles, procs int, pidfd **poll.FD) (pid int, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer func() { _ = null.Close() }()
	files := []uintptr{null.Fd(), 1, 2}
	var numbers []string
	for _, fd := range f.list() {
		numbers = append(numbers, strconv.Itoa(len(files)))
		files = append(files, uintptr(fd))
	}
	number := -1
	attr := &syscall.ProcAttr{
		Env:   append(os.Environ(), marker+"="+strings.Join(numbers, ",")+":"+strconv.Itoa(procs)),
		Files: files,
		Sys:   &syscall.SysProcAttr{PidFD: &number},
	}
	// The link to the program, not its path: the file may have been replaced since.
	pid, _, err = syscall.StartProcess("/proc/self/exe", os.Args, attr)
	if err != nil {
		return 0, &os.PathError{Op: "start", Path: "/proc/self/exe", Err: err}
	}
	if number < 0 {
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil)
		return 0, os.NewSyscallError("pidfd_open", unix.ENOSYS) // before Linux 5.4
	}
	*pidfd = poll.New(number, false)
	return pid, nil
}

// watch is a task that waits for the end of the process.
func (p *Process) watch() {
	p.reap()
	// The link ends with the process. What it has said before is heard first.
	if err := p.link.over.Wait(); err != nil {
		p.link.hangup()
	}
	p.list(false)
	p.ended.Set()
}

// reap waits for the end of the process and takes its status: no zombie is left.
func (p *Process) reap() {
	defer func() { _ = p.pidfd.Close() }()
	var status unix.WaitStatus
	var reaped int
	var err error
	waitErr := p.pidfd.RawRead(func(uintptr) bool {
		// Nobody else waits for this process, so its number is still its own.
		for {
			reaped, err = unix.Wait4(p.pid, &status, unix.WNOHANG, nil)
			if err != unix.EINTR {
				return reaped != 0 || err != nil
			}
		}
	})
	switch {
	case waitErr != nil || err != nil:
		p.exit.unknown = true
	case status.Signaled():
		p.exit.code = -int(status.Signal())
	default:
		p.exit.code = status.ExitStatus()
	}
}
