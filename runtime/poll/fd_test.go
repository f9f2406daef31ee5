package poll

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestExchange: one party writes more than the kernel holds, the other reads
// it, over sockets and pipes.
func TestExchange(t *testing.T) {
	data := pattern(1 << 20)
	eachPair(t, func(t *testing.T, a, b place) {
		for _, pair := range []func(testing.TB) (r, w *FD){socketPair, pipe} {
			r, w := pair(t)
			written := a.call(func() (int, error) {
				n, err := w.Write(data)
				if err == nil {
					err = w.Close()
				}
				return n, err
			})
			var got bytes.Buffer
			read := b.call(func() (int, error) {
				n, err := io.Copy(&got, r)
				return int(n), err
			})
			if res := <-written; res != (result{len(data), nil}) {
				t.Errorf("Write = %v", res)
			}
			if res := <-read; res != (result{len(data), nil}) {
				t.Errorf("read %v", res)
			}
			if !bytes.Equal(got.Bytes(), data) {
				t.Error("the data differ")
			}
			idle(t, r)
			gone(t, w)
		}
	})
}

// TestBothDirections: on one descriptor one party reads while another writes.
func TestBothDirections(t *testing.T) {
	data := pattern(1 << 20)
	eachPair(t, func(t *testing.T, a, b place) {
		fd, peer := socketPair(t)
		read := a.call(func() (int, error) {
			got := make([]byte, len(data))
			n, err := io.ReadFull(fd, got)
			if err == nil && !bytes.Equal(got, data) {
				err = errors.New("the data differ")
			}
			return n, err
		})
		parked(t, fd, dirRead)
		written := b.call(func() (int, error) { return fd.Write(data) })
		parked(t, fd, dirWrite)
		echo := make([]byte, 4096)
		for total := 0; total < len(data); {
			n, err := peer.Read(echo)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := peer.Write(echo[:n]); err != nil {
				t.Fatal(err)
			}
			total += n
		}
		for _, c := range []<-chan result{read, written} {
			if res := <-c; res != (result{len(data), nil}) {
				t.Error(res)
			}
		}
		idle(t, fd)
	})
}

// TestAlternate: tasks of two workers and a goroutine use one descriptor in
// turn, so that it moves from reactor to reactor.
func TestAlternate(t *testing.T) {
	rt := runtimetest.New(t, 2)
	fd, peer := socketPair(t)
	all := places(rt)
	for i := range 300 {
		p := all[i%len(all)]
		res := p.call(func() (int, error) {
			buf := make([]byte, 4)
			return fd.Read(buf)
		})
		if i%2 == 0 {
			parked(t, fd, dirRead)
		}
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := <-res; got != (result{1, nil}) {
			t.Fatalf("Read = %v", got)
		}
	}
	if res := <-all[1].call(func() (int, error) { return 0, fd.Close() }); res.err != nil {
		t.Error(res.err)
	}
	gone(t, fd)
}

// TestOnHub: on the hub nothing may wait. What need not works, and Close does
// not wait for its end.
func TestOnHub(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, home := range rt.Workers() {
		fd, _ := socketPair(t)
		other, _ := socketPair(t)
		task := home.Spawn(func() {
			if _, err := fd.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
				t.Errorf("Read: %v", err)
			}
		})
		parked(t, fd, dirRead)
		posted := make(chan struct{})
		rt.Workers()[0].Post(func() {
			defer close(posted)
			if _, err := other.Read(make([]byte, 1)); err != runtime.ErrNotInTask {
				t.Errorf("Read: %v", err)
			}
			if n, err := other.Write([]byte("x")); n != 1 || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if err := fd.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		<-posted
		_ = task.Join()
		runtimetest.Eventually(t, "the end of Close", func() bool { return fd.lock.state.Load() == lockClosed })
		gone(t, fd)
		idle(t, other)
	}
}

// TestZero: transfers of nothing do not wait, and are no end of file; a closed
// descriptor and a passed deadline still count.
func TestZero(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, peer := socketPair(t)
		for _, op := range []func([]byte) (int, error){fd.Read, fd.Write} {
			for _, buf := range [][]byte{nil, {}} {
				if res := <-p.call(func() (int, error) { return op(buf) }); res != (result{}) {
					t.Error(res)
				}
			}
		}
		fill(t, fd)
		if res := <-p.call(func() (int, error) { return fd.Write(nil) }); res != (result{}) {
			t.Errorf("Write of nothing to a full socket = %v", res)
		}
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		if res := <-p.call(func() (int, error) { return fd.Read(nil) }); res != (result{}) {
			t.Errorf("Read of nothing at the end = %v", res)
		}
		if err := fd.Close(); err != nil {
			t.Fatal(err)
		}
		for _, op := range []func([]byte) (int, error){fd.Read, fd.Write} {
			if res := <-p.call(func() (int, error) { return op(nil) }); res != (result{0, ErrClosed}) {
				t.Error(res)
			}
		}
	})
}

