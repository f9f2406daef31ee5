package reactor

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must happen. None passes because
// of it.
const patience = 20 * time.Second

// rig is a reactor that runs on a goroutine of its own, for a hub that counts.
type rig struct {
	t *testing.T
	*Reactor
	hub  *countingHub
	done chan struct{} // Run has returned
}

// countingHub is a Hub without tasks.
type countingHub struct {
	r    *Reactor
	runs [3]atomic.Int64 // calls of Run, by Cause

	// inside, if set, is called once by the next Run(Event).
	inside atomic.Pointer[func()]

	mu    sync.Mutex
	posts []func() // mu guards
	over  bool     // mu guards
}

func (h *countingHub) Run(cause Cause) {
	h.runs[cause].Add(1)
	if cause == Expired {
		h.r.StopTimer()
	}
	if cause == Event {
		if fn := h.inside.Swap(nil); fn != nil {
			(*fn)()
		}
	}
	h.runPosts()
}

func (h *countingHub) runPosts() {
	h.mu.Lock()
	posts := h.posts
	h.posts = nil
	h.mu.Unlock()
	for _, fn := range posts {
		fn()
	}
}

func (h *countingHub) Post(fn func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return false
	}
	h.posts = append(h.posts, fn)
	h.r.Wake()
	return true
}

// newRig starts a rig that ends with the test.
func newRig(t *testing.T) *rig {
	t.Helper()
	census(t)
	hub := new(countingHub)
	r, err := New(hub)
	if err != nil {
		t.Fatal(err)
	}
	hub.r = r
	g := &rig{t: t, Reactor: r, hub: hub, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		if err := r.Run(); err != nil {
			t.Errorf("Run: %v", err)
		}
		hub.mu.Lock()
		hub.over = true
		hub.mu.Unlock()
		hub.runPosts()
	}()
	t.Cleanup(g.end)
	return g
}

// end closes the reactor, unless that was done, and waits for Run to return.
func (g *rig) end() {
	if !g.Ending() {
		if err := g.Close(); err != nil {
			g.t.Errorf("Close: %v", err)
		}
	}
	receive(g.t, g.done, "the end of Run")
}

// on calls fn on the reactor's goroutine and waits for its return. By then
// every event has been handled that was due before the call.
func (g *rig) on(fn func()) {
	g.t.Helper()
	done := make(chan struct{})
	if !g.hub.Post(func() { defer close(done); fn() }) {
		g.t.Fatal("the rig has ended")
	}
	receive(g.t, done, "a posted function")
}

// settle lets the reactor look for events a few times: a level-triggered event
// that nobody handles would show in each.
func (g *rig) settle() {
	g.t.Helper()
	for range 4 {
		g.on(func() {})
	}
}

func (g *rig) events() int64 { return g.hub.runs[Event].Load() }

// quiet fails the test if the reactor finds any event by itself.
func (g *rig) quiet() {
	g.t.Helper()
	g.settle()
	before := g.events()
	g.settle()
	if after := g.events(); after != before {
		g.t.Errorf("the reactor spins: %d events in a row", after-before)
	}
}

// inside makes fn be called by the hub inside the next callback for a
// descriptor, of an event that is still to come, and returns a function that
// waits for its return.
func (g *rig) inside(fn func()) (wait func()) {
	g.t.Helper()
	g.settle()
	done := make(chan struct{})
	wrapped := func() { defer close(done); fn() }
	g.hub.inside.Store(&wrapped)
	return func() { g.t.Helper(); receive(g.t, done, "a call inside a callback") }
}

// modes runs a test twice: with waits of goroutines, which are armed at once,
// and with waits of tasks, which the hub arms.
func modes(t *testing.T, test func(t *testing.T, m mode)) {
	t.Run("goroutine", func(t *testing.T) { test(t, mode{newRig(t), false}) })
	t.Run("task", func(t *testing.T) { test(t, mode{newRig(t), true}) })
}

type mode struct {
	*rig
	local bool
}

