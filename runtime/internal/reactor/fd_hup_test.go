package reactor

import (
	"testing"

	"github.com/cloudwego/netpoll"
	"github.com/petermattis/goid"
	"golang.org/x/sys/unix"
)

// This file has a test per cell of the state table's row "hang-up", and tests
// of the instants in between.

// TestHangUpReading: a peer that shuts down, or closes, wakes the reader in the
// states r and rw, also with data unread, and the writer.
func TestHangUpReading(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		for _, data := range []string{"", "x"} {
			for _, whole := range []bool{false, true} {
				for _, writing := range []bool{false, true} {
					fd, peer := socketPair(t)
					reader, writer := newParty(t), newParty(t)
					r := m.wait(fd, Read, reader)
					var w uint64
					if writing {
						fill(t, fd.Sysfd)
						w = m.wait(fd, Write, writer)
					}
					m.on(func() { // so that there is one event for all
						if data != "" {
							write(t, peer.n, data)
						}
						if whole {
							peer.close()
						} else {
							shutdown(t, peer.n, unix.SHUT_WR)
						}
					})
					reader.woken(r)
					m.becomes(fd, hup)
					if writing {
						writer.woken(w)
					}
					m.quiet()
					if data != "" {
						if got := read(t, fd.Sysfd); got != data {
							t.Errorf("read %q", got)
						}
					}
					if !whole {
						if got := read(t, fd.Sysfd); got != "" {
							t.Errorf("read %q at the end", got)
						}
					}
					m.closeFD(fd)
					reader.asleep()
					writer.asleep()
				}
			}
		}
	})
}

// TestHangUpWithoutReader: silenced and hung up in one event.
func TestHangUpWithoutReader(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, p))
		m.on(func() {
			write(t, peer.n, "x")
			shutdown(t, peer.n, unix.SHUT_WR)
		})
		m.becomes(fd, hup)
		m.quiet()
		if _, ready, err := m.tryWait(fd, Read, false, p); !ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		p.asleep()
		m.closeFD(fd)
	})
}

// TestHangUpWriting: in state w the writer is woken, by a foreign goroutine, and
// a later reader finds the hang-up.
func TestHangUpWriting(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		fill(t, fd.Sysfd)
		var own, other int64
		m.on(func() { own = goid.Get() })
		p := newParty(t)
		gen := p.next()
		spy := spyWaker{p, &other}
		if m.local {
			m.on(func() { _, _ = fd.Wait(m.Reactor, true, Write, true, spy, gen); m.Flush() })
		} else if ready, err := fd.Wait(m.Reactor, false, Write, true, spy, gen); ready || err != nil {
			t.Fatalf("Wait = %v, %v", ready, err)
		}
		m.inState(fd, armedW)
		before := m.events()
		shutdown(t, peer.n, unix.SHUT_WR)
		p.woken(gen)
		if other == own {
			t.Error("woken by the reactor itself: netpoll has changed")
		}
		m.becomes(fd, hup)
		m.quiet()
		if n := m.events() - before; n != 0 {
			t.Errorf("%d events: netpoll has changed", n)
		}
		if _, ready, _ := m.tryWait(fd, Read, false, p); !ready {
			t.Error("a reader waits after the hang-up")
		}
		m.closeFD(fd)
	})
}

// spyWaker notes which goroutine wakes.
type spyWaker struct {
	*party
	by *int64
}

func (s spyWaker) Wake(gen uint64) bool {
	*s.by = goid.Get()
	return s.party.Wake(gen)
}

// TestHangUpNoted: an edge noted before the hang-up does not outlive it.
func TestHangUpNoted(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		w := m.wait(fd, Write, p) // writable at once
		p.woken(w)
		m.settle()
		fill(t, fd.Sysfd)
		drain(t, peer.n)
		eventually(t, "the edge", func() bool {
			fd.mu.Lock()
			defer fd.mu.Unlock()
			return fd.edge
		})
		fill(t, fd.Sysfd)
		shutdown(t, peer.n, unix.SHUT_WR)
		m.becomes(fd, hup)
		w = m.wait(fd, Write, p)
		m.settle()
		p.asleep()
		drain(t, peer.n)
		p.woken(w)
		m.closeFD(fd)
	})
}

// TestHangUpRefused: a connect that fails is a hang-up.
func TestHangUpRefused(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		// A bound socket that does not listen keeps its port free of others.
		bound, addr := tcpSocket(t)
		defer bound.close()
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		dialing := closeLater(t, s)
		fd := NewFD(dialing.n)
		if err := unix.Connect(dialing.n, addr); err != unix.EINPROGRESS {
			t.Fatalf("connect: %v", err)
		}
		p := newParty(t)
		gen := m.wait(fd, Write, p)
		p.woken(gen)
		if errno, err := unix.GetsockoptInt(dialing.n, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || unix.Errno(errno) != unix.ECONNREFUSED {
			t.Errorf("SO_ERROR = %v, %v", unix.Errno(errno), err)
		}
		m.becomes(fd, hup)
		m.quiet()
		m.closeFD(fd)
	})
}

