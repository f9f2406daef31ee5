package reactor

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file has the tests of descriptors of datagrams, whose states are in
// nested.go.

const datagram = unix.SOCK_DGRAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// datagramPair returns a unix datagram socket, which belongs to an FD, and its
// peer. Its writer has to wait when the peer does not read.
func datagramPair(t *testing.T) (*FD, *closing) {
	t.Helper()
	census(t)
	p, err := unix.Socketpair(unix.AF_UNIX, datagram, 0)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, p[0])
	return &FD{Sysfd: p[0], Datagrams: true}, closeLater(t, p[1])
}

// udpSocket returns a UDP socket on a loopback port.
func udpSocket(t *testing.T) (*closing, unix.Sockaddr) {
	t.Helper()
	s, err := unix.Socket(unix.AF_INET, datagram, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := closeLater(t, s)
	if err := unix.Bind(s, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	addr, err := unix.Getsockname(s)
	if err != nil {
		t.Fatal(err)
	}
	return c, addr
}

// refusedSocket returns a UDP socket each of whose datagrams is refused: it is
// connected to a port that only this test's other socket has, and that one does
// not take them.
func refusedSocket(t *testing.T) *FD {
	t.Helper()
	census(t)
	nobody, addr := udpSocket(t)
	// Connected to itself it takes datagrams of its own only; the port stays
	// taken.
	if err := unix.Connect(nobody.n, addr); err != nil {
		t.Fatal(err)
	}
	own, _ := udpSocket(t)
	if err := unix.Connect(own.n, addr); err != nil {
		t.Fatal(err)
	}
	return &FD{Sysfd: own.n, Datagrams: true}
}

// fillDatagrams writes datagrams until the socket takes no more.
func fillDatagrams(t *testing.T, n int) (count int) {
	t.Helper()
	for {
		switch _, err := unix.Write(n, []byte("x")); err {
		case nil:
			count++
		case unix.EAGAIN:
			return count
		default:
			t.Fatal(err)
		}
	}
}

// drainDatagrams reads datagrams until there are no more.
func drainDatagrams(t *testing.T, n int) (count int) {
	t.Helper()
	for {
		switch _, err := unix.Read(n, make([]byte, 8)); err {
		case nil:
			count++
		case unix.EAGAIN:
			return count
		default:
			t.Fatal(err)
		}
	}
}

// errorOf takes the error that is pending on a socket.
func errorOf(t *testing.T, n int) error {
	t.Helper()
	errno, err := unix.GetsockoptInt(n, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		t.Fatal(err)
	}
	if errno == 0 {
		return nil
	}
	return unix.Errno(errno)
}

// TestDatagramRead: a reader is woken by a datagram. One that nobody waits for is
// noted, and makes the next reader try again, once, whatever it finds. Nothing
// spins, and the descriptor stays as it is.
func TestDatagramRead(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := datagramPair(t)
		m.inState(fd, off)
		p := newParty(t)
		for range 3 {
			r := m.wait(fd, Read, p)
			m.inState(fd, nestedR)
			m.quiet()
			p.asleep()
			write(t, peer.n, "x")
			p.woken(r)
			m.quiet() // unread
			if got := read(t, fd.Sysfd); got != "x" {
				t.Errorf("read %q", got)
			}
		}
		before := m.events()
		write(t, peer.n, "y")
		m.settle()
		if n := m.events() - before; n != 1 {
			t.Errorf("%d events for a datagram", n)
		}
		if _, ready, err := m.tryWait(fd, Read, true, p); !ready || err != nil {
			t.Errorf("Wait after an event = %v, %v", ready, err)
		}
		if got := read(t, fd.Sysfd); got != "y" {
			t.Errorf("read %q", got)
		}
		m.wait(fd, Read, p)
		p.asleep()
		m.inState(fd, nestedR)
		m.closeFD(fd)
	})
}

