package net_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// relay has the sockets of a copy: what is written to in comes out of src; dst is
// where to copy it, and out where that comes out.
type relay struct{ in, src, dst, out stdnet.Conn }

func (n implementation) relay(t *testing.T, from, to string) relay {
	t.Helper()
	var r relay
	r.in, r.src = n.connected(t, from)
	r.dst, r.out = n.connected(t, to)
	return r
}

// TestSplice copies between streams, all to the end or a part, by io.Copy and by the
// methods that it calls. More goes through than a pipe and a socket hold together.
func TestSplice(t *testing.T) {
	content := pattern(5<<20 + 17)
	for _, from := range networks {
		for _, to := range networks {
			t.Run(from+" to "+to, func(t *testing.T) {
				same(t, func(t *testing.T, n implementation) (told []string) {
					for name, limit := range map[string]int64{"all": -1, "part": 3 << 20, "nothing": 0, "more than all": 1 << 40} {
						r := n.relay(t, from, to)
						join := n.start(func() {
							_, _ = r.in.Write(content)
							_ = r.in.Close()
						})
						var got []byte
						received := n.start(func() { got, _ = io.ReadAll(onlyReader{r.out}) })
						want := content
						var moved int64
						var err error
						if limit < 0 {
							moved, err = io.Copy(r.dst, r.src)
						} else {
							limited := &io.LimitedReader{R: r.src, N: limit}
							moved, err = io.Copy(r.dst, limited)
							want = content[:min(limit, int64(len(content)))]
							if limited.N != limit-moved {
								t.Errorf("%s: %d are left", name, limited.N)
							}
						}
						_, _ = r.dst.Close(), r.src.Close()
						join()
						received()
						if moved != int64(len(want)) || err != nil || !bytes.Equal(got, want) {
							t.Errorf("%s: moved %d, %v; %d have arrived, not %d", name, moved, err, len(got), len(want))
						}
					}
					return nil
				})
			})
		}
	}
}

// TestSpliceErrors: what ends a copy, and what its error says. The other side is of
// further use.
func TestSpliceErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, c := range []struct {
			name string
			end  func(r relay)
		}{
			{"source is closed", func(r relay) { _ = r.src.Close() }},
			{"source's deadline", func(r relay) { _ = r.src.SetReadDeadline(past) }},
			{"source is reset", func(r relay) { reset(t, r.in) }},
			{"target is reset", func(r relay) {
				reset(t, r.out)
				for {
					if _, err := r.in.Write([]byte("more")); err != nil {
						break
					}
				}
			}},
		} {
			r := n.relay(t, "tcp", "tcp")
			var err error
			join := n.start(func() {
				_, err = io.Copy(r.dst, r.src)
				_ = r.src.Close() // so that the writer in c.end gets to know
			})
			send(t, r.in, "text")
			if text := got(t, r.out); text != "text" {
				t.Errorf("%s: %q has come", c.name, text)
			}
			c.end(r)
			join()
			var op *stdnet.OpError
			if !errors.As(err, &op) {
				t.Fatalf("%s: %v", c.name, err)
			}
			cause := op.Err
			var call *os.SyscallError
			name := ""
			if errors.As(err, &call) {
				name, cause = call.Syscall, call.Err
			}
			if c.name == "target is reset" {
				// Which of the two errors a reset gives is a matter of time.
				told = append(told, c.name)
				continue
			}
			told = append(told, tell(c.name, op.Op, name, fmt.Sprint(cause)))
		}
		return told
	})
}

// TestSpliceToFile: to a file at its position, to one in append mode, which the
// kernel does not splice to, to a closed one, and to one that is read only.
func TestSpliceToFile(t *testing.T) {
	content := pattern(3<<20 + 5)
	same(t, func(t *testing.T, n implementation) (told []string) {
		copyTo := func(f *os.File) (int64, error) {
			a, b := n.connected(t, "tcp")
			join := n.start(func() {
				_, _ = a.Write(content)
				_ = a.Close()
			})
			moved, err := io.Copy(f, b)
			_ = b.Close()
			join()
			return moved, err
		}
		check := func(name string, f *os.File, before string) {
			moved, err := copyTo(f)
			got, readErr := os.ReadFile(f.Name())
			if readErr != nil || moved != int64(len(content)) || err != nil || !bytes.Equal(got, append([]byte(before), content...)) {
				t.Errorf("%s: %d, %v; the file has %d", name, moved, err, len(got))
			}
		}
		check("empty", tempFile(t, nil), "")
		middle := tempFile(t, []byte("beginning and an end"))
		if _, err := middle.Seek(9, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		check("middle", middle, "beginning")
		base := tempFile(t, []byte("before"))
		appending, err := os.OpenFile(base.Name(), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer appending.Close()
		check("append mode", appending, "before")

		closed := tempFile(t, nil)
		_ = closed.Close()
		_, err = copyTo(closed)
		told = append(told, tell("closed", errors.Is(err, os.ErrClosed)))
		readOnly, err := os.Open(tempFile(t, nil).Name())
		if err != nil {
			t.Fatal(err)
		}
		defer readOnly.Close()
		_, err = copyTo(readOnly)
		return append(told, tell("read only", err != nil))
	})
}

// TestSpliceKilled: a task that is killed in a copy leaves both connections usable,
// and loses nothing that had not been taken from the source.
func TestSpliceKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		r := n.relay(t, "tcp", "tcp")
		task := runtime.Async(func() (int64, error) { return io.Copy(r.dst, r.src) })
		send(t, r.in, "one")
		if text := got(t, r.out); text != "one" {
			t.Errorf("%q has come", text)
		}
		task.Kill(nil)
		if moved, err := task.Get(); moved != 3 || !errors.Is(err, runtime.ErrKilled) {
			t.Errorf("moved %d, %v", moved, err)
		}
		send(t, r.in, "two")
		if text := got(t, r.src); text != "two" {
			t.Errorf("%q is left to read", text)
		}
		send(t, r.dst, "three")
		if text := got(t, r.out); text != "three" {
			t.Errorf("%q has come", text)
		}
	})
}

// TestSpliceIdle: copies that have nothing to move hold no pipes.
func TestSpliceIdle(t *testing.T) {
	const copies = 20
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		n := implementation{"task", rt, listenOurs, dialOurs}
		var relays []relay
		for range copies {
			relays = append(relays, n.relay(t, "tcp", "tcp"))
		}
		before := runtimetest.Descriptors()
		for _, r := range relays {
			runtime.Spawn(func() { _, _ = io.Copy(r.dst, r.src) })
		}
		waiting(t, rt, "readable", copies)
		// The garbage collector closes pipes that nobody uses.
		runtimetest.Eventually(t, "no pipe is held", func() bool {
			goruntime.GC()
			return runtimetest.Descriptors() <= before
		})
		for _, r := range relays {
			_ = r.in.Close()
		}
		runtimetest.Eventually(t, "the copies have ended", func() bool {
			runtime.Sleep(time.Millisecond)
			return rt.Stats().Tasks == 1
		})
	})
}
