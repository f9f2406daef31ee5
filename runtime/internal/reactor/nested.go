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
	epfd int
	op   *netpoll.FDOperator

	mu  sync.Mutex
	fds map[int32]*FD // mu guards
}

// nestedWait registers the writer of fd, whose mu is held.
func (r *Reactor) nestedWait(fd *FD) error {
	n, err := r.openNested()
	if err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: int32(fd.sysfd)}
	if fd.nested {
		return unix.EpollCtl(n.epfd, unix.EPOLL_CTL_MOD, fd.sysfd, &event)
	}
	n.mu.Lock()
	n.fds[int32(fd.sysfd)] = fd
	n.mu.Unlock()
	if err := unix.EpollCtl(n.epfd, unix.EPOLL_CTL_ADD, fd.sysfd, &event); err != nil {
		n.mu.Lock()
		delete(n.fds, int32(fd.sysfd))
		n.mu.Unlock()
		return err
	}
	fd.nested = true
	return nil
}

// nestedRemove forgets fd, whose mu is held.
func (r *Reactor) nestedRemove(fd *FD) {
	r.mu.Lock()
	n := r.nested
	r.mu.Unlock()
	if n != nil {
		n.mu.Lock()
		delete(n.fds, int32(fd.sysfd))
		n.mu.Unlock()
		_ = unix.EpollCtl(n.epfd, unix.EPOLL_CTL_DEL, fd.sysfd, nil)
	}
	fd.nested = false
}

func (r *Reactor) openNested() (*nested, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
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
	if err := r.poll.Control(n.op, netpoll.PollReadable); err != nil {
		_ = unix.Close(epfd)
		return nil, err
	}
	r.nested = n
	return n, nil
}

// dispatch wakes the writers that can go on.
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
		fd.mu.Lock()
		w := fd.take(Write)
		fd.mu.Unlock()
		if w.waker != nil {
			w.waker.Wake(w.gen)
		}
	}
}

func (r *Reactor) closeNested() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nested != nil {
		_ = unix.Close(r.nested.epfd)
	}
}
