package reactor

import (
	"sync"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// nested is an epoll descriptor inside the poll, for two kinds that netpoll
// would spin on. It holds
//
//   - writers whose peer has shut down its writing side. netpoll always asks for
//     RDHUP, which such a socket reports for ever. Here it is watched for OUT
//     alone, once per wait.
//   - datagrams. A refused one makes its socket report ERR without a hang-up until
//     someone takes the error by a read or write. Of that netpoll tells nobody,
//     and it looks, by a recvmsg, at the queue of errors that is the program's.
//
// # Datagrams
//
// Their descriptors are watched edge-triggered, so that nothing can spin: with a
// state
//
//	n     IN and, as always, ERR and HUP
//	nw    OUT as well
//
// and the transitions
//
//			event            off       n              nw
//			wait to read     ADD n     - or ready     - or ready
//			wait to write    ADD nw    MOD nw (1)     -
//			readable         -         wake or note   wake or note
//			writable         -         -              wake, or MOD n (2)
//			error, hang-up   -         both           both
//			move, close      -         DEL            DEL
//			reactor's end    -         wake, off      wake, off
//
//	 1. An epoll_ctl looks at the present state. So an event for writing that
//	    nobody waited for needs no note.
//	 2. A socket reports OUT after each datagram that is sent. Usually there is
//	    room, no writer ever waits, and nobody wants to hear of it.
//
// A readable event that finds no reader is noted in edge, and the next reader
// tries once more before it waits. An error wakes both: one of them gets it from
// the kernel, the other one finds nothing and waits again.
type nested struct {
	op *netpoll.FDOperator // immutable

	mu   sync.Mutex    // held for epoll_ctl too
	epfd int           // mu guards; valid while fds is not nil
	fds  map[int32]*FD // mu guards; nil after the end
}

// nestedWait watches fd, whose mu is held, for events.
func (r *Reactor) nestedWait(fd *FD, events uint32) error {
	n := r.nested
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fds == nil || r.ending.Load() {
		return ErrEnded
	}
	op := unix.EPOLL_CTL_ADD
	if fd.nested {
		op = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{Events: events, Fd: int32(fd.Sysfd)}
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
	n := r.nested
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fds != nil {
		delete(n.fds, int32(fd.Sysfd))
		_ = unix.EpollCtl(n.epfd, unix.EPOLL_CTL_DEL, fd.Sysfd, nil)
	}
}

func (r *Reactor) openNested() error {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	n := &nested{epfd: epfd, op: r.poll.Alloc(), fds: make(map[int32]*FD)}
	n.op.FD = epfd
	n.op.OnRead = func(netpoll.Poll) error {
		r.enter(n.op)
		// The tasks that ran may have sent to each other. To look again here saves
		// a round of the poll; others are to have their turn, though.
		for turn := 0; turn < 8 && !r.Closed() && n.dispatch(); turn++ {
			r.hub.Run(Event)
		}
		return nil
	}
	if err := r.poll.Control(n.op, netpoll.PollReadable); err != nil {
		_ = unix.Close(epfd)
		return err
	}
	r.nested = n
	return nil
}

// dispatch wakes those that can go on, and reports whether there was an event. It
// runs on the reactor's goroutine, which alone closes epfd.
func (n *nested) dispatch() bool {
	var events [64]unix.EpollEvent
	count, err := unix.EpollWait(n.epfd, events[:], 0)
	if err != nil {
		return false // EINTR: the event is still there, and comes again
	}
	for _, event := range events[:count] {
		n.mu.Lock()
		fd := n.fds[event.Fd]
		n.mu.Unlock()
		switch {
		case fd == nil: // closed meanwhile
		case fd.Datagrams:
			fd.onNested(event.Events)
		default:
			fd.Kick(Write)
		}
	}
	return count > 0
}

// closeNested ends the nested epoll with the reactor, and wakes who waits there.
func (r *Reactor) closeNested() {
	n := r.nested
	if n == nil { // abandoned by New
		return
	}
	n.mu.Lock()
	fds := n.fds
	n.fds = nil
	_ = unix.Close(n.epfd)
	n.mu.Unlock()
	for _, fd := range fds {
		if fd.Datagrams {
			fd.evictNested(r)
		} else {
			fd.Kick(Write)
		}
	}
}

// The events of the states n and nw.
const (
	eventsR  = unix.EPOLLIN | unix.EPOLLET
	eventsRW = eventsR | unix.EPOLLOUT
)

// armNested makes fd, of datagrams, report dir.
func (fd *FD) armNested(dir Direction) error {
	events, to := uint32(eventsR), nestedR
	switch {
	case fd.armed(dir):
		return nil
	case dir == Write:
		events, to = eventsRW, nestedRW
	}
	if err := fd.home.nestedWait(fd, events); err != nil {
		return err
	}
	fd.interest = to
	return nil
}

// onNested handles events of fd, of datagrams, on the home's goroutine. They may
// be those of a former descriptor of the number, or home: then somebody looks in
// vain.
func (fd *FD) onNested(events uint32) {
	const both = unix.EPOLLERR | unix.EPOLLHUP
	var woken [2]waiting
	fd.mu.Lock()
	if fd.nested && events&(both|unix.EPOLLIN) != 0 {
		woken[Read] = fd.take(Read)
		fd.edge = woken[Read].waker == nil
	}
	if fd.nested && events&(both|unix.EPOLLOUT) != 0 {
		woken[Write] = fd.take(Write)
		if fd.interest == nestedRW && woken[Write].waker == nil && fd.home.nestedWait(fd, eventsR) == nil {
			fd.interest = nestedR
		}
	}
	fd.mu.Unlock()
	wakeAll(woken)
}

// evictNested is the end of fd's registration in the nested epoll of r.
func (fd *FD) evictNested(r *Reactor) {
	var woken [2]waiting
	fd.mu.Lock()
	if fd.home == r && fd.nested {
		fd.nested, fd.interest, fd.edge = false, off, false
		woken = fd.takeBoth()
	}
	fd.mu.Unlock()
	wakeAll(woken)
}
