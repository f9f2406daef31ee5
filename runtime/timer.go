package runtime

// timer is one entry of a worker's heap. It is embedded in what it belongs
// to, so that starting one allocates nothing, and a stopped one is out of the
// heap at once. Worker-only.
type timer struct {
	when  Instant
	seq   uint64 // order of start, for equal instants
	index int    // position in the heap plus one; 0: not started
	fire  func(*timer)
	task  *Task
}

// timerHeap is a 4-ary heap by when, then seq.
type timerHeap struct {
	timers []*timer
	seq    uint64
	floor  Instant // no timer is started earlier than this, while others fire
}

func (a *timer) before(b *timer) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

func (h *timerHeap) start(t *timer, when Instant) {
	if t.index != 0 {
		panic("runtime: timer started twice")
	}
	h.seq++
	t.when, t.seq = max(when, h.floor), h.seq
	h.timers = append(h.timers, t)
	h.up(len(h.timers)-1, t)
}

// stop takes t out of the heap, if it is in it.
func (h *timerHeap) stop(t *timer) {
	if t.index == 0 {
		return
	}
	i := t.index - 1
	t.index = 0
	last := len(h.timers) - 1
	moved := h.timers[last]
	h.timers[last] = nil
	h.timers = h.timers[:last]
	if i == last {
		return
	}
	if i > 0 && moved.before(h.timers[(i-1)/4]) {
		h.up(i, moved)
	} else {
		h.down(i, moved)
	}
}

// next returns when the earliest timer fires, 0 if there is none.
func (h *timerHeap) next() Instant {
	if len(h.timers) == 0 {
		return 0
	}
	return h.timers[0].when
}

// expire fires the timers due at now. A timer started meanwhile with an
// instant that is past waits for the next call, so expire ends, and holds up no
// other.
func (h *timerHeap) expire(now Instant) {
	h.floor = now + 1
	for len(h.timers) > 0 && h.timers[0].when <= now {
		t := h.timers[0]
		h.stop(t)
		t.fire(t)
	}
	h.floor = 0
}

// up places t, whose place i is free, at i or above.
func (h *timerHeap) up(i int, t *timer) {
	for i > 0 {
		parent := (i - 1) / 4
		p := h.timers[parent]
		if !t.before(p) {
			break
		}
		h.timers[i] = p
		p.index = i + 1
		i = parent
	}
	h.timers[i] = t
	t.index = i + 1
}

// down places t, whose place i is free, at i or below.
func (h *timerHeap) down(i int, t *timer) {
	n := len(h.timers)
	for {
		least := -1
		first := 4*i + 1
		for c := first; c < first+4 && c < n; c++ {
			if least < 0 || h.timers[c].before(h.timers[least]) {
				least = c
			}
		}
		if least < 0 || !h.timers[least].before(t) {
			break
		}
		h.timers[i] = h.timers[least]
		h.timers[i].index = i + 1
		i = least
	}
	h.timers[i] = t
	t.index = i + 1
}
