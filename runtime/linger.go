package runtime

import "time"

// A worker that has nothing to do sleeps in epoll, and another thread that hands
// over work wakes it: two system calls, and some microseconds until it runs. Where
// two workers keep each other busy it is cheaper to look for such work a little
// longer. Whether it is, the length of past sleeps tells.

const (
	// lingerLooks is how often a worker looks for work from other threads before it
	// sleeps, where they hand over any: for some 25 microseconds. lingerPays is
	// the length of a sleep that it would rather have lingered through: to be
	// woken takes a while, too, and so does the other one's waking, as long as both sleep.
	lingerLooks = 20_000
	lingerPays  = Instant(100 * time.Microsecond)

	// lingerMisses is how often in a row that may have been in vain, and
	// lingerPause how many sleeps it is left alone then.
	lingerMisses = 4
	lingerPause  = 64
)

// lingering is what a worker knows about that. Worker-only.
type lingering struct {
	alone   bool    // Go has one processor: nobody else runs meanwhile
	pays    bool    // by what is known, it pays
	watched bool    // other threads have handed over work: take the time of sleeps
	slept   Instant // since when the worker sleeps, if that was taken
	misses  int     // in a row
	pause   int     // sleeps left
}

// woken is called when another thread has woken the worker.
func (l *lingering) woken() {
	if l.alone {
		return
	}
	l.watched = true
	if l.pays = l.slept != 0 && Now()-l.slept < lingerPays; l.pays && l.pause > 0 {
		l.pause--
		l.pays = false
	}
	l.slept = 0
}

// lingered waits for work from other threads without sleeping, and reports whether
// there is any.
func (w *worker) lingered() bool {
	l := &w.linger
	for range lingerLooks {
		if !w.injected.empty() || w.posted.Load() {
			l.misses = 0
			return true
		}
	}
	l.pays = false
	if l.misses++; l.misses == lingerMisses {
		l.misses, l.pause = 0, lingerPause
	}
	return false
}
