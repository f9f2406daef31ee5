package process

import (
	"os"
	"sync"

	"github.com/weft-go/weft/runtime/event"
)

// self is this process.
var self = struct {
	id      processID
	pid     int
	ready   bool        // Init was called
	child   bool        // it was started by another one
	name    string      // set before the function of a child runs
	daemon  bool        // likewise
	parent  int         // likewise; the parent's number
	orphan  event.Event // the parent has gone
	mu      sync.Mutex  // held for a few instructions
	started map[*Process]bool
	count   int // mu guards: processes that were started
}{id: newProcessID(), pid: os.Getpid(), name: "main"}

// An Identity says which process one is.
type Identity struct {
	Name   string // "main" for the first one
	PID    int
	Daemon bool
}

// Current returns the identity of the calling process.
func Current() Identity { return Identity{Name: self.name, PID: self.pid, Daemon: self.daemon} }

// Parent is the process that has started this one. It is a runtime.Waitable, ready when
// that process has ended.
type Parent struct{ PID int }

// CurrentParent returns the parent, and false in a process that was not started by this
// package.
func CurrentParent() (Parent, bool) { return Parent{PID: self.parent}, self.child }

// Alive reports whether the parent has not ended.
func (Parent) Alive() bool { return self.child && !self.orphan.IsSet() }

// OnReady makes fn be called when the parent has ended: see runtime.Waitable.
func (Parent) OnReady(fn func()) (cancel func() bool) { return self.orphan.OnReady(fn) }

// Active returns the processes that this one has started and that have not ended.
func Active() []*Process {
	self.mu.Lock()
	defer self.mu.Unlock()
	all := make([]*Process, 0, len(self.started))
	for p := range self.started {
		all = append(all, p)
	}
	return all
}

func (p *Process) list(on bool) {
	self.mu.Lock()
	defer self.mu.Unlock()
	if !on {
		delete(self.started, p)
		return
	}
	if self.started == nil {
		self.started = make(map[*Process]bool)
	}
	self.started[p] = true
}
