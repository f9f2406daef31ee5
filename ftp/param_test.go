package ftp

import (
	"errors"
	"strings"
	"testing"
)

func TestParseType(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Type
		err  error
		from string
	}{
		{"A", TypeASCII, nil, "C032"},
		{"a", TypeASCII, nil, "C041"},
		{"A N", TypeASCII, nil, "C033"},
		{"A T", TypeASCII, nil, "C034"},
		{"A C", 0, ErrParam, "C035"},
		{"I", TypeImage, nil, "C031"},
		{"L 8", TypeImage, nil, "C037"},
		{"l 8", TypeImage, nil, ""},
		{"L 7", 0, ErrParam, "C038"},
		{"L 36", 0, ErrParam, "TENEX"},
		{"E", 0, ErrParam, "C036"},
		{"E N", 0, ErrParam, ""},
		{"L", 0, ErrParamSyntax, "C039"},
		{"L ", 0, ErrParamSyntax, ""},
		{"L 0", 0, ErrParamSyntax, ""},
		{"L 8x", 0, ErrParamSyntax, ""},
		{"L 8888", 0, ErrParamSyntax, ""},
		{"X", 0, ErrParamSyntax, "C040"},
		{"", 0, ErrParamSyntax, ""},
		{"A ", 0, ErrParamSyntax, ""},
		{"A X", 0, ErrParamSyntax, ""},
		{"I N", 0, ErrParamSyntax, ""},
		{"E X", 0, ErrParamSyntax, ""},
	} {
		if got, err := ParseType(tc.in); got != tc.want || err != tc.err {
			t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
		}
	}
	if TypeASCII.String() != "ASCII" || TypeImage.String() != "BINARY" || Type(0).String() != "none" {
		t.Error("wrong names")
	}
}

// Conformance C042 to C049.
func TestParseStructureAndMode(t *testing.T) {
	for in, want := range map[string]error{"F": nil, "f": nil, "R": ErrParam, "P": ErrParam, "X": ErrParamSyntax, "": ErrParamSyntax, "FF": ErrParamSyntax} {
		if got, err := ParseStructure(in); err != want || (err == nil) != (got == StructureFile) {
			t.Errorf("STRU %q: %v, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{"S": nil, "s": nil, "B": ErrParam, "C": ErrParam, "X": ErrParamSyntax, "": ErrParamSyntax} {
		if got, err := ParseMode(in); err != want || (err == nil) != (got == ModeStream) {
			t.Errorf("MODE %q: %v, %v", in, got, err)
		}
	}
	if got, err := ParseMode("z"); got != ModeDeflate || err != nil {
		t.Errorf("MODE z: %v, %v", got, err)
	}
}

// Conformance C070 to C082.
func TestParseNumbers(t *testing.T) {
	for _, tc := range []struct {
		in         string
		want       int64
		rest, allo error
	}{
		{"0", 0, nil, nil},
		{"10", 10, nil, nil},
		{"007", 7, nil, nil},
		{"9223372036854775807", 1<<63 - 1, nil, nil},
		{"9223372036854775808", 0, ErrNumber, ErrTooLarge}, // C081
		{"9999999999999999999999", 0, ErrNumber, ErrTooLarge},
		{"-1", 0, ErrNumber, ErrNumber}, // C080, C074
		{"+1", 0, ErrNumber, ErrNumber},
		{"abc", 0, ErrNumber, ErrNumber},
		{"99999999999999999999x", 0, ErrNumber, ErrNumber},
		{"", 0, ErrNumber, ErrNumber},
		{" 1", 0, ErrNumber, ErrNumber},
		{"100 R 10", 100, ErrNumber, nil}, // C071
		{"100 r 10", 100, ErrNumber, nil},
		{"100 R", 0, ErrNumber, ErrNumber},
		{"100 R x", 0, ErrNumber, ErrNumber},
		{"100 X 10", 0, ErrNumber, ErrParamSyntax},
	} {
		if got, err := ParseOffset(tc.in); err != tc.rest || err == nil && got != tc.want {
			t.Errorf("REST %q: %v, %v", tc.in, got, err)
		}
		if got, err := ParseAllo(tc.in); err != tc.allo || err == nil && got != tc.want {
			t.Errorf("ALLO %q: %v, %v", tc.in, got, err)
		}
	}
}

// Every SyntaxError a parser of an argument gives is a legal answer to its verb.
func TestSyntaxErrorsAreAllowed(t *testing.T) {
	for verb, errs := range map[string][]*SyntaxError{
		"PORT": {ErrHostPort},
		"EPRT": {ErrExtHostPort, ErrProtocol},
		"EPSV": {ErrEPSVArg, ErrProtocol},
		"TYPE": {ErrParam, ErrParamSyntax},
		"STRU": {ErrParam, ErrParamSyntax},
		"MODE": {ErrParam, ErrParamSyntax},
		"REST": {ErrNumber},
		"ALLO": {ErrNumber, ErrTooLarge, ErrParamSyntax},
		"RNTO": {ErrPathByte, ErrPathTooLong},
		"NOOP": {ErrExtraArg, ErrBadByte},
		"MDTM": {ErrTime},
	} {
		c, _ := Lookup(verb)
		for _, err := range errs {
			if !c.Allows(err.Code) {
				t.Errorf("%s may not answer %v", verb, err.Code)
			}
		}
	}
	// A path that is too long can be given to every verb that takes one.
	for c := range Commands() {
		if strings.Contains(c.Syntax, "pathname") && !c.Allows(ErrPathTooLong.Code) {
			t.Errorf("%s may not answer %v", c.Verb, ErrPathTooLong.Code)
		}
	}
	var target *SyntaxError
	if !errors.As(error(ErrNumber), &target) {
		t.Error("not a SyntaxError")
	}
}

func FuzzParam(f *testing.F) {
	for _, s := range []string{"A N", "L 8", "I", "F", "S", "100 R 10", "9223372036854775808", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if n, err := ParseOffset(in); err == nil {
			if m, err := ParseAllo(in); n < 0 || m != n || err != nil {
				t.Fatalf("%q: REST reads %d, ALLO %d, %v", in, n, m, err)
			}
		}
		if n, err := ParseAllo(in); n < 0 || err != nil && n != 0 {
			t.Fatalf("%q: %d, %v", in, n, err)
		}
		if typ, err := ParseType(in); (err == nil) != (typ != 0) {
			t.Fatalf("%q: %v, %v", in, typ, err)
		}
		if at, err := ParseTime(in); err == nil && at.Year() <= 9999 {
			again, err := ParseTime(string(AppendTime(nil, at)))
			if err != nil || !again.Equal(at.Truncate(1e9)) {
				t.Fatalf("%q: %v became %v, %v", in, at, again, err)
			}
		}
		_, _ = ParseStructure(in)
		_, _ = ParseMode(in)
		_, _, _ = ParseEPSV(in)
	})
}
