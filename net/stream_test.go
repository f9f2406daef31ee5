package net_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var networks = []string{"tcp", "unix"}

// TestHalfClose (own behaviour 16): one side shuts down its writing side after the requests, in
// either direction, and gets all the replies.
func TestHalfClose(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			reply := pattern(3 << 20) // more than the kernel holds
			for _, swapped := range []bool{false, true} {
				client, server := n.connected(t, network)
				if swapped {
					client, server = server, client
				}
				join := n.start(func() {
					requests, err := io.ReadAll(onlyReader{server})
					if string(requests) != "requests" || err != nil {
						t.Errorf("requests %q, %v", requests, err)
					}
					if m, err := server.Write(reply); m != len(reply) || err != nil {
						t.Errorf("Write = %d, %v", m, err)
					}
					if err := server.(halves).CloseWrite(); err != nil {
						t.Error(err)
					}
				})
				if _, err := client.Write([]byte("requests")); err != nil {
					t.Fatal(err)
				}
				if err := client.(halves).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
					t.Errorf("Write after CloseWrite: %v", err)
				}
				got, err := io.ReadAll(onlyReader{client})
				if !bytes.Equal(got, reply) || err != nil {
					t.Errorf("%d bytes of reply, %v", len(got), err)
				}
				if _, err := client.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("Read at the end: %v", err)
				}
				join()
			}
		})
	}
}

// TestCloseRead: after CloseRead one reads the end.
func TestCloseRead(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			if err := a.(halves).CloseRead(); err != nil {
				t.Fatal(err)
			}
			if m, err := a.Read(make([]byte, 1)); m != 0 || err != io.EOF {
				t.Errorf("Read = %d, %v", m, err)
			}
			if _, err := a.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := b.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCloseReadWakes: CloseRead ends a read that waits.
func TestCloseReadWakes(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, _ := n.connected(t, network)
			join := n.start(func() {
				if m, err := a.Read(make([]byte, 1)); m != 0 || err != io.EOF {
					t.Errorf("Read = %d, %v", m, err)
				}
			})
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			if err := a.(halves).CloseRead(); err != nil {
				t.Error(err)
			}
			join()
		})
	}
}

// TestReset: a reset ends reads and writes that wait.
func TestReset(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		a, b := n.connected(t, "tcp")
		one := n.start(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read: %v", err)
			}
		})
		if n.rt != nil {
			waiting(t, n.rt, "readable", 1)
		}
		reset(t, b)
		one()
		a, b = n.connected(t, "tcp")
		two := n.start(func() {
			_, err := a.Write(make([]byte, tooMuch))
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write: %v", err)
			}
		})
		if n.rt != nil {
			waiting(t, n.rt, "writable", 1)
		}
		reset(t, b)
		two()
	})
}

// TestBigWrite: 64 MiB in one Write to a slow reader need no memory but theirs.
func TestBigWrite(t *testing.T) {
	data := pattern(64 << 20)
	want := sha256.Sum256(data)
	for _, network := range networks {
		ours(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			hash := sha256.New()
			join := n.start(func() {
				buf := make([]byte, 256<<10)
				for {
					m, err := b.Read(buf)
					hash.Write(buf[:m])
					if err != nil {
						return
					}
					runtime.Yield()
				}
			})
			var before, after goruntime.MemStats
			goruntime.ReadMemStats(&before)
			if m, err := a.Write(data); m != len(data) || err != nil {
				t.Errorf("Write = %d, %v", m, err)
			}
			goruntime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			join()
			if !bytes.Equal(hash.Sum(nil), want[:]) {
				t.Error("the data differ")
			}
		})
	}
}

// TestPartialWrite: a Write that fails says how much it wrote.
func TestPartialWrite(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			var m int
			join := n.start(func() {
				var err error
				m, err = a.Write(make([]byte, 64<<20))
				if m == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Write = %d, %v", m, err)
				}
			})
			if _, err := b.Read(make([]byte, 1)); err != nil { // it has begun
				t.Fatal(err)
			}
			if err := a.SetWriteDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			join()
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if got, err := io.Copy(io.Discard, onlyReader{b}); got != int64(m)-1 || err != nil {
				t.Errorf("%d bytes arrived of %d, %v", got+1, m, err)
			}
		})
	}
}

// TestZeroBytes: reads and writes of nothing.
func TestZeroBytes(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			for _, p := range [][]byte{nil, {}} {
				if m, err := a.Read(p); m != 0 || err != nil {
					t.Errorf("Read = %d, %v", m, err)
				}
				if m, err := a.Write(p); m != 0 || err != nil {
					t.Errorf("Write = %d, %v", m, err)
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if m, err := a.Read(nil); m != 0 || err != nil {
				t.Errorf("Read of nothing at the end = %d, %v", m, err)
			}
		})
	}
}

// TestConcurrentClose: reads, writes, deadlines and Closes at once; one Close
// succeeds, everything returns.
func TestConcurrentClose(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			for range 20 {
				a, _ := n.connected(t, network)
				errs := make(chan error, 4)
				var joins []func()
				for range 4 {
					joins = append(joins,
						n.start(func() { _, _ = a.Read(make([]byte, 1)) }),
						n.start(func() { _, _ = a.Write(make([]byte, 1<<20)) }),
						n.start(func() { _ = a.SetDeadline(time.Now().Add(time.Hour)) }),
						n.start(func() { errs <- a.Close() }))
				}
				for _, join := range joins {
					join()
				}
				closed := 0
				for range 4 {
					if err := <-errs; err == nil {
						closed++
					} else if !errors.Is(err, stdnet.ErrClosed) {
						t.Error(err)
					}
				}
				if closed != 1 {
					t.Errorf("%d Closes succeeded", closed)
				}
			}
		})
	}
}

// tooMuch is more than the kernel holds for a peer that does not read.
const tooMuch = 32 << 20

// TestKilled: reads and writes of a task that is killed, or times out.
func TestKilled(t *testing.T) {
	rt := runtimetest.New(t, 2)
	for _, network := range networks {
		n := implementation{"task", rt, listenOurs, dialOurs}
		a, _ := n.connected(t, network)
		buf := make([]byte, tooMuch)
		for what, op := range map[string]func([]byte) (int, error){"readable": a.Read, "writable": a.Write} {
			var err error
			task := rt.Spawn(func() { _, err = op(buf) })
			waiting(t, rt, what, 1)
			cause := errors.New("cause")
			task.Kill(cause)
			_ = task.Join()
			var op2 *stdnet.OpError
			if !errors.Is(err, runtime.ErrKilled) || !errors.Is(err, cause) || !errors.As(err, &op2) || !strings.Contains(err.Error(), "task killed") {
				t.Errorf("%s: %v", what, err)
			}
			runtimetest.RunOn(t, rt, func() {
				outer := runtime.WithTimeout(time.Hour, func() error {
					err = runtime.WithTimeout(time.Millisecond, func() error { _, err := op(buf); return err })
					return nil
				})
				var ne stdnet.Error
				if outer != nil || !errors.Is(err, runtime.ErrTimeout) || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
					t.Errorf("%s: %v, %v", what, err, outer)
				}
			})
		}
	}
}
