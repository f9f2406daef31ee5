package ftp

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Entry is what a listing tells of one file. A server fills it from its store;
// ParseMLSD and ParseMLST fill it from a line of a server.
type Entry struct {
	// Name is one path element for LIST, NLST and MLSD; MLST has a whole path.
	Name string
	// Mode has type and permission bits.
	Mode fs.FileMode
	// Kind is other than KindPlain for the directory that is listed and its
	// parent in MLSD.
	Kind Kind
	// Size in bytes, for regular files.
	Size int64
	// ModTime is printed in UTC; the zero time is unknown.
	ModTime time.Time
	// Owner and Group are names. Where empty, UID and GID are printed.
	Owner, Group string
	UID, GID     uint32
	// Links counts the hard links, 0 if unknown.
	Links uint64
	// LinkTarget is what a symbolic link holds, "" if unknown or hidden.
	LinkTarget string
	// Dev and Ino make the fact unique, unless Unique gives its value. All
	// empty means unknown.
	Dev, Ino uint64
	Unique   string
	// Perm is what the user may do with the file, or in the directory; for the
	// perm fact.
	Perm Perm
}

// Kind tells the listed directory and its parent from what is in it (RFC 3659
// section 7.5.1).
type Kind uint8

// The kinds of entry.
const (
	KindPlain   Kind = iota
	KindCurrent      // cdir: the directory that is listed
	KindParent       // pdir: its parent
)

// Speakable reports whether name can be written in a command. One that is empty
// or holds CR, LF or NUL cannot: it is left out of NLST and MLSD, where names
// are meant to be used, and shown with '?' by LIST, which people read, so that a
// directory that cannot be removed does not look empty.
func Speakable(name string) bool { return name != "" && !hasBadByte(name) }

// AppendName appends the line of NLST for a name: prefix, which is the path the
// client asked for and is used as it is (RFC 1123 section 4.1.2.7), then name and
// CRLF. It appends nothing for what is not Speakable.
func AppendName(dst []byte, prefix, name string) []byte {
	if !Speakable(name) || hasBadByte(prefix) {
		return dst
	}
	dst = append(dst, prefix...)
	if prefix != "" && prefix[len(prefix)-1] != '/' {
		dst = append(dst, '/')
	}
	dst = append(dst, name...)
	return append(dst, '\r', '\n')
}

// AppendList appends the line of LIST for e, in the form of ls -l, with CRLF.
//
// The date is UTC. It has the time of day if it lies in the six months before
// now (half a mean year, as ls has it, and an hour of grace for clocks that
// differ), else the year. CR, LF and NUL in a name become '?'; blanks and
// control bytes in an owner '_', since clients count columns.
func AppendList(dst []byte, e *Entry, now time.Time) []byte {
	dst = appendMode(dst, e.Mode)
	dst = append(dst, ' ')
	dst = appendPadded(dst, max(e.Links, 1), 4)
	dst = append(dst, ' ')
	dst = appendOwner(dst, e.Owner, e.UID)
	dst = append(dst, ' ')
	dst = appendOwner(dst, e.Group, e.GID)
	dst = append(dst, ' ')
	dst = appendPadded(dst, uint64(max(e.Size, 0)), 12)
	dst = append(dst, ' ')
	dst = appendListTime(dst, e.ModTime, now)
	dst = append(dst, ' ')
	dst = appendShown(dst, e.Name)
	if e.Mode&fs.ModeSymlink != 0 && e.LinkTarget != "" {
		dst = append(dst, " -> "...)
		dst = appendShown(dst, e.LinkTarget)
	}
	return append(dst, '\r', '\n')
}

// appendMode appends the ten columns of ls.
func appendMode(dst []byte, m fs.FileMode) []byte {
	dst = append(dst, typeLetter(m))
	const rwx = "rwxrwxrwx"
	from := len(dst)
	for i := range rwx {
		if m&(1<<(8-i)) != 0 {
			dst = append(dst, rwx[i])
		} else {
			dst = append(dst, '-')
		}
	}
	special := func(bit fs.FileMode, at int, with, without byte) {
		switch {
		case m&bit == 0:
		case dst[from+at] == '-':
			dst[from+at] = without
		default:
			dst[from+at] = with
		}
	}
	special(fs.ModeSetuid, 2, 's', 'S')
	special(fs.ModeSetgid, 5, 's', 'S')
	special(fs.ModeSticky, 8, 't', 'T')
	return dst
}

