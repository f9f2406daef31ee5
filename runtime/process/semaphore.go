package process

import (
	"slices"
	"sync"
)

// A waiter is a request that is answered later.
type waiter struct {
	answer
	status status // what it will be told
}

func (w waiter) is(c *client, id uint64) bool { return w.to == c && w.id == id }

// semaphore is the object behind Lock, RLock, Semaphore and BoundedSemaphore: a number of
// units, and who has them.
type semaphore struct {
	mu        sync.Mutex // held for a few instructions
	units     int        // mu guards this and the rest: free ones
	bound     int        // the largest number, or -1
	held      map[*client]int
	waiting   []waiter
	abandoned int // units of processes that died, whose next holder was not told yet
}

const (
	semAcquire = op(iota + 1)
	semTry
	semRelease // body: 1 if the notice of an abandoned unit goes back, too
	semCount
)

func (s *semaphore) serve(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.op {
	case semAcquire:
		s.acquireLocked(waiter{r.answer(), statusOK})
	case semTry:
		if s.units == 0 {
			r.reply(statusTimeout)
			return
		}
		s.acquireLocked(waiter{r.answer(), statusOK})
	case semRelease:
		if len(r.body) > 0 {
			s.abandoned++
		}
		r.reply(s.releaseLocked(r.from))
	case semCount:
		r.reply(statusOK, u64(uint64(s.units)))
	default:
		r.reply(statusGone)
	}
}

// acquireLocked gives w a unit, now or later. mu is held.
func (s *semaphore) acquireLocked(w waiter) {
	if s.units == 0 {
		s.waiting = append(s.waiting, w)
		return
	}
	s.units--
	s.grantLocked(w)
}

// grantLocked gives w a unit that was taken for it. mu is held.
func (s *semaphore) grantLocked(w waiter) {
	if s.held == nil {
		s.held = make(map[*client]int)
	}
	s.held[w.to]++
	if w.status == statusOK && s.abandoned > 0 {
		s.abandoned--
		w.status = statusAbandoned
	}
	w.reply(w.status)
}

// releaseLocked gives a unit back, of c's if it has one, else anybody's. mu is held.
func (s *semaphore) releaseLocked(c *client) status {
	if s.bound >= 0 && s.units == s.bound {
		return statusOverRelease
	}
	if s.held[c] == 0 {
		for other := range s.held {
			c = other
			break
		}
	}
	s.dropLocked(c, 1)
	s.freeLocked()
	return statusOK
}

// dropLocked notes that c has n units less. mu is held.
func (s *semaphore) dropLocked(c *client, n int) {
	if s.held[c] > n {
		s.held[c] -= n
	} else {
		delete(s.held, c)
	}
}

// freeLocked passes a unit on to the one that waits longest. mu is held.
func (s *semaphore) freeLocked() {
	if len(s.waiting) == 0 {
		s.units++
		return
	}
	w := s.waiting[0]
	s.waiting = slices.Delete(s.waiting, 0, 1)
	s.grantLocked(w)
}

func (s *semaphore) cancel(c *client, id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, w := range s.waiting {
		if w.is(c, id) {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			w.reply(statusTimeout)
			return
		}
	}
}

func (s *semaphore) gone(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.to == c })
	n := s.held[c]
	delete(s.held, c)
	s.abandoned += n
	for range n {
		s.freeLocked()
	}
}

func (s *semaphore) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waiting {
		w.reply(statusGone)
	}
	s.waiting = nil
}
