package process

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process/internal/ring"
)

// A reply is the answer to a request.
type reply struct {
	status status
	body   []byte // the caller's to keep
	fds    []int  // likewise
}

// A status says how a request went. Those that are errors have a text as body, or an
// encoded RemoteError.
type status uint8

const (
	statusOK        status = iota
	statusAbandoned        // OK, but see ErrAbandoned
	statusTimeout          // canceled by the caller, whose deadline it was
	statusGone
	statusNotFound
	statusClosed
	statusEmpty
	statusFull
	statusNotHeld
	statusOverRelease
	statusBroken
	statusChanged // the version is not that which the caller has seen
	statusRange   // no such index
	statusMore    // part of a reply: more will follow
	statusFailed  // body: a RemoteError
)

// A call is a request whose reply is awaited.
type call struct {
	id    uint64
	state atomic.Uint32
	w     runtime.Waiter // set before callParked
	reply reply          // set before callDone
	into  []byte         // memory for its body

	// then is called instead of waking anybody, by whoever brings the reply. It must
	// not wait.
	then func(reply)
}

// The states of a call: from callSpins, in which the caller looks at the state itself,
// to callParked or at once to callDone.
const (
	callSpins = iota
	callParked
	callDone
)

func (c *call) done() bool { return c.state.Load() == callDone }

// complete ends the call. It is called once.
func (c *call) complete(r reply) {
	if c.then != nil {
		c.then(r)
		return
	}
	c.reply = r
	if c.state.Swap(callDone) == callParked {
		c.w.Ready()
	}
}

// wait parks until the call is done. Its error is that of an interrupt; the reply may
// have come at the same instant.
func (c *call) wait(reason string, deadline runtime.Instant, shielded bool) error {
	if c.done() {
		return nil
	}
	c.w = runtime.NewWaiter().External()
	if shielded {
		c.w = c.w.Shielded()
	}
	if !c.state.CompareAndSwap(callSpins, callParked) {
		c.w.Cancel()
		return nil
	}
	err := c.w.ParkUntil(reason, deadline)
	if err != nil {
		c.state.CompareAndSwap(callParked, callSpins)
	}
	return err
}

// calls are those under way to one other process.
type calls struct {
	mu      sync.Mutex // held for a few instructions
	last    uint64
	pending map[uint64]*call
	over    bool // no more replies will come
}

// add enters c. It reports false if no reply will ever come.
func (cs *calls) add(c *call) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.over {
		return false
	}
	if cs.pending == nil {
		cs.pending = make(map[uint64]*call)
	}
	cs.last++
	c.id = cs.last
	cs.pending[c.id] = c
	return true
}

// remove takes out the call id, nil if there is none.
func (cs *calls) remove(id uint64) *call { return cs.take(id, false) }

// take returns the call id, nil if there is none, and takes it out unless it is to stay.
func (cs *calls) take(id uint64, stays bool) *call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.pending[id]
	if !stays {
		delete(cs.pending, id)
	}
	return c
}

// abandon makes late be called with the reply to c, now or later. The caller no longer
// waits.
func (cs *calls) abandon(c *call, late func(reply)) {
	cs.mu.Lock()
	pending := cs.pending[c.id] == c
	if pending {
		cs.pending[c.id] = &call{id: c.id, then: late}
	}
	cs.mu.Unlock()
	if !pending {
		for !c.done() { // it is about to be
			ring.Turn()
		}
		late(c.reply)
	}
}

// end fails all calls.
func (cs *calls) end() {
	cs.mu.Lock()
	pending := cs.pending
	cs.pending, cs.over = nil, true
	cs.mu.Unlock()
	for _, c := range pending {
		c.complete(reply{status: statusGone})
	}
}
