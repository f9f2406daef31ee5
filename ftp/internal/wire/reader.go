package wire

import (
	"bytes"
	"io"
)

// Bounds of a LineReader whose fields are left zero.
const (
	DefaultMaxLine  = 4096
	DefaultMaxFlood = 1 << 20
)

const (
	readSize      = 1024 // one read; a control connection carries short lines
	maxEmptyReads = 100  // as in bufio
)

// LineReader cuts a control connection into lines.
//
// A line ends with CRLF or a bare LF; neither is part of it. CR NUL stands for
// CR (RFC 854); any other CR and NUL stay in the line, for the parser above to
// refuse. Telnet commands are taken out wherever they stand, so that IAC IP
// IAC DM before ABOR is harmless, and requests for options are refused.
//
// Where the kernel takes urgent data out of the stream, a client that sends
// "ABOR\r\n" as urgent data loses its LF: set SO_OOBINLINE on the control
// connection.
//
// Memory is bounded by MaxLine plus one read (or what Feed was given). A
// LineReader belongs to one task at a time; the zero value reads from Feed only.
type LineReader struct {
	// MaxLine is the longest line in bytes, ends not counted. 0 means
	// DefaultMaxLine.
	MaxLine int
	// MaxFlood is the number of bytes, Telnet commands counted, after which a
	// line without an end is a flood. 0 means DefaultMaxFlood.
	MaxFlood int
	// OnRefuse, when not nil, is given the refusals of Telnet options before
	// ReadLine reads again or returns a line. They must be sent on the same
	// connection, not inside another line. p is valid during the call only.
	// When nil they wait for Refusals.
	OnRefuse func(p []byte)

	r        io.Reader
	raw      []byte // read or fed, not yet looked at; a part of store
	store    []byte
	line     []byte // the line so far, with Telnet taken out
	refusals []byte
	seen     int // bytes since the last end of line
	state    telnetState
	verb     byte // the verb in stateOption
	cr       bool // a CR was read and what it means depends on the next byte
	over     bool // the line is longer than MaxLine, its rest is discarded
	done     bool // line was handed out by the last call
	flooded  bool
}

// NewLineReader returns a LineReader with default bounds that reads from r.
func NewLineReader(r io.Reader) *LineReader { return &LineReader{r: r} }

// Reset makes l read from r (a TLS connection over the old one, say) and drops
// everything buffered, as Discard does. The bounds stay.
func (l *LineReader) Reset(r io.Reader) {
	l.Discard()
	l.r = r
}

// Buffered returns the number of bytes of input that have been taken from the
// connection and not been returned as lines, the begin of an unfinished line
// included. When it is not zero, the peer has sent ahead.
func (l *LineReader) Buffered() int {
	if l.done {
		return len(l.raw)
	}
	return len(l.raw) + l.seen
}

// HasLine reports whether an end of line is already here, so that ReadLine
// returns without reading (unless that LF belongs to a Telnet sequence).
func (l *LineReader) HasLine() bool { return bytes.IndexByte(l.raw, '\n') >= 0 }

// Discard drops all buffered input and returns how many bytes it was. It must
// be called between the reply to AUTH TLS and the handshake, so that no
// plaintext is taken for a command of the protected session (CVE-2011-1575).
func (l *LineReader) Discard() int {
	n := l.Buffered()
	l.raw = l.raw[:0]
	l.refusals = l.refusals[:0]
	l.startLine()
	l.state, l.flooded = stateData, false
	return n
}

// Feed gives l input without a reader. Call Next until it reports false before
// the next Feed: then only the begin of a line is kept in between.
func (l *LineReader) Feed(p []byte) {
	// raw may be the tail of store: it moves to the front, and append does
	// that as memmove does.
	l.store = append(append(l.store[:0], l.raw...), p...)
	l.raw = l.store
}

// Next returns the next line out of the bytes already buffered; ok is false
// when it is not whole yet. The line is valid until the next call. Errors are
// ErrLineTooLong and ErrLineFlood.
func (l *LineReader) Next() (line []byte, ok bool, err error) {
	if l.flooded {
		return nil, false, ErrLineFlood
	}
	if l.done {
		l.startLine()
	}
	if line, ok = l.plainLine(); ok {
		return line, true, nil
	}
	for i, b := range l.raw {
		l.seen++
		if l.step(b) {
			l.raw = l.raw[i+1:]
			l.done = true
			if l.over {
				return nil, false, ErrLineTooLong
			}
			return l.line, true, nil
		}
		if l.seen >= l.maxFlood() {
			l.flooded = true
			l.raw, l.line = nil, nil
			return nil, false, ErrLineFlood
		}
	}
	l.raw = l.raw[:0]
	return nil, false, nil
}