// TestDatagramWrite: a writer is woken by room for a datagram. Room that nobody
// waits for is reported once, and not any more then.
func TestDatagramWrite(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		for _, reading := range []bool{false, true} {
			fd, peer := datagramPair(t)
			p, q := newParty(t), newParty(t)
			var r uint64
			if reading {
				r = m.wait(fd, Read, q)
				m.inState(fd, nestedR)
			}
			for range 3 {
				count := fillDatagrams(t, fd.Sysfd)
				w := m.wait(fd, Write, p)
				m.inState(fd, nestedRW)
				m.quiet()
				p.asleep()
				if got := drainDatagrams(t, peer.n); got != count {
					t.Errorf("%d datagrams of %d", got, count)
				}
				p.woken(w)
			}
			write(t, fd.Sysfd, "x")
			drainDatagrams(t, peer.n)
			m.becomes(fd, nestedR)
			m.quiet()
			before := m.events()
			write(t, fd.Sysfd, "x")
			drainDatagrams(t, peer.n)
			m.settle()
			if n := m.events() - before; n != 0 {
				t.Errorf("%d events that nobody asked for", n)
			}
			// There is room: the next writer hears of it.
			p.woken(m.wait(fd, Write, p))
			if reading {
				q.asleep()
				write(t, peer.n, "x")
				q.woken(r)
			}
			m.closeFD(fd)
		}
	})
}

// TestDatagramRefused: a refused datagram, which the kernel reports by ERR without
// a hang-up, wakes who waits to read, or is noted for who will. The error stays in
// the kernel for one of them, and nothing spins meanwhile.
func TestDatagramRefused(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd := refusedSocket(t)
		p := newParty(t)
		for range 3 {
			r := m.wait(fd, Read, p)
			write(t, fd.Sysfd, "x")
			p.woken(r)
			m.quiet() // the error is pending
			if _, err := unix.Read(fd.Sysfd, make([]byte, 8)); err != unix.ECONNREFUSED {
				t.Errorf("read: %v", err)
			}
			if _, err := unix.Read(fd.Sysfd, make([]byte, 8)); err != unix.EAGAIN {
				t.Errorf("read again: %v", err)
			}
			m.quiet()

			write(t, fd.Sysfd, "x") // nobody waits
			m.quiet()
			if _, ready, err := m.tryWait(fd, Read, true, p); !ready || err != nil {
				t.Errorf("Wait after a refusal = %v, %v", ready, err)
			}
			if _, err := unix.Write(fd.Sysfd, []byte("x")); err != unix.ECONNREFUSED {
				t.Errorf("write: %v", err)
			}
			m.inState(fd, nestedR)
		}
		m.closeFD(fd)
	})
}

// TestDatagramRefusedBefore: the error is there before anyone has waited.
func TestDatagramRefusedBefore(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		for _, dir := range []Direction{Read, Write} {
			fd := refusedSocket(t)
			p := newParty(t)
			write(t, fd.Sysfd, "x")
			p.woken(m.wait(fd, dir, p))
			m.quiet()
			if err := errorOf(t, fd.Sysfd); err != unix.ECONNREFUSED {
				t.Errorf("error %v", err)
			}
			m.closeFD(fd)
		}
	})
}

// TestDatagramErrorWakesBoth: an error may be for the reader or the writer, so
// that both are woken. Here it is that the peer gives up its side of the
// connection with datagrams unread.
func TestDatagramErrorWakesBoth(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := datagramPair(t)
		reader, writer := newParty(t), newParty(t)
		fillDatagrams(t, fd.Sysfd)
		r, w := m.wait(fd, Read, reader), m.wait(fd, Write, writer)
		m.inState(fd, nestedRW)
		var unspecified unix.RawSockaddr
		if _, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(peer.n), uintptr(unsafe.Pointer(&unspecified)), unix.SizeofSockaddrInet4); errno != 0 {
			t.Fatal(errno)
		}
		reader.woken(r)
		writer.woken(w)
		m.quiet()
		if err := errorOf(t, fd.Sysfd); err != unix.ECONNRESET {
			t.Errorf("error %v", err)
		}
		m.quiet()
		m.closeFD(fd)
	})
}

