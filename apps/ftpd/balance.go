package main

import "sync"

// A balance sees to it that the processes have about as many sessions each.
type balance struct {
	changed chan struct{} // gets something when there are moves to make

	mu    sync.Mutex    // held for a few instructions a process
	sides map[int]*side // mu guards; by the number of the process
}

// A side is one process that serves.
type side struct {
	sessions int
	closed   bool // its door, or it will be
}

func newBalance() *balance {
	return &balance{changed: make(chan struct{}, 1), sides: make(map[int]*side)}
}

// add adds a process that serves.
func (b *balance) add(number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sideLocked(number)
	b.lookLocked()
}

// count notes how many sessions a process has. It does not wait.
func (b *balance) count(number, sessions int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sideLocked(number).sessions = sessions
	b.lookLocked()
}

func (b *balance) sideLocked(number int) *side {
	s := b.sides[number]
	if s == nil {
		s = new(side)
		b.sides[number] = s
	}
	return s
}

// remove forgets a process that has ended.
func (b *balance) remove(number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sides, number)
	b.lookLocked()
}

// lookLocked tells of moves to make. mu is held.
func (b *balance) lookLocked() {
	least := b.leastLocked()
	for _, s := range b.sides {
		if s.closed != s.leads(least) {
			select {
			case b.changed <- struct{}{}:
			default: // told already
			}
			return
		}
	}
}

func (b *balance) leastLocked() int {
	least := -1
	for _, s := range b.sides {
		if least < 0 || s.sessions < least {
			least = s.sessions
		}
	}
	return least
}

// leads reports whether a process has so many sessions more than the one with the fewest that
// its door is to be closed. One that is closed stays so for a session longer, so that doors do
// not move with every session.
func (s *side) leads(least int) bool {
	ahead := 2 + least/8
	if s.closed {
		ahead--
	}
	return s.sessions >= least+ahead
}

// moves returns which doors to close, and which to open. They count as such then.
func (b *balance) moves() map[int]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	least := b.leastLocked()
	moves := make(map[int]bool)
	for number, s := range b.sides {
		if leads := s.leads(least); leads != s.closed {
			s.closed = leads
			moves[number] = leads
		}
	}
	return moves
}
