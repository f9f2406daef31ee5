package server

import (
	"container/list"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// A ledger remembers what was done under a key, for a while: failed logins by
// network and by name, and successful ones by both. Its memory is bounded; if
// there is no room the entry that was used least recently makes some.
type ledger struct {
	// immutable
	limit int           // of marks within span, for a ban
	span  time.Duration // of a mark, and of a ban

	mu      sync.Mutex // held for a few instructions only
	entries map[ledgerKey]*list.Element
	order   list.List // of *ledgerEntry, the oldest first
}

// maxLedger bounds the entries of a ledger.
const maxLedger = 16384

// ledgerKey is a hash, because names are of any length.
type ledgerKey uint64

var ledgerSeed = maphash.MakeSeed()

func networkKey(network netip.Prefix) ledgerKey {
	return ledgerKey(maphash.Comparable(ledgerSeed, network))
}

func nameKey(name string) ledgerKey { return ledgerKey(maphash.String(ledgerSeed, name)) }

// knownKey stands for a user and a network that he has logged in from.
func knownKey(network netip.Prefix, name string) ledgerKey {
	return ledgerKey(maphash.Comparable(ledgerSeed, struct {
		network netip.Prefix
		name    string
	}{network, name}))
}

type ledgerEntry struct {
	key   ledgerKey
	marks int
	since time.Time // of the first mark
	until time.Time // the end of the ban, if there is one
}

func newLedger(limit int, span time.Duration) *ledger {
	return &ledger{limit: limit, span: span, entries: make(map[ledgerKey]*list.Element)}
}

// mark adds a mark and reports whether it made a ban.
func (l *ledger) mark(key ledgerKey) bool {
	if l.limit == noLimit {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.entries[key]
	if at == nil {
		if len(l.entries) >= maxLedger {
			delete(l.entries, l.order.Remove(l.order.Front()).(*ledgerEntry).key)
		}
		at = l.order.PushBack(&ledgerEntry{key: key})
		l.entries[key] = at
	}
	l.order.MoveToBack(at)
	e, now := at.Value.(*ledgerEntry), time.Now()
	if now.Sub(e.since) > l.span {
		e.marks, e.since = 0, now
	}
	if e.marks++; e.marks < l.limit {
		return false
	}
	e.marks, e.until = 0, now.Add(l.span)
	return true
}

// banned reports whether the limit was reached lately.
func (l *ledger) banned(key ledgerKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.entries[key]
	return at != nil && time.Now().Before(at.Value.(*ledgerEntry).until)
}

// A guard remembers logins.
type guard struct {
	failed *ledger // by network
	names  *ledger // failed ones by name
	known  *ledger // successful ones by both
}

// knownSpan is how long a network counts as a user's own.
const knownSpan = 30 * 24 * time.Hour

func newGuard(cfg *Config) guard {
	return guard{
		failed: newLedger(cfg.BanAfter, cfg.BanTime),
		names:  newLedger(cfg.LockAfter, cfg.BanTime),
		known:  newLedger(1, knownSpan),
	}
}

// banned reports whether the network is to be turned away.
func (g *guard) banned(network netip.Prefix) bool {
	return network.IsValid() && g.failed.banned(networkKey(network))
}

// locked reports whether the name is locked for the network. The user's own
// networks are not concerned: else whoever knows a name could lock its user out.
func (g *guard) locked(network netip.Prefix, name string) bool {
	return g.names.banned(nameKey(name)) && !g.known.banned(knownKey(network, name))
}

// denied counts a failed login, and reports whether it made a ban or a lock.
func (g *guard) denied(network netip.Prefix, name string) (ban, lock bool) {
	ban = network.IsValid() && g.failed.mark(networkKey(network))
	return ban, g.names.mark(nameKey(name))
}

// admitted makes the network one of the user's own.
func (g *guard) admitted(network netip.Prefix, name string) {
	if g.names.limit != noLimit {
		g.known.mark(knownKey(network, name))
	}
}
