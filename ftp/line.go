package ftp

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"

	"github.com/weft-go/weft/ftp/internal/wire"
)

// maxVerb is the longest verb that is looked up; RFC 959 has at most four
// letters, XSHA256 seven.
const maxVerb = 8

// What can be wrong with a command line. Each carries its reply code.
var (
	// ErrEmptyLine is a line without any byte.
	ErrEmptyLine = &SyntaxError{CodeSyntax, "Empty command line."}
	// ErrVerb is a line that does not begin with a verb.
	ErrVerb = &SyntaxError{CodeSyntax, "Command not understood."}
	// ErrForeign is a line of another protocol, HTTP or TLS, which a browser
	// was made to send here (ALPACA, NAT slipstreaming). Nothing more must be
	// read from this connection: reply and close.
	ErrForeign = &SyntaxError{CodeSyntax, "This is an FTP server."}
	// ErrBadByte is an argument with CR, LF or NUL in it.
	ErrBadByte = &SyntaxError{CodeBadArgument, "Illegal byte in argument."}
	// ErrMissingArg is a verb without the argument it requires.
	ErrMissingArg = &SyntaxError{CodeBadArgument, "Argument required."}
	// ErrExtraArg is an argument to a verb that takes none.
	ErrExtraArg = &SyntaxError{CodeBadArgument, "Command takes no argument."}
)

// Line is a command line taken apart. Printed in any way (fmt, log/slog) it
// shows no argument that is secret or may be: see String.
type Line struct {
	Verb string // upper case
	Arg  string // the bytes after the verb and one space, "" for none
}

// ParseCommand takes apart a command line, from which the end of line and the
// Telnet commands have been removed (RFC 959 section 5.3).
//
// The verb is a letter and up to seven more letters or digits, in any case, at
// the very begin of the line: leading blanks are refused, for they are common
// in what other protocols send and unknown in FTP clients. One space ends the
// verb and belongs to nobody; every further byte belongs to the argument,
// leading and trailing blanks too, because they may belong to a file name.
// Whether the verb exists is not looked at: that is Lookup's part.
//
// Errors are ErrEmptyLine, ErrVerb, ErrForeign and ErrBadByte. With ErrBadByte
// the Line has its verb and an empty argument. Only the argument, and a verb that
// is unknown, are allocated.
func ParseCommand(line []byte) (Line, error) {
	if len(line) == 0 {
		return Line{}, ErrEmptyLine
	}
	word, arg, found := bytes.Cut(line, space)
	if isTLS(line) || bytes.EqualFold(word, hostHeader) {
		return Line{}, ErrForeign
	}
	if len(word) == 0 || len(word) > maxVerb {
		return Line{}, ErrVerb
	}
	var upper [maxVerb]byte
	for i, b := range word {
		b = upperByte(b)
		if (b < 'A' || b > 'Z') && (i == 0 || b < '0' || b > '9') {
			return Line{}, ErrVerb
		}
		upper[i] = b
	}
	var l Line
	if c, ok := byVerb[string(upper[:len(word)])]; ok {
		l.Verb = c.Verb
	} else if found && isMethod(upper[:len(word)]) {
		return Line{}, ErrForeign
	} else {
		l.Verb = string(upper[:len(word)])
	}
	if hasBadByte(arg) {
		return l, ErrBadByte
	}
	l.Arg = string(arg)
	return l, nil
}

var space = []byte(" ")

// AppendCommand appends the command line a client sends, with its CRLF; 0xFF is
// doubled (RFC 2640 section 3.1). An argument with CR, LF or NUL would become a
// second command or break this one: ErrBadByte, and dst is returned unchanged,
// as it is with ErrVerb for a verb that is none. An empty arg adds no space.
func AppendCommand(dst []byte, verb, arg string) ([]byte, error) {
	if len(verb) == 0 || len(verb) > maxVerb {
		return dst, ErrVerb
	}
	for i := range len(verb) {
		b := upperByte(verb[i])
		if (b < 'A' || b > 'Z') && (i == 0 || b < '0' || b > '9') {
			return dst, ErrVerb
		}
	}
	if hasBadByte(arg) {
		return dst, ErrBadByte
	}
	dst = append(dst, verb...)
	if arg != "" {
		dst = append(dst, ' ')
		dst = wire.AppendText(dst, arg)
	}
	return append(dst, '\r', '\n'), nil
}

// String returns the line for a log. The argument is left out where the table
// calls it secret and where the verb has no row, since that may be a mistyped
// PASS, or a SITE PSWD. Bytes that could forge or colour a log line are escaped.
func (l Line) String() string {
	if l.Arg == "" {
		return l.Verb
	}
	c, ok := Lookup(l.Verb)
	if !ok || c.Secret {
		return l.Verb + " ****"
	}
	if c.Verb == "SITE" {
		own, rest, _ := strings.Cut(l.Arg, " ")
		if _, known := LookupSite(own); !known && rest != "" {
			return l.Verb + " ****"
		}
	}
	quoted := strconv.Quote(l.Arg)
	return l.Verb + " " + quoted[1:len(quoted)-1]
}

// GoString is String: %#v must not print a password either.
func (l Line) GoString() string { return l.String() }

// LogValue is String for log/slog.
func (l Line) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalText is String for encoders.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// SplitOpts takes apart the argument of OPTS: the verb in upper case, and its
// options (RFC 2389 section 4).
func SplitOpts(arg string) (verb, options string) {
	verb, options, _ = strings.Cut(arg, " ")
	return strings.ToUpper(verb), options
}

// isTLS recognises a handshake record of any version.
func isTLS(line []byte) bool { return len(line) > 1 && line[0] == 0x16 && line[1] == 3 }

// isMethod recognises the method of an HTTP request. Case does not count: a
// page can make its browser send "patch".
func isMethod(word []byte) bool {
	switch string(word) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PRI":
		return true
	}
	return false
}

// hostHeader is the header every HTTP request has, also one whose method a page
// chose to be an FTP verb.
var hostHeader = []byte("host:")

func hasBadByte[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] == '\r' || s[i] == '\n' || s[i] == 0 {
			return true
		}
	}
	return false
}

func upperByte(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - ('a' - 'A')
	}
	return b
}
