package runtime

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/petermattis/goid"
)

// registry finds the party that runs on the calling goroutine: a coroutine,
// or the hub of a worker. It is a hash table from goroutine id to coroutine,
// read without a lock on every call that may park. Ids are never reused, so a
// reader can't take one goroutine for another. It changes when a coroutine is
// made or ends, which pooling makes rare.
var registry idRegistry

type idRegistry struct {
	table atomic.Pointer[idTable]

	mu      sync.Mutex
	live    int            // mu guards: entries in use
	taken   int            // mu guards: entries in use or tombstones
	strands map[int64]bool // mu guards: goroutines that are not their coroutine's own
}

type idTable struct {
	mask    uint64
	entries []idEntry
}

type idEntry struct {
	id atomic.Int64 // 0: free, idGone: tombstone
	co atomic.Pointer[coroutine]
}

const idGone = -1

func init() {
	registry.table.Store(newIDTable(64))
	registry.strands = make(map[int64]bool)
}

// listStrands returns the ids of greenlets' and generators' goroutines.
func (r *idRegistry) listStrands() map[int64]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.strands)
}

func newIDTable(size int) *idTable {
	return &idTable{mask: uint64(size - 1), entries: make([]idEntry, size)}
}

// slotOf keeps four consecutive ids together in one cache line, as the Go
// runtime hands them out in runs, and spreads the fours.
func (t *idTable) slotOf(id int64) uint64 {
	four := uint64(id) >> 2 * 0x9e3779b97f4a7c15 >> 20
	return (four<<2 | uint64(id)&3) & t.mask
}

// current returns the coroutine that runs on the calling goroutine, or the
// hub's pseudo coroutine (task nil, hub true), or nil on any other goroutine.
func current() *coroutine {
	id := goid.Get()
	t := registry.table.Load()
	for i := t.slotOf(id); ; i = (i + 1) & t.mask {
		e := &t.entries[i]
		switch e.id.Load() {
		case id:
			return e.co.Load()
		case 0:
			return nil
		}
	}
}

// enrolled yields who was entered under which id, from any goroutine, without a
// lock: entries that change meanwhile may be left out.
func enrolled(yield func(id int64, co *coroutine) bool) {
	t := registry.table.Load()
	for i := range t.entries {
		e := &t.entries[i]
		if id := e.id.Load(); id > 0 {
			if co := e.co.Load(); co != nil && !yield(id, co) {
				return
			}
		}
	}
}

// enroll enters the calling goroutine as co: co's own, or that of a strand.
func enroll(co *coroutine, ofStrand bool) {
	id := goid.Get()
	registry.mu.Lock()
	defer registry.mu.Unlock()
	t := registry.table.Load()
	if 3*(registry.taken+1) > 2*len(t.entries) {
		t = regrow(t)
	}
	t.put(id, co)
	registry.live++
	registry.taken++
	if ofStrand {
		registry.strands[id] = true
	}
}

// strike removes the calling goroutine.
func strike() {
	id := goid.Get()
	registry.mu.Lock()
	defer registry.mu.Unlock()
	t := registry.table.Load()
	for i := t.slotOf(id); ; i = (i + 1) & t.mask {
		e := &t.entries[i]
		switch e.id.Load() {
		case id:
			e.id.Store(idGone)
			e.co.Store(nil)
			registry.live--
			delete(registry.strands, id)
			return
		case 0:
			return
		}
	}
}

// regrow publishes a table without tombstones and with room to spare.
func regrow(old *idTable) *idTable {
	size := 64
	for size < 2*(registry.live+1) {
		size *= 2
	}
	t := newIDTable(size)
	for i := range old.entries {
		if id := old.entries[i].id.Load(); id > 0 {
			t.put(id, old.entries[i].co.Load())
		}
	}
	registry.taken = registry.live
	registry.table.Store(t)
	return t
}

func (t *idTable) put(id int64, co *coroutine) {
	for i := t.slotOf(id); ; i = (i + 1) & t.mask {
		e := &t.entries[i]
		if e.id.Load() == 0 {
			// The value first: a reader that finds the id finds it too.
			e.co.Store(co)
			e.id.Store(id)
			return
		}
	}
}
