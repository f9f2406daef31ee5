package subprocess

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestPipes: a conversation by three pipes.
func TestPipes(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		p := start(t, piped("while read x; do echo got $x; echo err $x >&2; done; exit 5"))
		for _, word := range []string{"one", "two", "three"} {
			say(t, p.Stdin, word+"\n")
			if out, errs := line(t, p.Stdout), line(t, p.Stderr); out != "got "+word || errs != "err "+word {
				t.Errorf("%q, %q", out, errs)
			}
		}
		running(t, p)
		if err := p.Stdin.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Stdout.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read: %v", err)
		}
		if err := p.Wait(); err == nil {
			t.Error("no error")
		}
		ended(t, p, 5)
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		is(t, p.Stdin.Close(), fs.ErrClosed)
		_, err := p.Stdout.Read(make([]byte, 1))
		is(t, err, fs.ErrClosed)
	})
}

// TestStreamEnds: deadlines, Close, a reader that has gone, and system calls of
// one's own.
func TestStreamEnds(t *testing.T) {
	each(t, func(t *testing.T, spawn func(func()) func()) {
		p := start(t, piped("exec <&-; read x <&3; exit"))
		_ = p.Wait()
		_, err := p.Stdin.Write([]byte("x"))
		is(t, err, unix.EPIPE)
		_ = p.Close()

		p = start(t, piped("read x"))
		if err := p.Stdout.SetDeadline(time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		_, err = p.Stdout.Read(make([]byte, 1))
		is(t, err, os.ErrDeadlineExceeded)
		if err := p.Stdout.SetDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		raw, err := p.Stdin.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
			if flags&unix.FD_CLOEXEC == 0 || err != nil {
				t.Errorf("flags %x, %v", flags, err)
			}
		}); err != nil {
			t.Error(err)
		}
		if err := raw.Write(func(fd uintptr) bool { _, err = unix.Write(int(fd), []byte("x\n")); return true }); err != nil {
			t.Error(err)
		}
		if raw, err = p.Stdout.SyscallConn(); err != nil {
			t.Fatal(err)
		}
		if err := raw.Read(func(fd uintptr) bool {
			_, err = unix.Read(int(fd), make([]byte, 1))
			return err != unix.EAGAIN
		}); err != nil {
			t.Error(err)
		}
		_ = p.Wait()
		_ = p.Close()
		is(t, raw.Control(nil), fs.ErrClosed)

		p = start(t, piped("read x"))
		closed := false
		join := spawn(func() {
			_, err := p.Stdout.Read(make([]byte, 1))
			is(t, err, fs.ErrClosed)
			if !closed {
				t.Error("before Close")
			}
		})
		runtime.Sleep(time.Millisecond)
		closed = true
		_ = p.Close()
		join()
		_ = p.Wait()
	})
}

// TestClosesEarly: a process may close its output, or input, long before it ends.
func TestClosesEarly(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		p := start(t, piped("echo last; exec >&- 2>&-; read x; exit 3"))
		if out, err := io.ReadAll(p.Stdout); string(out) != "last\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
		running(t, p)
		say(t, p.Stdin, "go on\n")
		_ = p.Wait()
		ended(t, p, 3)
		_ = p.Close()

		p = start(t, piped("exec <&-; echo not read; exit 3"))
		out, _, err := p.Communicate(bytes.Repeat([]byte("x"), 1<<20))
		if string(out) != "not read\n" || err == nil {
			t.Errorf("%q, %v", out, err)
		}
		ended(t, p, 3)
	})
}

// TestCopies: readers and writers are copied from and to, files passed on, and
// Merge keeps the order.
func TestCopies(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		var out, errs bytes.Buffer
		c := sh("cat; echo error >&2")
		c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(big), &out, &errs
		if err := c.Run(); err != nil || !bytes.Equal(out.Bytes(), big) || errs.String() != "error\n" {
			t.Errorf("%d bytes, %q, %v", out.Len(), errs.String(), err)
		}
		for _, stderr := range []io.Writer{Merge, &out} {
			out.Reset()
			c = sh("for i in 1 2 3; do echo $i; echo -$i >&2; done")
			c.Stdout, c.Stderr = &out, stderr
			if err := c.Run(); err != nil || out.String() != "1\n-1\n2\n-2\n3\n-3\n" {
				t.Errorf("%q, %v", out.String(), err)
			}
		}
		name := filepath.Join(t.TempDir(), "file")
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		c = sh("echo to a file; echo too >&2")
		c.Stdout, c.Stderr = file, Merge
		if err := c.Run(); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(name); string(text) != "to a file\ntoo\n" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		c = Command("cat")
		c.Stdin = file
		if out, err := c.Output(); string(out) != "to a file\ntoo\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}

		// Inherited: what os.Stdout is.
		old := os.Stdout
		os.Stdout = file
		err = sh("echo inherited").Run()
		os.Stdout = old
		if text, _ := os.ReadFile(name); err != nil || !strings.HasSuffix(string(text), "inherited\n") {
			t.Errorf("%q, %v", text, err)
		}
	})
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
func (b broken) Read([]byte) (int, error)  { return 0, b.err }

// TestCopyFails: the error of a reader or writer is Wait's, unless the process has
// failed itself. The process meets a closed pipe.
func TestCopyFails(t *testing.T) {
	each(t, func(t *testing.T, _ func(func()) func()) {
		failure := errors.New("failure")
		c := sh("echo x; exit 0")
		c.Stdout = broken{failure}
		is(t, c.Run(), failure)
		c = sh("cat >/dev/null")
		c.Stdin = broken{failure}
		is(t, c.Run(), failure)
		c = Command("yes")
		c.Stdin, c.Stdout, c.Stderr = Null, broken{failure}, Null
		p := start(t, c)
		if err := p.Wait(); err == nil {
			t.Error("no error")
		}
		if code, _ := p.ExitCode(); code != -13 && code != 1 { // SIGPIPE, or EPIPE where that is ignored
			t.Errorf("exit code %d", code)
		}
	})
}

// TestUnreadInput: a process need not read its input, nor does Wait wait for a
// reader that has nothing to give.
func TestUnreadInput(t *testing.T) {
	runtimetest.Run(t, 1, func() {
		c := sh("exit 0")
		c.Stdin = bytes.NewReader(make([]byte, 1<<20))
		if err := c.Run(); err != nil {
			t.Error(err)
		}
		other := start(t, piped("cat"))
		c.Stdin = other.Stdout // nothing comes from there
		if err := c.Run(); err != nil {
			t.Error(err)
		}
		say(t, other.Stdin, "still here\n")
		if got := line(t, other.Stdout); got != "still here" {
			t.Errorf("%q", got)
		}
		_ = other.Close()
		_ = other.Wait()
	})
}