// ReadLine returns the next line, reading as needed. The line is valid until
// the next call.
//
// Errors are ErrLineTooLong, after which the next line is whole; ErrLineFlood,
// which stays; io.EOF at the end of input and io.ErrUnexpectedEOF when a line
// had begun; and those of the reader, unchanged. After a deadline passed, a
// further ReadLine goes on where this one stopped.
func (l *LineReader) ReadLine() ([]byte, error) {
	empty := 0
	for {
		line, ok, err := l.Next()
		if ok || err != nil {
			l.giveRefusals()
			return line, err
		}
		l.giveRefusals()
		if l.r == nil {
			return nil, io.EOF
		}
		if cap(l.store) < readSize {
			l.store = make([]byte, readSize)
		}
		buf := l.store[:cap(l.store)]
		n, err := l.r.Read(buf)
		l.raw = buf[:n]
		switch {
		case n > 0:
			// Bytes count first; an error shows again at the next read.
			empty = 0
		case err == io.EOF && l.seen > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		default:
			if empty++; empty >= maxEmptyReads {
				return nil, io.ErrNoProgress
			}
		}
	}
}

// Refusals returns the bytes that refuse the Telnet options asked for so far,
// and forgets them. They are valid until the next call of any method.
func (l *LineReader) Refusals() []byte {
	p := l.refusals
	l.refusals = l.refusals[:0]
	return p
}

func (l *LineReader) giveRefusals() {
	if l.OnRefuse != nil && len(l.refusals) > 0 {
		l.OnRefuse(l.Refusals())
	}
}

func (l *LineReader) maxLine() int {
	if l.MaxLine > 0 {
		return l.MaxLine
	}
	return DefaultMaxLine
}

func (l *LineReader) maxFlood() int {
	if l.MaxFlood > 0 {
		return l.MaxFlood
	}
	return DefaultMaxFlood
}

func (l *LineReader) startLine() {
	l.line = l.line[:0]
	l.seen, l.cr, l.over, l.done = 0, false, false, false
}

// plainLine is the usual case without a copy: a whole line in one read and
// nothing in it to be taken out.
func (l *LineReader) plainLine() ([]byte, bool) {
	if l.seen != 0 || l.state != stateData {
		return nil, false
	}
	end := bytes.IndexByte(l.raw, '\n')
	if end < 0 {
		return nil, false
	}
	line := l.raw[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	if len(line) > l.maxLine() || end+1 > l.maxFlood() ||
		bytes.IndexByte(line, IAC) >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		return nil, false
	}
	l.raw = l.raw[end+1:]
	l.done = true
	return line, true
}

// step takes one byte through the Telnet states and reports the end of a line.
func (l *LineReader) step(b byte) (end bool) {
	switch l.state {
	case stateData:
		if b == IAC {
			l.state = stateIAC
			return false
		}
		return l.data(b)

	case stateAfterIP:
		l.state = stateData
		switch b {
		case telnetDM:
			return false
		case IAC:
			l.state = stateIPIAC
			return false
		}
		return l.step(b)

	case stateIAC, stateIPIAC:
		afterIP := l.state == stateIPIAC
		l.state = stateData
		switch {
		case b == IAC:
			return l.data(b)
		case b == telnetIP:
			l.state = stateAfterIP
		case b == telnetSB:
			l.state = stateSub
		case b >= telnetWILL:
			l.state, l.verb = stateOption, b
		case b < telnetSE:
			if !afterIP {
				l.data(IAC)
			}
			return l.data(b)
		}
		return false

	case stateOption:
		l.state = stateData
		if answer, ok := refusal(l.verb); ok && len(l.refusals)+3 <= maxRefusals {
			l.refusals = append(l.refusals, IAC, answer, b)
		}
		return false

	case stateSub, stateSubIAC:
		switch {
		case b == '\n':
			l.state = stateData
			return l.data(b)
		case b == IAC && l.state == stateSub:
			l.state = stateSubIAC
		case b == telnetSE && l.state == stateSubIAC:
			l.state = stateData
		default:
			l.state = stateSub
		}
		return false
	}
	panic("wire: unknown telnet state")
}

// data takes one byte of the line itself.
func (l *LineReader) data(b byte) (end bool) {
	if l.cr {
		l.cr = false
		if b == '\n' {
			return true
		}
		l.keep('\r')
		if b == 0 {
			return false
		}
	}
	switch b {
	case '\n':
		return true
	case '\r':
		l.cr = true
	default:
		l.keep(b)
	}
	return false
}

func (l *LineReader) keep(b byte) {
	if len(l.line) >= l.maxLine() {
		l.over = true
		return
	}
	l.line = append(l.line, b)
}
