package ftp

import (
	"errors"
	"strings"

	"github.com/weft-go/weft/ftp/internal/wire"
)

// AppendReply appends a reply as it stands on the wire (RFC 959 section 4.2).
//
// Several lines make a multi-line reply: "ddd-first", the inner lines as they
// are, "ddd last". An inner line that begins with three digits gets a space in
// front, so that no client takes it for the end. CR, LF and NUL inside a line
// become '?', 0xFF is doubled. A code that is not three digits panics: it would
// put the whole session out of step.
func AppendReply(dst []byte, code Code, lines ...string) []byte {
	if !code.Valid() {
		panic("ftp: reply code out of range")
	}
	digits := [3]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}
	if len(lines) == 0 {
		dst = append(dst, digits[:]...)
		return append(dst, " \r\n"...)
	}
	last := len(lines) - 1
	for i, line := range lines {
		switch {
		case i == last:
			dst = append(dst, digits[:]...)
			dst = append(dst, ' ')
		case i == 0:
			dst = append(dst, digits[:]...)
			dst = append(dst, '-')
		case startsWithCode(line):
			dst = append(dst, ' ')
		}
		dst = wire.AppendText(dst, line)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// Reply is a reply as a client sees it.
type Reply struct {
	Code Code
	// Lines are the texts of the lines, at least one. A line that repeats the
	// reply's code has it removed; the others are as they came, with the space
	// in front that FEAT and MLST give their lines.
	Lines []string
}

// Text returns the lines joined by LF.
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// Err returns the reply as an error, whatever its code.
func (r Reply) Err() *Error { return &Error{Code: r.Code, Msg: r.Text()} }

var (
	// ErrBadReply is something that is no reply. What follows on the
	// connection cannot be trusted.
	ErrBadReply = errors.New("ftp: malformed reply")
	// ErrReplyTooLong is a reply larger than the parser's bound.
	ErrReplyTooLong = errors.New("ftp: reply too long")
	// ErrReplyShort is a reply whose end is missing.
	ErrReplyShort = errors.New("ftp: incomplete reply")
)

// DefaultMaxReply bounds a reply of a ReplyParser whose MaxBytes is zero. It is
// large because STAT of a directory lists it in the reply.
const DefaultMaxReply = 1 << 20

// lineCost is what a line is charged besides its bytes, so that empty lines
// cannot fill the memory.
const lineCost = 16

// ReplyParser puts a reply together from the lines of a control connection.
// The zero value is ready. After a reply it starts the next one by itself;
// after an error it must not be used any more.
type ReplyParser struct {
	// MaxBytes bounds a whole reply, 0 means DefaultMaxReply.
	MaxBytes int

	reply Reply
	size  int
	begun bool
}

// Line takes the next line, without its end and without Telnet commands, and
// reports whether it was the reply's last. Then the reply is returned.
//
// Accepted are "ddd text", "ddd-text" and a bare "ddd". A multi-line reply ends
// with a line of its own code and a space, or its bare code; everything before
// that belongs to it, other codes included (RFC 959 section 4.2). Errors are
// ErrBadReply and ErrReplyTooLong.
func (p *ReplyParser) Line(line []byte) (r Reply, done bool, err error) {
	limit := p.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxReply
	}
	if p.size += len(line) + lineCost; p.size > limit {
		return Reply{}, false, ErrReplyTooLong
	}
	code, sep, text, ok := splitReply(line)
	if !p.begun {
		if !ok {
			return Reply{}, false, ErrBadReply
		}
		p.reply = Reply{Code: code, Lines: []string{string(text)}}
		p.begun = true
		if sep == '-' {
			return Reply{}, false, nil
		}
		return p.take(), true, nil
	}
	if !ok || code != p.reply.Code {
		p.reply.Lines = append(p.reply.Lines, string(line))
		return Reply{}, false, nil
	}
	p.reply.Lines = append(p.reply.Lines, string(text))
	if sep == '-' {
		return Reply{}, false, nil
	}
	return p.take(), true, nil
}

// Pending reports whether a reply has begun and not ended.
func (p *ReplyParser) Pending() bool { return p.begun }

func (p *ReplyParser) take() Reply {
	r := p.reply
	p.reply, p.size, p.begun = Reply{}, 0, false
	return r
}

// ParseReply reads one whole reply from the begin of b and returns what follows
// it. Errors are those of ReplyParser.Line, and ErrReplyShort.
func ParseReply(b []byte) (r Reply, rest []byte, err error) {
	var p ReplyParser
	lines := wire.LineReader{MaxLine: DefaultMaxReply, MaxFlood: DefaultMaxReply}
	lines.Feed(b)
	for {
		line, ok, err := lines.Next()
		switch {
		case err != nil:
			return Reply{}, b, ErrReplyTooLong
		case !ok:
			return Reply{}, b, ErrReplyShort
		}
		r, done, err := p.Line(line)
		if err != nil {
			return Reply{}, b, err
		}
		if done {
			return r, b[len(b)-lines.Buffered():], nil
		}
	}
}

// splitReply takes apart a line that begins with a code. sep is '-' or ' '.
func splitReply(line []byte) (code Code, sep byte, text []byte, ok bool) {
	if !startsWithCode(line) {
		return 0, 0, nil, false
	}
	code = Code(line[0]-'0')*100 + Code(line[1]-'0')*10 + Code(line[2]-'0')
	if !code.Valid() {
		return 0, 0, nil, false
	}
	switch {
	case len(line) == 3:
		return code, ' ', nil, true
	case line[3] == ' ' || line[3] == '-':
		return code, line[3], line[4:], true
	}
	return 0, 0, nil, false
}

func startsWithCode[T string | []byte](line T) bool {
	return len(line) >= 3 && isDigit(line[0]) && isDigit(line[1]) && isDigit(line[2])
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
