package subprocess

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"golang.org/x/sys/unix"
)

// conversation is what Communicate keeps from one call to the next. Whoever has
// set busy owns it.
type conversation struct {
	busy     atomic.Bool
	begun    bool
	input    []byte // what is left of it
	out, err bytes.Buffer
}

// Communicate writes input to the process's Stdin, closes that, reads Stdout and
// Stderr to their end, all at once, so that neither side waits for the other, and
// waits for the process. Streams that are no Pipe are left out. It returns the
// output and what Wait returns. A process that does not read all its input is no
// error. The streams are closed after that.
//
// It parks a task and blocks a goroutine. A kill or timeout of the task ends it
// with that error; neither the process nor its output is lost, which another
// Communicate goes on to read. Its input is not looked at then.
//
// One Communicate is called at a time, and nobody else uses the streams.
func (p *Process) Communicate(input []byte) (stdout, stderr []byte, err error) {
	return p.CommunicateUntil(input, 0)
}

// CommunicateUntil is Communicate that gives up at deadline with
// runtime.ErrTimeout. The zero deadline means none.
func (p *Process) CommunicateUntil(input []byte, deadline runtime.Instant) (stdout, stderr []byte, err error) {
	t := &p.talk
	if !t.busy.CompareAndSwap(false, true) {
		return nil, nil, errors.New("subprocess: another Communicate is under way")
	}
	defer t.busy.Store(false)
	if !t.begun {
		t.begun, t.input = true, input
	}
	err = p.exchange(deadline)
	late := err == exec.ErrWaitDelay
	if err != nil && !late {
		return nil, nil, err
	}
	_ = p.Close()
	if err = p.WaitUntil(deadline); err == nil && late {
		err = exec.ErrWaitDelay
	}
	if !p.finished.IsSet() {
		return nil, nil, err
	}
	return t.out.Bytes(), t.err.Bytes(), err
}

// exchange transfers data until there is no more. When it is interrupted it leaves
// the rest for the next call, and nobody behind.
func (p *Process) exchange(deadline runtime.Instant) error {
	t := &p.talk
	var transfers []func()
	if p.Stdin != nil {
		transfers = append(transfers, p.feed)
	}
	if p.Stdout != nil {
		transfers = append(transfers, func() { collect(&t.out, p.Stdout) })
	}
	if p.Stderr != nil {
		transfers = append(transfers, func() { collect(&t.err, p.Stderr) })
	}
	if len(transfers) == 0 {
		return nil
	}
	var under tally
	under.begin(len(transfers))
	for _, fn := range transfers {
		beside(func() { defer under.done(); fn() })
	}
	defer func() {
		if !under.over.IsSet() {
			p.setDeadlines(time.Unix(1, 0))
			awaitShielded(&under.over)
			p.setDeadlines(time.Time{})
		}
	}()
	if p.waitDelay == 0 {
		return under.over.WaitUntil(deadline)
	}
	if first, err := runtime.Wait(1, deadline, &under.over, &p.exited); err != nil || len(first) == 0 {
		return timeout(err)
	}
	limit, late := runtime.Now().Add(p.waitDelay), exec.ErrWaitDelay
	if deadline != 0 && deadline < limit {
		limit, late = deadline, runtime.ErrTimeout
	}
	if err := under.over.WaitUntil(limit); err != runtime.ErrTimeout {
		return err
	}
	return late
}

// timeout is the error of a runtime.Wait that found nothing.
func timeout(err error) error {
	if err == nil {
		return runtime.ErrTimeout
	}
	return err
}

// feed writes the input, and closes the stream unless it was interrupted.
func (p *Process) feed() {
	t := &p.talk
	n, err := p.Stdin.Write(t.input)
	t.input = t.input[n:]
	if err == nil || errors.Is(err, unix.EPIPE) {
		t.input = nil
		_ = p.Stdin.Close()
	}
}

// collect reads a stream to its end, or until it is interrupted.
func collect(to *bytes.Buffer, from io.Reader) { _, _ = to.ReadFrom(from) }

func (p *Process) setDeadlines(when time.Time) {
	for _, s := range []*Stream{p.Stdin, p.Stdout, p.Stderr} {
		if s != nil {
			_ = s.SetDeadline(when)
		}
	}
}

// awaitShielded waits for e, which is about to be set, whatever happens.
func awaitShielded(e *event.Event) {
	w := runtime.NewWaiter().Shielded()
	e.OnReady(func() { w.Ready() })
	_ = w.Park("end of transfers")
}
