package server_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// failing is a listener whose Accept fails as told, and then is that of another.
type failing struct {
	net.Listener
	mu   sync.Mutex
	errs []error // mu guards
}

func (l *failing) Accept() (net.Conn, error) {
	l.mu.Lock()
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		l.mu.Unlock()
		return nil, err
	}
	l.mu.Unlock()
	return l.Listener.Accept()
}

// acceptError is err as Accept returns it.
func acceptError(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
}

// reports collects what OnError is told.
type reports struct {
	mu   sync.Mutex
	errs []error
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *reports) all() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// ownError is an error of a listener that is not the kernel's.
type ownError struct{ temporary, timeout bool }

func (e ownError) Error() string   { return "own error" }
func (e ownError) Temporary() bool { return e.temporary }
func (e ownError) Timeout() bool   { return e.timeout }

// TestPassing: failures that pass are reported and tried again, later each time
// until one succeeds.
func TestPassing(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var told reports
		srv := &server.StreamServer{Handler: echo, OnError: told.add}
		l := &failing{Listener: listen(t, "tcp"), errs: []error{
			acceptError(syscall.EMFILE), acceptError(syscall.ECONNABORTED), ownError{temporary: true},
		}}
		s.streamOn(t, srv, l)
		dial(t, l).say("hello", "hello")
		srv.Pause() // Accept is ended by the deadline
		runtimetest.Eventually(t, "Serve waits", func() bool { return srv.Waiting() == 1 })
		l.mu.Lock()
		l.errs = []error{acceptError(syscall.EPROTO)}
		l.mu.Unlock()
		srv.Resume()
		dial(t, l).say("hello", "hello")

		address := l.Addr().String()
		var got []string
		for _, err := range told.all() {
			got = append(got, err.Error())
		}
		want := []string{
			"server: " + address + ", again in 10ms: accept tcp: accept4: too many open files",
			"server: " + address + ", again in 20ms: accept tcp: accept4: software caused connection abort",
			"server: " + address + ", again in 40ms: own error",
			"server: " + address + ", again in 10ms: accept tcp: accept4: protocol error",
		}
		if !slices.Equal(got, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if !errors.Is(told.all()[0], syscall.EMFILE) {
			t.Error("the error does not wrap what has failed")
		}
	})
}

// SetDeadline ends an Accept that is the other's.
func (l *failing) SetDeadline(t time.Time) error {
	return l.Listener.(*net.TCPListener).SetDeadline(t)
}

// TestLogged: without OnError failures go to the log.
func TestLogged(t *testing.T) {
	var out strings.Builder
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	srv := &server.StreamServer{Handler: echo}
	l := &failing{Listener: listen(t, "tcp"), errs: []error{acceptError(syscall.EMFILE)}}
	result := setting{rt: runtimetest.New(t, 1)}.streamOn(t, srv, l)
	dial(t, l).say("hello", "hello")
	_ = srv.Close()
	closed(t, result)
	want := " weft: server: " + l.Addr().String() + ", again in 10ms: accept tcp: accept4: too many open files\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("logged %q, want %q", out.String(), want)
	}
}

// TestDelays: the pause doubles, up to a second.
func TestDelays(t *testing.T) {
	want := []string{"10ms", "20ms", "40ms", "80ms", "160ms", "320ms", "640ms", "1s", "1s"}
	if got := server.Delays(len(want)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestPermanent: other failures end Serve, which closes the listener, and leave the
// handlers and other listeners alone.
func TestPermanent(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		for _, failure := range []error{
			acceptError(syscall.EINVAL), errors.New("own error"), net.ErrClosed,
			os.ErrDeadlineExceeded, // of the caller's own
			ownError{temporary: true, timeout: true},
		} {
			var told reports
			srv := &server.StreamServer{Handler: echo, OnError: told.add}
			good, goodResult := s.stream(t, srv, "tcp")
			bad := &failing{Listener: listen(t, "tcp")}
			result := s.streamOn(t, srv, bad)
			c := dial(t, bad)
			c.say("hello", "hello")
			srv.Pause()
			runtimetest.Eventually(t, "both wait", func() bool { return srv.Waiting() == 2 })
			bad.mu.Lock()
			bad.errs = []error{failure}
			bad.mu.Unlock()
			srv.Resume()
			if err := result(); err != failure {
				t.Errorf("Serve: %v, want %v", err, failure)
			}
			if _, err := bad.Listener.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the listener: %v", err)
			}
			c.say("still here", "still here")
			_ = c.Close()
			dial(t, good).say("hello", "hello")
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
			closed(t, goodResult)
			if told.all() != nil {
				t.Errorf("told %v", told.all())
			}
		}
	})
}

