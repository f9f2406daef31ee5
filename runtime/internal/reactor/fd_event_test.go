package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// This file has a test per cell of the state table's rows "readable" and
// "writable".

// TestReadableWithoutReader: the first event that nobody waits for silences
// the descriptor, and the next wait finds what is there.
func TestReadableWithoutReader(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, p))
		before := m.events()
		write(t, peer.n, "x")
		m.becomes(fd, off)
		m.settle()
		if n := m.events() - before; n != 1 {
			t.Errorf("%d events", n)
		}
		p.asleep()
		for range 3 { // the data stays unread
			gen := m.wait(fd, Read, p)
			p.woken(gen)
		}
		m.quiet()
		if got := read(t, fd.Sysfd); got != "x" {
			t.Errorf("read %q", got)
		}
		m.closeFD(fd)
	})
}

// TestReadableWithoutReaderWhileWriting: in state rw the writer is kept.
func TestReadableWithoutReaderWhileWriting(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		fill(t, fd.Sysfd)
		r := m.wait(fd, Read, reader)
		w := m.wait(fd, Write, writer)
		fd.Cancel(Read, r)
		write(t, peer.n, "x")
		m.becomes(fd, armedW)
		m.quiet()
		reader.asleep()
		writer.asleep()
		drain(t, peer.n)
		writer.woken(w)
		r = m.wait(fd, Read, reader)
		reader.woken(r)
		m.closeFD(fd)
	})
}

// TestRereadInsideCallback: a reader that waits again inside the callback that
// woke it stays registered, without a system call.
func TestRereadInsideCallback(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		gen := m.wait(fd, Read, p)
		for range 100 {
			var next uint64
			done := m.inside(func() {
				p.woken(gen)
				if got := read(t, fd.Sysfd); got != "x" {
					t.Errorf("read %q", got)
				}
				next = p.next()
				ready, err := fd.Wait(m.Reactor, m.local, Read, true, p, next)
				if ready || err != nil {
					t.Errorf("Wait = %v, %v", ready, err)
				}
				if m.local && m.Flush() {
					t.Error("Flush woke somebody")
				}
				m.inState(fd, armedR)
			})
			write(t, peer.n, "x")
			done()
			gen = next
		}
		m.quiet()
		p.asleep()
		m.closeFD(fd)
	})
}

// TestRearmInsideCallback: a descriptor that is silenced, or needs another ADD,
// is registered with a fresh operator inside its own callback.
func TestRearmInsideCallback(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		arm := func(dir Direction, p *party) uint64 {
			gen := p.next()
			if ready, err := fd.Wait(m.Reactor, m.local, dir, true, p, gen); ready || err != nil {
				t.Errorf("Wait = %v, %v", ready, err)
			}
			if m.local {
				m.Flush()
			}
			return gen
		}
		for range 10 {
			// Silenced, then read inside the callback.
			fd.Cancel(Read, m.wait(fd, Read, reader))
			var r uint64
			done := m.inside(func() {
				m.inState(fd, off)
				r = arm(Read, reader)
				m.inState(fd, armedR)
			})
			write(t, peer.n, "x")
			done()
			reader.woken(r)
			read(t, fd.Sysfd)

			// Read, then written to inside the callback.
			total := 0
			r = m.wait(fd, Read, reader)
			var w uint64
			done = m.inside(func() {
				reader.woken(r)
				read(t, fd.Sysfd)
				total = fill(t, fd.Sysfd)
				w = arm(Write, writer)
				m.inState(fd, armedW)
			})
			write(t, peer.n, "x")
			done()
			if got := drain(t, peer.n); got != total {
				t.Errorf("%d bytes, not %d", got, total)
			}
			writer.woken(w)
		}
		m.quiet()
		m.closeFD(fd)
	})
}

// TestWritableWithoutWriter: in state rw an event that no writer waits for ends
// the interest; in state w it is noted.
func TestWritableWithoutWriter(t *testing.T) {
	t.Run("rw", func(t *testing.T) {
		modes(t, func(t *testing.T, m mode) {
			fd, peer := socketPair(t)
			reader, writer := newParty(t), newParty(t)
			fill(t, fd.Sysfd)
			m.wait(fd, Read, reader)
			fd.Cancel(Write, m.wait(fd, Write, writer))
			m.inState(fd, armedRW)
			drain(t, peer.n)
			m.becomes(fd, armedR)
			m.quiet()
			reader.asleep()
			writer.asleep()
			m.closeFD(fd)
		})
	})
	t.Run("w", func(t *testing.T) {
		modes(t, func(t *testing.T, m mode) {
			fd, peer := socketPair(t)
			writer := newParty(t)
			fill(t, fd.Sysfd)
			fd.Cancel(Write, m.wait(fd, Write, writer))
			drain(t, peer.n)
			eventually(t, "the edge", func() bool {
				fd.mu.Lock()
				defer fd.mu.Unlock()
				return fd.edge
			})
			m.quiet()
			if _, ready, err := m.tryWait(fd, Write, true, writer); !ready || err != nil {
				t.Errorf("Wait = %v, %v", ready, err)
			}
			// Noted once only: the next one waits.
			fill(t, fd.Sysfd)
			w := m.wait(fd, Write, writer)
			m.settle()
			writer.asleep()
			drain(t, peer.n)
			writer.woken(w)
			m.closeFD(fd)
		})
	})
}

// TestReadableAndWritable: one event wakes both.
func TestReadableAndWritable(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		fill(t, fd.Sysfd)
		r := m.wait(fd, Read, reader)
		w := m.wait(fd, Write, writer)
		m.on(func() { // while the reactor does not look
			drain(t, peer.n)
			write(t, peer.n, "x")
		})
		reader.woken(r)
		writer.woken(w)
		m.closeFD(fd)
	})
}

// TestPipe: pipes have an end to read and one to write, and hang up without
// data.
func TestPipe(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		source, sink := closeLater(t, ends[0]), closeLater(t, ends[1])
		out, in := NewFD(sink.n), NewFD(source.n)
		p := newParty(t)
		total := fill(t, sink.n)
		w := m.wait(out, Write, p)
		if got := drain(t, source.n); got != total {
			t.Errorf("%d bytes, not %d", got, total)
		}
		p.woken(w)
		r := m.wait(in, Read, p)
		m.quiet()
		p.asleep()
		m.closeFD(out)
		sink.close()
		p.woken(r)
		m.becomes(in, hup)
		m.closeFD(in)
	})
}

// TestStaleEvent: an event of a registration that was replaced, and its data
// read, in another callback of the same round wakes nobody.
func TestStaleEvent(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector netpoll finds operators by number")
	}
	modes(t, func(t *testing.T, m mode) {
		a, peerA := socketPair(t)
		b, peerB := socketPair(t)
		p, q := newParty(t), newParty(t)
		genA, genB := m.wait(a, Read, p), m.wait(b, Read, p)
		done := m.inside(func() {
			// The first of the two; the other's event comes next.
			second := b
			if e := receive(t, p.ends, "the first event"); e.gen == genB {
				second = a
			}
			read(t, second.Sysfd)
			second.Cancel(Read, genA)
			second.Cancel(Read, genB)
			second.mu.Lock()
			second.detach()
			second.mu.Unlock()
			if ready, err := second.Wait(m.Reactor, m.local, Read, true, q, q.next()); ready || err != nil {
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
		m.settle()
		p.asleep()
		q.asleep()
		m.closeFD(a)
		m.closeFD(b)
	})
}
