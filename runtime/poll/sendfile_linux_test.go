package poll

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// source returns a file with the given content, at its beginning, and what
// SendFile wants of it.
func source(t testing.TB, content []byte) (*os.File, func(func(uintptr)) error) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f, control(f)
}

func control(f *os.File) func(func(uintptr)) error {
	return func(use func(uintptr)) error {
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		return raw.Read(func(n uintptr) bool { use(n); return true })
	}
}

type sent struct {
	n       int64
	handled bool
	err     error
}

func (p place) sendFile(fd *FD, control func(func(uintptr)) error, n int64) <-chan sent {
	c := make(chan sent, 1)
	p.start(func() {
		n, handled, err := fd.SendFile(control, n)
		c <- sent{n, handled, err}
	})
	return c
}

// receiveAll reads until the end, on a goroutine.
func receiveAll(fd *FD) <-chan []byte {
	c := make(chan []byte, 1)
	go func() {
		data, _ := io.ReadAll(onlyReader{fd})
		c <- data
	}()
	return c
}

// TestSendFile: parts of files of each length arrive, and the file's position
// tells how much was sent.
func TestSendFile(t *testing.T) {
	content := pattern(sendfileChunk + 100_000)
	eachPlace(t, func(t *testing.T, p place) {
		for _, c := range []struct {
			size  int
			from  int64
			limit int64
			want  int64
		}{
			{0, 0, 100, 0},         // empty
			{10, 0, 0, 0},          // nothing asked for
			{10, 0, 1, 1},          // a part
			{10, 3, 4, 4},          // from the middle
			{10, 3, 7, 7},          // to the very end
			{10, 3, 8, 7},          // past the end
			{10, 10, 5, 0},         // at the end
			{10, 20, 5, 0},         // behind it
			{10, 0, 1<<63 - 1, 10}, // all
			{len(content), 0, sendfileChunk, 4 << 20}, // one call
			{len(content), 0, sendfileChunk + 1, 4<<20 + 1},
			{len(content), 5, sendfileChunk - 1, 4<<20 - 1},
			{len(content), 0, 1<<63 - 1, int64(len(content))},
		} {
			f, use := source(t, content[:c.size])
			if _, err := f.Seek(c.from, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			fd, peer := socketPair(t)
			got := receiveAll(peer)
			if res := <-p.sendFile(fd, use, c.limit); res != (sent{c.want, true, nil}) {
				t.Errorf("%+v: %v", c, res)
			}
			idle(t, fd)
			if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != c.from+c.want {
				t.Errorf("%+v: position %d, %v", c, at, err)
			}
			if err := fd.Close(); err != nil {
				t.Error(err)
			}
			var want []byte
			if c.want > 0 {
				want = content[c.from : c.from+c.want]
			}
			if data := <-got; !bytes.Equal(data, want) {
				t.Errorf("%+v: %d bytes arrived, or others", c, len(data))
			}
		}
	})
}

// TestSendFileSlowReader: the sender parks while the reader reads nothing, again
// and again.
func TestSendFileSlowReader(t *testing.T) {
	content := pattern(16 << 20)
	eachPlace(t, func(t *testing.T, p place) {
		_, use := source(t, content)
		fd, peer := tcpPair(t)
		c := p.sendFile(fd, use, 1<<40)
		var got bytes.Buffer
		buf := make([]byte, 256<<10)
		for range 4 {
			parked(t, fd, dirWrite)
			n, err := io.ReadFull(peer, buf)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(buf[:n])
		}
		rest := receiveAll(peer)
		if res := <-c; res != (sent{int64(len(content)), true, nil}) {
			t.Error(res)
		}
		if err := fd.Close(); err != nil {
			t.Error(err)
		}
		got.Write(<-rest)
		if !bytes.Equal(got.Bytes(), content) {
			t.Error("the data differ")
		}
	})
}

// TestSendFileInterrupted: a deadline, a kill, a close and a peer's reset end it
// while it waits; what was sent is told.
func TestSendFileInterrupted(t *testing.T) {
	content := pattern(16 << 20)
	rt := runtimetest.New(t, 1)
	for name, c := range map[string]struct {
		end  func(t *testing.T, fd, peer *FD, task *runtime.Task)
		errs []error
	}{
		"deadline": {func(t *testing.T, fd, _ *FD, _ *runtime.Task) {
			if err := fd.SetWriteDeadline(past); err != nil {
				t.Error(err)
			}
		}, []error{os.ErrDeadlineExceeded}},
		"kill": {func(_ *testing.T, _, _ *FD, task *runtime.Task) { task.Kill(nil) }, []error{runtime.ErrKilled}},
		"close": {func(t *testing.T, fd, _ *FD, _ *runtime.Task) {
			if err := fd.Close(); err != nil {
				t.Error(err)
			}
		}, []error{ErrClosed}},
		"reset": {func(t *testing.T, _, peer *FD, _ *runtime.Task) {
			if err := unix.SetsockoptLinger(peer.Sysfd(), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
				t.Error(err)
			}
			if err := peer.Close(); err != nil {
				t.Error(err)
			}
		}, []error{unix.ECONNRESET, unix.EPIPE}},
	} {
		t.Run(name, func(t *testing.T) {
			f, use := source(t, content)
			fd, peer := tcpPair(t)
			var res sent
			task := rt.Spawn(func() {
				res.n, res.handled, res.err = fd.SendFile(use, 1<<40)
			})
			parked(t, fd, dirWrite)
			c.end(t, fd, peer, task)
			_ = task.Join()
			ok := false
			for _, want := range c.errs {
				ok = ok || errors.Is(res.err, want)
			}
			if !ok || !res.handled || res.n == 0 || res.n == int64(len(content)) {
				t.Errorf("SendFile = %v", res)
			}
			if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != res.n {
				t.Errorf("position %d, %v, but sent %d", at, err, res.n)
			}
		})
	}
}

// TestSendFileOthers: what sendfile can't read, or is closed, is left to the
// caller.
func TestSendFileOthers(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		fd, _ := socketPair(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if res := <-p.sendFile(fd, control(r), 1); res.n != 0 || res.handled {
			t.Errorf("a pipe: %v", res)
		}
		dir, err := os.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if res := <-p.sendFile(fd, control(dir), 1); res.n != 0 || res.handled {
			t.Errorf("a folder: %v", res)
		}
		f, use := source(t, []byte("x"))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if res := <-p.sendFile(fd, use, 1); res.n != 0 || res.handled || res.err == nil {
			t.Errorf("a closed file: %v", res)
		}
		if p.worker != nil { // on a goroutine a panic is the caller's
			res := <-p.sendFile(fd, func(func(uintptr)) error { panic("user") }, 1)
			if panicked, ok := res.err.(*runtime.PanicError); !ok || panicked.Value != "user" {
				t.Errorf("a panic: %v", res)
			}
		}
		idle(t, fd)
	})
}

