package ftp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAppendReply(t *testing.T) {
	for _, tc := range []struct {
		code  Code
		lines []string
		want  string
	}{
		{200, nil, "200 \r\n"},
		{200, []string{"OK."}, "200 OK.\r\n"},
		{211, []string{"a", "b"}, "211-a\r\n211 b\r\n"},
		{211, []string{"Features:", " MDTM", "End"}, "211-Features:\r\n MDTM\r\n211 End\r\n"},
		// RFC 959 section 4.2: an inner line with digits in front is padded.
		{213, []string{"a", "213 forged end", "200x", "20 x", "", "b"},
			"213-a\r\n 213 forged end\r\n 200x\r\n20 x\r\n\r\n213 b\r\n"},
		{257, []string{"a\r\nb\x00\xffc"}, "257 a??b?\xff\xffc\r\n"},
	} {
		if got := AppendReply(nil, tc.code, tc.lines...); string(got) != tc.want {
			t.Errorf("%v %q:\n got %q\nwant %q", tc.code, tc.lines, got, tc.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("code 42 does not panic")
		}
	}()
	AppendReply(nil, 42)
}

func TestParseReply(t *testing.T) {
	for _, tc := range []struct {
		in    string
		code  Code
		lines []string
		rest  string
		err   error
		from  string
	}{
		{"220 ready\r\n", 220, []string{"ready"}, "", nil, "RFC 959 4.2"},
		{"220 ready\n", 220, []string{"ready"}, "", nil, "bare LF"},
		{"220\r\n", 220, []string{""}, "", nil, "no text"},
		{"220 a\r\n331 b\r\n", 220, []string{"a"}, "331 b\r\n", nil, "pipelined"},
		{"123-First line\r\nSecond line\r\n  234 A line beginning with numbers\r\n123 The last line\r\n",
			123, []string{"First line", "Second line", "  234 A line beginning with numbers", "The last line"}, "", nil, "RFC 959 4.2, example"},
		{"230-a\r\n230-b\r\n230 c\r\n", 230, []string{"a", "b", "c"}, "", nil, "code on every line"},
		{"230-a\r\n331 x\r\n230 c\r\n", 230, []string{"a", "331 x", "c"}, "", nil, "another code inside"},
		{"230-a\r\n230\r\n", 230, []string{"a", ""}, "", nil, "bare code ends"},
		{"230-a\r\n2301 x\r\n230 c\r\n", 230, []string{"a", "2301 x", "c"}, "", nil, "four digits are text"},
		{"250-L\r\n type=dir; /\xff\xff\r\n250 E\r\n", 250, []string{"L", " type=dir; /\xff", "E"}, "", nil, "RFC 3659 7.7"},
		{"631 x\r\n", 631, []string{"x"}, "", nil, "RFC 2228"},
		{"hello\r\n", 0, nil, "hello\r\n", ErrBadReply, ""},
		{"\r\n", 0, nil, "\r\n", ErrBadReply, ""},
		{"099 x\r\n", 0, nil, "099 x\r\n", ErrBadReply, ""},
		{"2200 x\r\n", 0, nil, "2200 x\r\n", ErrBadReply, ""},
		{"220 no end", 0, nil, "220 no end", ErrReplyShort, ""},
		{"220-a\r\n220-b\r\n", 0, nil, "220-a\r\n220-b\r\n", ErrReplyShort, ""},
	} {
		r, rest, err := ParseReply([]byte(tc.in))
		if r.Code != tc.code || !slices.Equal(r.Lines, tc.lines) || string(rest) != tc.rest || !errors.Is(err, tc.err) {
			t.Errorf("%q: %v %q rest %q: %v (%s)", tc.in, r.Code, r.Lines, rest, err, tc.from)
		}
	}
}

// GHSA-rpmf-866q-6p89: a reply without an end must not fill the memory.
func TestReplyIsBounded(t *testing.T) {
	for _, inner := range []string{"", strings.Repeat("x", 1000)} {
		var p ReplyParser
		p.MaxBytes = 10_000
		_, _, err := p.Line([]byte("220-begin"))
		n := 0
		for err == nil {
			_, _, err = p.Line([]byte(inner))
			n++
		}
		if err != ErrReplyTooLong || n > 10_000/lineCost {
			t.Errorf("after %d lines of %d bytes: %v", n, len(inner), err)
		}
	}
	var p ReplyParser
	for range 100 {
		p.MaxBytes = 100
		if _, done, err := p.Line([]byte("200 the bound is per reply")); !done || err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplyErr(t *testing.T) {
	r := Reply{550, []string{"a", "b"}}
	if got := r.Err().Error(); got != "550 a\nb" {
		t.Error(got)
	}
}

// FuzzReply: what is printed is one reply and parses back, and what parses can
// be printed again.
func FuzzReply(f *testing.F) {
	f.Add([]byte("220 ready\r\n"), 220, "a\nb")
	f.Add([]byte("211-Features:\r\n MDTM\r\n211 End\r\n"), 211, "211 x\n211-y\n200 z\nend")
	f.Add([]byte("230-\xff\xf4\r\n230 \x00\r\n"), 230, "\xff\r\x00\n\n")
	f.Fuzz(func(t *testing.T, in []byte, code int, text string) {
		r, rest, err := ParseReply(in)
		if err == nil {
			if !bytes.HasSuffix(in, rest) || len(r.Lines) == 0 || !r.Code.Valid() {
				t.Fatalf("%q: %v, rest %q", in, r, rest)
			}
			checkReply(t, r.Code, r.Lines)
		}
		if c := Code(code); c.Valid() {
			checkReply(t, c, strings.Split(text, "\n"))
		}
	})
}

func checkReply(t *testing.T, code Code, lines []string) {
	out := AppendReply(nil, code, lines...)
	r, rest, err := ParseReply(out)
	if err != nil || len(rest) != 0 || r.Code != code || len(r.Lines) != len(lines) {
		t.Fatalf("%v %q was sent as %q and read as %v, rest %q: %v", code, lines, out, r, rest, err)
	}
	clean := strings.NewReplacer("\r", "?", "\n", "?", "\x00", "?")
	for i, line := range lines {
		want := clean.Replace(line)
		if i > 0 && i < len(lines)-1 && startsWithCode(want) {
			want = " " + want
		}
		if r.Lines[i] != want {
			t.Fatalf("line %q was read as %q", line, r.Lines[i])
		}
	}
}

func BenchmarkAppendReply(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendReply(buf[:0], CodeTransferDone, "Transfer complete.")
	}
}