// TestDatagramErrorQueue: with IP_RECVERR the kernel keeps the details of errors
// for the program, and reports ERR until it takes them. We don't take them, and
// don't spin.
func TestDatagramErrorQueue(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd := refusedSocket(t)
		if err := unix.SetsockoptInt(fd.Sysfd, unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
			t.Fatal(err)
		}
		p := newParty(t)
		r := m.wait(fd, Read, p)
		write(t, fd.Sysfd, "x")
		p.woken(r)
		if err := errorOf(t, fd.Sysfd); err != unix.ECONNREFUSED {
			t.Errorf("error %v", err)
		}
		m.quiet()
		oob := make([]byte, 512)
		_, n, flags, _, err := unix.Recvmsg(fd.Sysfd, make([]byte, 8), oob, unix.MSG_ERRQUEUE)
		if err != nil || n == 0 || flags&unix.MSG_ERRQUEUE == 0 {
			t.Errorf("queue of errors: %d bytes, flags %#x, %v", n, flags, err)
		}
		m.closeFD(fd)
	})
}

// TestDatagramShutdown: a socket that was shut down is a hang-up, which wakes, and
// does not spin.
func TestDatagramShutdown(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, _ := datagramPair(t)
		reader, writer := newParty(t), newParty(t)
		fillDatagrams(t, fd.Sysfd)
		r, w := m.wait(fd, Read, reader), m.wait(fd, Write, writer)
		shutdown(t, fd.Sysfd, unix.SHUT_RDWR)
		reader.woken(r)
		writer.woken(w)
		m.quiet()
		m.closeFD(fd)
	})
}

// TestDatagramCancel: a wait that ended otherwise, by a deadline say, leaves the
// state, and what comes then is for the next one.
func TestDatagramCancel(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := datagramPair(t)
		p := newParty(t)
		fd.Cancel(Read, m.wait(fd, Read, p))
		m.inState(fd, nestedR)
		r := m.wait(fd, Read, p)
		fd.Kick(Read)
		p.woken(r)
		write(t, peer.n, "x")
		m.settle()
		p.asleep()
		if _, ready, err := m.tryWait(fd, Read, true, p); !ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		fillDatagrams(t, fd.Sysfd)
		fd.Cancel(Write, m.wait(fd, Write, p))
		drainDatagrams(t, peer.n)
		m.becomes(fd, nestedR)
		p.woken(m.wait(fd, Write, p))
		m.closeFD(fd)
	})
}

// TestDatagramClose: closing in each state deregisters, on whatever goroutine, and
// wakes who waits; and the number's next owner notices nothing.
func TestDatagramClose(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		for _, state := range []interest{off, nestedR, nestedRW} {
			fd, _ := datagramPair(t)
			p := newParty(t)
			var gens []uint64
			if state == nestedR || state == nestedRW {
				gens = append(gens, m.wait(fd, Read, p))
			}
			if state == nestedRW {
				fillDatagrams(t, fd.Sysfd)
				gens = append(gens, m.wait(fd, Write, p))
			}
			m.inState(fd, state)
			if next := fd.Close(nil); next != nil {
				t.Error("Close asks for a reactor")
			}
			for _, gen := range gens {
				p.woken(gen)
			}
			m.inState(fd, closed)
			if _, err := fd.Wait(m.Reactor, false, Read, true, p, p.next()); err != ErrClosed {
				t.Errorf("Wait: %v", err)
			}
			next, nextPeer := reuse(t, fd.Sysfd)
			q := newParty(t)
			gen := m.wait(next, Read, q)
			m.quiet()
			q.asleep()
			write(t, nextPeer.n, "x")
			q.woken(gen)
			m.closeFD(next)
			p.asleep()
		}
	})
}

// TestDatagramCloseBeforeFlush: a task's wait that its hub has yet to arm is ended
// by Close, and stays unarmed.
func TestDatagramCloseBeforeFlush(t *testing.T) {
	m := newRig(t)
	fd, _ := datagramPair(t)
	p := newParty(t)
	gen := p.next()
	m.on(func() {
		if ready, err := fd.Wait(m.Reactor, true, Read, true, p, gen); ready || err != nil {
			t.Errorf("Wait = %v, %v", ready, err)
		}
		_ = fd.Close(m.Reactor)
		m.Flush()
	})
	p.woken(gen)
	m.inState(fd, closed)
}

