package process

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/poll"
	"github.com/weft-go/weft/runtime/process/internal/ring"
	"golang.org/x/sys/unix"
)

// A link is the connection of this process with another one: a ring each way. Either
// side asks the other to do something with an object that it owns, and answers.
//
// Who takes messages in: a task of the link, which sleeps until the other side rings;
// or one who waits for a reply, and looks for a moment itself, which saves both sides
// the bell when the reply comes soon.
//
// Who sends: whoever has something to say. While a message waits for room the ring
// is owned by one who waits for that too, and others queue. Replies are never waited
// for, they go to the backlog then; so an owner is not held up by a client that does not
// listen.
type link struct {
	// immutable
	peer   processID
	client client
	over   event.Event // the other side has gone and all that it said was heard

	calls calls
	spin  ring.Spinner

	// The words of the rings' memory are for leases: of what this side lends, and of
	// what it has borrowed. The borrower gives words out; the first is for jobs.
	lending, borrowing *ring.Page
	words              atomic.Int32

	// reading is held by who takes messages in, for a few microseconds, and never
	// across a wait.
	reading sync.Mutex
	in      *ring.Reader // reading guards
	worker  int          // the index of the link's task's; set before in is read

	writing sync.Mutex   // held for a few instructions, and the copy of a message
	out     *ring.Writer // writing guards, or who set owned has it
	owned   bool         // writing guards this and the rest
	backlog []*parcel
	waiting []runtime.Waiter // for the end of owned
	closed  bool             // the rings are unmapped

	broken atomic.Bool // a message made no sense
	calm   atomic.Bool // the processor is needed elsewhere: the task sleeps at once
}

// A parcel is a message that waits for room.
type parcel struct {
	message []byte
	fds     []int           // closed when it was sent
	sender  *runtime.Waiter // who waits for that
	begun   bool
}

// linkFiles are what one side of a link is made of.
type linkFiles struct{ in, out ring.Files }

func (f linkFiles) list() []int {
	return []int{f.in.Memory, f.in.Socket, f.out.Memory, f.out.Socket}
}

func (f linkFiles) close() { f.in.Close(); f.out.Close() }

func linkFilesOf(fds []int) linkFiles {
	return linkFiles{in: ring.Files{Memory: fds[0], Socket: fds[1]}, out: ring.Files{Memory: fds[2], Socket: fds[3]}}
}

// newLinkFiles returns both sides of a new link.
func newLinkFiles() (ours, theirs linkFiles, err error) {
	ours.in, theirs.out, err = ring.New()
	if err != nil {
		return
	}
	theirs.in, ours.out, err = ring.New()
	if err != nil {
		ours.in.Close()
		theirs.out.Close()
	}
	return
}

// openLink takes over the descriptors, and starts the link's task.
func openLink(peer processID, f linkFiles) (*link, error) {
	in, err := ring.OpenReader(f.in)
	if err != nil {
		f.close()
		return nil, err
	}
	out, err := ring.OpenWriter(f.out)
	if err != nil {
		in.Hangup()
		in.Close()
		f.out.Close()
		return nil, err
	}
	l := &link{peer: peer, in: in, out: out, lending: out.Page(), borrowing: in.Page()}
	l.client.link = l
	links.add(l)
	// The task is of the Default runtime, whoever asks: it lives longer than the
	// caller.
	runtime.Default().Spawn(l.run)
	return l, nil
}

const (
	kindRequest = iota + 1
	kindOneWay  // a request without a reply
	kindReply
	kindCancel // the sender of a request no longer waits
	kindNotice // to the users of an object: a queue was closed
)

// A header is the beginning of each message.
type header struct {
	kind byte
	code byte // op or status
	obj  uint64
	id   uint64
}

const headerSize = 24

func (h header) put(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(h.kind)|uint64(h.code)<<8)
	binary.LittleEndian.PutUint64(b[8:], h.obj)
	binary.LittleEndian.PutUint64(b[16:], h.id)
}

func headerOf(b []byte) header {
	return header{kind: b[0], code: b[1], obj: binary.LittleEndian.Uint64(b[8:]), id: binary.LittleEndian.Uint64(b[16:])}
}

// elsewhere returns a worker on which the link's task does not run, if there is one: what
// holds that up must not hold up the link.
func (l *link) elsewhere() *runtime.Worker {
	ws := runtime.Default().Workers()
	return ws[(l.worker+1)%len(ws)]
}

// run is the link's task.
func (l *link) run() {
	l.worker = runtime.CurrentWorker().Index()
	for {
		more, err := l.takeIn()
		if err != nil {
			break
		}
		if more {
			ring.Turn()
			continue
		}
		if !l.calm.Load() && l.spin.Until(l.ready) || !l.arm() {
			continue
		}
		gone, err := l.in.Sleep(0)
		if err != nil || gone {
			for more := true; more && err == nil; {
				more, err = l.takeIn()
			}
			break
		}
	}
	l.end()
}

// ready reports whether there is a message that nobody is about to take in.
func (l *link) ready() bool {
	if !l.reading.TryLock() {
		return false
	}
	defer l.reading.Unlock()
	return l.in.Ready()
}