// wait makes p wait, and returns its generation. The wait must not be over at
// once.
func (m mode) wait(fd *FD, dir Direction, p *party) uint64 {
	m.t.Helper()
	gen, ready, err := m.tryWait(fd, dir, true, p)
	if ready || err != nil {
		m.t.Fatalf("Wait = %v, %v", ready, err)
	}
	return gen
}

// tryWait is wait with any result.
func (m mode) tryWait(fd *FD, dir Direction, tried bool, p *party) (gen uint64, ready bool, err error) {
	m.t.Helper()
	gen = p.next()
	if !m.local {
		ready, err = fd.Wait(m.Reactor, false, dir, tried, p, gen)
		return gen, ready, err
	}
	m.on(func() {
		ready, err = fd.Wait(m.Reactor, true, dir, tried, p, gen)
		m.Flush()
	})
	return gen, ready, err
}

// party is one that waits.
type party struct {
	t    *testing.T
	gen  atomic.Uint64
	ends chan ending
}

// ending is how a wait ended.
type ending struct {
	gen uint64
	err error
}

func newParty(t *testing.T) *party { return &party{t: t, ends: make(chan ending, 1024)} }

func (p *party) next() uint64 { return p.gen.Add(1) }

func (p *party) Wake(gen uint64) bool { return p.Fail(gen, nil) }

func (p *party) Fail(gen uint64, err error) bool {
	p.ends <- ending{gen, err}
	return true
}

// woken waits until wait gen has ended, without an error.
func (p *party) woken(gen uint64) {
	p.t.Helper()
	if err := p.ended(gen); err != nil {
		p.t.Fatalf("failed: %v", err)
	}
}

// ended waits until wait gen has ended, and returns its error.
func (p *party) ended(gen uint64) error {
	p.t.Helper()
	e := receive(p.t, p.ends, "the end of a wait")
	if e.gen != gen {
		p.t.Fatalf("wait %d ended, not %d", e.gen, gen)
	}
	return e.err
}

// asleep fails the test if a wait has ended.
func (p *party) asleep() {
	p.t.Helper()
	select {
	case e := <-p.ends:
		p.t.Errorf("wait %d ended: %v", e.gen, e.err)
	default:
	}
}

// state returns what the kernel was last told of fd.
func (fd *FD) state() interest {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	return fd.interest
}

var stateNames = [...]string{"off", "r", "rw", "w", "n", "nw", "hup", "closed"}

func (i interest) String() string { return stateNames[i] }

// inState fails the test unless fd is in state want, and the kernel agrees.
func (g *rig) inState(fd *FD, want interest) {
	g.t.Helper()
	if got := fd.state(); got != want {
		g.t.Fatalf("state %v, want %v", got, want)
	}
	masks := map[interest]uint32{
		armedR:  unix.EPOLLIN,
		armedRW: unix.EPOLLIN | unix.EPOLLOUT,
		armedW:  unix.EPOLLOUT | unix.EPOLLET,
	}
	mask := masks[want]
	if mask != 0 {
		mask |= unix.EPOLLRDHUP | unix.EPOLLERR | unix.EPOLLHUP
	}
	if got := interestOf(g.t, descriptorsOf(g.poll)[0], fd.Sysfd); got != mask {
		g.t.Fatalf("in state %v the kernel watches for %#x, not %#x", want, got, mask)
	}
	if fd.Datagrams {
		mask := map[interest]uint32{
			nestedR:  unix.EPOLLIN | unix.EPOLLET | unix.EPOLLERR | unix.EPOLLHUP,
			nestedRW: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET | unix.EPOLLERR | unix.EPOLLHUP,
		}[want]
		if got := g.nestedInterest(fd); got != mask {
			g.t.Fatalf("in state %v the nested epoll watches for %#x, not %#x", want, got, mask)
		}
	}
}

// becomes waits until fd is in state want, which another goroutine sets.
func (g *rig) becomes(fd *FD, want interest) {
	g.t.Helper()
	eventually(g.t, "state "+want.String(), func() bool { return fd.state() == want })
	g.inState(fd, want)
}

// nestedInterest is interestOf in the nested epoll, if there is one.
func (g *rig) nestedInterest(fd *FD) uint32 {
	g.t.Helper()
	return interestOf(g.t, g.nested.epfd, fd.Sysfd)
}

