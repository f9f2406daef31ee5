package greenlet

import (
	"errors"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/petermattis/goid"

	"github.com/weft-go/weft/runtime/internal/strand"
)

// owner is one task or goroutine with its greenlets, of which one runs at a
// time.
type owner struct {
	// running is the id of the goroutine on which the owner runs at present: its
	// own, or a coroutine of a greenlet or generator. It is 0 in a trace
	// function. Whoever finds his own id here may use all the rest; nobody else
	// may, nor can anybody else find it, as only the one who runs changes it.
	running atomic.Int64

	// immutable
	root int64       // the id of its own goroutine
	task strand.Task // nil for a plain goroutine

	main Greenlet[any, any]

	current *core  // the running greenlet
	stack   *stack // the running one; a task's only
	switchState
	message

	tracer Tracer
	origin *core // whom the present switch leaves; kept for the tracer only

	first, last *member // greenlets and generators that have a coroutine
}

// member is a greenlet or generator that has a coroutine.
type member struct {
	prev, next *member
	who        interface {
		Close() error
		suspended() bool
	}
}

// owners finds the owner of the calling goroutine. A coroutine's entry is there
// while the coroutine is, and a task's while the task is. A plain goroutine's is
// weak, as there is no telling when that ends: the owner lives as long as any of
// its greenlets is referred to or suspended, or it has a tracer. Goroutine ids
// are never reused, but by tasks, which run on pooled coroutines.
var owners [16]struct {
	mu sync.Mutex
	m  map[int64]ownerEntry // mu guards
}

// ownerEntry is one of the two.
type ownerEntry struct {
	strong *owner
	weak   weak.Pointer[owner]
}

func (e ownerEntry) owner() *owner {
	if e.strong != nil {
		return e.strong
	}
	return e.weak.Value()
}

func enter(id int64, e ownerEntry) {
	s := &owners[id%int64(len(owners))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[int64]ownerEntry)
	}
	s.m[id] = e
}

func entryOf(id int64) ownerEntry {
	s := &owners[id%int64(len(owners))]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[id]
}

// remove deletes the entry of id if it is e.
func remove(id int64, e ownerEntry) {
	s := &owners[id%int64(len(owners))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[id] == e {
		delete(s.m, id)
	}
}

// ownerOf returns the owner of the calling goroutine, whose id is id, and makes
// it one if need be.
func ownerOf(id int64) *owner {
	task := strand.Current()
	// A task's coroutine is a plain goroutine to callbacks at the task's end, and
	// runs other tasks after.
	if o := entryOf(id).owner(); o != nil && o.task == task {
		return o
	}
	o := &owner{root: id, task: task}
	o.main.init(o)
	o.main.started = true
	o.current, o.stack = &o.main.core, o.main.on
	o.running.Store(id)
	if task != nil {
		enter(id, ownerEntry{strong: o})
		task.Attach(o)
		return o
	}
	e := ownerEntry{weak: weak.Make(o)}
	enter(id, e)
	goruntime.AddCleanup(o, func(e ownerEntry) { remove(id, e) }, e)
	return o
}

// keep sets whether the owner lives for its tracer's sake.
func (o *owner) keep(on bool) {
	switch {
	case o.task != nil:
	case on:
		enter(o.root, ownerEntry{strong: o})
	default:
		enter(o.root, ownerEntry{weak: weak.Make(o)})
	}
}

// admit makes the calling goroutine, a new coroutine, one that o runs on, and
// returns its id.
func (o *owner) admit() int64 {
	id := goid.Get()
	enter(id, ownerEntry{strong: o})
	if o.task != nil {
		o.task.Enlist()
	}
	o.running.Store(id)
	return id
}

// dismiss takes back admit, when the coroutine ends.
func (o *owner) dismiss(id int64) {
	if o.task != nil {
		o.task.Discharge()
	}
	remove(id, ownerEntry{strong: o})
}

// refused says why o.running is not id, the calling goroutine's.
func (o *owner) refused(id int64) error {
	if entryOf(id).owner() == o {
		return ErrTracing
	}
	return ErrOwner
}

// add enters m in the list of members.
func (o *owner) add(m *member) {
	m.prev = o.last
	if m.prev != nil {
		m.prev.next = m
	} else {
		o.first = m
	}
	o.last = m
}

// drop takes m from the list.
func (o *owner) drop(m *member) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		o.first = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		o.last = m.prev
	}
	m.prev, m.next = nil, nil
}

// Current returns the running greenlet of the calling task or goroutine: its
// main one outside of all others.
func Current() Any { return ownerOf(goid.Get()).current.self }

// Main returns the main greenlet of the calling task or goroutine, which stands
// for its own function. It is the ancestor of all others, has always started,
// and is never dead. What is switched to it is the result of the call in which
// it waits.
func Main() *Greenlet[any, any] { return &ownerOf(goid.Get()).main }

// CloseAll closes every suspended greenlet and generator of the calling task
// or goroutine, the last one started first, and returns their errors joined.
// Those that the caller itself runs in stay. At the end of a task this is done
// anyway. Deferred in a goroutine's function it makes sure that nothing is left
// behind:
//
//	defer greenlet.CloseAll()
func CloseAll() error {
	id := goid.Get()
	o := ownerOf(id)
	if o.running.Load() != id {
		return o.refused(id)
	}
	var errs []error
	for closed, err := o.closeLast(); closed; closed, err = o.closeLast() {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// closeLast closes the one started last of those that are suspended, if any.
// That may start and end others.
func (o *owner) closeLast() (closed bool, err error) {
	m := o.last
	for m != nil && !m.who.suspended() {
		m = m.prev
	}
	if m == nil {
		return false, nil
	}
	return true, m.who.Close()
}
