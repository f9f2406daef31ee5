package reactor

import (
	"sync"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// nested is an epoll descriptor inside the poll, for writers whose peer has
// shut down its writing side. netpoll always asks for RDHUP, which such a
// socket reports for ever, so it can't be waited for there without spinning;
// here it is watched for OUT alone, once per wait.
type nested struct {
	op *netpoll.FDOperator // immutable

	mu   sync.Mutex    // held for epoll_ctl too
	epfd int           // mu guards; valid while fds is not nil
	fds  map[int32]*FD // mu guards; nil after the end
}

// nestedWait registers the writer of fd, whose mu is held.
func (r *Reactor) nestedWait(fd *FD) error {
	n, err := r.openNested()
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fds == nil {
		return ErrEnded
	}
	op := unix.EPOLL_CTL_ADD
	if fd.nested {
		op = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: int32(fd.Sysfd)}
	if err := unix.EpollCtl(n.epfd, op, fd.Sysfd, &event); err != nil {
		return err
	}
	n.fds[int32(fd.Sysfd)] = fd
	fd.nested = true
	return nil
}

// nestedRemove forgets fd, whose mu is held.
func (r *Reactor) nestedRemove(fd *FD) {
	fd.nested = false
	r.mu.Lock()
	n := r.nested
	r.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fds != nil {
		delete(n.fds, int32(fd.Sysfd))
		_ = unix.EpollCtl(n.epfd, unix.EPOLL_CTL_DEL, fd.Sysfd, nil)
	}
}

func (r *Reactor) openNested() (*nested, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending.Load() {
		return nil, ErrEnded
	}
	if r.nested != nil {
		return r.nested, nil
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	n := &nested{epfd: epfd, op: r.poll.Alloc(), fds: make(map[int32]*FD)}
	n.op.FD = epfd
	n.op.OnRead = func(netpoll.Poll) error {
		r.enter(n.op)
		n.dispatch()
		r.hub.Run(Event)
		return nil
	}
	if err := n.op.Control(netpoll.PollReadable); err != nil {
		r.retired = append(r.retired, n.op)
		r.garbage.Store(true)
		_ = unix.Close(epfd)
		return nil, err
	}
	r.nested = n
	return n, nil
}

// dispatch wakes the writers that can go on. It runs on the reactor's
// goroutine, which alone closes epfd.
func (n *nested) dispatch() {
	var events [64]unix.EpollEvent
	count, err := unix.EpollWait(n.epfd, events[:], 0)
	if err != nil {
		return // EINTR: the event is still there, and comes again
	}
	for _, event := range events[:count] {
		n.mu.Lock()
		fd := n.fds[event.Fd]
		n.mu.Unlock()
		if fd == nil {
			continue // closed meanwhile
		}
		fd.Kick(Write)
	}
}

// closeNested ends the nested epoll with the reactor, and wakes who waits there.
func (r *Reactor) closeNested() {
	r.mu.Lock()
	n := r.nested
	r.mu.Unlock()
	if n == nil {
		return
	}
	n.mu.Lock()
	fds := n.fds
	n.fds = nil
	_ = unix.Close(n.epfd)
	n.mu.Unlock()
	for _, fd := range fds {
		fd.Kick(Write)
	}
}
