package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// countingWriter counts its calls and fails once it has taken limit bytes.
type countingWriter struct {
	bytes.Buffer
	calls, limit int
}

var errFull = errors.New("full")

func (w *countingWriter) Write(p []byte) (int, error) {
	w.calls++
	if w.limit > 0 && w.Len()+len(p) > w.limit {
		n, _ := w.Buffer.Write(p[:w.limit-w.Len()])
		return n, errFull
	}
	return w.Buffer.Write(p)
}

func TestLineWriterCollects(t *testing.T) {
	var out countingWriter
	w := NewLineWriter(&out)
	for range 3 {
		if _, err := w.Write([]byte("200 OK\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	w.Write(append(w.Available(), "221 Bye\r\n"...))
	if out.calls != 0 || w.Buffered() == 0 {
		t.Fatalf("%d writes before Flush", out.calls)
	}
	if err := w.Flush(); err != nil || out.String() != "200 OK\r\n200 OK\r\n200 OK\r\n221 Bye\r\n" || out.calls != 1 {
		t.Errorf("%q in %d writes: %v", out.String(), out.calls, err)
	}
	if err := w.Flush(); err != nil || out.calls != 1 {
		t.Errorf("empty Flush wrote: %v", err)
	}
}

func TestLineWriterIsBounded(t *testing.T) {
	var out countingWriter
	w := NewLineWriter(&out)
	line := []byte(strings.Repeat("x", 100) + "\r\n")
	for range 1000 {
		w.Write(line)
		if w.Buffered() >= maxPending {
			t.Fatalf("%d bytes held", w.Buffered())
		}
	}
	w.Write(bytes.Repeat(line, 1000))
	if cap(w.buf) > 4*maxPending {
		t.Errorf("%d bytes held after a long reply", cap(w.buf))
	}
	w.Flush()
	if out.Len() != 2000*len(line) {
		t.Errorf("%d bytes came through", out.Len())
	}
}

// After an error nothing follows, not even what would fit.
func TestLineWriterErrorStays(t *testing.T) {
	out := countingWriter{limit: 4}
	w := NewLineWriter(&out)
	w.Write([]byte("200 OK\r\n"))
	if err := w.Flush(); err != errFull {
		t.Fatal(err)
	}
	out.limit = 0
	if _, err := w.Write([]byte("x\r\n")); err != errFull {
		t.Error(err)
	}
	if err := w.Flush(); err != errFull || out.String() != "200 " {
		t.Errorf("%v, %q", err, out.String())
	}
	w.Reset(&out)
	w.Write([]byte("x\r\n"))
	if err := w.Flush(); err != nil {
		t.Error(err)
	}
	w.Reset(shortWriter{})
	w.Write([]byte("x\r\n"))
	if err := w.Flush(); err != io.ErrShortWrite {
		t.Error(err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) - 1, nil }
