package poll

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

func (p place) splice(dst, src *FD, n int64) <-chan sent {
	c := make(chan sent, 1)
	p.start(func() {
		n, handled, err := Splice(dst, src, n)
		c <- sent{n, handled, err}
	})
	return c
}

func (p place) spliceFile(fd *FD, control func(func(uintptr)) error, n int64) <-chan sent {
	c := make(chan sent, 1)
	p.start(func() {
		n, handled, err := fd.SpliceFile(control, n)
		c <- sent{n, handled, err}
	})
	return c
}

// sendAll writes data, and shuts down, on a goroutine.
func sendAll(t *testing.T, fd *FD, data []byte) (join func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := fd.Write(data); err != nil {
			t.Error(err)
		}
		if err := unix.Shutdown(fd.Sysfd(), unix.SHUT_WR); err != nil {
			t.Error(err)
		}
	}()
	return func() { <-done }
}

var spliceCases = []struct{ size, limit, want int64 }{
	{0, 100, 0},                 // the end at once
	{10, 0, 0},                  // nothing asked for
	{10, 1, 1},                  // a part
	{10, 10, 10},                // all, without its end
	{10, 11, 10},                // past the end
	{10, 1<<63 - 1, 10},         // all
	{6 << 20, 5 << 20, 5 << 20}, // several pipes full, and rounds
	{6 << 20, 1<<63 - 1, 6 << 20},
}

// TestSplice: parts of streams arrive, and the rest is left.
func TestSplice(t *testing.T) {
	content := pattern(6 << 20)
	pairs := []func(testing.TB) (*FD, *FD){socketPair, tcpPair}
	eachPlace(t, func(t *testing.T, p place) {
		for _, from := range pairs {
			for _, to := range pairs {
				for _, c := range spliceCases {
					in, src := from(t)
					dst, out := to(t)
					join := sendAll(t, in, content[:c.size])
					got := receiveAll(out)
					if res := <-p.splice(dst, src, c.limit); res != (sent{c.want, true, nil}) {
						t.Errorf("%+v: %v", c, res)
					}
					rest, err := io.ReadAll(onlyReader{src})
					if err != nil || !bytes.Equal(rest, content[c.want:c.size]) {
						t.Errorf("%+v: %d bytes are left, %v", c, len(rest), err)
					}
					join()
					idle(t, src)
					idle(t, dst)
					if err := dst.Close(); err != nil {
						t.Error(err)
					}
					if data := <-got; !bytes.Equal(data, content[:c.want]) {
						t.Errorf("%+v: %d bytes arrived, or others", c, len(data))
					}
				}
			}
		}
	})
}

// TestSpliceFile: parts of a stream come into a file, from its position on.
func TestSpliceFile(t *testing.T) {
	content := pattern(6 << 20)
	eachPlace(t, func(t *testing.T, p place) {
		for _, c := range spliceCases {
			f, _ := source(t, []byte("0123456789"))
			if _, err := f.Seek(2, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			in, src := tcpPair(t)
			join := sendAll(t, in, content[:c.size])
			if res := <-p.spliceFile(src, control(f), c.limit); res != (sent{c.want, true, nil}) {
				t.Errorf("%+v: %v", c, res)
			}
			rest, err := io.ReadAll(onlyReader{src})
			if err != nil || !bytes.Equal(rest, content[c.want:c.size]) {
				t.Errorf("%+v: %d bytes are left, %v", c, len(rest), err)
			}
			join()
			idle(t, src)
			if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 2+c.want {
				t.Errorf("%+v: position %d, %v", c, at, err)
			}
			data, err := os.ReadFile(f.Name())
			if err != nil || !bytes.Equal(data[2:2+c.want], content[:c.want]) || string(data[:2]) != "01" {
				t.Errorf("%+v: %d bytes in the file, or others, %v", c, len(data), err)
			}
		}
	})
}

// TestSpliceParks: it waits for data, and for room, and holds up no other writer
// while it waits for data.
func TestSpliceParks(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		in, src := socketPair(t)
		dst, out := socketPair(t)
		got := make([]byte, 100)
		read := func(want string) {
			t.Helper()
			if n, err := io.ReadFull(out, got[:len(want)]); err != nil || string(got[:n]) != want {
				t.Fatalf("%q, %v, not %q", got[:n], err, want)
			}
		}
		c := p.splice(dst, src, 1<<40)
		for _, text := range []string{"one", "two"} {
			parked(t, src, dirRead)
			if _, err := dst.Write([]byte("mine")); err != nil {
				t.Fatal(err)
			}
			read("mine")
			if _, err := in.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			read(text)
		}
		parked(t, src, dirRead)
		full := fill(t, dst)
		if _, err := in.Write([]byte("three")); err != nil {
			t.Fatal(err)
		}
		parked(t, dst, dirWrite)
		if _, err := io.CopyN(io.Discard, onlyReader{out}, int64(full)); err != nil {
			t.Fatal(err)
		}
		read("three")
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if res := <-c; res != (sent{11, true, nil}) {
			t.Error(res)
		}
	})
}