// TestRegularFile: it is never waited for.
func TestRegularFile(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		n, err := unix.Open(t.TempDir()+"/f", unix.O_RDWR|unix.O_CREAT|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		fd := closeLater(t, New(n, true))
		res := <-p.call(func() (int, error) { return fd.Write([]byte("text")) })
		if res != (result{4, nil}) {
			t.Errorf("Write = %v", res)
		}
		if res := <-p.call(func() (int, error) { return fd.Read(make([]byte, 4)) }); res != (result{0, io.EOF}) {
			t.Errorf("Read = %v", res)
		}
		if res := <-p.call(func() (int, error) { return 0, fd.WaitWrite() }); !errors.Is(res.err, unix.EPERM) {
			t.Errorf("WaitWrite: %v", res.err)
		}
		idle(t, fd)
	})
}

// TestRaw: the function of RawRead and RawWrite is called until it is content.
func TestRaw(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, peer := socketPair(t)
		buf := make([]byte, 8)
		calls, got := 0, 0
		read := p.call(func() (int, error) {
			err := fd.RawRead(func(n uintptr) bool {
				calls++
				var errno unix.Errno
				got, errno = sysRead(int(n), buf)
				return errno != unix.EAGAIN
			})
			return got, err
		})
		parked(t, fd, dirRead)
		if _, err := peer.Write([]byte("xy")); err != nil {
			t.Fatal(err)
		}
		if res := <-read; res != (result{2, nil}) || calls != 2 {
			t.Errorf("RawRead = %v, %d calls", res, calls)
		}

		total := fill(t, fd)
		write := p.call(func() (int, error) {
			n := 0
			err := fd.RawWrite(func(fd uintptr) bool {
				var errno unix.Errno
				n, errno = sysWrite(int(fd), []byte("z"))
				return errno != unix.EAGAIN
			})
			return n, err
		})
		parked(t, fd, dirWrite)
		if _, err := io.ReadFull(peer, make([]byte, total)); err != nil {
			t.Fatal(err)
		}
		if res := <-write; res != (result{1, nil}) {
			t.Errorf("RawWrite = %v", res)
		}

		// RawControl does not wait for a reader, and a panic leaves no lock.
		func() {
			defer func() { _ = recover() }()
			_ = fd.RawRead(func(uintptr) bool { panic("user") })
		}()
		func() {
			defer func() { _ = recover() }()
			_ = fd.RawControl(func(uintptr) { panic("user") })
		}()
		idle(t, fd)
		if err := fd.Close(); err != nil {
			t.Error(err)
		}
		for _, err := range []error{
			fd.RawControl(func(uintptr) { t.Error("called") }),
			fd.RawRead(func(uintptr) bool { t.Error("called"); return true }),
			fd.RawWrite(func(uintptr) bool { t.Error("called"); return true }),
		} {
			if err != ErrClosed {
				t.Error(err)
			}
		}
	})
}

// TestSignals: signals in great number disturb nothing.
func TestSignals(t *testing.T) {
	data := pattern(1 << 20)
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Kill(unix.Getpid(), unix.SIGURG)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	eachPair(t, func(t *testing.T, a, b place) {
		r, w := pipe(t)
		written := a.call(func() (int, error) { return w.Write(data) })
		got := make([]byte, len(data))
		read := b.call(func() (int, error) { return io.ReadFull(r, got) })
		for _, c := range []<-chan result{read, written} {
			if res := <-c; res != (result{len(data), nil}) {
				t.Error(res)
			}
		}
		if !bytes.Equal(got, data) {
			t.Error("the data differ")
		}
	})
}

// TestDup: the duplicate has a life of its own.
func TestDup(t *testing.T) {
	fd, peer := socketPair(t)
	n, err := fd.Dup()
	if err != nil {
		t.Fatal(err)
	}
	dup := closeLater(t, New(n, true))
	if flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
	read := place{}.call(func() (int, error) { return fd.Read(make([]byte, 1)) })
	parked(t, fd, dirRead)
	if err := fd.Close(); err != nil {
		t.Error(err)
	}
	if res := <-read; res.err != ErrClosed {
		t.Errorf("Read = %v", res)
	}
	read = place{}.call(func() (int, error) { return dup.Read(make([]byte, 1)) })
	parked(t, dup, dirRead)
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if res := <-read; res != (result{1, nil}) {
		t.Errorf("Read = %v", res)
	}
	if _, err := fd.Dup(); err != ErrClosed {
		t.Errorf("Dup after Close: %v", err)
	}
}
