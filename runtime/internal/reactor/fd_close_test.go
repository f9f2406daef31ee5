package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestClose: closing in each state deregisters, and wakes who waits.
func TestClose(t *testing.T) {
	enter := map[interest]func(t *testing.T, m mode, fd *FD, peer *closing, p *party) []uint64{
		off: func(*testing.T, mode, *FD, *closing, *party) []uint64 { return nil },
		armedR: func(t *testing.T, m mode, fd *FD, peer *closing, p *party) []uint64 {
			return []uint64{m.wait(fd, Read, p)}
		},
		armedRW: func(t *testing.T, m mode, fd *FD, peer *closing, p *party) []uint64 {
			fill(t, fd.Sysfd)
			return []uint64{m.wait(fd, Read, p), m.wait(fd, Write, p)}
		},
		armedW: func(t *testing.T, m mode, fd *FD, peer *closing, p *party) []uint64 {
			fill(t, fd.Sysfd)
			return []uint64{m.wait(fd, Write, p)}
		},
		hup: func(t *testing.T, m mode, fd *FD, peer *closing, p *party) []uint64 {
			fill(t, fd.Sysfd)
			shutdown(t, peer.n, unix.SHUT_WR)
			hangUp(m.rig, fd)
			return []uint64{m.wait(fd, Write, p)}
		},
	}
	for state, enter := range enter {
		t.Run(state.String(), func(t *testing.T) {
			modes(t, func(t *testing.T, m mode) {
				fd, peer := socketPair(t)
				p := newParty(t)
				gens := enter(t, m, fd, peer, p)
				m.inState(fd, state)
				m.closeFD(fd)
				for _, gen := range gens {
					p.woken(gen)
				}
				m.inState(fd, closed)
				m.mu.Lock()
				if m.regs != nil {
					t.Error("a registration is left")
				}
				if n := m.nested; n != nil && (len(n.fds) > 0 || interestOf(t, n.epfd, fd.Sysfd) != 0) {
					t.Error("the nested epoll knows it still")
				}
				m.mu.Unlock()
				m.closeFD(fd) // again
				p.asleep()
				peer.close()
				m.quiet()
			})
		})
	}
}

// TestCloseInsideCallback closes a descriptor in its own callback, with each
// combination of events that netpoll has yet to handle after that, and opens
// another of the same number there.
func TestCloseInsideOwnCallback(t *testing.T) {
	for _, writing := range []bool{false, true} {
		for _, hangup := range []bool{false, true} {
			modes(t, func(t *testing.T, m mode) {
				fd, peer := socketPair(t)
				reader, writer, p := newParty(t), newParty(t), newParty(t)
				r := m.wait(fd, Read, reader)
				var w uint64
				if writing {
					fill(t, fd.Sysfd)
					w = m.wait(fd, Write, writer)
				}
				var next *FD
				var nextPeer *closing
				var gen uint64
				done := m.inside(func() {
					reader.woken(r)
					if fd.Close(m.Reactor) != nil {
						t.Error("Close asks for another reactor")
					}
					next, nextPeer = reuse(t, fd.Sysfd)
					gen = p.next()
					if ready, err := next.Wait(m.Reactor, m.local, Read, true, p, gen); ready || err != nil {
						t.Errorf("Wait = %v, %v", ready, err)
					}
					if m.local {
						m.Flush()
					}
				})
				m.on(func() {
					if writing {
						drain(t, peer.n)
					}
					write(t, peer.n, "x")
					if hangup {
						peer.close()
					}
				})
				done()
				if writing {
					writer.woken(w)
				}
				m.quiet()
				p.asleep()
				m.inState(next, armedR)
				write(t, nextPeer.n, "y")
				p.woken(gen)
				if got := read(t, next.Sysfd); got != "y" {
					t.Errorf("read %q", got)
				}
				m.closeFD(next)
				reader.asleep()
				writer.asleep()
			})
		}
	}
}

// TestCloseInsideCallbackOfAnother: the events of one round are of two
// descriptors, each of which closes the other.
func TestCloseInsideCallbackOfAnother(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		a, peerA := socketPair(t)
		b, peerB := socketPair(t)
		p, q := newParty(t), newParty(t)
		genA, genB := m.wait(a, Read, p), m.wait(b, Read, p)
		var next *FD
		var gen uint64
		done := m.inside(func() {
			other := a
			if e := receive(t, p.ends, "the first event"); e.gen == genA {
				other = b
			}
			other.Close(m.Reactor)
			next, _ = reuse(t, other.Sysfd)
			gen = q.next()
			if ready, err := next.Wait(m.Reactor, m.local, Read, true, q, gen); ready || err != nil {
				t.Errorf("Wait = %v, %v", ready, err)
			}
			if m.local {
				m.Flush()
			}
		})
		m.on(func() {
			write(t, peerA.n, "x")
			write(t, peerB.n, "x")
		})
		done()
		_ = genB
		receive(t, p.ends, "the end of the other wait")
		m.settle()
		// Under the race detector netpoll finds operators by number, and the
		// stale event wakes the new descriptor for nothing.
		if raceEnabled {
			select {
			case <-q.ends:
			default:
			}
		}
		q.asleep()
		m.quiet()
		m.closeFD(a)
		m.closeFD(b)
		m.closeFD(next)
	})
}

// TestCloseElsewhere: a close on the wrong goroutine is sent to the home, then
// to the reactors where the descriptor was before.
func TestCloseElsewhere(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		second, third := newRig(t), newRig(t)
		fd, _ := socketPair(t)
		p := newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, p))
		fd.Cancel(Read, mode{second, m.local}.wait(fd, Read, p))
		gen := mode{third, m.local}.wait(fd, Read, p)
		if fd.Home() != third.Reactor {
			t.Fatal("not at home on the third")
		}
		for _, on := range []*Reactor{nil, m.Reactor, second.Reactor} {
			if next := fd.Close(on); next != third.Reactor {
				t.Fatal("Close does not ask for the home")
			}
			p.asleep()
			third.inState(fd, armedR)
		}
		seen := map[*Reactor]bool{}
		for next := third.Reactor; next != nil; {
			if seen[next] {
				t.Fatal("Close asks for a reactor twice")
			}
			seen[next] = true
			next = fd.Close(next)
		}
		if !seen[m.Reactor] || !seen[second.Reactor] || len(seen) != 3 {
			t.Errorf("Close asked for %d reactors", len(seen))
		}
		p.woken(gen)
		third.inState(fd, closed)
	})
}

// TestCloseAfterEnd: of reactors that have ended none is asked for.
func TestCloseAfterEnd(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		second := newRig(t)
		fd, _ := socketPair(t)
		p := newParty(t)
		fd.Cancel(Read, mode{second, m.local}.wait(fd, Read, p))
		gen := m.wait(fd, Read, p)
		second.end()
		m.end()
		p.woken(gen)
		if fd.Close(nil) != nil {
			t.Error("Close asks for another reactor")
		}
	})
}
