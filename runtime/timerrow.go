package runtime

// timerRow has timers in their order: entries[i], from begin on, has the place
// ^(base+i). One that was stopped leaves a gap, but never at an end.
type timerRow struct {
	entries []timerEntry
	begin   int
	base    int
	gaps    int
}

func (r *timerRow) len() int { return len(r.entries) - r.begin - r.gaps }

// first and last return nil if there is none.
func (r *timerRow) first() *timerEntry {
	if r.begin == len(r.entries) {
		return nil
	}
	return &r.entries[r.begin]
}

func (r *timerRow) last() *timerEntry {
	if r.begin == len(r.entries) {
		return nil
	}
	return &r.entries[len(r.entries)-1]
}

// push appends e, which is not before any.
func (r *timerRow) push(e timerEntry) {
	if n := len(r.entries); n == cap(r.entries) && r.begin > n/2 {
		kept := copy(r.entries, r.entries[r.begin:])
		r.keep(kept)
		r.base += r.begin
		r.begin = 0
	}
	e.place = ^(r.base + len(r.entries))
	r.entries = append(r.entries, e)
}

// keep drops all entries from n on.
func (r *timerRow) keep(n int) {
	clear(r.entries[n:])
	r.entries = r.entries[:n]
}

// stop takes t, which is in the row, out of it.
func (r *timerRow) stop(t *timer) {
	i := ^t.place - r.base
	t.place = 0
	r.entries[i].timer = nil
	r.gaps++
	for r.begin < len(r.entries) && r.entries[r.begin].timer == nil {
		r.begin++
		r.gaps--
	}
	n := len(r.entries)
	for n > r.begin && r.entries[n-1].timer == nil {
		n--
		r.gaps--
	}
	r.keep(n)
	if r.gaps > 16+r.len() {
		r.closeGaps()
	}
}

func (r *timerRow) closeGaps() {
	n := 0
	for _, e := range r.entries[r.begin:] {
		if e.timer != nil {
			r.entries[n] = e
			e.place = ^(r.base + n)
			n++
		}
	}
	r.keep(n)
	r.begin, r.gaps = 0, 0
}
