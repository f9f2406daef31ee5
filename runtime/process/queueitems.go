package process

// itemRing is a queue of items at whose front some can be put back.
type itemRing struct {
	buf  [][]byte
	head int
	n    int
}

func (r *itemRing) len() int { return r.n }

func (r *itemRing) first() []byte { return r.buf[r.head] }

func (r *itemRing) grow(n int) {
	if r.n+n <= len(r.buf) {
		return
	}
	buf := make([][]byte, max(2*len(r.buf), r.n+n, 16))
	k := copy(buf, r.buf[r.head:])
	copy(buf[k:], r.buf[:r.head])
	r.buf, r.head = buf, 0
}

func (r *itemRing) push(item []byte) {
	r.grow(1)
	r.buf[(r.head+r.n)%len(r.buf)] = item
	r.n++
}

func (r *itemRing) shift() []byte {
	item := r.buf[r.head]
	r.buf[r.head] = nil
	r.head = (r.head + 1) % len(r.buf)
	if r.n--; r.n == 0 && len(r.buf) > 1024 {
		*r = itemRing{} // a burst is over
	}
	return item
}

func (r *itemRing) unshift(items [][]byte) {
	r.grow(len(items))
	for i := len(items) - 1; i >= 0; i-- {
		r.head = (r.head + len(r.buf) - 1) % len(r.buf)
		r.buf[r.head] = items[i]
		r.n++
	}
}

// spares is memory of long items that nobody needs any more. It is used again, which is worth
// more than what the collector saves: it is in the processor's cache.
type spares struct {
	list  [][]byte
	bytes int
}

const (
	spareFrom   = 1 << 10 // shorter items are no matter
	spareAtMost = 1 << 20
)

func (s *spares) give(b []byte) {
	if n := cap(b); n >= spareFrom && s.bytes+n <= spareAtMost {
		s.list = append(s.list, b[:0])
		s.bytes += n
	}
}

// take returns memory for n bytes, of length 0, or nil if there is none: append gets new
// memory without clearing it.
func (s *spares) take(n int) []byte {
	if last := len(s.list) - 1; n >= spareFrom && last >= 0 {
		b := s.list[last]
		s.list[last] = nil
		s.list = s.list[:last]
		s.bytes -= cap(b)
		if cap(b) >= n {
			return b
		}
	}
	return nil
}
