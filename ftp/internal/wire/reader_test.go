package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// outcome is all a reader has to tell of an input.
type outcome struct {
	lines    []string // a line, or the text of an error that took its place
	refusals string
}

func (o outcome) String() string { return fmt.Sprintf("%q refusing %q", o.lines, o.refusals) }

const (
	testMaxLine  = 16
	testMaxFlood = 64
)

// feed gives a reader the parts one after another.
func feed(parts ...[]byte) outcome {
	var o outcome
	l := LineReader{MaxLine: testMaxLine, MaxFlood: testMaxFlood}
	for _, p := range parts {
		l.Feed(p)
		for {
			line, ok, err := l.Next()
			o.refusals += string(l.Refusals())
			if err != nil {
				o.lines = append(o.lines, err.Error())
				if err == ErrLineFlood {
					return o
				}
				continue
			}
			if !ok {
				break
			}
			o.lines = append(o.lines, string(line))
		}
	}
	return o
}

// read takes the input from an io.Reader.
func read(r io.Reader) outcome {
	var o outcome
	l := NewLineReader(r)
	l.MaxLine, l.MaxFlood = testMaxLine, testMaxFlood
	l.OnRefuse = func(p []byte) { o.refusals += string(p) }
	for {
		line, err := l.ReadLine()
		switch err {
		case nil:
			o.lines = append(o.lines, string(line))
		case ErrLineTooLong:
			o.lines = append(o.lines, err.Error())
		case ErrLineFlood:
			o.lines = append(o.lines, err.Error())
			return o
		default:
			return o
		}
	}
}

var (
	tooLong = ErrLineTooLong.Error()
	flood   = ErrLineFlood.Error()
)

var lineTable = []struct {
	in, refusals string
	lines        []string
	from         string
}{
	{"NOOP\r\n", "", []string{"NOOP"}, "RFC 959 5.3"},
	{"NOOP\n", "", []string{"NOOP"}, "C136"},
	{"A\r\nB\r\n", "", []string{"A", "B"}, "C135"},
	{"\r\n\n", "", []string{"", ""}, "C126"},
	{"A\r\nB", "", []string{"A"}, "no end, no line"},
	{"a \t b \r\n", "", []string{"a \t b "}, "blanks stay"},
	{"a\r\x00b\r\n", "", []string{"a\rb"}, "RFC 854: CR NUL is CR; C180"},
	{"a\r\x00\r\n", "", []string{"a\r"}, ""},
	{"a\rb\r\r\n", "", []string{"a\rb\r"}, "other CRs stay, for the parser to refuse"},
	{"a\x00b\r\n", "", []string{"a\x00b"}, "C281, likewise"},

	{"\xff\xff\r\n", "", []string{"\xff"}, "C139, RFC 2640 3.1"},
	{"a\xff\xff\xff\xffb\r\n", "", []string{"a\xff\xffb"}, ""},
	{"\xff\xfb\x01NOOP\r\n", "\xff\xfe\x01", []string{"NOOP"}, "C137: WILL x, DONT x"},
	{"NO\xff\xfd\x03OP\r\n", "\xff\xfc\x03", []string{"NOOP"}, "C138: DO x, WONT x"},
	{"\xff\xfc\x01\xff\xfe\x01NOOP\r\n", "", []string{"NOOP"}, "RFC 854: no answer to WONT and DONT"},
	{"\xff\xfd\nNOOP\r\n", "\xff\xfc\n", []string{"NOOP"}, "LF as an option is no end"},
	{"\xff\xf4\xff\xf2ABOR\r\n", "", []string{"ABOR"}, "C130: IAC IP IAC DM"},
	{"\xff\xf4\xf2ABOR\r\n", "", []string{"ABOR"}, "C130: the urgent IAC was taken out"},
	{"\xff\xf4\xffABOR\r\n", "", []string{"ABOR"}, "C130: the urgent DM was taken out"},
	{"\xff\xf4\xff\xffa\r\n", "", []string{"\xffa"}, ""},
	{"\xff\xf1\xff\xf9NOOP\xff\xf6\r\n", "", []string{"NOOP"}, "NOP, GA, AYT"},
	{"\xff\xfa\x18\x00x\xff\xf0NOOP\r\n", "", []string{"NOOP"}, "subnegotiation"},
	{"\xff\xfa\xff\xff\xff\xf0NOOP\r\n", "", []string{"NOOP"}, "0xFF inside"},
	{"A\xff\xfaB\r\nNOOP\r\n", "", []string{"A", "NOOP"}, "a subnegotiation ends with the line"},
	{"A\xff\xfaB\xff\nNOOP\r\n", "", []string{"A", "NOOP"}, ""},
	{"CWD caf\xffe\r\n", "", []string{"CWD caf\xffe"}, "0xFF not doubled by an 8-bit client"},
	{"CWD \xff\r\n", "", []string{"CWD \xff"}, "likewise at the end"},
	{"A\r\xff\xf1\nB\r\n", "", []string{"A", "B"}, "NOP between CR and LF"},

	{"1234567890123456\r\n", "", []string{"1234567890123456"}, "as long as allowed"},
	{"1234567890123456\n", "", []string{"1234567890123456"}, ""},
	{"12345678901234567\r\nNOOP\r\n", "", []string{tooLong, "NOOP"}, "C280"},
	{"123456789012345\xff\xff\r\nNOOP\r\n", "", []string{"123456789012345\xff", "NOOP"}, "counted as data"},
	{"12345678901234567890123456789012345678901234567890\r\nA\r\n", "", []string{tooLong, "A"}, ""},
	{strings.Repeat("x", testMaxFlood-1) + "\nA\n", "", []string{tooLong, "A"}, "not yet a flood"},
	{strings.Repeat("x", testMaxFlood) + "\nA\n", "", []string{flood}, "C279"},
	{strings.Repeat("\xff\xf1", testMaxFlood) + "A\n", "", []string{flood}, "FIELD B28: IAC storm"},
}

