package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// This file tests what is special about the waits of tasks, which Flush arms.

// local makes p wait as a task of g's worker does, without Flush. It is called
// on the reactor's goroutine.
func (g *rig) local(fd *FD, dir Direction, p *party) uint64 {
	gen := p.next()
	if ready, err := fd.Wait(g.Reactor, true, dir, true, p, gen); ready || err != nil {
		g.t.Errorf("Wait = %v, %v", ready, err)
	}
	return gen
}

// TestFlush: a wait needs no system call until Flush, and none at all if it is
// over by then.
func TestFlush(t *testing.T) {
	g := newRig(t)
	fd, peer := socketPair(t)
	p := newParty(t)
	var r uint64
	g.on(func() {
		gen := g.local(fd, Read, p)
		g.inState(fd, off)
		fd.Cancel(Read, gen)
		if g.Flush() {
			t.Error("Flush woke somebody")
		}
		g.inState(fd, off)

		g.local(fd, Read, p)
		fd.Kick(Read)
		g.Flush()
		g.inState(fd, off)

		r = g.local(fd, Read, p)
		g.local(fd, Write, p)
		g.Flush()
		g.inState(fd, armedRW)
		if len(g.pending) != 0 || fd.pending {
			t.Error("still pending")
		}
	})
	p.woken(r - 1) // the kick
	p.woken(r + 1) // room to write
	write(t, peer.n, "x")
	p.woken(r)
	g.closeFD(fd)
}

// TestFlushClosed: a descriptor closed before Flush, and its number used again,
// is not registered.
func TestFlushClosed(t *testing.T) {
	g := newRig(t)
	fd, _ := socketPair(t)
	p, q := newParty(t), newParty(t)
	g.on(func() {
		gen := g.local(fd, Read, p)
		if fd.Close(g.Reactor) != nil {
			t.Error("Close asks for another reactor")
		}
		p.woken(gen)
		next, peer := reuse(t, fd.Sysfd)
		g.local(next, Read, q)
		g.Flush()
		g.inState(next, armedR)
		write(t, peer.n, "x")
		fd = next
	})
	q.woken(1)
	p.asleep()
	g.closeFD(fd)
}

// TestFlushFails: errors reach the party later, a failure of one direction only
// that party.
func TestFlushFails(t *testing.T) {
	g := newRig(t)
	file, err := unix.Open(t.TempDir(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	fd := NewFD(file)
	p := newParty(t)
	g.on(func() {
		g.local(fd, Read, p)
		g.local(fd, Write, p)
		p.asleep()
		if !g.Flush() {
			t.Error("Flush woke nobody")
		}
	})
	for gen := range uint64(2) {
		if err := p.ended(gen + 1); err != unix.EPERM {
			t.Errorf("failed with %v", err)
		}
	}
}

// TestFlushForTwo: parties of two workers wait before either flushes. One Flush
// arms for both.
func TestFlushForTwo(t *testing.T) {
	g, other := newRig(t), newRig(t)
	fd, peer := socketPair(t)
	fill(t, fd.Sysfd)
	reader, writer := newParty(t), newParty(t)
	g.on(func() {
		g.local(fd, Read, reader)
		other.on(func() {
			other.local(fd, Write, writer)
			other.Flush()
		})
		g.Flush()
	})
	drain(t, peer.n)
	writer.woken(1)
	write(t, peer.n, "x")
	reader.woken(1)
	for next := fd.Home(); next != nil; next = fd.Close(next) {
	}
}

// TestFlushAndGoroutine: a goroutine waits between a task's wait and the flush.
func TestFlushAndGoroutine(t *testing.T) {
	g, other := newRig(t), newRig(t)
	fd, peer := socketPair(t)
	fill(t, fd.Sysfd)
	reader, writer := newParty(t), newParty(t)
	g.on(func() {
		g.local(fd, Read, reader)
		mode{other, false}.wait(fd, Write, writer)
		g.Flush()
	})
	drain(t, peer.n)
	writer.woken(1)
	write(t, peer.n, "x")
	reader.woken(1)
	for next := fd.Home(); next != nil; next = fd.Close(next) {
	}
}
