package poll

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// datagramPair returns two connected unix datagram sockets.
func datagramPair(t testing.TB) (a, b *FD) { return messagePair(t, unix.SOCK_DGRAM) }

func messagePair(t testing.TB, sotype int) (a, b *FD) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, sotype|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = new(FD), new(FD)
	for i, fd := range []*FD{a, b} {
		if sotype == unix.SOCK_DGRAM {
			fd.InitDatagrams(p[i])
		} else {
			fd.Init(p[i], false)
		}
		closeLater(t, fd)
	}
	return a, b
}

// refusedUDP returns a connected UDP socket each of whose datagrams is refused.
func refusedUDP(t testing.TB) *FD {
	t.Helper()
	var s [2]int
	var peer unix.Sockaddr
	for i := range s {
		n, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		s[i] = n
		if err := unix.Bind(n, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if peer, err = unix.Getsockname(n); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Close(n) })
		}
		// The first is connected to itself, and takes nothing of others.
		if err := unix.Connect(n, peer); err != nil {
			t.Fatal(err)
		}
	}
	fd := new(FD)
	fd.InitDatagrams(s[1])
	return closeLater(t, fd)
}

// reads are the calls that receive a message.
var reads = map[string]func(fd *FD, p []byte) (int, error){
	"Read":     (*FD).Read,
	"ReadFrom": func(fd *FD, p []byte) (int, error) { return fd.ReadFrom(p, new(unix.RawSockaddrAny)) },
	"ReadMsg": func(fd *FD, p []byte) (int, error) {
		n, _, _, err := fd.ReadMsg(p, nil, 0, new(unix.RawSockaddrAny))
		return n, err
	},
	"ReadBatch": func(fd *FD, p []byte) (int, error) {
		iov := unix.Iovec{Base: &p[0]}
		iov.SetLen(len(p))
		ms := []Message{{Header: unix.Msghdr{Iov: &iov}}}
		ms[0].Header.SetIovlen(1)
		_, err := fd.ReadBatch(ms, 0)
		return int(ms[0].N), err
	},
}

// writes are the calls that send one to a connected socket.
var writes = map[string]func(fd *FD, p []byte) (int, error){
	"Write":    (*FD).Write,
	"WriteTo":  func(fd *FD, p []byte) (int, error) { return fd.WriteTo(p, nil, 0) },
	"WriteMsg": func(fd *FD, p []byte) (int, error) { return fd.WriteMsg(p, nil, nil, 0) },
	"WriteBatch": func(fd *FD, p []byte) (int, error) {
		iov := unix.Iovec{Base: &p[0]}
		iov.SetLen(len(p))
		ms := []Message{{Header: unix.Msghdr{Iov: &iov}}}
		ms[0].Header.SetIovlen(1)
		_, err := fd.WriteBatch(ms, 0)
		return int(ms[0].N), err
	},
}

// TestMessages: readers and writers that wait, in each pair of places, by each
// call, so that the descriptor moves from worker to worker.
func TestMessages(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b place) {
		fd, peer := datagramPair(t)
		for name, read := range reads {
			p := make([]byte, 8)
			res := a.call(func() (int, error) { return read(fd, p) })
			parked(t, fd, dirRead)
			if _, err := peer.Write([]byte("text")); err != nil {
				t.Fatal(err)
			}
			if res := <-res; res != (result{4, nil}) || string(p[:4]) != "text" {
				t.Errorf("%s = %v, %q", name, res, p)
			}
		}
		for name, write := range writes {
			count := fillMessages(t, fd)
			res := b.call(func() (int, error) { return write(fd, []byte("last")) })
			parked(t, fd, dirWrite)
			p := make([]byte, 8)
			n := 0
			for range count + 1 {
				var err error
				if n, err = peer.Read(p); err != nil {
					t.Fatal(err)
				}
			}
			if res := <-res; res != (result{4, nil}) || string(p[:n]) != "last" {
				t.Errorf("%s = %v, %q", name, res, p[:n])
			}
		}
		idle(t, fd)
	})
}

// fillMessages writes messages until fd takes no more.
func fillMessages(t testing.TB, fd *FD) (count int) {
	t.Helper()
	for {
		switch _, errno := sysWrite(fd.Sysfd(), []byte("x")); errno {
		case 0:
			count++
		case unix.EAGAIN:
			return count
		default:
			t.Fatal(errno)
		}
	}
}

