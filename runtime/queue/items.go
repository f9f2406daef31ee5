package queue

// order is the order in which items leave.
type order uint8

const (
	oldest   order = iota // a ring
	newest                // a stack
	smallest              // a heap
)

// items is what a queue stores. Its mutex guards them. The zero items are a
// ring.
type items[T any] struct {
	buf   []T // all of it is room
	head  int // of a ring: where the oldest is
	n     int
	peak  int // the largest n since n was 0 last
	order order

	// of a heap
	less func(a, b T) bool
	seqs []uint64 // parallel to buf: the number of the push
	seq  uint64
}

// keepRoom is how much room an empty store keeps in any case.
const keepRoom = 64

func (s *items[T]) push(item T) {
	if s.n == len(s.buf) {
		s.grow()
	}
	if s.order == smallest {
		s.pushHeap(item)
		return
	}
	i := s.head + s.n
	if i >= len(s.buf) {
		i -= len(s.buf)
	}
	s.buf[i] = item
	s.n++
}

// pop takes the next item out. There must be one.
func (s *items[T]) pop() T {
	var zero T
	if s.order != oldest {
		return s.popOther()
	}
	item := s.buf[s.head]
	s.buf[s.head] = zero
	if s.head++; s.head == len(s.buf) {
		s.head = 0
	}
	s.popped()
	return item
}

func (s *items[T]) popOther() T {
	var zero T
	last := s.n - 1
	if s.order == smallest {
		s.popHeap(last)
	}
	item := s.buf[last]
	s.buf[last] = zero
	s.popped()
	return item
}

// peek returns the item that pop would. There must be one.
func (s *items[T]) peek() T {
	if s.order == newest {
		return s.buf[s.n-1]
	}
	return s.buf[s.head]
}

func (s *items[T]) popped() {
	s.peak = max(s.peak, s.n)
	if s.n--; s.n == 0 {
		s.emptied()
	}
}

// emptied gives up room that was not needed since the store was empty before.
// So a queue does not keep for ever what a burst once took, and yet
// allocates nothing if bursts are the rule.
func (s *items[T]) emptied() {
	if len(s.buf) > keepRoom && s.peak < len(s.buf)/4 {
		s.buf, s.seqs = nil, nil
	}
	s.head, s.peak = 0, 0
}

// grow makes room for more.
func (s *items[T]) grow() {
	buf := make([]T, max(2*len(s.buf), 8))
	n := copy(buf, s.buf[s.head:])
	copy(buf[n:], s.buf[:s.head])
	s.buf, s.head = buf, 0
	if s.order == smallest {
		seqs := make([]uint64, len(buf))
		copy(seqs, s.seqs)
		s.seqs = seqs
	}
}

// pushHeap and popHeap move items by swapping, so that a less that panics loses
// none.
func (s *items[T]) pushHeap(item T) {
	i := s.n
	s.n++
	s.seq++
	s.buf[i], s.seqs[i] = item, s.seq
	for i > 0 {
		parent := (i - 1) / 2
		if !s.before(i, parent) {
			return
		}
		s.swap(i, parent)
		i = parent
	}
}

// popHeap moves the smallest item to the place last, outside the heap.
func (s *items[T]) popHeap(last int) {
	s.swap(0, last)
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return
		}
		if child+1 < last && s.before(child+1, child) {
			child++
		}
		if !s.before(child, i) {
			return
		}
		s.swap(i, child)
		i = child
	}
}

// before is the order of the heap: of equal items the one put first is smaller.
func (s *items[T]) before(i, j int) bool {
	if s.less(s.buf[i], s.buf[j]) {
		return true
	}
	return s.seqs[i] < s.seqs[j] && !s.less(s.buf[j], s.buf[i])
}

func (s *items[T]) swap(i, j int) {
	s.buf[i], s.buf[j] = s.buf[j], s.buf[i]
	s.seqs[i], s.seqs[j] = s.seqs[j], s.seqs[i]
}