func TestLines(t *testing.T) {
	for _, tc := range lineTable {
		want := outcome{tc.lines, tc.refusals}.String()
		in := []byte(tc.in)
		for i := range len(in) + 1 {
			if got := feed(in[:i], in[i:]).String(); got != want {
				t.Errorf("%q cut at %d:\n got %s\nwant %s (%s)", tc.in, i, got, want, tc.from)
				break
			}
		}
		if got := read(bytes.NewReader(in)).String(); got != want {
			t.Errorf("%q read:\n got %s\nwant %s (%s)", tc.in, got, want, tc.from)
		}
		if got := read(iotest.OneByteReader(iotest.DataErrReader(bytes.NewReader(in)))).String(); got != want {
			t.Errorf("%q read by bytes:\n got %s\nwant %s (%s)", tc.in, got, want, tc.from)
		}
	}
}

func TestReadLineErrors(t *testing.T) {
	l := NewLineReader(strings.NewReader("A\r\nB"))
	if line, err := l.ReadLine(); string(line) != "A" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := l.ReadLine(); err != io.ErrUnexpectedEOF {
		t.Errorf("inside a line: %v", err)
	}
	if _, err := NewLineReader(strings.NewReader("")).ReadLine(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if _, err := new(LineReader).ReadLine(); err != io.EOF {
		t.Errorf("without a reader: %v", err)
	}
	if _, err := NewLineReader(emptyReader{}).ReadLine(); err != io.ErrNoProgress {
		t.Errorf("reader that reads nothing: %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

// steps answers each Read with the next step: bytes, or an error.
type steps []any

func (s *steps) Read(p []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	step := (*s)[0]
	*s = (*s)[1:]
	if err, ok := step.(error); ok {
		return 0, err
	}
	return copy(p, step.(string)), nil
}

// A deadline inside a line loses nothing.
func TestReadLineGoesOn(t *testing.T) {
	l := NewLineReader(&steps{"RET", os.ErrDeadlineExceeded, "R a\xff", os.ErrDeadlineExceeded, "\xff\r", os.ErrDeadlineExceeded, "\nX"})
	timeouts := 0
	for {
		line, err := l.ReadLine()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			timeouts++
			continue
		}
		if string(line) != "RETR a\xff" || err != nil || timeouts != 3 {
			t.Errorf("%q, %v after %d timeouts", line, err, timeouts)
		}
		break
	}
	if l.Buffered() != 1 || l.HasLine() {
		t.Errorf("%d bytes buffered", l.Buffered())
	}
}

// CVE-2011-1575: what came in clear behind AUTH TLS must be dropped.
func TestDiscard(t *testing.T) {
	l := NewLineReader(&steps{"AUTH TLS\r\nUSER x\r\nPA\xff\xfd"})
	line, err := l.ReadLine()
	if string(line) != "AUTH TLS" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if !l.HasLine() || l.Buffered() != len("USER x\r\nPA\xff\xfd") {
		t.Errorf("HasLine %v, Buffered %d", l.HasLine(), l.Buffered())
	}
	if n := l.Discard(); n != len("USER x\r\nPA\xff\xfd") {
		t.Errorf("discarded %d bytes", n)
	}
	if l.HasLine() || l.Buffered() != 0 {
		t.Errorf("HasLine %v, Buffered %d", l.HasLine(), l.Buffered())
	}
	l.Reset(strings.NewReader("\x01NOOP\r\n")) // not the option of IAC DO
	if line, err := l.ReadLine(); string(line) != "\x01NOOP" || err != nil {
		t.Errorf("%q, %v", line, err)
	}

	// Half a line, and half a Telnet sequence, in the state.
	l = new(LineReader)
	l.Feed([]byte("USER x\r\nPA\xff\xfd"))
	l.Next()
	if _, ok, err := l.Next(); ok || err != nil {
		t.Fatal("a line?")
	}
	if n := l.Discard(); n != len("PA\xff\xfd") {
		t.Errorf("discarded %d bytes", n)
	}
	l.Feed([]byte("\x01NOOP\n"))
	if line, ok, err := l.Next(); string(line) != "\x01NOOP" || !ok || err != nil {
		t.Errorf("%q, %v, %v", line, ok, err)
	}
}

// A line is whole when it is returned, and so is the one after it.
func TestFeedWhileLinesWait(t *testing.T) {
	var l LineReader
	l.Feed([]byte("A\r\nB\r\nC"))
	if line, ok, _ := l.Next(); !ok || string(line) != "A" {
		t.Fatalf("%q", line)
	}
	l.Feed([]byte("D\r\nE\n"))
	var got []string
	for {
		line, ok, err := l.Next()
		if !ok || err != nil {
			break
		}
		got = append(got, string(line))
	}
	if strings.Join(got, " ") != "B CD E" {
		t.Errorf("%q", got)
	}
}

// Memory stays bounded however long a line is.
func TestMemoryIsBounded(t *testing.T) {
	l := NewLineReader(io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), DefaultMaxFlood-1)), strings.NewReader("\nNOOP\r\n")))
	if _, err := l.ReadLine(); err != ErrLineTooLong {
		t.Fatal(err)
	}
	if line, err := l.ReadLine(); string(line) != "NOOP" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if n := cap(l.line) + cap(l.store); n > 4*DefaultMaxLine {
		t.Errorf("%d bytes held", n)
	}

	l = NewLineReader(endless{})
	for range 2 {
		if _, err := l.ReadLine(); err != ErrLineFlood {
			t.Fatal(err)
		}
	}

	l = NewLineReader(strings.NewReader(strings.Repeat("\xff\xfd\x01", 10_000)))
	if _, err := l.ReadLine(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if n := len(l.Refusals()); n != maxRefusals {
		t.Errorf("%d bytes of refusals", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestReadLineDoesNotAllocate(t *testing.T) {
	in := strings.NewReader("")
	l := NewLineReader(in)
	n := testing.AllocsPerRun(100, func() {
		in.Reset("RETR some/file\r\nNOOP\r\n")
		for range 2 {
			if _, err := l.ReadLine(); err != nil {
				t.Error(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLineReader compares every way to cut the input with the whole.
func FuzzLineReader(f *testing.F) {
	for i, tc := range lineTable {
		f.Add([]byte(tc.in), uint(i), uint(i/2))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint) {
		want := feed(in).String()
		i := int(a % uint(len(in)+1))
		j := i + int(b%uint(len(in)-i+1))
		if got := feed(in[:i], in[i:j], in[j:]).String(); got != want {
			t.Fatalf("%q cut at %d, %d:\n got %s\nwant %s", in, i, j, got, want)
		}
		if got := read(iotest.OneByteReader(bytes.NewReader(in))).String(); got != want {
			t.Fatalf("%q read by bytes:\n got %s\nwant %s", in, got, want)
		}
		o := feed(in)
		for _, line := range o.lines {
			if strings.Contains(line, "\n") || len(line) > testMaxLine && line != tooLong && line != flood {
				t.Fatalf("%q: line %q", in, line)
			}
		}
		if len(o.refusals)%3 != 0 || len(o.refusals) > len(in) {
			t.Fatalf("%q: refusals %q", in, o.refusals)
		}
	})
}

// FuzzAppendText: text is one line, and comes back, but for CR, LF and NUL.
func FuzzAppendText(f *testing.F) {
	f.Add("plain")
	f.Add("\xff\xff\xf4\r\n\x00")
	f.Fuzz(func(t *testing.T, s string) {
		var l LineReader
		l.MaxLine, l.MaxFlood = len(s)+1, 2*len(s)+3
		l.Feed(append(AppendText(nil, s), "\r\n"...))
		line, ok, err := l.Next()
		want := strings.NewReplacer("\r", "?", "\n", "?", "\x00", "?").Replace(s)
		if string(line) != want || !ok || err != nil || l.Buffered() != 0 || len(l.Refusals()) != 0 {
			t.Fatalf("%q: %q, %v, %v", s, line, ok, err)
		}
	})
}

func BenchmarkReadLine(b *testing.B) {
	in := strings.NewReader("")
	l := NewLineReader(in)
	b.ReportAllocs()
	for b.Loop() {
		in.Reset("RETR some/file/name.txt\r\n")
		if _, err := l.ReadLine(); err != nil {
			b.Fatal(err)
		}
	}
}
