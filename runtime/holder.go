package runtime

// What this file has may be read while the worker changes it. SAFETY: they are
// single words, of which a read gives an old or a new value, and coroutines and
// tasks that are found stay valid memory. What comes out is for a report to a
// human, and nothing is written. The norace directive keeps the race detector from
// looking.

// progress returns a number that changes whenever the worker switches, begins a
// round or makes a callback, and whether it is inside a round: outside, it sleeps
// or is about to look at I/O.
//
// It grows with each switch of a round, as the budget falls; the round has a
// number of its own. So the hot path does nothing for it. On the worker itself it
// is exact.
//
//go:norace
//go:noinline
func (w *worker) progress() (step uint64, inside bool) {
	rounds := w.rounds
	return rounds*(2*fairness) + uint64(fairness-w.budget), rounds&1 != 0
}

// holder returns the party that runs at present on the worker: its task, nil for a
// callback, and the id of its goroutine, 0 if there is none. That is exact while
// progress stays what it is. It takes a walk through the registry, where the running
// party is the only one of the worker that is not suspended in a slot.
//
//go:norace
//go:noinline
func (w *worker) holder() (t *Task, goroutine int64) {
	strands := registry.listStrands()
	table := registry.table.Load()
	for i := range table.entries {
		e := &table.entries[i]
		id, co := e.id.Load(), e.co.Load()
		if id <= 0 || co == nil || co.w != w || strands[id] {
			continue
		}
		p := &co.party
		if co == &w.hubCo {
			p = &w.hub
		}
		if p.at == nil {
			t, goroutine = co.task, id
		}
	}
	return t, goroutine
}