// TestRefused: a refused datagram ends the wait of a reader with an error, once,
// and the next one waits again, without a spin of the worker.
func TestRefused(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd := refusedUDP(t)
		for name, read := range reads {
			res := p.call(func() (int, error) { return read(fd, make([]byte, 8)) })
			parked(t, fd, dirRead)
			if _, err := fd.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if res := <-res; res != (result{0, unix.ECONNREFUSED}) {
				t.Errorf("%s = %v", name, res)
			}
			res = p.call(func() (int, error) { return read(fd, make([]byte, 8)) })
			parked(t, fd, dirRead)
			if err := fd.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			if res := <-res; res != (result{0, os.ErrDeadlineExceeded}) {
				t.Errorf("%s again = %v", name, res)
			}
			if err := fd.SetReadDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
		}
		for name, write := range writes {
			if _, err := fd.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if n, err := write(fd, []byte("x")); n != 0 || err != unix.ECONNREFUSED {
				t.Errorf("%s = %d, %v", name, n, err)
			}
		}
		idle(t, fd)
	})
}

// TestMessagesEnd: a close, a deadline and a kill end the waits of readers and
// writers.
func TestMessagesEnd(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b place) {
		fd, _ := datagramPair(t)
		fillMessages(t, fd)
		for _, end := range []struct {
			do  func()
			err error
		}{
			{func() { _ = fd.SetDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
			{func() { _ = fd.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
			{func() { _ = fd.Close() }, ErrClosed},
		} {
			_ = fd.SetDeadline(time.Time{})
			read := a.call(func() (int, error) { return fd.ReadFrom(make([]byte, 8), new(unix.RawSockaddrAny)) })
			written := b.call(func() (int, error) { return fd.WriteTo([]byte("x"), nil, 0) })
			parked(t, fd, dirRead)
			parked(t, fd, dirWrite)
			end.do()
			if res := <-read; res != (result{0, end.err}) {
				t.Errorf("ReadFrom = %v", res)
			}
			if res := <-written; res != (result{0, end.err}) {
				t.Errorf("WriteTo = %v", res)
			}
		}
		gone(t, fd)
	})
}

// TestMessagesKill: a kill ends the wait of a task.
func TestMessagesKill(t *testing.T) {
	rt := runtimetest.New(t, 1)
	for name, read := range reads {
		fd, _ := datagramPair(t)
		var err error
		task := rt.Spawn(func() { _, err = read(fd, make([]byte, 8)) })
		parked(t, fd, dirRead)
		task.Kill(nil)
		_ = task.Join()
		if !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("%s: %v", name, err)
		}
		idle(t, fd)
	}
}

// TestEmptyMessages: a message of no byte is a message on a socket for datagrams,
// and the end on one for packets in sequence; a read into nothing does not look.
func TestEmptyMessages(t *testing.T) {
	for _, sotype := range []int{unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
		var want error
		if sotype == unix.SOCK_SEQPACKET {
			want = io.EOF
		}
		for name, read := range reads {
			if name == "ReadBatch" {
				continue // it is for datagrams
			}
			fd, peer := messagePair(t, sotype)
			if _, err := peer.Write(nil); err != nil {
				t.Error(err)
			}
			if n, err := fd.Read(nil); n != 0 || err != nil {
				t.Errorf("Read of nothing = %d, %v", n, err)
			}
			if n, err := read(fd, make([]byte, 8)); n != 0 || err != want {
				t.Errorf("%s = %d, %v, want %v", name, n, err, want)
			}
		}
	}
}

// TestPackets: a socket for packets does not take a short one for a sign that it is
// empty, as a stream does.
func TestPackets(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b place) {
		fd, peer := messagePair(t, unix.SOCK_SEQPACKET)
		for _, text := range []string{"one", "two"} {
			if _, err := peer.Write([]byte(text)); err != nil {
				t.Error(err)
			}
		}
		for _, text := range []string{"one", "two"} {
			p := make([]byte, 8)
			if n, err := fd.Read(p); string(p[:n]) != text || err != nil {
				t.Errorf("Read = %q, %v", p[:n], err)
			}
		}
		if fd.drained {
			t.Error("drained")
		}
		_ = peer.Close()
		res := <-a.call(func() (int, error) { return fd.Read(make([]byte, 8)) })
		if res != (result{0, io.EOF}) {
			t.Errorf("Read = %v", res)
		}
	})
}
