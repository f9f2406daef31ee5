package reactor

import (
	goruntime "runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEnd: a reactor's end wakes who waits there, in every state, and the
// descriptors go on elsewhere.
func TestEnd(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		reading, peerR := socketPair(t)
		writing, peerW := socketPair(t)
		both, peerB := socketPair(t)
		halved, peerH := socketPair(t)
		idle, peerI := socketPair(t)
		p := newParty(t)
		waits := map[uint64]bool{}
		waits[m.wait(reading, Read, p)] = true
		fill(t, writing.Sysfd)
		waits[m.wait(writing, Write, p)] = true
		fill(t, both.Sysfd)
		waits[m.wait(both, Read, p)] = true
		waits[m.wait(both, Write, p)] = true
		fill(t, halved.Sysfd)
		shutdown(t, peerH.n, unix.SHUT_WR)
		hangUp(m.rig, halved)
		waits[m.wait(halved, Write, p)] = true
		idle.Cancel(Read, m.wait(idle, Read, p))
		m.quiet()
		p.asleep()

		m.end()
		for n := len(waits); n > 0; n-- {
			e := receive(t, p.ends, "an evicted party")
			if !waits[e.gen] || e.err != nil {
				t.Errorf("wait %d ended with %v", e.gen, e.err)
			}
			delete(waits, e.gen)
		}
		p.asleep()
		if m.regs != nil {
			t.Error("a registration is left")
		}

		if _, err := reading.Wait(m.Reactor, false, Read, true, p, p.next()); err != ErrEnded {
			t.Errorf("a wait on the ended reactor: %v", err)
		}
		if _, err := halved.Wait(m.Reactor, false, Write, true, p, p.next()); err != ErrEnded {
			t.Errorf("a wait on the ended nested epoll: %v", err)
		}

		next := mode{newRig(t), m.local}
		r := next.wait(reading, Read, p)
		write(t, peerR.n, "x")
		p.woken(r)
		w := next.wait(writing, Write, p)
		drain(t, peerW.n)
		p.woken(w)
		r, w = next.wait(both, Read, p), next.wait(both, Write, p)
		next.inState(both, armedRW)
		drain(t, peerB.n)
		p.woken(w)
		write(t, peerB.n, "x")
		p.woken(r)
		w = next.wait(halved, Write, p)
		next.quiet()
		p.asleep()
		drain(t, peerH.n)
		p.woken(w)
		r = next.wait(idle, Read, p)
		peerI.close()
		p.woken(r)
		for _, fd := range []*FD{reading, writing, both, halved, idle} {
			next.closeFD(fd)
		}
	})
}

// TestEnding: between Close and the end of Run no epoll_ctl is made any more.
func TestEnding(t *testing.T) {
	m := mode{newRig(t), false}
	reading, _ := socketPair(t)
	fresh, _ := socketPair(t)
	halved, peer := socketPair(t)
	p := newParty(t)
	r := m.wait(reading, Read, p)
	fill(t, halved.Sysfd)
	shutdown(t, peer.n, unix.SHUT_WR)
	hangUp(m.rig, halved)
	m.on(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if _, err := fresh.Wait(m.Reactor, false, Read, true, p, p.next()); err != ErrEnded {
			t.Errorf("ADD: %v", err)
		}
		if _, err := halved.Wait(m.Reactor, false, Write, true, p, p.next()); err != ErrEnded {
			t.Errorf("nested ADD: %v", err)
		}
		// MOD has no effect, and the end will wake both.
		fill(t, reading.Sysfd)
		gen := p.next()
		if ready, err := reading.Wait(m.Reactor, false, Write, true, p, gen); ready || err != nil {
			t.Errorf("MOD: %v, %v", ready, err)
		}
		p.asleep()
	})
	receive(t, m.done, "the end of Run")
	p.woken(r)
	p.woken(r + 3)
}

// TestEndWhileWaiting: goroutines begin and end waits while their reactor ends.
// Each finds out, or is woken.
func TestEndWhileWaiting(t *testing.T) {
	for range 5 {
		g := newRig(t)
		const parties = 4
		done := make(chan struct{})
		for range parties {
			fd, _ := socketPair(t)
			go func() {
				defer func() { done <- struct{}{} }()
				p := newParty(t)
				for {
					gen := p.next()
					_, err := fd.Wait(g.Reactor, false, Read, true, p, gen)
					if err == ErrEnded {
						return
					}
					if err != nil {
						t.Errorf("Wait: %v", err)
						return
					}
					if g.Closed() {
						p.woken(gen)
					} else {
						fd.Cancel(Read, gen)
						fd.Kick(Read)
						goruntime.Gosched()
					}
				}
			}()
		}
		g.settle()
		g.end()
		for range parties {
			receive(t, done, "a party")
		}
	}
}