// TestSpliceInterrupted: a deadline, a kill and a close of either side end it while
// it waits for either; and both go on after, but for what was in the pipe.
func TestSpliceInterrupted(t *testing.T) {
	rt := runtimetest.New(t, 1)
	for name, c := range map[string]struct {
		end  func(fd *FD, dir string, task *runtime.Task) error
		want error
	}{
		"deadline": {func(fd *FD, dir string, _ *runtime.Task) error {
			if dir == "read" {
				return fd.SetReadDeadline(past)
			}
			return fd.SetWriteDeadline(past)
		}, os.ErrDeadlineExceeded},
		"kill":  {func(_ *FD, _ string, task *runtime.Task) error { task.Kill(nil); return nil }, runtime.ErrKilled},
		"close": {func(fd *FD, _ string, _ *runtime.Task) error { return fd.Close() }, ErrClosed},
	} {
		for _, what := range []string{"read", "write", "file"} {
			t.Run(name+" of "+what, func(t *testing.T) {
				in, src := socketPair(t)
				dst, out := socketPair(t)
				f, _ := source(t, nil)
				var res sent
				task := rt.Spawn(func() {
					if what == "file" {
						res.n, res.handled, res.err = src.SpliceFile(control(f), 1<<40)
					} else {
						res.n, res.handled, res.err = Splice(dst, src, 1<<40)
					}
				})
				if _, err := in.Write([]byte("first")); err != nil {
					t.Fatal(err)
				}
				if what == "file" {
					runtimetest.Eventually(t, "the first data", func() bool {
						at, err := f.Seek(0, io.SeekCurrent)
						return err == nil && at == 5
					})
				} else if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				parked(t, src, dirRead)
				waited, dir := src, "read"
				if what == "write" {
					fill(t, dst)
					if _, err := in.Write([]byte("second")); err != nil {
						t.Fatal(err)
					}
					waited, dir = dst, "write"
					parked(t, dst, dirWrite)
				}
				if err := c.end(waited, dir, task); err != nil {
					t.Error(err)
				}
				_ = task.Join()
				if res.n != 5 || !res.handled || !errors.Is(res.err, c.want) {
					t.Errorf("%v", res)
				}
				if name != "close" {
					idle(t, src)
					idle(t, dst)
				}
			})
		}
	}
}

// TestSpliceReset: a peer's reset ends it on either side.
func TestSpliceReset(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		in, src := tcpPair(t)
		dst, out := tcpPair(t)
		c := p.splice(dst, src, 1<<40)
		parked(t, src, dirRead)
		resetTCP(t, in)
		if res := <-c; res.err != unix.ECONNRESET || !res.handled {
			t.Error(res)
		}
		in, src = tcpPair(t)
		fill(t, dst)
		if _, err := in.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		c = p.splice(dst, src, 1<<40)
		parked(t, dst, dirWrite)
		resetTCP(t, out)
		if res := <-c; res.err != unix.ECONNRESET && res.err != unix.EPIPE || !res.handled {
			t.Error(res)
		}
	})
}

func resetTCP(t *testing.T, fd *FD) {
	t.Helper()
	if err := unix.SetsockoptLinger(fd.Sysfd(), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		t.Error(err)
	}
	if err := fd.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpliceUnfit: what splice can't do is left to the caller, with all data still
// there.
func TestSpliceUnfit(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		in, src := socketPair(t)
		dst, _ := socketPair(t)
		if _, err := in.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		appending, err := os.OpenFile(t.TempDir()+"/f", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer appending.Close()
		reading, err := os.Open(appending.Name())
		if err != nil {
			t.Fatal(err)
		}
		defer reading.Close()
		closed, _ := source(t, nil)
		_ = closed.Close()
		for name, f := range map[string]*os.File{"appending": appending, "reading": reading, "closed": closed} {
			if res := <-p.spliceFile(src, control(f), 100); res.n != 0 || res.handled || res.err == nil {
				t.Errorf("%s: %v", name, res)
			}
		}
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		none := limit
		none.Cur = 3
		_, use := source(t, nil)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
			t.Fatal(err)
		}
		socket, file := <-p.splice(dst, src, 100), <-p.spliceFile(src, use, 100)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		for _, res := range []sent{socket, file} {
			if res != (sent{0, false, unix.EMFILE}) {
				t.Errorf("no descriptors: %v", res)
			}
		}
		buf := make([]byte, 10)
		if n, err := src.Read(buf); err != nil || string(buf[:n]) != "text" {
			t.Errorf("Read: %q, %v", buf[:n], err)
		}
		idle(t, src)
	})
}
