package net_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestAcceptInOrder: waiting Accepts, tasks and goroutines, get a connection
// each.
func TestAcceptInOrder(t *testing.T) {
	rt := runtimetest.New(t, 2)
	l := listen(t, "tcp")
	defer l.Close()
	const n = 12
	accepted := make(chan stdnet.Conn, n)
	accept := func() {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		accepted <- conn
	}
	for i := range n {
		if i%3 == 0 {
			go accept()
		} else {
			rt.Workers()[i%2].Spawn(accept)
		}
	}
	seen := map[string]bool{}
	for range n {
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		seen[a.LocalAddr().String()] = true
	}
	for range n {
		b := <-accepted
		if !seen[b.RemoteAddr().String()] {
			t.Errorf("%v was accepted twice, or nobody", b.RemoteAddr())
		}
		delete(seen, b.RemoteAddr().String())
		_ = b.Close()
	}
}

// TestAcceptEnds: a waiting Accept ends by Close, a deadline, a kill, a timeout.
func TestAcceptEnds(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			rt := runtimetest.New(t, 2)
			for name, c := range map[string]struct {
				end  func(l stdnet.Listener, task *runtime.Task)
				want []error
			}{
				"close": {func(l stdnet.Listener, _ *runtime.Task) { _ = l.Close() }, []error{stdnet.ErrClosed}},
				"deadline": {func(l stdnet.Listener, _ *runtime.Task) {
					_ = l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0))
				}, []error{os.ErrDeadlineExceeded}},
				"kill": {func(_ stdnet.Listener, task *runtime.Task) { task.Kill(nil) }, []error{runtime.ErrKilled, context.Canceled}},
			} {
				l := listen(t, network)
				var err error
				task := rt.Spawn(func() { _, err = l.Accept() })
				waiting(t, rt, "readable", 1)
				c.end(l, task)
				_ = task.Join()
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("%s: %v", name, err)
					}
				}
				var op *stdnet.OpError
				if !errors.As(err, &op) || op.Op != "accept" {
					t.Errorf("%s: %v", name, err)
				}
				_ = l.Close()
			}
			l := listen(t, network)
			defer l.Close()
			runtimetest.RunOn(t, rt, func() {
				err := runtime.WithTimeout(time.Millisecond, func() error { _, err := l.Accept(); return err })
				var ne stdnet.Error
				if !errors.Is(err, runtime.ErrTimeout) || !errors.As(err, &ne) || !ne.Timeout() {
					t.Error(err)
				}
				// And the listener works on.
				task := runtime.Spawn(func() {
					if conn, err := net.Dial(network, l.Addr().String()); err == nil {
						_ = conn.Close()
					} else {
						t.Error(err)
					}
				})
				if conn, err := l.Accept(); err != nil {
					t.Error(err)
				} else {
					_ = conn.Close()
				}
				_ = task.Join()
			})
		})
	}
}

// TestAcceptReset: a connection that was reset before it is accepted is accepted
// all the same, or passed over, as the kernel has it. Accept does not fail.
func TestAcceptReset(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a, err := n.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		reset(t, a)
		if a, err = n.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		for {
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			found := b.RemoteAddr().String() == a.LocalAddr().String()
			_ = b.Close()
			if found {
				return
			}
		}
	})
}

// TestListenControl: Control is called before the socket is bound, and its error
// is Listen's.
func TestListenControl(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		dir := shortTempDir(t)
		for _, c := range [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", ":0"}, {"tcp4", ":0"}, {"unix", dir + "/s"}} {
			l, err := n.listen(stdnet.ListenConfig{Control: func(network, address string, c syscall.RawConn) error {
				told = append(told, tell("control", network, address))
				return c.Control(func(fd uintptr) {
					on, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
					told = append(told, tell("listens", on, err))
					if network != "unix" {
						reuse, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR)
						told = append(told, tell("reuse", reuse, err))
					}
				})
			}}, c[0], c[1])
			told = append(told, tell("listen", err))
			if err == nil {
				_ = l.Close()
			}
			// With MPTCP std tries twice, so the calls are not compared.
			called := false
			_, err = n.listen(stdnet.ListenConfig{Control: func(string, string, syscall.RawConn) error {
				called = true
				return errors.New("no")
			}}, c[0], c[1])
			told = append(told, tell("failing control", called, err))
		}
		return told
	})
}

// TestListenAgain: an address can be listened on again at once, though a
// connection of the former listener is left, and the port waits (TIME_WAIT).
func TestListenAgain(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			a, err := n.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []interface{ Close() error }{l, b, a} { // the server first
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
			again, err := n.Listen("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			l = again
		}
		_ = l.Close()
	})
}

// TestAcceptEMFILE: D86 in a process whose descriptors are used up Accept says so,
// without spinning until the caller tries again, and goes on when there are some.
func TestAcceptEMFILE(t *testing.T) {
	const child = "WEFT_TEST_EMFILE"
	switch os.Getenv(child) {
	case "":
		for _, place := range []string{"goroutine", "task"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAcceptEMFILE$", "-test.v")
			cmd.Env = append(os.Environ(), child+"="+place)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "went on: "+place) {
				t.Errorf("%s: %v\n%s", place, err, out)
			}
		}
	case "goroutine":
		acceptEMFILE(t)
	case "task":
		runtimetest.Run(t, 1, func() { acceptEMFILE(t) })
	}
}

// cpuTime returns how much of the processors the process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func acceptEMFILE(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 3 // none is left
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		conn, err := l.Accept()
		var op *stdnet.OpError
		if conn != nil || !errors.Is(err, syscall.EMFILE) || !errors.As(err, &op) || !op.Temporary() ||
			!strings.HasSuffix(err.Error(), ": accept4: too many open files") {
			t.Errorf("Accept: %v, %v", conn, err)
		}
		if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("Dial: %v", err)
		}
		if _, err := net.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("Listen: %v", err)
		}
		if _, err := a.(*net.TCPConn).File(); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("File: %v", err)
		}
	}
	// A server waits a little now, as net/http's does. Meanwhile the connection
	// that is there to be accepted, event after event, keeps nobody busy.
	const pause = 400 * time.Millisecond
	before := cpuTime(t)
	runtime.Sleep(pause)
	if used := cpuTime(t) - before; used > pause/2 {
		t.Errorf("%v of processor time in a pause of %v", used, pause)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := a.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	place := "goroutine"
	if runtime.Current() != nil {
		place = "task"
	}
	fmt.Println("went on:", place)
}
