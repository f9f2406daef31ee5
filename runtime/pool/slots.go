package pool

import (
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/waitlist"
)

// slots are handed out to at most so many at once. A slot that is given back
// goes directly to the one who has waited longest.
type slots struct {
	size int // immutable

	mu      waitlist.Mutex
	taken   int // mu guards this and the rest
	waiting waitlist.List[struct{}]
}

func (s *slots) try() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.size {
		return false
	}
	s.taken++
	return true
}

func (s *slots) take(reason string, deadline runtime.Instant) error {
	c := s.mu.Lock()
	if s.taken < s.size { // then nobody waits
		s.taken++
		s.mu.Unlock()
		return nil
	}
	_, err := s.waiting.Wait(&s.mu, c.NewWaiter(), struct{}{}, reason, deadline)
	return err
}

func (s *slots) give() {
	c := s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting.WakeFirst(c) {
		s.taken--
	}
}

func (s *slots) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size - s.taken
}
