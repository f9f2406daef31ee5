package net_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// writeBuffers writes parts to w as Buffers of the package that n stands for. It
// returns what is left as well.
func (n implementation) writeBuffers(w io.Writer, parts [][]byte) (int64, [][]byte, error) {
	if n.name == "std" {
		b := stdnet.Buffers(parts)
		m, err := b.WriteTo(w)
		return m, b, err
	}
	b := net.Buffers(parts)
	m, err := b.WriteTo(w)
	return m, b, err
}

// parts cuts p into pieces of the given size, with empty ones in between.
func parts(p []byte, size int) [][]byte {
	list := [][]byte{nil}
	for chunk := range slices.Chunk(p, size) {
		list = append(list, chunk)
		if len(list)%7 == 0 {
			list = append(list, []byte{})
		}
	}
	return list
}

// TestBuffersWrite: what is written arrives, in order, and is taken out: a few
// parts, none, empty ones, more than one system call takes, more than the kernel
// holds.
func TestBuffersWrite(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			a, b := n.connected(t, network)
			for _, c := range []struct{ total, size int }{
				{0, 1}, {1, 1}, {100, 30}, {1024, 1}, {5000, 1}, {5000, 2}, {tooMuch, 1 << 20}, {4 << 20, 2000},
			} {
				data := pattern(c.total)
				join := n.start(func() {
					got := make([]byte, c.total)
					if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, data) {
						t.Errorf("%v: the data differ, %v", c, err)
					}
				})
				list := parts(data, c.size)
				whole := slices.Clone(list)
				m, left, err := n.writeBuffers(a, list)
				told = append(told, tell("write", c, m, len(left), err))
				join()
				for i, p := range list {
					if len(p) > 0 {
						t.Errorf("%v: element %d is left", c, i)
					}
				}
				if !bytes.Equal(slices.Concat(whole...), data) {
					t.Error("the bytes were changed")
				}
			}
			return told
		})
	}
}

// TestBuffersErrors: a write that fails in the middle says how much was written,
// and leaves the rest in the buffers.
func TestBuffersErrors(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			data := pattern(tooMuch)
			var m int64
			var left [][]byte
			var err error
			join := n.start(func() { m, left, err = n.writeBuffers(a, parts(data, 10000)) })
			if _, err := b.Read(make([]byte, 1)); err != nil { // it has begun
				t.Fatal(err)
			}
			if err := a.SetWriteDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			join()
			var op *stdnet.OpError
			if m == 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &op) || op.Op != "writev" {
				t.Fatalf("%d, %v", m, err)
			}
			if !bytes.Equal(slices.Concat(left...), data[m:]) {
				t.Errorf("%d bytes are left, not %d", len(slices.Concat(left...)), len(data)-int(m))
			}
			// The deadline has passed: nothing is written.
			if m, _, err := n.writeBuffers(a, [][]byte{{1}}); m != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("past the deadline: %d, %v", m, err)
			}
			// And then it goes on.
			if err := a.SetWriteDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			join = n.start(func() {
				got, err := io.ReadAll(onlyReader{b})
				if err != nil || !bytes.Equal(got, data[1:]) {
					t.Errorf("the data differ: %d bytes, %v", len(got), err)
				}
			})
			if m, _, err := n.writeBuffers(a, left); int(m) == 0 || err != nil {
				t.Errorf("the rest: %d, %v", m, err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			join()
			m, _, err = n.writeBuffers(a, [][]byte{{1}})
			if m != 0 || !errors.Is(err, stdnet.ErrClosed) {
				t.Errorf("closed: %d, %v", m, err)
			}
		})
	}
}

// TestBuffersErrorTexts: the errors are the standard library's.
func TestBuffersErrorTexts(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			a, b := n.connected(t, network)
			_ = b.Close()
			var err error
			for err == nil {
				_, _, err = n.writeBuffers(a, [][]byte{{1}, {2}})
			}
			if !strings.Contains(err.Error(), "broken pipe") { // the reset came in between
				_, _, err = n.writeBuffers(a, [][]byte{{1}, {2}})
			}
			told = append(told, tell("peer gone", err))
			_ = a.Close()
			_, _, err = n.writeBuffers(a, [][]byte{{1}, {2}})
			return append(told, tell("closed", err))
		})
	}
	var c net.TCPConn
	if _, err := (&net.Buffers{{1}}).WriteTo(&c); err == nil || err.Error() != "invalid argument" {
		t.Errorf("zero connection: %v", err)
	}
}

