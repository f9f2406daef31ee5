package server

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// A gate lets a bounded number of parties through at a time, in the order they
// came. It keeps what many clients may ask for at once, the hashing of
// passwords, from filling the offload pool that everyone's file calls need.
type gate struct {
	mu    sync.Mutex // held for a few instructions only
	free  int        // mu guards
	queue []runtime.Waiter
}

// enter waits for a place. If the calling task is killed meanwhile enter does
// not return: it unwinds the task.
func (g *gate) enter() {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return
	}
	w := runtime.NewWaiter()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	if err := w.Park("login gate"); err != nil {
		g.forget(w)
		runtime.Unwind(err)
	}
}

// tryEnter enters if there is a place, and reports whether there was.
func (g *gate) tryEnter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free == 0 {
		return false
	}
	g.free--
	return true
}

// leave gives the place up, to who waits longest.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.queue) > 0 {
		w := g.queue[0]
		g.queue[0] = runtime.Waiter{}
		g.queue = g.queue[1:]
		if w.Ready() {
			return
		}
	}
	g.free++
}

func (g *gate) forget(w runtime.Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, q := range g.queue {
		if q == w {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			return
		}
	}
}
