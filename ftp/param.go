package ftp

import (
	"math"
	"strings"
)

// What can be wrong with a parameter.
var (
	// ErrParam is a parameter that is understood and not served: TYPE E, MODE C.
	ErrParam = &SyntaxError{CodeBadParameter, "Command not implemented for that parameter."}
	// ErrParamSyntax is a parameter that means nothing.
	ErrParamSyntax = &SyntaxError{CodeBadArgument, "Parameter not understood."}
	// ErrNumber is not a decimal number, or a negative one.
	ErrNumber = &SyntaxError{CodeBadArgument, "Expected a number."}
	// ErrTooLarge is a number of bytes that no file can have.
	ErrTooLarge = &SyntaxError{CodeQuota, "Size exceeds every limit."}
)

// Type is a representation type (TYPE). The zero value is none.
type Type byte

// The types that are served. LOCAL with byte size 8 is IMAGE (RFC 1123 section
// 4.1.2.1).
const (
	TypeASCII Type = 'A'
	TypeImage Type = 'I'
)

// String returns the name people know.
func (t Type) String() string {
	switch t {
	case TypeASCII:
		return "ASCII"
	case TypeImage:
		return "BINARY"
	}
	return "none"
}

// ParseType parses the argument of TYPE (RFC 959 section 3.1.1). TELNET format is
// taken as NON-PRINT, which it is where files have no vertical format (RFC 1123
// section 4.1.2.2). Errors are ErrParam for E, for carriage control, and for byte
// sizes other than 8; and ErrParamSyntax.
func ParseType(arg string) (Type, error) {
	letter, rest, more := strings.Cut(strings.ToUpper(arg), " ")
	switch letter {
	case "A", "E":
		switch {
		case more && rest != "N" && rest != "T" && rest != "C":
			return 0, ErrParamSyntax
		case letter == "E" || rest == "C":
			return 0, ErrParam
		}
		return TypeASCII, nil
	case "I":
		if more {
			return 0, ErrParamSyntax
		}
		return TypeImage, nil
	case "L":
		// At most three digits keep the number small and mean more bits than
		// any machine's byte.
		size, digits := leadingNumber(rest, 3)
		switch {
		case digits == 0 || digits != len(rest) || size == 0:
			return 0, ErrParamSyntax
		case size != 8:
			return 0, ErrParam
		}
		return TypeImage, nil
	}
	return 0, ErrParamSyntax
}

// Structure is a file structure (STRU). The zero value is none.
type Structure byte

// StructureFile is the one structure that is served: RFC 1123 wants records only
// of systems that have them (section 4.1.2.13), and no pages (4.1.2.3).
const StructureFile Structure = 'F'

// ParseStructure parses the argument of STRU. Errors are ErrParam for R and P,
// and ErrParamSyntax.
func ParseStructure(arg string) (Structure, error) {
	switch strings.ToUpper(arg) {
	case "F":
		return StructureFile, nil
	case "R", "P":
		return 0, ErrParam
	}
	return 0, ErrParamSyntax
}

// Mode is a transmission mode (MODE). The zero value is none.
type Mode byte

// The modes that are served. ModeDeflate is ModeStream in the zlib format
// (draft-preston-ftpext-deflate).
const (
	ModeStream  Mode = 'S'
	ModeDeflate Mode = 'Z'
)

// String returns the name people know.
func (m Mode) String() string {
	switch m {
	case ModeStream:
		return "stream"
	case ModeDeflate:
		return "deflate"
	}
	return "none"
}

// ParseMode parses the argument of MODE. Errors are ErrParam for B and C, and
// ErrParamSyntax.
func ParseMode(arg string) (Mode, error) {
	switch strings.ToUpper(arg) {
	case "S":
		return ModeStream, nil
	case "Z":
		return ModeDeflate, nil
	case "B", "C":
		return 0, ErrParam
	}
	return 0, ErrParamSyntax
}

// ParseDeflateLevel parses what follows OPTS MODE: "Z LEVEL n", n from 1 to 9
// (draft-preston-ftpext-deflate).
func ParseDeflateLevel(options string) (level int, ok bool) {
	digit, ok := strings.CutPrefix(strings.ToUpper(options), "Z LEVEL ")
	if !ok || len(digit) != 1 || digit[0] < '1' || digit[0] > '9' {
		return 0, false
	}
	return int(digit[0] - '0'), true
}

// ParseOffset parses the argument of REST in stream mode: decimal digits, at
// most 2^63-1 (RFC 3659 section 5.2). The error is ErrNumber.
func ParseOffset(arg string) (int64, error) {
	n, ok, large := parseCount(arg)
	if !ok || large {
		return 0, ErrNumber
	}
	return n, nil
}

// ParseRange parses the argument of RANG, the first and the last byte of a range
// (draft-bryan-ftp-range), and returns where it begins and how long it is. "1 0"
// stands for no range, and gives 0 and 0. Errors are ErrNumber and ErrParamSyntax.
func ParseRange(arg string) (start, length int64, err error) {
	from, to, _ := strings.Cut(arg, " ")
	first, ok1, large1 := parseCount(from)
	last, ok2, large2 := parseCount(to)
	switch {
	case !ok1 || !ok2 || large1 || large2 || last == math.MaxInt64:
		return 0, 0, ErrNumber
	case first == 1 && last == 0:
		return 0, 0, nil
	case first > last:
		return 0, 0, ErrParamSyntax
	}
	return first, last - first + 1, nil
}

// ParseAllo parses the argument of ALLO, "size" or "size R record-size" (RFC 959
// section 4.1.3), and returns the size. Errors are ErrTooLarge for a size beyond
// 2^63-1, ErrNumber and ErrParamSyntax.
func ParseAllo(arg string) (int64, error) {
	size, rest, more := strings.Cut(arg, " ")
	n, ok, large := parseCount(size)
	if !ok {
		return 0, ErrNumber
	}
	if more {
		letter, record, _ := strings.Cut(rest, " ")
		if !strings.EqualFold(letter, "R") {
			return 0, ErrParamSyntax
		}
		if _, ok, _ := parseCount(record); !ok {
			return 0, ErrNumber
		}
	}
	if large {
		return 0, ErrTooLarge
	}
	return n, nil
}

// parseCount parses decimal digits and nothing else. large says that the number
// does not fit.
func parseCount(s string) (n int64, ok, large bool) {
	if s == "" {
		return 0, false, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false, false
		}
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			large = true
			continue
		}
		n = n*10 + d
	}
	if large {
		return 0, true, true
	}
	return n, true, false
}
