package reactor

import (
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// TestOpenPoll checks what the linkname to netpoll relies on: that its
// constructor still has our signature, and makes a Poll that waits, wakes and
// closes. It fails for a netpoll that differs; then look at openPoll and
// descriptorsOf.
func TestOpenPoll(t *testing.T) {
	census(t)
	poll, err := openPoll()
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range descriptorsOf(poll) {
		link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(n))
		if want := []string{"anon_inode:[eventpoll]", "anon_inode:[eventfd]"}[i]; err != nil || link != want {
			t.Errorf("descriptor %d is %q, %v, not %q", n, link, err, want)
		}
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{}, 1)
	op := poll.Alloc()
	op.FD = p[0]
	op.OnRead = func(netpoll.Poll) error {
		_ = op.Control(netpoll.PollDetach)
		read <- struct{}{}
		return nil
	}
	if err := op.Control(netpoll.PollReadable); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- poll.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("Wait returned: %v", err)
	case <-read:
		t.Fatal("an event of an empty pipe")
	default:
	}
	write(t, p[1], "x")
	receive(t, read, "the event")
	if err := poll.Trigger(); err != nil {
		t.Error(err)
	}
	if err := poll.Close(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, ended, "the end of Wait"); err != nil {
		t.Error(err)
	}
	_ = unix.Close(p[0])
	_ = unix.Close(p[1])
}

// TestNotInherited starts a child process, which must not find a descriptor of
// the reactor's among its own.
func TestNotInherited(t *testing.T) {
	const child = "WEFT_TEST_INHERITED"
	if os.Getenv(child) != "" {
		listInherited(t)
		return
	}
	g := newRig(t)
	fd, peer := socketPair(t)
	fill(t, fd.Sysfd)
	shutdown(t, peer.n, unix.SHUT_WR)
	p := newParty(t)
	hangUp(g, fd)
	if _, err := fd.Wait(g.Reactor, false, Write, true, p, p.next()); err != nil { // opens the nested epoll
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNotInherited$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "inherited:") {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "anon_inode") {
		t.Errorf("the child got a descriptor:\n%s", out)
	}
	g.closeFD(fd)
}

// listInherited lists the descriptors that the process was started with, before
// it opens any of such kinds itself.
func listInherited(t *testing.T) {
	for n := range 64 {
		if link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(n)); err == nil {
			flags, _ := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
			if flags&unix.FD_CLOEXEC == 0 { // Go's own have it
				t.Logf("inherited: %d %s", n, link)
			}
		}
	}
}

// TestAbandon closes a reactor that never ran, whose hub must not be called.
func TestAbandon(t *testing.T) {
	census(t)
	hub := new(countingHub)
	r, err := New(hub)
	if err != nil {
		t.Fatal(err)
	}
	hub.r = r
	r.Abandon()
	if !r.Closed() {
		t.Error("not closed")
	}
	for cause := range hub.runs {
		if n := hub.runs[cause].Load(); n != 0 {
			t.Errorf("the hub was called %d times with cause %d", n, cause)
		}
	}
}

// TestOperatorsAreReused registers and closes 10,000 times.
func TestOperatorsAreReused(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		own, _ := socketPair(t)
		p := newParty(t)
		most := 0
		for range 10_000 {
			fd := NewFD(own.Sysfd)
			gen := m.wait(fd, Read, p)
			m.on(func() {
				fd.Close(m.Reactor)
				m.mu.Lock()
				most = max(most, len(m.retired))
				m.mu.Unlock()
			})
			p.woken(gen)
		}
		if most > 4 {
			t.Errorf("%d retired operators at once", most)
		}
		if n := reflect.ValueOf(m.poll).Elem().FieldByName("opcache").Elem().FieldByName("cache").Len(); n > 1000 {
			t.Errorf("%d operators allocated", n)
		}
	})
}

// TestOperatorsOfFailedRegistrations tries to wait for what can't be polled.
func TestOperatorsOfFailedRegistrations(t *testing.T) {
	modes(t, func(t *testing.T, m mode) {
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fd := NewFD(int(file.Fd()))
		p := newParty(t)
		for _, dir := range []Direction{Read, Write} {
			gen, ready, err := m.tryWait(fd, dir, true, p)
			if m.local {
				err = p.ended(gen)
			}
			if ready || err != unix.EPERM {
				t.Errorf("Wait = %v, %v, want EPERM", ready, err)
			}
			m.inState(fd, off)
		}
		m.settle()
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.retired) > 1 || m.regs != nil {
			t.Errorf("%d retired operators, registrations %v", len(m.retired), m.regs)
		}
	})
}
