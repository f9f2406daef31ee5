package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// This file has a test per cell of the state table's rows "wait to read" and
// "wait to write".

func TestWaitToReadOff(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		gen := m.wait(fd, Read, p)
		m.inState(fd, armedR)
		m.quiet()
		p.asleep()
		write(t, peer.n, "x")
		p.woken(gen)
		m.closeFD(fd)
	})
}

// TestWaitToReadArmed: later waits in the states r and rw make no system call.
func TestWaitToReadArmed(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p, writer := newParty(t), newParty(t)
		for range 3 {
			gen := m.wait(fd, Read, p)
			m.inState(fd, armedR)
			fd.Cancel(Read, gen)
		}
		fill(t, fd.Sysfd)
		gen := m.wait(fd, Read, p)
		m.wait(fd, Write, writer)
		m.inState(fd, armedRW)
		fd.Cancel(Read, gen)
		gen = m.wait(fd, Read, p)
		m.inState(fd, armedRW)
		write(t, peer.n, "x")
		p.woken(gen)
		m.closeFD(fd)
	})
}

// TestWaitToReadWhileWriting: in state w a reader changes it to r, or to rw if
// a writer waits.
func TestWaitToReadWhileWriting(t *testing.T) {
	for _, writing := range []bool{false, true} {
		modes(t, func(t *testing.T, m mode) {
			fd, peer := socketPair(t)
			p, writer := newParty(t), newParty(t)
			total := fill(t, fd.Sysfd)
			w := m.wait(fd, Write, writer)
			m.inState(fd, armedW)
			if !writing {
				fd.Cancel(Write, w)
			}
			r := m.wait(fd, Read, p)
			if writing {
				m.inState(fd, armedRW)
			} else {
				m.inState(fd, armedR)
			}
			m.quiet()
			write(t, peer.n, "x")
			p.woken(r)
			if got := drain(t, peer.n); got != total {
				t.Errorf("%d bytes, not %d", got, total)
			}
			if writing {
				writer.woken(w)
			}
			m.closeFD(fd)
			p.asleep()
			writer.asleep()
		})
	}
}

// TestWaitToReadHungUp: after a hang-up a reader need not wait; one that tried
// in vain is registered, and told again.
func TestWaitToReadHungUp(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		shutdown(t, peer.n, unix.SHUT_WR)
		hangUp(m.rig, fd)
		for range 3 {
			if _, ready, err := m.tryWait(fd, Read, false, p); !ready || err != nil {
				t.Fatalf("Wait = %v, %v", ready, err)
			}
		}
		gen := m.wait(fd, Read, p)
		p.woken(gen)
		m.becomes(fd, hup)
		m.quiet()
		m.closeFD(fd)
	})
}

func TestWaitClosed(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, _ := socketPair(t)
		m.closeFD(fd)
		p := newParty(t)
		for _, dir := range []Direction{Read, Write} {
			if _, ready, err := m.tryWait(fd, dir, true, p); ready || err != ErrClosed {
				t.Errorf("Wait = %v, %v", ready, err)
			}
		}
		p.asleep()
		m.inState(fd, closed)
	})
}

func TestWaitToWriteOff(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		total := fill(t, fd.Sysfd)
		p := newParty(t)
		gen := m.wait(fd, Write, p)
		m.inState(fd, armedW)
		m.quiet()
		p.asleep()
		if got := drain(t, peer.n); got != total {
			t.Errorf("%d bytes, not %d", got, total)
		}
		p.woken(gen)
		m.inState(fd, armedW)
		m.quiet()
		m.closeFD(fd)
	})
}

// TestWaitToWriteWhileReading: a writer joins the reader.
func TestWaitToWriteWhileReading(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		r := m.wait(fd, Read, reader)
		fill(t, fd.Sysfd)
		w := m.wait(fd, Write, writer)
		m.inState(fd, armedRW)
		m.quiet()
		drain(t, peer.n)
		writer.woken(w)
		m.inState(fd, armedR)
		reader.asleep()
		write(t, peer.n, "x")
		reader.woken(r)
		m.closeFD(fd)
	})
}

// TestWaitToWriteAfterReading: without a reader the descriptor is registered
// anew, for writing only.
func TestWaitToWriteAfterReading(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, reader))
		fill(t, fd.Sysfd)
		for range 3 {
			w := m.wait(fd, Write, writer)
			m.inState(fd, armedW)
			drain(t, peer.n)
			writer.woken(w)
			fill(t, fd.Sysfd)
		}
		m.inState(fd, armedW)
		m.closeFD(fd)
	})
}

// TestWaitToWriteArmed: in the states rw and w a later wait makes no system
// call.
func TestWaitToWriteArmed(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		fill(t, fd.Sysfd)
		w := m.wait(fd, Write, writer)
		fd.Cancel(Write, w)
		w = m.wait(fd, Write, writer)
		m.inState(fd, armedW)
		m.wait(fd, Read, reader)
		m.inState(fd, armedRW)
		fd.Cancel(Write, w)
		w = m.wait(fd, Write, writer)
		m.inState(fd, armedRW)
		drain(t, peer.n)
		writer.woken(w)
		m.closeFD(fd)
	})
}
