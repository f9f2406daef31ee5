package local

import (
	"sync"

	"github.com/weft-go/weft/runtime"
)

// A Var is a variable of which every task has its own. The zero Var has a value
// in no task and is ready for use. It must not be copied after first use. Its
// methods don't park, and may be called from anywhere; what they do outside tasks
// is said in the package's documentation.
type Var[T any] struct {
	// One for each worker, as far as they go: they don't contend.
	shards [shardCount]shard[T]
}

const shardCount = 8

// shard is the values in the tasks of some workers. A cell is its task's alone.
type shard[T any] struct {
	mu    sync.Mutex // held for a few instructions only
	cells map[*runtime.Task]*cell[T]
	peak  int // mu guards: the most cells since there was none

	_ [64 - 24]byte // a cache line
}

// cell is the value in one task. It stays, without a value, after Delete, as it
// stands for the call of OnDone, too.
type cell[T any] struct {
	value T
	set   bool
}

// keepCells is how many cells a shard may have had to keep the map's memory when
// there is none.
const keepCells = 64

func (v *Var[T]) shard(t *runtime.Task) *shard[T] {
	return &v.shards[t.Worker().Index()%shardCount]
}

// cell returns t's cell, or nil.
func (v *Var[T]) cell(t *runtime.Task) *cell[T] {
	if t == nil {
		return nil
	}
	s := v.shard(t)
	s.mu.Lock()
	c := s.cells[t]
	s.mu.Unlock()
	return c
}

// Get returns the calling task's value. It reports false if there is none.
func (v *Var[T]) Get() (value T, ok bool) {
	if c := v.cell(runtime.Current()); c != nil {
		return c.value, c.set
	}
	return value, false
}

// Set sets the calling task's value. It panics outside tasks.
func (v *Var[T]) Set(value T) {
	t := runtime.Current()
	if t == nil {
		panic("local: Set outside a task")
	}
	c := v.cell(t)
	if c == nil {
		c = v.add(t)
	}
	c.value, c.set = value, true
}

// GetOrInit returns the calling task's value. If there is none, it is set to what
// init returns. init may wait.
func (v *Var[T]) GetOrInit(init func() T) T {
	if value, ok := v.Get(); ok {
		return value
	}
	value := init()
	if runtime.Current() != nil {
		v.Set(value)
	}
	return value
}

// Delete takes the calling task's value away.
func (v *Var[T]) Delete() {
	if c := v.cell(runtime.Current()); c != nil {
		*c = cell[T]{}
	}
}

// add makes t's cell.
func (v *Var[T]) add(t *runtime.Task) *cell[T] {
	c := new(cell[T])
	s := v.shard(t)
	s.mu.Lock()
	if s.cells == nil {
		s.cells = make(map[*runtime.Task]*cell[T])
	}
	s.cells[t] = c
	s.peak = max(s.peak, len(s.cells))
	s.mu.Unlock()
	t.OnDone(s.remove)
	return c
}

// remove is called when t has ended.
func (s *shard[T]) remove(t *runtime.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cells, t)
	if len(s.cells) > 0 {
		return
	}
	if s.peak > keepCells {
		s.cells = nil // a map does not shrink
	}
	s.peak = 0
}
