package server

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// A gate lets a bounded number of parties through at a time, in the order they
// came. It keeps what many clients may ask for at once, the hashing of
// passwords or calls of one slow disk, from filling the offload pool that
// everyone's calls need.
type gate struct {
	mu    sync.Mutex // held for a few instructions only
	free  int        // mu guards
	queue []runtime.Waiter
}

// enter waits for a place. If the calling task is killed meanwhile enter does
// not return: it unwinds the task.
func (g *gate) enter() {
	if w, ok := g.join(); !ok {
		if err := w.Park("gate"); err != nil {
			g.forget(w)
			runtime.Unwind(err)
		}
	}
}

// enterShielded is enter that waits on if the task is killed.
func (g *gate) enterShielded() {
	if w, ok := g.join(); !ok {
		_ = w.Shielded().Park("gate") // ends by leave only
	}
}

// join takes a place, or one in the queue.
func (g *gate) join() (w runtime.Waiter, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return w, true
	}
	w = runtime.NewWaiter()
	g.queue = append(g.queue, w)
	return w, false
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
