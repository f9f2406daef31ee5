package ftp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/internal/wire"
)

func TestParseCommand(t *testing.T) {
	for _, tc := range []struct {
		in, verb, arg string
		err           error
		from          string
	}{
		{"NOOP", "NOOP", "", nil, "RFC 959 5.3"},
		{"noop", "NOOP", "", nil, "C041"},
		{"NOOP ", "NOOP", "", nil, "a space and nothing"},
		{"RETR a b", "RETR", "a b", nil, "names with blanks"},
		{"RETR  a ", "RETR", " a ", nil, "one space separates, the others are the name's"},
		{"PASS  p w ", "PASS", " p w ", nil, "passwords are opaque"},
		{"XSHA256 f", "XSHA256", "f", nil, "longest verb in use"},
		{"CWD \xff\xfe", "CWD", "\xff\xfe", nil, "C179: names are bytes"},
		{"CWD a\tb\x1b[31m", "CWD", "a\tb\x1b[31m", nil, "C287: kept, escaped in logs"},
		{"BOGUS", "BOGUS", "", nil, "C125: Lookup's part"},
		{"", "", "", ErrEmptyLine, "C126"},
		{" ", "", "", ErrVerb, "blanks only"},
		{" NOOP", "", "", ErrVerb, "leading blank"},
		{"\tNOOP", "", "", ErrVerb, "leading tab"},
		{"NOOP\tx", "", "", ErrVerb, "a tab does not separate"},
		{"NO-OP", "", "", ErrVerb, "letters only"},
		{"4711", "", "", ErrVerb, "a letter first"},
		{"ABCDEFGHI", "", "", ErrVerb, "longer than any verb"},
		{"\xf2ABOR", "", "", ErrVerb, "Telnet is the reader's part"},
		{"CWD a\x00b", "CWD", "", ErrBadByte, "C281"},
		{"CWD a\rb", "CWD", "", ErrBadByte, "C180, from CR NUL"},
		{"MKD a\nDELE b", "MKD", "", ErrBadByte, "cannot come from a reader"},
		{"GET / HTTP/1.1", "", "", ErrForeign, "ALPACA"},
		{"patch /x HTTP/1.1", "", "", ErrForeign, "found by FuzzParseCommand"},
		{"POST /x HTTP/1.0", "", "", ErrForeign, "NAT slipstream"},
		{"Host: ftp.example.net", "", "", ErrForeign, "header of a browser"},
		{"hOsT:", "", "", ErrForeign, ""},
		{"GET", "GET", "", nil, "no request without a target"},
		{"HOST ftp.example.net", "HOST", "ftp.example.net", nil, "RFC 7151 is no header"},
		{"\x16\x03\x01\x02", "", "", ErrForeign, "TLS on a plain port"},
	} {
		l, err := ParseCommand([]byte(tc.in))
		if l.Verb != tc.verb || l.Arg != tc.arg || err != tc.err {
			t.Errorf("%q: %q %q %v (%s)", tc.in, l.Verb, l.Arg, err, tc.from)
		}
		var syntax *SyntaxError
		if err != nil && (!errors.As(err, &syntax) || !syntax.Code.Permanent()) {
			t.Errorf("%q: %v carries no reply", tc.in, err)
		}
	}
}

func TestAppendCommand(t *testing.T) {
	for _, tc := range []struct {
		verb, arg, want string
		err             error
	}{
		{"RETR", "a b ", "RETR a b \r\n", nil},
		{"NOOP", "", "NOOP\r\n", nil},
		{"CWD", "\xff", "CWD \xff\xff\r\n", nil},
		{"MKD", "a\r\nDELE b", "", ErrBadByte}, // C284
		{"MKD", "a\x00", "", ErrBadByte},
		{"NO OP", "", "", ErrVerb},
		{"", "x", "", ErrVerb},
		{"NOOP\r\n", "", "", ErrVerb},
	} {
		got, err := AppendCommand([]byte("> "), tc.verb, tc.arg)
		if string(got) != "> "+tc.want || err != tc.err {
			t.Errorf("%q %q: %q, %v", tc.verb, tc.arg, got, err)
		}
	}
}

// However a line is printed, a password is not in it.
func TestLineHidesSecrets(t *testing.T) {
	for _, l := range []Line{{"PASS", "hunter2"}, {"PASX", "hunter2"}, {"ACCT", "hunter2"}, {"SITE", "PSWD hunter2"}, {"AUTH", "hunter2"}} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("command", "line", l, "pointer", &l)
		slog.New(slog.NewTextHandler(&log, nil)).Info("command", "line", l, "list", []Line{l})
		asJSON, err := json.Marshal(map[string]any{"line": l})
		if err != nil {
			t.Fatal(err)
		}
		log.Write(asJSON)
		fmt.Fprintf(&log, "%v %+v %#v %s %q %v", l, l, l, l, l, []Line{l})
		if out := log.String(); strings.Contains(out, "hunter2") || !strings.Contains(out, l.Verb+" ****") {
			t.Errorf("%s", out)
		}
	}
	l := Line{"USER", "x\x1b[31m\nfake\xff"}
	if got, want := l.String(), `USER x\x1b[31m\nfake\xff`; got != want { // C287
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (Line{Verb: "PASS"}).String(); got != "PASS" {
		t.Error(got)
	}
}

func TestSplitOpts(t *testing.T) {
	for arg, want := range map[string][2]string{
		"UTF8 ON":         {"UTF8", "ON"},
		"mlst size;type;": {"MLST", "size;type;"},
		"MLST":            {"MLST", ""},
		"MODE Z LEVEL 9":  {"MODE", "Z LEVEL 9"},
	} {
		if verb, options := SplitOpts(arg); verb != want[0] || options != want[1] {
			t.Errorf("%q: %q %q", arg, verb, options)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{"NOOP", "RETR a b", "PASS  x ", "CWD \xff\xff", "xsha256 f", "", " ", "GET / HTTP/1.1", "CWD a\x00", "\x16\x03"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		l, err := ParseCommand(in)
		if err != nil {
			if l.Arg != "" {
				t.Fatalf("%q: argument with %v", in, err)
			}
			return
		}
		if l.Verb != strings.ToUpper(l.Verb) || hasBadByte(l.Arg) {
			t.Fatalf("%q: %q %q", in, l.Verb, l.Arg)
		}
		if strings.ContainsAny(l.String(), "\r\n\x00\x1b") {
			t.Fatalf("%q: log line %q", in, l.String())
		}
		out, err := AppendCommand(nil, l.Verb, l.Arg)
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		r := wire.LineReader{MaxLine: len(out)}
		r.Feed(out)
		line, ok, err := r.Next()
		if !ok || err != nil || r.Buffered() != 0 {
			t.Fatalf("%q: sent as %q, which is no single line: %v", in, out, err)
		}
		if again, err := ParseCommand(line); err != nil || again != l {
			t.Fatalf("%q: %#v became %#v, %v", in, l, again, err)
		}
	})
}

func BenchmarkParseCommand(b *testing.B) {
	line := []byte("RETR some/file/name.txt")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCommand(line); err != nil {
			b.Fatal(err)
		}
	}
}
