package pool

import "github.com/weft-go/weft/runtime"

// A Group is a set of tasks. A task is a member until it has ended. The zero
// Group is empty and ready for use. It must not be copied after first use. Its
// methods may be called from any task or goroutine.
type Group struct {
	members
}

// Spawn starts fn as a task of the group: on the caller's worker, unless PlaceBy
// says otherwise. It does not park.
func (g *Group) Spawn(fn func()) *runtime.Task {
	t := g.start(fn)
	g.enter(t, false)
	return t
}

// Add makes t a member, unless it has ended. It does not park.
func (g *Group) Add(t *runtime.Task) { g.enter(t, false) }

func (g *Group) spawn(fn func(), _ runtime.Instant) (*runtime.Task, error) {
	return g.Spawn(fn), nil
}

func (g *Group) try(fn func()) (*runtime.Task, error) { return g.Spawn(fn), nil }

func (g *Group) tasks() *members { return &g.members }
