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

// ModeStream is the one mode that is served.
const ModeStream Mode = 'S'

// ParseMode parses the argument of MODE. Errors are ErrParam for B, C and Z,
// and ErrParamSyntax.
func ParseMode(arg string) (Mode, error) {
	switch strings.ToUpper(arg) {
	case "S":
		return ModeStream, nil
	case "B", "C", "Z":
		return 0, ErrParam
	}
	return 0, ErrParamSyntax
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
