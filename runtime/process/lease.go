package process

import "github.com/weft-go/weft/runtime/process/internal/ring"

// A lease lets a process take the items of a batch one by one, while the lender can take
// back, at any instant and without asking, those that were not taken yet; and when the
// process has died the lender knows how many it took. It is one word of shared memory:
// the number of items taken above, the number lent below. Both sides change it by
// compare-and-swap.
type lease struct {
	page *ring.Page
	word int
}

const leaseShift = 32

// grant lends n items. Nobody uses the lease yet.
func (l lease) grant(n int) { l.page.Store(l.word, uint64(n)) }

// take takes the next item, by the borrower. It reports false if none is left.
func (l lease) take() bool {
	for {
		old := l.page.Load(l.word)
		if old>>leaseShift >= old&(1<<leaseShift-1) {
			return false
		}
		if l.page.CompareAndSwap(l.word, old, old+1<<leaseShift) {
			return true
		}
	}
}

// revoke takes back all but keep of the items that are not taken yet, by the lender, and
// returns how many were, or will still be, the borrower's.
func (l lease) revoke(keep int) int {
	for {
		old := l.page.Load(l.word)
		taken, lent := old>>leaseShift, old&(1<<leaseShift-1)
		if taken+uint64(keep) >= lent {
			return int(lent)
		}
		lent = taken + uint64(keep)
		if l.page.CompareAndSwap(l.word, old, taken<<leaseShift|lent) {
			return int(lent)
		}
	}
}

// taken is how many items were taken.
func (l lease) taken() int { return int(l.page.Load(l.word) >> leaseShift) }

// left is how many items were not taken yet.
func (l lease) left() int {
	old := l.page.Load(l.word)
	return int(old&(1<<leaseShift-1)) - int(old>>leaseShift)
}

// halve takes back half of the items that are not taken yet; but not the first of all if the
// borrower waits for that one. It returns how many are the borrower's still, and whether any
// was taken back.
func (l lease) halve(waits bool) (lent int, some bool) {
	for {
		old := l.page.Load(l.word)
		taken, lent := old>>leaseShift, old&(1<<leaseShift-1)
		back := (lent - taken + 1) / 2
		if taken == 0 && waits {
			back = lent / 2
		}
		if taken >= lent || back == 0 {
			return int(lent), false
		}
		lent -= back
		if l.page.CompareAndSwap(l.word, old, taken<<leaseShift|lent) {
			return int(lent), true
		}
	}
}
