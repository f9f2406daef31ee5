package pool

import (
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// members is a set of tasks: what Group and Pool have in common. Its methods are
// theirs.
type members struct {
	slots slots // of a Pool

	mu          waitlist.Mutex
	place       func(fn func()) *runtime.Task // mu guards this and the rest; nil: runtime.Spawn
	set         map[*runtime.Task]*member
	first, last *member // in the order of their adding
	joiners     waitlist.List[struct{}]
	watchers    *watcher
	ended       func(*runtime.Task) // for OnDone
}

// member is a task in the set.
type member struct {
	task       *runtime.Task
	next, prev *member
	slot       bool // it takes one
}

// watcher is a JoinErr that goes on.
type watcher struct {
	err  error // the first failure
	next *watcher
}

// PlaceBy makes place start the tasks that are spawned from now on, instead of
// runtime.Spawn: runtime.SpawnBalanced for instance, or the Spawn method of a
// Runtime or Worker. place must not wait.
func (m *members) PlaceBy(place func(fn func()) *runtime.Task) {
	m.mu.Lock()
	m.place = place
	m.mu.Unlock()
}

// start starts fn as a task that is not in the set.
func (m *members) start(fn func()) *runtime.Task {
	m.mu.Lock()
	place := m.place
	m.mu.Unlock()
	if place == nil {
		place = runtime.Spawn
	}
	return place(fn)
}

// enter puts t into the set, with the slot that it takes or none. It reports
// false if it is in it already, or has ended.
func (m *members) enter(t *runtime.Task, slot bool) bool {
	if t.Ended() {
		return false
	}
	m.mu.Lock()
	if m.set[t] != nil {
		m.mu.Unlock()
		return false
	}
	if m.set == nil {
		m.set = make(map[*runtime.Task]*member)
		m.ended = func(t *runtime.Task) {
			var failure error
			if t.Failed() {
				failure = t.Err()
			}
			m.leave(t, failure)
		}
	}
	ended := m.ended
	e := &member{task: t, slot: slot, prev: m.last}
	m.set[t] = e
	if m.last == nil {
		m.first = e
	} else {
		m.last.next = e
	}
	m.last = e
	m.mu.Unlock()
	t.OnDone(ended)
	return true
}

// leave takes t out of the set, if it is in it, and gives its slot back. failure
// is the error by which it failed, if it did.
func (m *members) leave(t *runtime.Task, failure error) bool {
	c := m.mu.Lock()
	e := m.set[t]
	if e == nil {
		m.mu.Unlock()
		return false
	}
	delete(m.set, t)
	if e.prev == nil {
		m.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		m.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	if failure != nil {
		for w := m.watchers; w != nil; w = w.next {
			if w.err == nil {
				w.err = failure
			}
		}
	}
	if m.first == nil {
		m.joiners.WakeAll(c)
	}
	m.mu.Unlock()
	if e.slot {
		m.slots.give()
	}
	return true
}

// Discard takes t out of the set, and frees its slot; the task goes on. It
// reports whether t was a member. It does not park.
func (m *members) Discard(t *runtime.Task) bool { return m.leave(t, nil) }

// Contains reports whether t is a member, which it is until it has ended.
func (m *members) Contains(t *runtime.Task) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set[t] != nil
}

// Len returns the number of members.
func (m *members) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.set)
}

// Tasks returns the members in the order in which they were added.
func (m *members) Tasks() []*runtime.Task {
	m.mu.Lock()
	defer m.mu.Unlock()
	tasks := make([]*runtime.Task, 0, len(m.set))
	for e := m.first; e != nil; e = e.next {
		tasks = append(tasks, e.task)
	}
	return tasks
}

// Kill kills all members, in the order in which they were added, and returns at
// once; Join waits for their ends. What is added later is not killed. If the
// calling task is a member it is killed last, and Kill does not return.
func (m *members) Kill(cause error) { runtime.KillAll(cause, m.Tasks()...) }

// Join waits until there is no member: at once if there is none. How they ended
// does not matter. It returns the error of a kill or timeout that ended the wait
// first, and runtime.ErrJoinSelf if the calling task is a member.
func (m *members) Join() error { return m.JoinUntil(0) }

// JoinUntil is Join that gives up at deadline with runtime.ErrTimeout. The
// members go on. The zero deadline means none.
func (m *members) JoinUntil(deadline runtime.Instant) error {
	self := runtime.Current()
	c := m.mu.Lock()
	if self != nil && m.set[self] != nil {
		m.mu.Unlock()
		return runtime.ErrJoinSelf
	}
	if m.first == nil {
		m.mu.Unlock()
		return nil
	}
	_, err := m.joiners.Wait(&m.mu, c.NewWaiter(), struct{}{}, "group join", deadline)
	return err
}

// JoinErr is JoinUntil that, when there is no member any more, returns the error
// of the first one that failed since the call: a *runtime.PanicError, the error
// of a Future, a kill with a cause. A kill without one is no failure: see
// runtime.Task.Failed.
func (m *members) JoinErr(deadline runtime.Instant) error {
	watch := new(watcher)
	m.mu.Lock()
	watch.next = m.watchers
	m.watchers = watch
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		for w := &m.watchers; *w != nil; w = &(*w).next {
			if *w == watch {
				*w = watch.next
				break
			}
		}
		m.mu.Unlock()
	}()
	if err := m.JoinUntil(deadline); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return watch.err
}
