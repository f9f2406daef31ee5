package ftp

import (
	"bytes"
	"strings"
	"testing"
)

var asciiTable = []struct{ local, wire, stored, from string }{
	{"", "", "", ""},
	{"a", "a", "a", ""},
	{"a\nb\n", "a\r\nb\r\n", "a\nb\n", "C148"},
	{"a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n", "C149, pyftpdlib#492"},
	{"\n\n", "\r\n\r\n", "\n\n", ""},
	{"a\rb", "a\rb", "a\rb", "C151, php-src#22364"},
	{"a\r", "a\r", "a\r", "C152"},
	{"\r\r\n", "\r\r\n", "\r\n", ""},
	{"\r\n\n", "\r\n\r\n", "\n\n", ""},
	{"\n\r", "\r\n\r", "\n\r", ""},
	{"a\x00\xff\r\x00", "a\x00\xff\r\x00", "a\x00\xff\r\x00", "nothing else is converted"},
}

// Each row at every split point, in two and in three pieces.
func TestASCII(t *testing.T) {
	for _, tc := range asciiTable {
		for i := range len(tc.local) + 1 {
			if got := encode(tc.local[:i], tc.local[i:]); got != tc.wire {
				t.Errorf("%q cut at %d is sent as %q (%s)", tc.local, i, got, tc.from)
			}
		}
		for i := range len(tc.wire) + 1 {
			for j := i; j <= len(tc.wire); j++ {
				if got := decode(tc.wire[:i], tc.wire[i:j], tc.wire[j:]); got != tc.stored {
					t.Errorf("%q cut at %d, %d is stored as %q (%s)", tc.wire, i, j, got, tc.from)
				}
			}
		}
	}
	if got := decode("a\nb"); got != "a\nb" {
		t.Errorf("bare LF on the wire: %q", got)
	}
}

func encode(parts ...string) string {
	var a ASCIIEncoder
	var out []byte
	for _, p := range parts {
		out = a.Append(out, []byte(p))
	}
	return string(out)
}

func decode(parts ...string) string {
	var a ASCIIDecoder
	var out []byte
	for _, p := range parts {
		out = a.Append(out, []byte(p))
	}
	return string(a.Flush(out))
}

func TestASCIIDecodeInPlace(t *testing.T) {
	var a ASCIIDecoder
	buf := []byte("a\r\nb\rc\r\r\nd")
	if got := string(a.Append(buf[:0], buf)); got != "a\nb\rc\r\nd" || a.Pending() {
		t.Errorf("%q", got)
	}
}

func TestASCIIReset(t *testing.T) {
	var e ASCIIEncoder
	e.Append(nil, []byte("\r"))
	e.Reset()
	if got := e.Append(nil, []byte("\n")); string(got) != "\r\n" {
		t.Errorf("%q", got)
	}
}

// FuzzASCII cuts data at three points and compares with a byte at a time and
// with a plain statement of the rules.
func FuzzASCII(f *testing.F) {
	for i, tc := range asciiTable {
		f.Add([]byte(tc.local), uint(i), uint(i/2), uint(2))
		f.Add([]byte(tc.wire), uint(1), uint(i), uint(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, a, b, c uint) {
		wantSent := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n", "\r\n")
		wantStored := strings.ReplaceAll(string(data), "\r\n", "\n")

		parts := cut(data, a, b, c)
		var enc, size ASCIIEncoder
		var dec ASCIIDecoder
		var sent, stored []byte
		total := 0
		for _, p := range parts {
			sent = enc.Append(sent, p)
			total += size.Size(p)
			if enc != size {
				t.Fatalf("%q: Size moves on to another state", data)
			}
			stored = dec.Append(stored, p)
		}
		stored = dec.Flush(stored)
		if string(sent) != wantSent || total != len(sent) {
			t.Fatalf("%q in %d parts is sent as %q, want %q; size %d", data, len(parts), sent, wantSent, total)
		}
		if string(stored) != wantStored {
			t.Fatalf("%q in %d parts is stored as %q, want %q", data, len(parts), stored, wantStored)
		}
		// A file with LF lines survives the way there and back.
		if !bytes.Contains(data, []byte("\r\n")) && decode(wantSent) != string(data) {
			t.Fatalf("%q comes back as %q", data, decode(wantSent))
		}
		var bytewise ASCIIEncoder
		sent = sent[:0]
		for i := range data {
			sent = bytewise.Append(sent, data[i:i+1])
		}
		if string(sent) != wantSent {
			t.Fatalf("%q byte by byte is sent as %q", data, sent)
		}
	})
}

// cut cuts data at up to three points.
func cut(data []byte, points ...uint) [][]byte {
	var parts [][]byte
	for _, p := range points {
		at := int(p % uint(len(data)+1))
		parts = append(parts, data[:at])
		data = data[at:]
	}
	return append(parts, data)
}

func BenchmarkASCIIEncoder(b *testing.B) {
	src := bytes.Repeat([]byte("a line of some forty bytes, more or less\n"), 800)
	dst := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var a ASCIIEncoder
	for b.Loop() {
		dst = a.Append(dst[:0], src)
	}
}

func BenchmarkASCIIDecoder(b *testing.B) {
	src := bytes.Repeat([]byte("a line of some forty bytes, more or less\r\n"), 800)
	dst := make([]byte, 0, len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var a ASCIIDecoder
	for b.Loop() {
		dst = a.Append(dst[:0], src)
	}
}
