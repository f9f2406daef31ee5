package greenlet

import "github.com/petermattis/goid"

// Owners counts the entries of goroutines.
func Owners() (n int) {
	for i := range owners {
		owners[i].mu.Lock()
		n += len(owners[i].m)
		owners[i].mu.Unlock()
	}
	return n
}

// Reclaim closes what a task that has ended left behind. The caller stands for
// its main greenlet.
func Reclaim(g Any) error {
	o, id := g.base().o, goid.Get()
	e := ownerEntry{strong: o}
	enter(id, e)
	defer remove(id, e)
	o.running.Store(id)
	return CloseAll()
}
