package reactor

import (
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// openTimer makes the timerfd on which all of a worker's timers share one
// expiry. Its event is level-triggered, and setting the timer anew clears it,
// so it is never read: see SetTimer.
func (r *Reactor) openTimer() error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	op := r.poll.Alloc()
	op.FD = fd
	op.OnRead = func(netpoll.Poll) error {
		r.enter(op)
		r.hub.Run(Expired)
		return nil
	}
	if err := r.poll.Control(op, netpoll.PollReadable); err != nil {
		_ = unix.Close(fd)
		return err
	}
	r.timer = source{fd: fd, op: op}
	return nil
}

// SetTimer makes Hub.Run(Expired) be called once, d from now (at once if d <= 0), and
// replaces what was set before. Worker-only. Run(Expired) must call it, or StopTimer:
// that clears the event.
func (r *Reactor) SetTimer(d time.Duration) {
	if d <= 0 {
		d = 1
	}
	r.settime(unix.NsecToTimespec(int64(d)))
}

// StopTimer disarms the timer. Worker-only.
func (r *Reactor) StopTimer() { r.settime(unix.Timespec{}) }

func (r *Reactor) settime(value unix.Timespec) {
	spec := unix.ItimerSpec{Value: value}
	// It fails on a bad descriptor or value only: both are ours.
	if err := unix.TimerfdSettime(r.timer.fd, 0, &spec, nil); err != nil && !r.closed.Load() {
		panic("reactor: timerfd_settime: " + err.Error())
	}
}

func (r *Reactor) closeSources() {
	r.wakeMu.Lock()
	defer r.wakeMu.Unlock()
	r.closed.Store(true)
	for _, s := range []source{r.wake, r.timer} {
		if s.op != nil {
			_ = unix.Close(s.fd)
		}
	}
}
