package reactor

import (
	"encoding/binary"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// openWake makes the eventfd by which other threads wake this worker.
//
// It is used the other way round than usual: a semaphore eventfd that starts
// almost full, watched for writability, edge-triggered (netpoll.PollWritable).
// A read of 8 bytes takes one from the counter and by that raises an EPOLLOUT
// edge. So a wake is one system call on the waking side and none on the woken
// one, where the usual write needs a read to silence the level-triggered
// event. 2^62 wakes do not happen.
func (r *Reactor) openWake() error {
	fd, err := unix.Eventfd(0, unix.EFD_SEMAPHORE|unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return err
	}
	var full [8]byte
	binary.NativeEndian.PutUint64(full[:], 1<<62)
	if _, err := unix.Write(fd, full[:]); err != nil {
		_ = unix.Close(fd)
		return err
	}
	op := r.poll.Alloc()
	op.FD = fd
	op.OnRead = func(netpoll.Poll) error { return nil } // never asked for
	op.OnWrite = func(netpoll.Poll) error {
		r.enter(op)
		r.hub.Run(Woken)
		return nil
	}
	if err := r.poll.Control(op, netpoll.PollWritable); err != nil {
		_ = unix.Close(fd)
		return err
	}
	r.wake = source{fd: fd, op: op}
	return nil
}

// Wake makes Run call Hub.Run soon, if need be by ending epoll_wait. It may
// be called from any goroutine and costs one system call, so the scheduler
// calls it only for a worker that sleeps.
func (r *Reactor) Wake() {
	// The lock keeps the descriptor's number from being closed, and reused,
	// under a late waker.
	r.wakeMu.Lock()
	defer r.wakeMu.Unlock()
	if r.closed.Load() {
		return
	}
	r.wakes.Add(1)
	var one [8]byte
	for {
		_, err := unix.Read(r.wake.fd, one[:])
		if err != unix.EINTR {
			return
		}
	}
}
