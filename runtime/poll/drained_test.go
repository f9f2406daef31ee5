package poll

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// This file tests the shortcut by which a read that follows a short one waits
// without a try.

// TestDrained walks through what can follow a short read.
func TestDrained(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (r, w *FD){
		"unix": socketPair, "tcp": tcpPair, "pipe": pipe,
	} {
		t.Run(name, func(t *testing.T) {
			eachPlace(t, func(t *testing.T, p place) {
				buf := make([]byte, 8)
				read := func(fd *FD) <-chan result {
					return p.call(func() (int, error) { return fd.Read(buf) })
				}
				send := func(fd *FD, text string) {
					t.Helper()
					if _, err := fd.Write([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				expect := func(c <-chan result, want result) {
					t.Helper()
					if res := <-c; res != want {
						t.Errorf("Read = %v, want %v", res, want)
					}
				}
				r, w := pair(t)
				// A full read says nothing, a short one that nothing is left.
				send(w, "12345678")
				expect(read(r), result{8, nil})
				if r.drained {
					t.Error("drained after a full read")
				}
				send(w, "123")
				expect(read(r), result{3, nil})
				if !r.drained {
					t.Error("not drained after a short read")
				}
				// More data come before the next read, and after it.
				send(w, "4")
				expect(read(r), result{1, nil})
				c := read(r)
				parked(t, r, dirRead)
				send(w, "56")
				expect(c, result{2, nil})
				// Data and the end at once, after a short read.
				send(w, "789")
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				expect(read(r), result{3, nil})
				expect(read(r), result{0, io.EOF})
				expect(read(r), result{0, io.EOF})
				if r.drained {
					t.Error("drained at the end")
				}
				// The end while the read waits.
				r, w = pair(t)
				send(w, "123")
				expect(read(r), result{3, nil})
				c = read(r)
				parked(t, r, dirRead)
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				expect(c, result{0, io.EOF})
				// A deadline, or another party's read, in between.
				r, w = pair(t)
				send(w, "123")
				expect(read(r), result{3, nil})
				if err := r.SetReadDeadline(past); err != nil {
					t.Fatal(err)
				}
				if res := <-read(r); res.err == nil {
					t.Error("read after the deadline")
				}
				if err := r.SetReadDeadline(future); err != nil {
					t.Fatal(err)
				}
				send(w, "4")
				expect(read(r), result{1, nil})
				send(w, "5")
				if err := r.RawRead(func(n uintptr) bool {
					m, errno := sysRead(int(n), buf)
					return m == 1 && errno == 0
				}); err != nil {
					t.Error(err)
				}
				send(w, "6")
				expect(read(r), result{1, nil})
				idle(t, r)
			})
		})
	}
}

// TestDrainedPeek: what a user's own system call left unread is found.
func TestDrainedPeek(t *testing.T) {
	fd, peer := socketPair(t)
	buf := make([]byte, 8)
	if _, err := peer.Write([]byte("1")); err != nil {
		t.Fatal(err)
	}
	if n, err := fd.Read(buf); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := peer.Write([]byte("23")); err != nil {
		t.Fatal(err)
	}
	if err := fd.RawRead(func(n uintptr) bool {
		m, _, err := unix.Recvfrom(int(n), buf, unix.MSG_PEEK)
		return m == 2 && err == nil
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := fd.Read(buf[:1]); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := fd.Read(buf); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// TestUrgent: TCP urgent data makes short reads of a stream that is not empty.
func TestUrgent(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		r, w := tcpPair(t)
		if err := unix.SetsockoptInt(r.Sysfd(), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1); err != nil {
			t.Fatal(err)
		}
		for _, part := range []struct {
			text  string
			flags int
		}{{"abc", 0}, {"!", unix.MSG_OOB}, {"def", 0}} {
			if err := unix.Sendto(w.Sysfd(), []byte(part.text), part.flags, nil); err != nil {
				t.Fatal(err)
			}
		}
		res := <-p.call(func() (int, error) {
			buf := make([]byte, 16)
			n := 0
			for n < 7 {
				m, err := r.Read(buf[n:])
				if err != nil {
					return n, err
				}
				n += m
			}
			if string(buf[:n]) != "abc!def" {
				t.Errorf("read %q", buf[:n])
			}
			return n, nil
		})
		if res != (result{7, nil}) {
			t.Error(res)
		}
	})
}