// TestStopWhileFailing: the end does not wait for a listener that fails for ever.
func TestStopWhileFailing(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var told event.Event
		srv := &server.StreamServer{Handler: echo, OnError: func(error) { told.Set() }}
		l := &failing{Listener: listen(t, "tcp"), errs: slices.Repeat([]error{acceptError(syscall.ENFILE)}, 1000)}
		result := s.streamOn(t, srv, l)
		_ = told.Wait()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		closed(t, result)
	})
}

// TestClosedUnderLoad: a listener that is closed by somebody else ends its Serve;
// connections go on.
func TestClosedUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, s setting) {
		var served atomic.Int64
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			served.Add(1)
			echo(conn)
		}}
		l, result := s.stream(t, srv, "tcp")
		stays := dial(t, l)
		stays.say("hello", "hello")
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					conn, err := stdnet.Dial("tcp", l.Addr().String())
					if err != nil {
						return // that is the end
					}
					_, _ = conn.Write([]byte("x"))
					_, _ = conn.Read(make([]byte, 1))
					_ = conn.Close()
				}
			})
		}
		runtimetest.Eventually(t, "there is load", func() bool { return served.Load() > 100 })
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := result(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
		clients.Wait()
		stays.say("still here", "still here")
	})
}

// TestEMFILE: a process whose descriptors are used up does not loop, but tries
// again now and then, and goes on when there are some. It is one of its own.
func TestEMFILE(t *testing.T) {
	const child = "WEFT_TEST_EMFILE"
	switch place := os.Getenv(child); place {
	case "":
		for _, place := range []string{"task", "goroutine"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestEMFILE$", "-test.v")
			cmd.Env = append(os.Environ(), child+"="+place)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "went on: "+place) {
				t.Errorf("%s: %v\n%s", place, err, out)
			}
		}
	default:
		serveEMFILE(t, setting{runtimetest.New(t, 2), place == "goroutine"})
		if !t.Failed() {
			fmt.Println("went on:", place)
		}
	}
}

func serveEMFILE(t *testing.T, s setting) {
	const failures = 6
	var told reports
	var enough event.Event
	srv := &server.StreamServer{Handler: echo, OnError: func(err error) {
		told.add(err)
		if len(told.all()) == failures {
			enough.Set()
		}
	}}
	l, _ := s.stream(t, srv, "tcp")
	dial(t, l).say("hello", "hello")

	// Sockets that can be connected when there are no descriptors left.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	began := time.Now()
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}); err != nil {
		t.Error(err)
	}
	if err := enough.WaitUntil(runtime.Now().Add(runtimetest.Patience)); err != nil {
		t.Error(err)
	}
	// The pauses before the last one, which is the least that this can take.
	if took := time.Since(began); took < (10+20+40+80+160)*time.Millisecond {
		t.Errorf("%d failures in %v", failures, took)
	}
	for _, err := range told.all() {
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("told %v", err)
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Write(fd, []byte("x")); err != nil {
		t.Error(err)
	}
	p := make([]byte, 1)
	if _, err := syscall.Read(fd, p); err != nil || p[0] != 'x' {
		t.Errorf("read %q, %v", p, err)
	}
	_ = syscall.Close(fd)
	dial(t, l).say("hello", "hello")
}
