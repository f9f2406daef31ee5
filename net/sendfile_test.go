package net_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	stdnet "net"
)

// tempFile returns an open file with the given content, at its beginning.
func tempFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	f, err := os.Create(shortTempDir(t) + "/f")
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
	return f
}

// TestReadFrom sends from readers of several kinds, by ReadFrom and by io.Copy.
func TestReadFrom(t *testing.T) {
	content := pattern(3<<20 + 17)
	same(t, func(t *testing.T, n implementation) (told []string) {
		file := tempFile(t, content)
		empty := tempFile(t, nil)
		dir, err := os.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		at := func(offset int64) *os.File {
			if _, err := file.Seek(offset, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			return file
		}
		limited := &io.LimitedReader{}
		limit := func(r io.Reader, n int64) io.Reader {
			limited.R, limited.N = r, n
			return limited
		}
		piped := func(text string) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			_, _ = io.WriteString(w, text)
			_ = w.Close()
			return r
		}
		for _, c := range []struct {
			name   string
			source func() io.Reader
			want   []byte
		}{
			{"file", func() io.Reader { return at(0) }, content},
			{"file from the middle", func() io.Reader { return at(1 << 20) }, content[1<<20:]},
			{"file at the end", func() io.Reader { return at(int64(len(content))) }, nil},
			{"empty file", func() io.Reader { return empty }, nil},
			{"limited file", func() io.Reader { return limit(at(0), 1<<20) }, content[:1<<20]},
			{"limited file past the end", func() io.Reader { return limit(at(5), 1<<30) }, content[5:]},
			{"limited to nothing", func() io.Reader { return limit(at(0), 0) }, nil},
			{"limited to less", func() io.Reader { return limit(at(0), -1) }, nil},
			{"buffer", func() io.Reader { return bytes.NewReader(content) }, content},
			{"reader", func() io.Reader { return onlyReader{at(0)} }, content},
			{"limited reader", func() io.Reader { return limit(onlyReader{at(0)}, 99) }, content[:99]},
			{"pipe", func() io.Reader { return piped("text") }, []byte("text")},
			{"limited pipe", func() io.Reader { return limit(piped("text"), 2) }, []byte("te")},
			{"folder", func() io.Reader { return dir }, nil},
		} {
			for _, copies := range []bool{false, true} {
				a, b := n.connected(t, "tcp")
				var got []byte
				join := n.start(func() { got, _ = io.ReadAll(onlyReader{b}) })
				source := c.source()
				limited.N = max(limited.N, -1)
				var sent int64
				var err error
				if copies {
					sent, err = io.Copy(a, source)
				} else {
					sent, err = a.(tcp).ReadFrom(source)
				}
				left := int64(-2)
				if source == io.Reader(limited) {
					left = limited.N
				}
				position, _ := file.Seek(0, io.SeekCurrent)
				if err := a.Close(); err != nil {
					t.Error(err)
				}
				join()
				if sent != int64(len(c.want)) || !bytes.Equal(got, c.want) {
					t.Errorf("%s: sent %d, %v, received %d, not %d", c.name, sent, err, len(got), len(c.want))
				}
				text := "nil"
				if err != nil {
					text = "an error"
				}
				told = append(told, tell(c.name, copies, sent, text, left, position))
			}
		}
		return told
	})
}

// TestReadFromErrors: what a source, or the connection, fails with.
func TestReadFromErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		closed := tempFile(t, []byte("text"))
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		a, b := n.connected(t, "tcp")
		_, err := a.(tcp).ReadFrom(closed)
		told = append(told, tell("closed file", err))
		_, err = a.(tcp).ReadFrom(io.MultiReader(bytes.NewReader([]byte("x")), failing{}))
		told = append(told, tell("failing reader", err))
		_, err = b.(tcp).WriteTo(failing{})
		told = append(told, tell("failing writer", err))

		for _, source := range []func() io.Reader{
			func() io.Reader { return tempFile(t, pattern(1<<20)) },
			func() io.Reader { return onlyReader{&infinite{}} },
		} {
			a, b = n.connected(t, "tcp")
			if _, err := a.Write([]byte("unread")); err != nil {
				t.Error(err)
			}
			if err := a.(halves).CloseWrite(); err != nil {
				t.Error(err)
			}
			_ = b
			_, err = a.(tcp).ReadFrom(source())
			told = append(told, tell("after CloseWrite", err))
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if _, err = a.(tcp).ReadFrom(source()); !errors.Is(err, stdnet.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
		return told
	})
}

// failing is a source and a sink that do not work.
type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, os.ErrPermission }
func (failing) Write([]byte) (int, error) { return 0, os.ErrPermission }

// TestWriteTo: to a connection, a file, a buffer.
func TestWriteTo(t *testing.T) {
	content := pattern(3 << 20)
	each(t, func(t *testing.T, n implementation) {
		file := tempFile(t, nil)
		var buffer bytes.Buffer
		through, end := n.connected(t, "tcp")
		for _, sink := range []io.Writer{file, &buffer, through} {
			a, b := n.connected(t, "tcp")
			join := n.start(func() {
				if _, err := a.Write(content); err != nil {
					t.Error(err)
				}
				_ = a.Close()
			})
			var got []byte
			received := func() {}
			if sink == io.Writer(through) {
				received = n.start(func() { got, _ = io.ReadAll(onlyReader{end}) })
			}
			if m, err := io.Copy(sink, b); m != int64(len(content)) || err != nil {
				t.Errorf("%T: %d, %v", sink, m, err)
			}
			join()
			switch sink := sink.(type) {
			case *os.File:
				got, _ = os.ReadFile(sink.Name())
			case *bytes.Buffer:
				got = sink.Bytes()
			case stdnet.Conn:
				_ = sink.Close()
				received()
			}
			if !bytes.Equal(got, content) {
				t.Errorf("%T: %d bytes, or others", sink, len(got))
			}
		}
	})
}