// TestBuffersOthers: Buffers go to connections of the standard library's, to other
// Writers, and through Read, as the standard library's do.
func TestBuffersOthers(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		var out bytes.Buffer
		m, left, err := n.writeBuffers(&out, parts(pattern(100), 7))
		told = append(told, tell("buffer", m, len(left), out.Len(), err))
		m, left, err = n.writeBuffers(failsInside{}, [][]byte{[]byte("ab"), []byte("fail"), []byte("cd")})
		told = append(told, tell("failing", m, len(left), err))
		std, err := stdnet.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer std.Close()
		conn, err := stdnet.Dial("tcp", std.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		m, left, err = n.writeBuffers(conn, parts(pattern(100), 7))
		told = append(told, tell("std", m, len(left), err))
		var r io.Reader = &stdnet.Buffers{[]byte("abc"), nil, []byte("de")}
		if n.name != "std" {
			r = &net.Buffers{[]byte("abc"), nil, []byte("de")}
		}
		for range 4 {
			p := make([]byte, 2)
			m, err := r.Read(p)
			told = append(told, tell("read", m, string(p), err))
		}
		return told
	})
}

// failsInside is a Writer that fails in the middle of "fail".
type failsInside struct{}

func (failsInside) Write(p []byte) (int, error) {
	if string(p) == "fail" {
		return 1, errors.New("failed")
	}
	return len(p), nil
}

// TestBuffersKilled: a kill ends a write, which tells what was written.
func TestBuffersKilled(t *testing.T) {
	rt := runtimetest.New(t, 1)
	n := implementation{"task", rt, listenOurs, dialOurs}
	for _, network := range networks {
		a, _ := n.connected(t, network)
		var m int64
		var left [][]byte
		var err error
		data := pattern(tooMuch)
		task := rt.Spawn(func() { m, left, err = n.writeBuffers(a, parts(data, 1<<16)) })
		waiting(t, rt, "writable", 1)
		task.Kill(nil)
		_ = task.Join()
		if !errors.Is(err, runtime.ErrKilled) || m == 0 || !bytes.Equal(slices.Concat(left...), data[m:]) {
			t.Errorf("%d, %v", m, err)
		}
	}
}

// TestBuffersWhole: writes of several at once do not mix.
func TestBuffersWhole(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		a, b := n.connected(t, "tcp")
		const writers, size, piece = 4, 3 << 20, 1000
		var joins []func()
		for i := range writers {
			joins = append(joins, n.start(func() {
				data := bytes.Repeat([]byte{byte(i)}, size)
				if m, _, err := n.writeBuffers(a, parts(data, piece)); m != size || err != nil {
					t.Errorf("%d, %v", m, err)
				}
			}))
		}
		got := make([]byte, size)
		for range writers {
			if _, err := io.ReadFull(b, got); err != nil || bytes.Count(got, got[:1]) != size {
				t.Errorf("mixed, %v", err)
			}
		}
		for _, join := range joins {
			join()
		}
	})
}

// BenchmarkBuffers writes a header and a body, by Buffers and by two Writes.
func BenchmarkBuffers(b *testing.B) {
	header, body := make([]byte, 100), make([]byte, 1000)
	for _, n := range []implementation{{"std", nil, listenStd, dialStd}, {"weft", nil, listenOurs, dialOurs}} {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		conn, err := n.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, onlyReader{peer}) }()
		b.Run(n.name+"/Buffers", func(b *testing.B) {
			b.ReportAllocs()
			list := make([][]byte, 2)
			for b.Loop() {
				list[0], list[1] = header, body
				if _, _, err := n.writeBuffers(conn, list); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(n.name+"/Write", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err1 := conn.Write(header)
				_, err2 := conn.Write(body)
				if err := errors.Join(err1, err2); err != nil {
					b.Fatal(err)
				}
			}
		})
		_ = conn.Close()
		_ = peer.Close()
		_ = l.Close()
	}
}
