package runtime

import (
	"sync"
	"sync/atomic"

	"github.com/weft-go/weft/runtime/internal/store"
)

// A Guard is the lock inside of something on which tasks wait: the queue, lock
// and event packages are built on it, and your own such things may be. It is
// held for a few instructions: the holder must not park, nor lock another
// Guard that may be held by one who wants this one. The zero Guard is
// unlocked. Any task or goroutine, and the hub, may use it. It must not be
// copied after first use.
//
// Where one worker alone uses a Guard for a while, locking it becomes almost
// free: its tasks exclude each other anyway. The first other party that comes
// ends that.
type Guard struct {
	// A guard is shared, then mu is the lock; or it is biased towards owner,
	// whose tasks lock it by setting inside, without an atomic operation.
	//
	//	shared -> biased   by the owner's task, holding mu, after it has been the
	//	                   only one to lock for a while
	//	biased -> shared   by any other party, holding mu: revoke
	//
	// The owner sets inside and then looks at owner once more; who revokes
	// takes owner away and then looks at inside. One of the two sees the
	// other's write if neither's read passes its write. On the owner's side
	// nothing prevents that but the membarrier system call of who revokes,
	// which makes every thread of the process execute a barrier.
	owner  atomic.Pointer[worker]
	mu     sync.Mutex
	inside uint32 // written by the owner
	held   bool   // the lock's: it is held without mu

	// mu guards:
	last    *worker // who locked it last; nil for a goroutine
	streak  uint32  // how often in a row
	revoked uint8
}

// A Caller is the calling task, goroutine or hub, as Guard.Lock found it. It
// saves the search in NewWaiter and Ready, and is valid until the caller parks.
type Caller struct{ co *coroutine }

// Lock locks g. It blocks the thread while another holds g, which is not long.
func (g *Guard) Lock() Caller {
	co := current()
	if co != nil && g.owner.Load() == co.w {
		// SAFETY: see the top; loads and stores keep their order in the compiler,
		// as the load is atomic.
		g.inside = 1
		if g.owner.Load() == co.w {
			g.held = true
			return Caller{co}
		}
		store.Release(&g.inside, 0)
	}
	g.lockShared(co)
	return Caller{co}
}

// Unlock unlocks g, by the party that locked it.
func (g *Guard) Unlock() {
	if g.held {
		g.held = false
		store.Release(&g.inside, 0)
		return
	}
	g.mu.Unlock()
}

const (
	// biasStreak is how often in a row one worker locks a guard until it is
	// biased: what lives shortly never is, and costs no system call when another
	// thread comes. It doubles with each revocation.
	biasStreak = 64

	maxRevoked = 16
)

func (g *Guard) lockShared(co *coroutine) {
	g.mu.Lock()
	if g.owner.Load() != nil {
		g.revoke()
	}
	switch {
	case co == nil:
		g.last = nil
	case g.last != co.w:
		g.last, g.streak = co.w, 1
	default:
		if g.streak++; g.streak >= biasStreak<<g.revoked && mayBias() {
			g.owner.Store(co.w)
		}
	}
}

// revoke makes a biased guard shared.
func (g *Guard) revoke() {
	g.owner.Store(nil)
	membarrier()
	for atomic.LoadUint32(&g.inside) != 0 {
		pause() // for a few instructions, unless the owner's thread lost its processor
	}
	g.last = nil
	g.revoked = min(g.revoked+1, maxRevoked)
}

// NewWaiter is runtime.NewWaiter for the caller, but for this: Park of the result
// never panics, so that the wait can be taken out of a list without a defer. If
// it returns an error, Resume must be called with it after that.
func (c Caller) NewWaiter() Waiter {
	w := newWaiter(c.co)
	w.gen |= returnsBit
	return w
}

// Ready is w.Ready for the caller.
func (c Caller) Ready(w Waiter) bool {
	if w.cell == nil || !w.cell.claim(w.gen&genMask) {
		return false
	}
	if t := w.cell.task; t != nil && c.co != nil && c.co.w == t.w {
		t.w.runq.push(t)
	} else {
		w.cell.release()
	}
	return true
}
