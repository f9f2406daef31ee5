package server

import (
	stdnet "net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime/runtimetest"
)

// The memory of a ledger is bounded, whoever fills it, and what was used last
// stays.
func TestLedgerBound(t *testing.T) {
	l := newLedger(2, time.Hour)
	mine := nameKey("mine")
	l.mark(mine)
	if !l.mark(mine) || !l.banned(mine) {
		t.Fatal("two marks make no ban")
	}
	for i := range 3 * maxLedger {
		if i%1000 == 0 {
			l.mark(mine)
		}
		l.mark(ledgerKey(i))
	}
	if len(l.entries) != maxLedger || l.order.Len() != maxLedger {
		t.Errorf("%d entries, %d in order, want %d", len(l.entries), l.order.Len(), maxLedger)
	}
	if !l.banned(mine) {
		t.Error("the entry in use was dropped")
	}
}

// Marks count within the span, and a ban ends with it.
func TestLedgerForgets(t *testing.T) {
	l := newLedger(2, time.Hour)
	key := nameKey("x")
	age := func(d time.Duration) {
		e := l.entries[key].Value.(*ledgerEntry)
		e.since, e.until = e.since.Add(-d), e.until.Add(-d)
	}
	l.mark(key)
	age(2 * time.Hour)
	if l.mark(key) || l.banned(key) {
		t.Error("an old mark counts")
	}
	if !l.mark(key) || !l.banned(key) {
		t.Error("two marks make no ban")
	}
	age(2 * time.Hour)
	if l.banned(key) || l.mark(key) {
		t.Error("a ban does not end")
	}
	off := newLedger(noLimit, time.Hour)
	if off.mark(key); len(off.entries) != 0 {
		t.Error("a ledger without a limit keeps entries")
	}
}

// A name is locked for everyone but the user's own networks.
func TestLock(t *testing.T) {
	g := newGuard(&Config{BanAfter: noLimit, BanTime: time.Hour, LockAfter: 2})
	own, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	g.admitted(own, "alice")
	g.denied(other, "alice")
	if _, lock := g.denied(own, "alice"); !lock {
		t.Error("no lock")
	}
	for _, tc := range []struct {
		network netip.Prefix
		name    string
		locked  bool
	}{{own, "alice", false}, {other, "alice", true}, {own, "bob", false}} {
		if g.locked(tc.network, tc.name) != tc.locked {
			t.Errorf("%s from %s: locked is not %v", tc.name, tc.network, tc.locked)
		}
	}
	if g.banned(netip.Prefix{}) {
		t.Error("who has no address is banned")
	}
}

// Complaint 24: routers drop control connections in which nothing moves.
func TestKeepAlive(t *testing.T) {
	for _, e := range []Engine{Goroutines(), Tasks(runtimetest.New(t, 1))} {
		l, err := e.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := stdnet.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		a, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		on, idle := 0, 0
		onSocket(a, func(fd int) {
			on, _ = syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
			idle, _ = syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
		})
		if on == 0 || idle < 15 || idle > 60 {
			t.Errorf("%s: keep-alive %d after %d s", e.Name(), on, idle)
		}
	}
}