func typeLetter(m fs.FileMode) byte {
	switch {
	case m.IsDir():
		return 'd'
	case m&fs.ModeSymlink != 0:
		return 'l'
	case m&fs.ModeNamedPipe != 0:
		return 'p'
	case m&fs.ModeSocket != 0:
		return 's'
	case m&fs.ModeCharDevice != 0:
		return 'c'
	case m&fs.ModeDevice != 0:
		return 'b'
	}
	return '-'
}

// appendPadded appends v right-aligned.
func appendPadded(dst []byte, v uint64, width int) []byte {
	var digits [20]byte
	s := strconv.AppendUint(digits[:0], v, 10)
	for range width - len(s) {
		dst = append(dst, ' ')
	}
	return append(dst, s...)
}

// appendOwner appends a name, or else the id, left-aligned.
func appendOwner(dst []byte, name string, id uint32) []byte {
	const width = 8
	from := len(dst)
	if name == "" {
		dst = strconv.AppendUint(dst, uint64(id), 10)
	}
	for i := range len(name) {
		b := name[i]
		if b <= ' ' || b == 0x7f {
			b = '_'
		}
		dst = append(dst, b)
	}
	for len(dst)-from < width {
		dst = append(dst, ' ')
	}
	return dst
}

func appendShown(dst []byte, s string) []byte {
	if !hasBadByte(s) {
		return append(dst, s...)
	}
	for i := range len(s) {
		b := s[i]
		if b == '\r' || b == '\n' || b == 0 {
			b = '?'
		}
		dst = append(dst, b)
	}
	return dst
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// halfYear is half of 365.2425 days.
const halfYear = 31556952 * time.Second / 2

func appendListTime(dst []byte, t, now time.Time) []byte {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	t = t.UTC()
	year, month, day := t.Date()
	dst = append(dst, months[3*(month-1):3*month]...)
	dst = append(dst, ' ')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, ' ')
	if t.After(now.Add(-halfYear)) && t.Before(now.Add(time.Hour)) {
		dst = appendDigits(dst, t.Hour(), 2)
		dst = append(dst, ':')
		return appendDigits(dst, t.Minute(), 2)
	}
	dst = append(dst, ' ')
	return appendDigits(dst, min(max(year, 0), 9999), 4)
}

// appendDigits appends v with zeros in front; v must fit.
func appendDigits(dst []byte, v, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; v > 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// ErrTime is a time that is not YYYYMMDDHHMMSS or does not exist.
var ErrTime = &SyntaxError{CodeBadArgument, "Expected a time as YYYYMMDDHHMMSS."}

// AppendTime appends a time as MDTM and the modify fact have it,
// YYYYMMDDHHMMSS in UTC (RFC 3659 section 2.3). Years outside 0 to 9999 are
// cut to that range.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	dst = appendDigits(dst, min(max(year, 0), 9999), 4)
	dst = appendDigits(dst, int(month), 2)
	dst = appendDigits(dst, day, 2)
	dst = appendDigits(dst, hour, 2)
	dst = appendDigits(dst, minute, 2)
	return appendDigits(dst, sec, 2)
}

// AppendTimeMilli is AppendTime with three digits after a point. Some clients
// do not expect them.
func AppendTimeMilli(dst []byte, t time.Time) []byte {
	dst = append(AppendTime(dst, t), '.')
	return appendDigits(dst, t.Nanosecond()/int(time.Millisecond), 3)
}

// ParseTime parses YYYYMMDDHHMMSS with or without a fraction, of which nine
// digits count. Second 60, which RFC 3659 allows for leap seconds, is the first
// of the next minute. The error is ErrTime.
func ParseTime(s string) (time.Time, error) {
	whole, fraction, hasFraction := strings.Cut(s, ".")
	if len(whole) != 14 || strings.Trim(whole, "0123456789") != "" {
		return time.Time{}, ErrTime
	}
	field := func(from, to int) int {
		v, _ := leadingNumber(whole[from:to], 4)
		return int(v)
	}
	year, month, day := field(0, 4), time.Month(field(4, 6)), field(6, 8)
	hour, minute, sec := field(8, 10), field(10, 12), field(12, 14)
	nanos := 0
	if hasFraction {
		if fraction == "" || strings.Trim(fraction, "0123456789") != "" {
			return time.Time{}, ErrTime
		}
		for i := range 9 {
			nanos *= 10
			if i < len(fraction) {
				nanos += int(fraction[i] - '0')
			}
		}
	}
	if hour > 23 || minute > 59 || sec > 60 {
		return time.Time{}, ErrTime
	}
	// Date moves the 31st of a short month into the next one.
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if y, m, d := date.Date(); y != year || m != month || d != day {
		return time.Time{}, ErrTime
	}
	return time.Date(year, month, day, hour, minute, sec, nanos, time.UTC), nil
}
