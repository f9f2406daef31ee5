package process

import (
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/process/internal/ring"
	"golang.org/x/sys/unix"
)

// A parcel is a message that waits for room.
type parcel struct {
	message []byte
	fds     []int           // closed when it was sent
	sender  *runtime.Waiter // who waits for that
	begun   bool
}

// post sends a message, or puts it into the backlog. It does not wait. The descriptors
// are closed when they were sent.
func (l *link) post(h header, fds []int, parts ...[]byte) {
	l.writing.Lock()
	defer l.writing.Unlock()
	switch {
	case l.closed:
		closeAll(fds)
	case len(fds) > 0 || !l.tryLocked(h, parts):
		l.queueLocked(&parcel{message: assemble(h, parts), fds: fds})
	}
}

// tryLocked sends a message if there is room. writing is held.
func (l *link) tryLocked(h header, parts [][]byte) bool {
	if l.owned {
		return false
	}
	n := headerSize
	for _, part := range parts {
		n += len(part)
	}
	if n > ring.Whole {
		return false
	}
	room, ok := l.out.TryReserve(n)
	if !ok {
		return false
	}
	h.put(room)
	room = room[headerSize:]
	for _, part := range parts {
		room = room[copy(room, part):]
	}
	_ = l.out.Commit() // if nobody reads, the end of file will tell
	return true
}

func assemble(h header, parts [][]byte) []byte {
	n := headerSize
	for _, part := range parts {
		n += len(part)
	}
	message := make([]byte, headerSize, n)
	h.put(message)
	for _, part := range parts {
		message = append(message, part...)
	}
	return message
}

// queueLocked puts p into the backlog, and sees to it that it gets on its way.
// writing is held.
func (l *link) queueLocked(p *parcel) {
	l.backlog = append(l.backlog, p)
	if !l.owned {
		l.owned = true
		runtime.Default().Spawn(l.flush)
	}
}

// flush is a task that sends the backlog, and then gives the ring back.
func (l *link) flush() {
	for {
		l.writing.Lock()
		if len(l.backlog) == 0 || l.closed {
			l.disownLocked()
			l.writing.Unlock()
			return
		}
		p := l.backlog[0]
		p.begun = true
		l.writing.Unlock()
		_ = l.out.Write(0, p.fds, p.message)
		closeAll(p.fds)
		l.writing.Lock()
		l.backlog[0] = nil
		l.backlog = l.backlog[1:]
		if p.sender != nil {
			p.sender.Ready()
		}
		l.writing.Unlock()
	}
}

// disownLocked gives the ring back. writing is held.
func (l *link) disownLocked() {
	l.owned = false
	if l.closed {
		l.out.Close()
		for _, p := range l.backlog {
			closeAll(p.fds)
			if p.sender != nil {
				p.sender.Ready()
			}
		}
		l.backlog = nil
	}
	l.wakeLocked()
}

// send sends a message, and waits while there is no room. The error is ErrGone, or
// that of an interrupt, and then nothing was sent; unless the message is longer than
// ring.Whole and was on its way.
func (l *link) send(deadline runtime.Instant, h header, parts ...[]byte) error {
	n := headerSize
	for _, part := range parts {
		n += len(part)
	}
	for {
		l.writing.Lock()
		switch {
		case l.closed || l.broken.Load():
			l.writing.Unlock()
			return ErrGone
		case n > ring.Whole:
			return l.sendLong(deadline, &parcel{message: assemble(h, parts)})
		case l.tryLocked(h, parts):
			l.writing.Unlock()
			return nil
		case l.owned:
			w := runtime.NewWaiter().External()
			l.waiting = append(l.waiting, w)
			l.writing.Unlock()
			if err := w.ParkUntil("room to send", deadline); err != nil {
				return err
			}
			continue
		}
		l.owned = true
		l.writing.Unlock()
		if err := l.waitRoom(n, deadline); err != nil {
			return err
		}
	}
}

// waitRoom waits for room, as the owner of the ring, which it gives back.
func (l *link) waitRoom(n int, deadline runtime.Instant) error {
	defer func() {
		l.writing.Lock()
		defer l.writing.Unlock()
		if len(l.backlog) > 0 && !l.closed {
			runtime.Default().Spawn(l.flush) // which owns it then
			return
		}
		l.disownLocked()
	}()
	err := l.out.WaitRoom(n, deadline)
	if err == unix.EPIPE || err == poll.ErrClosed {
		return ErrGone
	}
	return err
}

// sendLong queues p, and waits until it was sent. writing is held, and released.
func (l *link) sendLong(deadline runtime.Instant, p *parcel) error {
	w := runtime.NewWaiter().External()
	p.sender = &w
	l.queueLocked(p)
	l.writing.Unlock()
	err := w.ParkUntil("room to send", deadline)
	l.writing.Lock()
	defer l.writing.Unlock()
	if err == nil {
		if l.closed {
			return ErrGone
		}
		return nil
	}
	if !p.begun {
		for i, q := range l.backlog {
			if q == p {
				l.backlog = append(l.backlog[:i], l.backlog[i+1:]...)
				break
			}
		}
	}
	return err
}

// flushed waits until the backlog is empty. Its error is that of an interrupt.
func (l *link) flushed() error {
	for {
		l.writing.Lock()
		if len(l.backlog) == 0 || l.closed {
			l.writing.Unlock()
			return nil
		}
		w := runtime.NewWaiter().External()
		l.waiting = append(l.waiting, w)
		l.writing.Unlock()
		if err := w.Park("end of the backlog"); err != nil {
			return err
		}
	}
}

// wakeLocked wakes all that wait for the end of owned. writing is held.
func (l *link) wakeLocked() {
	for _, w := range l.waiting {
		w.Ready()
	}
	l.waiting = nil
}
