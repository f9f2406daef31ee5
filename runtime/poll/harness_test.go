package poll

import (
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestMain ends the default runtime.
func TestMain(m *testing.M) { runtimetest.Main(m) }

// A place is where an operation runs.
type place struct {
	name   string
	worker *runtime.Worker // nil: a goroutine
}

// start runs fn there, and returns a function that waits for its end.
func (p place) start(fn func()) (join func()) {
	if p.worker == nil {
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	task := p.worker.Spawn(fn)
	return func() { _ = task.Join() }
}

// places returns a goroutine and tasks of two workers.
func places(rt *runtime.Runtime) []place {
	list := []place{{name: "goroutine"}}
	for _, w := range rt.Workers() {
		list = append(list, place{fmt.Sprintf("task%d", w.Index()), w})
	}
	return list
}

// eachPair runs a test with two parties in each pair of places.
func eachPair(t *testing.T, test func(t *testing.T, a, b place)) {
	rt := runtimetest.New(t, 2)
	for _, a := range places(rt) {
		for _, b := range places(rt) {
			t.Run(a.name+"/"+b.name, func(t *testing.T) { test(t, a, b) })
		}
	}
}

// eachPlace runs a test in each kind of place.
func eachPlace(t *testing.T, test func(t *testing.T, p place)) {
	rt := runtimetest.New(t, 1)
	for _, p := range places(rt) {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

// result is how an operation ended.
type result struct {
	n   int
	err error
}

// call starts an operation at p and returns where its result will arrive.
func (p place) call(op func() (int, error)) <-chan result {
	results := make(chan result, 1)
	p.start(func() {
		n, err := op()
		results <- result{n, err}
	})
	return results
}

// socketPair returns two connected stream sockets.
func socketPair(t testing.TB) (a, b *FD) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return closeLater(t, New(p[0], true)), closeLater(t, New(p[1], true))
}

func pipe(t testing.TB) (r, w *FD) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return closeLater(t, New(p[0], true)), closeLater(t, New(p[1], true))
}

// tcpPair returns two connected TCP sockets.
func tcpPair(t testing.TB) (a, b *FD) {
	t.Helper()
	const kind = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	l, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		t.Fatal(err)
	}
	listener := closeLater(t, New(l, false))
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(l, 1); err != nil {
		t.Fatal(err)
	}
	addr, err := unix.Getsockname(l)
	if err != nil {
		t.Fatal(err)
	}
	s, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		t.Fatal(err)
	}
	a = closeLater(t, New(s, true))
	if err := unix.Connect(s, addr); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	n, err := listener.Accept(new(unix.RawSockaddrAny))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.WaitWrite(); err != nil {
		t.Fatal(err)
	}
	return a, closeLater(t, New(n, true))
}

func closeLater(t testing.TB, fd *FD) *FD {
	t.Cleanup(func() { _ = fd.Close() })
	return fd
}

// settle makes rt the home of fd: goroutines wait there from now on, and not on
// the default runtime, which would keep what it opens for them.
func settle(t testing.TB, rt *runtime.Runtime, fd, peer *FD) {
	t.Helper()
	read := places(rt)[1].call(func() (int, error) { return fd.Read(make([]byte, 1)) })
	parked(t, fd, dirRead)
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if res := <-read; res != (result{1, nil}) {
		t.Fatal(res)
	}
}

// parked waits until a party waits for dir.
func parked(t testing.TB, fd *FD, dir reactor.Direction) {
	t.Helper()
	runtimetest.Eventually(t, waitReasons[dir], func() bool { return fd.reg.Waiting(dir) })
}

// queued waits until n parties wait for their turn in dir.
func queued(t testing.TB, fd *FD, dir reactor.Direction, n int) {
	t.Helper()
	runtimetest.Eventually(t, "a queue", func() bool {
		fd.lock.mu.Lock()
		defer fd.lock.mu.Unlock()
		return fd.lock.queue != nil && len(fd.lock.queue[dir]) == n
	})
}

// idle fails the test if fd is left locked, referenced or waited for.
func idle(t testing.TB, fd *FD) {
	t.Helper()
	if fd.reg.Waiting(dirRead) || fd.reg.Waiting(dirWrite) {
		t.Error("a wait is left")
	}
	if state := fd.lock.state.Load(); state != 0 {
		t.Errorf("lock state %#x", state)
	}
}

// gone fails the test if fd's Close has left something.
func gone(t testing.TB, fd *FD) {
	t.Helper()
	if state := fd.lock.state.Load(); state != lockClosed {
		t.Errorf("lock state %#x", state)
	}
	if _, err := fd.Read(make([]byte, 1)); err != ErrClosed {
		t.Errorf("Read after Close: %v", err)
	}
	if err := fd.Close(); err != ErrClosed {
		t.Errorf("second Close: %v", err)
	}
}

// fill writes until fd takes no more.
func fill(t testing.TB, fd *FD) (total int) {
	t.Helper()
	chunk := make([]byte, 1<<16)
	for {
		n, errno := sysWrite(fd.Sysfd(), chunk)
		switch errno {
		case 0:
			total += n
		case unix.EAGAIN:
			if len(chunk) == 1 {
				return total
			}
			chunk = chunk[:1]
		default:
			t.Fatal(errno)
		}
	}
}

// pattern returns n bytes, no two parts of which look the same.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
}