// tcpSocket returns a socket bound to a loopback port.
func tcpSocket(t *testing.T) (*closing, unix.Sockaddr) {
	t.Helper()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	bound := closeLater(t, s)
	if err := unix.Bind(s, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	addr, err := unix.Getsockname(s)
	if err != nil {
		t.Fatal(err)
	}
	return bound, addr
}

// TestConnect: a connect that succeeds is writable; then the connection is
// accepted, reset by its peer, and hangs up.
func TestConnect(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		bound, addr := tcpSocket(t)
		if err := unix.Listen(bound.n, 1); err != nil {
			t.Fatal(err)
		}
		listener := NewFD(bound.n)
		p, q := newParty(t), newParty(t)
		l := m.wait(listener, Read, p)
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		dialing := closeLater(t, s)
		fd := NewFD(dialing.n)
		if err := unix.Connect(dialing.n, addr); err != nil && err != unix.EINPROGRESS {
			t.Fatal(err)
		}
		q.woken(m.wait(fd, Write, q))
		p.woken(l)
		n, _, err := unix.Accept4(bound.n, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		r := m.wait(fd, Read, q)
		if err := unix.SetsockoptLinger(n, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(n)
		q.woken(r)
		if _, err := unix.Read(dialing.n, make([]byte, 1)); err != unix.ECONNRESET {
			t.Errorf("read: %v", err)
		}
		m.becomes(fd, hup)
		m.quiet()
		m.closeFD(fd)
		m.closeFD(listener)
	})
}

// holdHangUp makes fd, whose reader waits, hang up, and returns with fd.mu held
// and netpoll just having deregistered fd: its word of that waits for mu.
func holdHangUp(t *testing.T, m mode, fd *FD, peer *closing, reader *party, r uint64) (again uint64) {
	t.Helper()
	done := m.inside(func() {
		reader.woken(r)
		again = reader.next()
		if ready, err := fd.Wait(m.Reactor, false, Read, true, reader, again); ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		fd.mu.Lock()
	})
	shutdown(t, peer.n, unix.SHUT_WR)
	done()
	eventually(t, "netpoll's DEL", func() bool {
		return interestOf(t, descriptorsOf(m.poll)[0], fd.Sysfd) == 0
	})
	return again
}

// TestModifyDuringHangUp: a writer comes after netpoll has deregistered the
// descriptor and before we know. Neither it nor the reader is forgotten.
func TestModifyDuringHangUp(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader, writer := newParty(t), newParty(t)
		fill(t, fd.Sysfd)
		r := holdHangUp(t, m, fd, peer, reader, m.wait(fd, Read, reader))
		w := writer.next()
		fd.waiting[Write] = waiting{writer, w}
		if err := fd.armWrite(); err != nil {
			t.Errorf("armWrite: %v", err)
		}
		fd.mu.Unlock()
		reader.woken(r)
		writer.woken(w)
		m.becomes(fd, hup)
		m.closeFD(fd)
	})
}

// TestCloseDuringHangUp: closed in that instant, and the descriptor's number
// used again, by an FD that must not notice anything.
func TestCloseDuringHangUp(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		reader := newParty(t)
		r := holdHangUp(t, m, fd, peer, reader, m.wait(fd, Read, reader))
		fd.detach()
		fd.interest = closed
		fd.waiting = [2]waiting{}
		fd.mu.Unlock()
		_ = r
		next, nextPeer := reuse(t, fd.Sysfd)
		p := newParty(t)
		gen := m.wait(next, Read, p)
		m.quiet()
		p.asleep()
		write(t, nextPeer.n, "x")
		p.woken(gen)
		m.closeFD(next)
		reader.asleep()
	})
}

// reuse makes a fresh socket of descriptor number n, which is replaced.
func reuse(t *testing.T, n int) (*FD, *closing) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(p[0], n, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(p[0])
	return NewFD(n), closeLater(t, p[1])
}

// TestRegisterDuringHangUp: netpoll is about to deregister a descriptor that we
// detach, and register for writing, in that instant.
func TestRegisterDuringHangUp(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := socketPair(t)
		p := newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, p))
		fill(t, fd.Sysfd)
		// As netpoll does it: first its once-only mark, then epoll_ctl. The
		// number keeps the latter from having effect.
		op := fd.reg.op
		op.FD = -1
		_ = op.Control(netpoll.PollDetach)
		op.FD = fd.Sysfd
		w := m.wait(fd, Write, p)
		m.settle()
		p.asleep()
		if got := fd.state(); got != hup {
			t.Errorf("state %v", got)
		}
		drain(t, peer.n)
		p.woken(w)
		// The same for a reader.
		if _, ready, err := m.tryWait(fd, Read, true, p); m.local {
			if err := p.ended(p.gen.Load()); err != nil {
				t.Errorf("failed: %v", err)
			}
		} else if !ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		m.closeFD(fd)
	})
}
