package runtime

// timer is one entry of a worker's heap. It is embedded in what it belongs
// to, so that starting one allocates nothing, and a stopped one is out of the
// heap at once. Worker-only.
type timer struct {
	seq   uint64 // order of start, for equal instants
	index int    // position in the heap plus one; 0: not started
	fire  func(*timer)
	task  *Task
}

// timerHeap is a 4-ary heap by when, then seq.
type timerHeap struct {
	entries []timerEntry
	seq     uint64
	floor   Instant // no timer is started earlier than this, while others fire
}

// timerEntry has when in it, so that the comparisons of a level stay within one
// cache line.
type timerEntry struct {
	when Instant
	*timer
}

func (a *timerEntry) before(b *timerEntry) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

func (h *timerHeap) start(t *timer, when Instant) {
	if t.index != 0 {
		panic("runtime: timer started twice")
	}
	h.seq++
	t.seq = h.seq
	h.entries = append(h.entries, timerEntry{})
	h.up(len(h.entries)-1, timerEntry{max(when, h.floor), t})
}

// stop takes t out of the heap, if it is in it.
func (h *timerHeap) stop(t *timer) {
	if t.index == 0 {
		return
	}
	i := t.index - 1
	t.index = 0
	last := len(h.entries) - 1
	moved := h.entries[last]
	h.entries[last] = timerEntry{}
	h.entries = h.entries[:last]
	if i == last {
		return
	}
	if i > 0 && moved.before(&h.entries[(i-1)/4]) {
		h.up(i, moved)
	} else {
		h.down(i, moved)
	}
}

// next returns when the earliest timer fires, 0 if there is none.
func (h *timerHeap) next() Instant {
	if len(h.entries) == 0 {
		return 0
	}
	return h.entries[0].when
}

// expire fires the timers due at now. A timer started meanwhile with an
// instant that is past waits for the next call, so expire ends, and holds up no
// other.
func (h *timerHeap) expire(now Instant) {
	h.floor = now + 1
	for len(h.entries) > 0 && h.entries[0].when <= now {
		t := h.entries[0].timer
		h.stop(t)
		t.fire(t)
	}
	h.floor = 0
}

// up places e, whose place i is free, at i or above.
func (h *timerHeap) up(i int, e timerEntry) {
	for i > 0 {
		parent := (i - 1) / 4
		p := h.entries[parent]
		if !e.before(&p) {
			break
		}
		h.entries[i] = p
		p.index = i + 1
		i = parent
	}
	h.entries[i] = e
	e.index = i + 1
}

// down places e, whose place i is free, at i or below.
func (h *timerHeap) down(i int, e timerEntry) {
	for {
		first := 4*i + 1
		if first >= len(h.entries) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h.entries)); c++ {
			if h.entries[c].before(&h.entries[least]) {
				least = c
			}
		}
		if !h.entries[least].before(&e) {
			break
		}
		h.entries[i] = h.entries[least]
		h.entries[i].index = i + 1
		i = least
	}
	h.entries[i] = e
	e.index = i + 1
}