// interestOf returns the events for which the epoll descriptor epfd watches n,
// 0 if it does not know n.
func interestOf(t *testing.T, epfd, n int) uint32 {
	t.Helper()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", epfd))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(info), "\n") {
		var tfd int
		var events uint32
		if _, err := fmt.Sscanf(line, "tfd: %d events: %x", &tfd, &events); err == nil && tfd == n {
			return events
		}
	}
	return 0
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !check(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("never came about: %s", what)
		}
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

var counted sync.Map // the tests that take a census

// census makes the test fail if it leaves descriptors behind.
func census(t *testing.T) {
	t.Helper()
	if _, already := counted.LoadOrStore(t, true); already {
		return
	}
	before := descriptors(t)
	t.Cleanup(func() {
		if after := descriptors(t); after != before {
			t.Errorf("left behind: %d descriptors, was %d", after, before)
		}
	})
}

// startStdPoller makes package os open its own two descriptors, for good, so
// that they are not taken for leaks.
var startStdPoller = sync.OnceFunc(func() {
	if r, w, err := os.Pipe(); err == nil {
		_ = r.Close()
		_ = w.Close()
	}
})

func descriptors(t *testing.T) int {
	t.Helper()
	startStdPoller()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(dir)
}

// closing closes a descriptor at the end of the test, or before.
type closing struct {
	n    int
	done bool
}

func closeLater(t *testing.T, n int) *closing {
	c := &closing{n: n}
	t.Cleanup(c.close)
	return c
}

func (c *closing) close() {
	if !c.done {
		c.done = true
		_ = unix.Close(c.n)
	}
}

// socketPair returns a stream socket, which belongs to an FD, and its peer.
func socketPair(t *testing.T) (*FD, *closing) {
	t.Helper()
	census(t)
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, p[0])
	return NewFD(p[0]), closeLater(t, p[1])
}

// write writes text, which must fit.
func write(t *testing.T, n int, text string) {
	t.Helper()
	if got, err := unix.Write(n, []byte(text)); err != nil || got != len(text) {
		t.Fatalf("write = %d, %v", got, err)
	}
}

// read reads what is there.
func read(t *testing.T, n int) string {
	t.Helper()
	var buf [256]byte
	got, err := unix.Read(n, buf[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:got])
}

// fill writes until the socket takes no more.
func fill(t *testing.T, n int) (total int) {
	t.Helper()
	chunk := make([]byte, 1<<16)
	for {
		got, err := unix.Write(n, chunk)
		switch err {
		case nil:
			total += got
		case unix.EAGAIN:
			if total == 0 || len(chunk) == 1 {
				return total
			}
			chunk = chunk[:1]
		case unix.EINTR:
		default:
			t.Fatal(err)
		}
	}
}

// drain reads until the socket is empty.
func drain(t *testing.T, n int) (total int) {
	t.Helper()
	chunk := make([]byte, 1<<16)
	for {
		got, err := unix.Read(n, chunk)
		switch {
		case err == unix.EAGAIN || err == nil && got == 0:
			return total
		case err == unix.EINTR:
		case err != nil:
			t.Fatal(err)
		default:
			total += got
		}
	}
}

func shutdown(t *testing.T, n, how int) {
	t.Helper()
	if err := unix.Shutdown(n, how); err != nil {
		t.Fatal(err)
	}
}

// hangUp waits until the hang-up of fd, whose peer shut down, was noticed.
func hangUp(g *rig, fd *FD) {
	g.t.Helper()
	p := newParty(g.t)
	gen := p.next()
	if _, err := fd.Wait(g.Reactor, false, Read, true, p, gen); err != nil {
		g.t.Fatal(err)
	}
	p.woken(gen)
	g.becomes(fd, hup)
}

// closeFD closes fd and its descriptor as an owner does.
func (g *rig) closeFD(fd *FD) {
	g.t.Helper()
	g.on(func() {
		if next := fd.Close(g.Reactor); next != nil {
			g.t.Error("Close asks for another reactor")
		}
	})
}
