package runtime

// timerHeap is a 4-ary heap. A timer's place is its index plus one.
type timerHeap []timerEntry

func (h *timerHeap) push(e timerEntry) {
	*h = append(*h, timerEntry{})
	h.up(len(*h)-1, e)
}

// stop takes t, which is in the heap, out of it.
func (h *timerHeap) stop(t *timer) {
	i := t.place - 1
	t.place = 0
	last := len(*h) - 1
	moved := (*h)[last]
	(*h)[last] = timerEntry{}
	*h = (*h)[:last]
	if i == last {
		return
	}
	if i > 0 && moved.before(&(*h)[(i-1)/4]) {
		h.up(i, moved)
	} else {
		h.down(i, moved)
	}
}

// up places e, whose place i is free, at i or above.
func (h timerHeap) up(i int, e timerEntry) {
	for i > 0 {
		parent := (i - 1) / 4
		p := h[parent]
		if !e.before(&p) {
			break
		}
		h[i] = p
		p.place = i + 1
		i = parent
	}
	h[i] = e
	e.place = i + 1
}

// down places e, whose place i is free, at i or below.
func (h timerHeap) down(i int, e timerEntry) {
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		h[i].place = i + 1
		i = least
	}
	h[i] = e
	e.place = i + 1
}