// TestDatagramMove: a descriptor follows who waits, from reactor to reactor, and
// with it what has come already; while one waits it stays.
func TestDatagramMove(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		other := mode{newRig(t), m.local}
		fd, peer := datagramPair(t)
		p := newParty(t)
		there := func(on, not mode, state interest) {
			t.Helper()
			on.inState(fd, state)
			if fd.Home() != on.Reactor {
				t.Fatal("at home elsewhere")
			}
			if got := not.nestedInterest(fd); got != 0 {
				t.Fatalf("the former home still watches for %#x", got)
			}
		}
		for range 20 {
			r := m.wait(fd, Read, p)
			there(m, other, nestedR)
			write(t, peer.n, "x")
			p.woken(r)
			read(t, fd.Sysfd)
			fillDatagrams(t, fd.Sysfd)
			w := other.wait(fd, Write, p)
			there(other, m, nestedRW)
			drainDatagrams(t, peer.n)
			p.woken(w)
		}
		// A datagram that has come, noted by neither.
		fd.Cancel(Read, m.wait(fd, Read, p))
		m.on(func() {
			write(t, peer.n, "x")
			gen := p.next()
			if ready, err := fd.Wait(other.Reactor, false, Read, true, p, gen); ready || err != nil {
				t.Errorf("Wait = %v, %v", ready, err)
			}
			p.woken(gen)
		})
		there(other, m, nestedR)
		read(t, fd.Sysfd)

		reader := newParty(t)
		m.settle()
		other.settle()
		for {
			gen, ready, err := m.tryWait(fd, Read, true, reader)
			if err != nil {
				t.Fatal(err)
			}
			if ready {
				continue // noted
			}
			fillDatagrams(t, fd.Sysfd)
			w := other.wait(fd, Write, p)
			there(m, other, nestedRW)
			drainDatagrams(t, peer.n)
			p.woken(w)
			write(t, peer.n, "x")
			reader.woken(gen)
			break
		}
		if fd.former != nil {
			t.Error("former homes are noted")
		}
		_ = fd.Close(nil)
	})
}

// TestDatagramEnd: a reactor's end wakes who waits there, and the descriptor goes
// on elsewhere.
func TestDatagramEnd(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		fd, peer := datagramPair(t)
		idle, idlePeer := datagramPair(t)
		p := newParty(t)
		fillDatagrams(t, fd.Sysfd)
		waits := map[uint64]bool{m.wait(fd, Read, p): true, m.wait(fd, Write, p): true}
		idle.Cancel(Read, m.wait(idle, Read, p))
		m.end()
		for range 2 {
			e := receive(t, p.ends, "an evicted party")
			if !waits[e.gen] || e.err != nil {
				t.Errorf("wait %d ended with %v", e.gen, e.err)
			}
			delete(waits, e.gen)
		}
		p.asleep()
		for _, fd := range []*FD{fd, idle} {
			if got := fd.state(); got != off {
				t.Errorf("state %v", got)
			}
			if _, err := fd.Wait(m.Reactor, false, Read, true, p, p.next()); err != ErrEnded {
				t.Errorf("a wait on the ended reactor: %v", err)
			}
		}
		next := mode{newRig(t), m.local}
		for _, fd := range []*FD{fd, idle} {
			r := next.wait(fd, Read, p)
			next.inState(fd, nestedR)
			write(t, map[*FD]int{fd: peer.n, idle: idlePeer.n}[fd], "x")
			p.woken(r)
			_ = fd.Close(nil)
		}
	})
}

// TestDatagramMany: more than one look at the nested epoll reports.
func TestDatagramMany(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		const n = 150
		p := newParty(t)
		var fds [n]*FD
		var peers [n]*closing
		for i := range n {
			fds[i], peers[i] = datagramPair(t)
			m.wait(fds[i], Read, p)
		}
		m.on(func() {
			for _, peer := range peers {
				write(t, peer.n, "x")
			}
		})
		woken := map[uint64]bool{}
		for range n {
			woken[receive(t, p.ends, "a reader").gen] = true
		}
		if len(woken) != n {
			t.Errorf("%d of %d were woken", len(woken), n)
		}
		for _, fd := range fds {
			m.closeFD(fd)
		}
	})
}
