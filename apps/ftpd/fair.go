package main

import (
	"errors"
	stdnet "net"
	"os"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

// A door is where a process accepts connections. The parent has it closed while the process
// has more sessions than others: of several that are idle the same one might always be the
// first to accept.
type door struct {
	opened event.Event

	mu     sync.Mutex // held for a few instructions
	closed bool       // mu guards this and the rest
	behind []deadliner
}

type deadliner interface{ SetDeadline(t time.Time) error }

// doorPatience is how long connections wait before a closed door for another process to
// take them, which may hang.
const doorPatience = 500 * time.Millisecond

// set opens or closes the door.
func (d *door) set(closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = closed
	if closed {
		d.opened.Clear()
		for _, l := range d.behind {
			_ = l.SetDeadline(time.Unix(1, 0)) // which wakes Accept
		}
	} else {
		d.opened.Set()
	}
}

// guard puts a listener behind the door.
func (d *door) guard(l stdnet.Listener) stdnet.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := &guarded{Listener: l, door: d, deadline: l.(deadliner)} // Engine says so
	d.behind = append(d.behind, g.deadline)
	return g
}

type guarded struct {
	stdnet.Listener
	door     *door
	deadline deadliner
	waited   bool // who accepts has: whoever still is there is his
}

// Accept accepts a connection when the door is open, or else those that have waited for long.
func (g *guarded) Accept() (stdnet.Conn, error) {
	for {
		if g.arm() && !g.waited {
			_ = g.door.opened.WaitUntil(runtime.Now().Add(doorPatience)) // how it ends makes no difference
			g.waited = true
			g.arm()
		}
		c, err := g.Listener.Accept()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return c, err
		}
		g.waited = false
	}
}

// arm bounds the next Accept, to what is there, if the door is closed, and reports whether
// it is.
func (g *guarded) arm() (closed bool) {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	var until time.Time
	if g.door.closed {
		until = time.Now().Add(time.Millisecond)
	}
	_ = g.deadline.SetDeadline(until) // Accept tells if it is closed
	return g.door.closed
}
