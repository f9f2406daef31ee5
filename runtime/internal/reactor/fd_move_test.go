package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestMove: a descriptor follows who waits for it, from reactor to reactor, in
// each state.
func TestMove(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		other := mode{newRig(t), m.local}
		fd, peer := socketPair(t)
		p := newParty(t)
		there := func(on mode, not mode, state interest) {
			t.Helper()
			on.inState(fd, state)
			if fd.Home() != on.Reactor {
				t.Fatal("at home elsewhere")
			}
			if got := interestOf(t, descriptorsOf(not.poll)[0], fd.Sysfd); got != 0 {
				t.Fatalf("the former home still watches for %#x", got)
			}
		}
		for i := range 20 {
			on, not := m, other
			if i%2 == 1 {
				on, not = other, m
			}
			gen := on.wait(fd, Read, p)
			there(on, not, armedR)
			write(t, peer.n, "x")
			p.woken(gen)
			read(t, fd.Sysfd)

			fill(t, fd.Sysfd)
			gen = not.wait(fd, Write, p)
			there(not, on, armedW)
			drain(t, peer.n)
			p.woken(gen)

			gen = not.wait(fd, Read, p)
			there(not, on, armedR)
			fd.Cancel(Read, gen)
		}
		if n := len(*fd.former); n > 2 {
			t.Errorf("%d former homes noted", n)
		}

		// In the state hup the nested epoll changes as well.
		fill(t, fd.Sysfd)
		shutdown(t, peer.n, unix.SHUT_WR)
		hangUp(m.rig, fd)
		for _, on := range []mode{m, other, m, other} {
			w := on.wait(fd, Write, p)
			on.settle()
			p.asleep()
			fd.Cancel(Write, w)
		}
		w := other.wait(fd, Write, p)
		drain(t, peer.n)
		p.woken(w)
		for next := other.Reactor; next != nil; next = fd.Close(next) {
		}
	})
}

// TestMoveNot: while one waits the descriptor stays where it is, and serves the
// other direction there.
func TestMoveNot(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		other := mode{newRig(t), m.local}
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		r := m.wait(fd, Read, reader)
		total := fill(t, fd.Sysfd)
		w := other.wait(fd, Write, writer)
		m.inState(fd, armedRW)
		if fd.Home() != m.Reactor {
			t.Fatal("it moved")
		}
		if got := drain(t, peer.n); got != total {
			t.Errorf("%d bytes, not %d", got, total)
		}
		writer.woken(w)
		write(t, peer.n, "x")
		reader.woken(r)
		m.closeFD(fd)
	})
}
