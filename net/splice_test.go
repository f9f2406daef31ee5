package net_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	goruntime "runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestSplice copies from streams to streams and files, in each way a program may ask
// for it.
func TestSplice(t *testing.T) {
	content := pattern(3<<20 + 17)
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, from := range networks {
			for _, to := range append(networks, "file", "appending", "buffer") {
				for how, copies := range map[string]func(dst io.Writer, src io.Reader) (int64, error){
					"all":     io.Copy,
					"a part":  func(dst io.Writer, src io.Reader) (int64, error) { return io.CopyN(dst, src, 1<<20) },
					"limited": func(dst io.Writer, src io.Reader) (int64, error) { return io.Copy(dst, io.LimitReader(src, 1<<30)) },
				} {
					in, src := n.connected(t, from)
					sent := n.start(func() {
						if _, err := in.Write(content); err != nil {
							t.Error(err)
						}
						if err := in.(halves).CloseWrite(); err != nil {
							t.Error(err)
						}
					})
					dst, received := n.sink(t, to)
					m, err := copies(dst, src)
					rest, _ := io.ReadAll(onlyReader{src})
					sent()
					got := received()
					if !bytes.Equal(append(got, rest...), content) || m != int64(len(got)) {
						t.Errorf("%s to %s, %s: %d arrived, %d are left, told %d", from, to, how, len(got), len(rest), m)
					}
					told = append(told, tell(from+" to "+to+", "+how, m, err))
				}
			}
		}
		slices.Sort(told)
		return told
	})
}

// sink returns a place to write to, and a function that closes it and tells what was
// written.
func (n implementation) sink(t *testing.T, kind string) (w io.Writer, received func() []byte) {
	t.Helper()
	switch kind {
	case "file", "appending":
		f := tempFile(t, nil)
		if kind == "appending" {
			_ = f.Close()
			var err error
			if f, err = os.OpenFile(f.Name(), os.O_WRONLY|os.O_APPEND, 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
		}
		return f, func() []byte {
			got, err := os.ReadFile(f.Name())
			if err != nil {
				t.Error(err)
			}
			return got
		}
	case "buffer":
		var b bytes.Buffer
		return &b, b.Bytes
	}
	dst, out := n.connected(t, kind)
	var got []byte
	join := n.start(func() { got, _ = io.ReadAll(onlyReader{out}) })
	return dst, func() []byte {
		_ = dst.Close()
		join()
		return got
	}
}

// TestSpliceErrors: the errors of either side, with the names of both.
func TestSpliceErrors(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, to := range networks {
			_, src := n.connected(t, "tcp")
			dst, _ := n.connected(t, to)
			if err := src.SetReadDeadline(past); err != nil {
				t.Error(err)
			}
			m, err := io.Copy(dst, src)
			told = append(told, tell("read deadline, "+to, m, err))

			in, src := n.connected(t, "tcp")
			if _, err := in.Write([]byte("text")); err != nil {
				t.Error(err)
			}
			if err := dst.SetWriteDeadline(past); err != nil {
				t.Error(err)
			}
			m, err = io.Copy(dst, src)
			told = append(told, tell("write deadline, "+to, m, err))

			in, src = n.connected(t, "tcp")
			dst, _ = n.connected(t, to)
			reset(t, in)
			m, err = io.Copy(dst, src)
			told = append(told, tell("reset, "+to, m, err))

			_ = src.Close()
			m, err = io.Copy(dst, src)
			told = append(told, tell("closed source, "+to, m, err))

			in, src = n.connected(t, "tcp")
			if _, err := in.Write([]byte("text")); err != nil {
				t.Error(err)
			}
			_ = dst.Close()
			m, err = io.Copy(dst, src)
			told = append(told, tell("closed destination, "+to, m, err))
		}
		in, src := n.connected(t, "tcp")
		reset(t, in)
		m, err := io.Copy(tempFile(t, nil), src)
		var path *os.PathError
		if m != 0 || !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &path) || path.Op != "write" {
			t.Errorf("reset, file: %d, %v", m, err)
		}
		in, src = n.connected(t, "tcp")
		if _, err := in.Write([]byte("text")); err != nil {
			t.Error(err)
		}
		closed := tempFile(t, nil)
		_ = closed.Close()
		m, err = io.Copy(closed, src)
		if m != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed file: %d, %v", m, err)
		}
		return told
	})
}

// TestProxy: a proxy between a fast writer and a slow reader, both ways at once,
// needs no memory for what is under way, and passes on half-closes and the end.
func TestProxy(t *testing.T) {
	content := pattern(32 << 20)
	ours(t, func(t *testing.T, n implementation) {
		client, near := n.connected(t, "tcp")
		far, server := n.connected(t, "tcp")
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		var joins []func()
		for _, way := range [][2]stdnet.Conn{{far, near}, {near, far}} {
			joins = append(joins, n.start(func() {
				if m, err := io.Copy(way[0], way[1]); m != int64(len(content)) || err != nil {
					t.Errorf("proxy: %d, %v", m, err)
				}
				if err := way[0].(halves).CloseWrite(); err != nil {
					t.Error(err)
				}
			}))
		}
		for _, end := range []stdnet.Conn{client, server} {
			joins = append(joins, n.start(func() {
				if _, err := end.Write(content); err != nil {
					t.Error(err)
				}
				if err := end.(halves).CloseWrite(); err != nil {
					t.Error(err)
				}
			}), n.start(func() {
				buf := make([]byte, 64<<10)
				total := 0
				for {
					m, err := end.Read(buf)
					if !bytes.Equal(buf[:m], content[total:total+m]) {
						t.Error("the data differ")
						return
					}
					if total += m; err == io.EOF {
						break
					}
					if total>>20 != (total-m)>>20 {
						runtime.Sleep(100 * time.Microsecond) // slow
					}
				}
				if total != len(content) {
					t.Errorf("%d bytes arrived", total)
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		goruntime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes were allocated", grown)
		}
	})
}

// TestSpliceInKernel: the data go through a pipe, which is gone after.
func TestSpliceInKernel(t *testing.T) {
	ours(t, func(t *testing.T, n implementation) {
		for _, c := range [][2]string{{"tcp", "tcp"}, {"unix", "tcp"}, {"tcp", "unix"}, {"tcp", "file"}} {
			in, src := n.connected(t, c[0])
			var dst io.Writer
			var arrived func() bool
			if c[1] == "file" {
				f := tempFile(t, nil)
				arrived = func() bool { info, err := f.Stat(); return err == nil && info.Size() == 1 }
				dst = f
			} else {
				conn, out := n.connected(t, c[1])
				arrived = func() bool { m, err := out.Read(make([]byte, 1)); return m == 1 && err == nil }
				dst = conn
			}
			before := runtimetest.Descriptors()
			join := n.start(func() {
				if m, err := io.Copy(dst, src); m != 1 || err != nil {
					t.Errorf("%v: %d, %v", c, m, err)
				}
			})
			if _, err := in.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			runtimetest.Eventually(t, "the byte", arrived)
			if now := runtimetest.Descriptors(); now != before+2 {
				t.Errorf("%v: %d descriptors, were %d", c, now, before)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			join()
			if now := runtimetest.Descriptors(); now != before-1 {
				t.Errorf("%v: %d descriptors after, were %d", c, now, before)
			}
		}
	})
}