// TestSendFileTurn: it is a writer among others.
func TestSendFileTurn(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		_, use := source(t, []byte("file"))
		fd, peer := socketPair(t)
		total := fill(t, fd)
		first := p.call(func() (int, error) { return fd.Write([]byte("first ")) })
		parked(t, fd, dirWrite)
		second := p.sendFile(fd, use, 100)
		queued(t, fd, dirWrite, 1)
		third := p.call(func() (int, error) { return fd.Write([]byte(" third")) })
		queued(t, fd, dirWrite, 2)
		got := make([]byte, total+len("first file third"))
		if _, err := io.ReadFull(peer, got); err != nil {
			t.Fatal(err)
		}
		if text := string(got[total:]); text != "first file third" {
			t.Errorf("got %q", text)
		}
		<-first
		<-second
		<-third
		idle(t, fd)
	})
}

// TestSendFileTimeout: WithTimeout ends it, too.
func TestSendFileTimeout(t *testing.T) {
	_, use := source(t, pattern(16<<20))
	fd, _ := tcpPair(t)
	runtimetest.Run(t, 1, func() {
		err := runtime.WithTimeout(5*time.Millisecond, func() error {
			_, handled, err := fd.SendFile(use, 1<<40)
			if !handled {
				t.Error("not handled")
			}
			return err
		})
		if !errors.Is(err, runtime.ErrTimeout) {
			t.Error(err)
		}
	})
}