// arm makes the other side ring. It reports false if there is a message.
func (l *link) arm() bool {
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.in.Arm()
}

// As many messages, or bytes, are taken in at once: what is taken in is used next, while the
// processor's cache has it.
const (
	turnLength = 256
	turnBytes  = 128 << 10
)

// takeIn takes in what is there, and reports whether there may be more.
func (l *link) takeIn() (more bool, err error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.takeInLocked(nil)
}

// takeInLocked is takeIn that stops when until, if it isn't nil, reports true. reading is
// held.
func (l *link) takeInLocked(until func() bool) (more bool, err error) {
	if l.in == nil {
		return false, ErrGone
	}
	for n, bytes := 0, 0; n < turnLength && bytes < turnBytes; n++ {
		message, ok, err := l.in.TryNext()
		if err == nil && ok {
			bytes += len(message)
			err = l.handle(message)
		}
		if err != nil {
			l.broken.Store(true)
			l.in.Cut() // which wakes the link's task
			return false, err
		}
		if !ok {
			return false, nil
		}
		if until != nil && bytes > turnBytes/2 && until() {
			break
		}
	}
	return true, nil
}

// handle deals with one message, which is valid until it returns. It does not wait.
func (l *link) handle(message []byte) error {
	fds, err := l.in.Descriptors()
	if err != nil {
		return err
	}
	if len(message) < headerSize {
		return ring.ErrCorrupt
	}
	h, body := headerOf(message), message[headerSize:]
	switch h.kind {
	case kindReply:
		c := l.calls.take(h.id, status(h.code) == statusMore)
		if c == nil {
			closeAll(fds)
			return nil
		}
		if !l.in.Own() {
			body = append(c.into[:0], body...)
		}
		c.complete(reply{status: status(h.code), body: body, fds: fds})
	case kindRequest, kindOneWay:
		if links.busy.Load() != l {
			links.busy.Store(l)
		}
		r := &request{from: &l.client, id: h.id, op: op(h.code), body: body, fds: fds, oneWay: h.kind == kindOneWay}
		objects.serve(h.obj, r)
		closeAll(r.fds)
	case kindCancel:
		objects.cancel(h.obj, &l.client, h.id)
		closeAll(fds)
	case kindNotice:
		noteClosed(address{process: l.peer, object: h.obj})
		closeAll(fds)
	default:
		return ring.ErrCorrupt
	}
	return nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// end is called once, by the link's task, when the other side has gone.
func (l *link) end() {
	links.remove(l)
	l.reading.Lock()
	in := l.in
	l.in = nil
	l.reading.Unlock()
	in.Hangup()
	in.Close()

	l.writing.Lock()
	l.closed = true
	owned := l.owned
	l.wakeLocked()
	l.writing.Unlock()
	l.out.Hangup() // which ends the wait of an owner
	if !owned {
		l.out.Close()
	}

	l.calls.end()
	l.client.dead.Store(true)
	objects.gone(&l.client)
	l.over.Set()
}

// hangup ends the link from this side.
func (l *link) hangup() {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.in != nil {
		l.in.Cut()
	}
}

// catchUp takes in all that the other side had said when it was called.
func (l *link) catchUp() {
	for first, mark := true, uint64(0); ; first = false {
		l.reading.Lock()
		if first && l.in != nil {
			mark = l.in.Written()
		}
		if l.in == nil || l.in.Position() >= mark {
			l.reading.Unlock()
			return
		}
		_, err := l.takeInLocked(nil)
		l.reading.Unlock()
		if err != nil {
			return
		}
		ring.Turn()
	}
}

// wakeLocked wakes all that wait for the end of owned. writing is held.
func (l *link) wakeLocked() {
	for _, w := range l.waiting {
		w.Ready()
	}
	l.waiting = nil
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

// await waits until c is done. At first it looks for the reply itself.
func (l *link) await(c *call, reason string, deadline runtime.Instant) error {
	if l.look(c) {
		return nil
	}
	return c.wait(reason, deadline, false)
}

// look takes in what there is, for a moment, and reports whether c is done.
func (l *link) look(c *call) bool { return look(&l.spin, []*link{l}, c.done) }

// look takes in what the other sides of the links say until done reports true, or for as long
// as seems worth it. Meanwhile they need not ring.
func look(spin *ring.Spinner, ls []*link, done func() bool) bool {
	for _, l := range ls {
		l.disarm()
	}
	defer func() {
		for _, l := range ls {
			for !l.rearm() {
				if _, err := l.takeIn(); err != nil {
					break
				}
			}
		}
	}()
	return spin.Until(func() bool {
		for _, l := range ls {
			if done() {
				return true
			}
			l.help(done)
		}
		return done()
	})
}

// help takes in what there is until done reports true, if nobody else does.
func (l *link) help(done func() bool) {
	if l.reading.TryLock() {
		defer l.reading.Unlock()
		_, _ = l.takeInLocked(done) // the link's task sees to an error
	}
}

// rearm is arm, for a link that may be closed.
func (l *link) rearm() bool {
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.in == nil || l.in.Arm()
}

// disarm keeps the other side from ringing: the caller is about to look.
func (l *link) disarm() {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.in != nil {
		l.in.Disarm()
	}
}
