package process

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
)

// A processID names a process, for ever: a process number is used again.
type processID [16]byte

func newProcessID() (id processID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// socketName is where the process listens for those that want to use its objects: a
// name in the abstract namespace, which ends with the process.
func (id processID) socketName() string { return "\x00weft-" + hex.EncodeToString(id[:]) }

// address is where an object is: all there is to a handle. It is data, and may be sent
// to any process by whatever way.
type address struct {
	process processID
	object  uint64
}

var errNoHandle = errors.New("process: not a handle")

// MarshalBinary makes a handle that is part of an argument, an item or a value be sent
// as the address of its object.
func (a address) MarshalBinary() ([]byte, error) {
	if a == (address{}) {
		return nil, errors.New("process: the zero handle")
	}
	if a.process == self.id {
		if err := listen(); err != nil {
			return nil, err
		}
	}
	return binary.LittleEndian.AppendUint64(a.process[:len(a.process):len(a.process)], a.object), nil
}

// UnmarshalBinary is the reverse of MarshalBinary. It does no I/O: the first use of the
// handle connects to the owner, if need be.
func (a *address) UnmarshalBinary(b []byte) error {
	if len(b) != len(a.process)+8 {
		return errNoHandle
	}
	copy(a.process[:], b)
	a.object = binary.LittleEndian.Uint64(b[len(a.process):])
	return nil
}

// local reports whether the object is this process's.
func (a *address) local() bool { return a.process == self.id }

// An outgoing is a request that is to be made.
type outgoing struct {
	op       op
	reason   string // for listings, what its caller waits for
	deadline runtime.Instant

	// wakes says that the owner may let the request wait, and is to be told when its
	// caller no longer does.
	wakes bool
	// stays says that the caller then waits for the reply all the same, and gets
	// both.
	stays bool
	// into is memory for the reply.
	into []byte
	// late gets a reply whose caller no longer waits.
	late func(reply)
}

// call makes a request and waits for the reply. The error is ErrGone, or that of an
// interrupt.
func (a *address) call(o outgoing, parts ...[]byte) (reply, error) {
	c := &call{into: o.into}
	cs := &localCalls
	var l *link
	var err error
	if a.local() {
		cs.add(c)
		objects.serve(a.object, &request{from: &here, id: c.id, op: o.op, body: join(parts)})
		if !c.done() && o.wakes {
			helpLinks(c)
		}
		err = c.wait(o.reason, o.deadline, false)
	} else {
		if l, err = linkTo(a.process); err != nil {
			return reply{}, err
		}
		cs = &l.calls
		if !cs.add(c) {
			return reply{}, ErrGone
		}
		if err := l.send(o.deadline, header{kind: kindRequest, code: byte(o.op), obj: a.object, id: c.id}, parts...); err != nil {
			cs.remove(c.id)
			return reply{}, err
		}
		err = l.await(c, o.reason, o.deadline)
	}
	if err == nil {
		return c.reply, c.reply.gone()
	}
	if o.wakes {
		if l == nil {
			objects.cancel(a.object, &here, c.id)
		} else {
			l.post(header{kind: kindCancel, obj: a.object, id: c.id}, nil)
		}
	}
	if o.stays {
		// This ends: the owner replies, or goes.
		_ = c.wait(o.reason, 0, true)
		return c.reply, err
	}
	late := o.late
	if late == nil {
		late = func(r reply) { closeAll(r.fds) }
	}
	cs.abandon(c, late)
	return reply{}, err
}

// begin makes a request and does not wait for the reply, which then gets, in the manner of
// call.then. The error is ErrGone without a link to the owner, and then will not be called.
func (a *address) begin(op op, then func(reply), parts ...[]byte) error {
	c := &call{then: then}
	if a.local() {
		localCalls.add(c)
		objects.serve(a.object, &request{from: &here, id: c.id, op: op, body: join(parts)})
		return nil
	}
	l := links.get(a.process)
	if l == nil || !l.calls.add(c) {
		return ErrGone
	}
	l.post(header{kind: kindRequest, code: byte(op), obj: a.object, id: c.id}, nil, parts...)
	return nil
}

// helpLinks takes in what another process says, for a moment: that may end c, which waits
// for an object of this one.
func helpLinks(c *call) {
	if l := links.busy.Load(); l != nil {
		l.look(c)
	}
}

// gone is the error of a reply that the object no longer exists.
func (r reply) gone() error {
	if r.status == statusGone {
		return ErrGone
	}
	return nil
}

// tell makes a request without a reply, and waits only while there is no room for it.
func (a *address) tell(deadline runtime.Instant, op op, parts ...[]byte) error {
	if a.local() {
		objects.serve(a.object, &request{from: &here, op: op, body: join(parts), oneWay: true})
		return nil
	}
	l, err := linkTo(a.process)
	if err != nil {
		return err
	}
	return l.send(deadline, header{kind: kindOneWay, code: byte(op), obj: a.object}, parts...)
}

// undo is tell for functions that must not wait: late ones, say. The process has a link
// to the owner then.
func (a *address) undo(op op, parts ...[]byte) {
	if a.local() {
		objects.serve(a.object, &request{from: &here, op: op, body: join(parts), oneWay: true})
	} else if l := links.get(a.process); l != nil {
		l.post(header{kind: kindOneWay, code: byte(op), obj: a.object}, nil, parts...)
	}
}

// remove ends the object, wherever it is.
func (a *address) remove() error {
	if a.local() {
		if !objects.remove(a.object) {
			return ErrGone
		}
		return nil
	}
	at := address{process: a.process, object: rootID}
	_, err := at.result(outgoing{op: rootRemove, reason: "end of an object"}, u64(a.object))
	return err
}

// result is call for requests whose reply is a value or an error.
func (a *address) result(o outgoing, parts ...[]byte) ([]byte, error) {
	r, err := a.call(o, parts...)
	if err != nil {
		return nil, err
	}
	return r.body, r.err()
}

func join(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	var all []byte
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func u64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func u64Of(b []byte) (uint64, bool) {
	if len(b) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}

// links are the connections to other processes, the first one to each.
var links linkTable

type linkTable struct {
	mu      sync.Mutex // held for a few instructions
	m       map[processID]*link
	all     map[*link]bool
	busy    atomic.Pointer[link] // where the last request came from
	dialing lock.Mutex           // one connects at a time
}

func (t *linkTable) add(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m, t.all = make(map[processID]*link), make(map[*link]bool)
	}
	t.all[l] = true
	if t.m[l.peer] == nil {
		t.m[l.peer] = l
	}
}

func (t *linkTable) remove(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, l)
	if t.m[l.peer] == l {
		delete(t.m, l.peer)
	}
	t.busy.CompareAndSwap(l, nil)
}

// heard calls fn, which must not wait, when everything was taken in that other processes have
// said up to now: in a task, or at once if there are none. What one process says has an order,
// what several say has not; by this what was said before, as far as anybody can know, comes
// before.
func (t *linkTable) heard(fn func()) {
	all := t.list()
	if len(all) == 0 {
		fn()
		return
	}
	runtime.Default().Spawn(func() {
		for _, l := range all {
			l.catchUp()
		}
		fn()
	})
}

func (t *linkTable) get(id processID) *link {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m[id]
}

// linkTo returns the link to a process, and connects if there is none.
func linkTo(id processID) (*link, error) {
	if l := links.get(id); l != nil {
		return l, nil
	}
	if err := links.dialing.LockUntil(0); err != nil {
		return nil, err
	}
	defer links.dialing.Unlock()
	if l := links.get(id); l != nil {
		return l, nil
	}
	return dial(id)
}
