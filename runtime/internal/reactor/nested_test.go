package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestHalfClose: the peer has shut down its writing side, and reads on. The
// writer waits whenever the buffer is full, without a spin, and gets everything
// across.
func TestHalfClose(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		fill(t, fd.Sysfd)
		shutdown(t, peer.n, unix.SHUT_WR)
		hangUp(m.rig, fd)
		for range 20 {
			w := m.wait(fd, Write, p)
			m.quiet()
			p.asleep()
			drain(t, peer.n)
			p.woken(w)
			m.quiet()
			fill(t, fd.Sysfd)
		}
		// Readers go on meanwhile.
		w := m.wait(fd, Write, p)
		q := newParty(t)
		if _, ready, err := m.tryWait(fd, Read, false, q); !ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		r := m.wait(fd, Read, q)
		q.woken(r)
		m.becomes(fd, hup)
		// That hang-up woke the writer as well, who finds no room.
		p.woken(w)
		w = m.wait(fd, Write, p)
		m.quiet()
		peer.close()
		p.woken(w)
		m.closeFD(fd)
	})
}

// TestNestedWithoutWriter: an event that nobody waits for is used up, and the
// next writer is told again.
func TestNestedWithoutWriter(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		fill(t, fd.Sysfd)
		shutdown(t, peer.n, unix.SHUT_WR)
		hangUp(m.rig, fd)
		fd.Cancel(Write, m.wait(fd, Write, p))
		before := m.events()
		drain(t, peer.n)
		m.settle()
		if n := m.events() - before; n != 1 {
			t.Errorf("%d events", n)
		}
		p.asleep()
		w := m.wait(fd, Write, p)
		p.woken(w)
		m.closeFD(fd)
	})
}

// TestNestedMany: more writers than one look at the nested epoll reports.
func TestNestedMany(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		const n = 150
		var fds [n]*FD
		var peers [n]*closing
		var gens [n]uint64
		p := newParty(t)
		for i := range n {
			fds[i], peers[i] = socketPair(t)
			fill(t, fds[i].Sysfd)
			shutdown(t, peers[i].n, unix.SHUT_WR)
			hangUp(m.rig, fds[i])
			gens[i] = m.wait(fds[i], Write, p)
		}
		m.quiet()
		p.asleep()
		m.on(func() {
			for i := range n {
				drain(t, peers[i].n)
			}
		})
		woken := map[uint64]bool{}
		for range n {
			woken[receive(t, p.ends, "a writer").gen] = true
		}
		if len(woken) != n {
			t.Errorf("%d of %d were woken", len(woken), n)
		}
		for _, fd := range fds {
			m.closeFD(fd)
		}
		_ = gens
	})
}

// TestNestedReuse: a closed descriptor's number does not wake its successor.
func TestNestedReuse(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		for range 3 {
			fill(t, fd.Sysfd)
			shutdown(t, peer.n, unix.SHUT_WR)
			hangUp(m.rig, fd)
			w := m.wait(fd, Write, p)
			m.closeFD(fd)
			p.woken(w)
			var next *FD
			next, peer = reuse(t, fd.Sysfd)
			m.quiet()
			fd = next
		}
		m.closeFD(fd)
	})
}
