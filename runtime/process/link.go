package process

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
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

// await waits until c is done. At first it looks for the reply itself.
func (l *link) await(c *call, reason string, deadline runtime.Instant) error {
	if !l.calm.Load() && l.look(c) {
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
