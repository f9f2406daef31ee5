package ftp

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestParseTimed(t *testing.T) {
	day := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		in   string
		path string
		err  error
	}{
		{"20200102030405 a b", "a b", nil},
		{"20200102030405.0 /", "/", nil},
		{"20200102030405", "", ErrMissingArg},
		{"20200102030405 ", "", ErrMissingArg},
		{"20201302030405 f", "", ErrTime},
		{"2020 f", "", ErrTime},
		{"", "", ErrTime},
	} {
		got, path, err := ParseTimed(tc.in)
		if !errors.Is(err, tc.err) || err == nil && (path != tc.path || !got.Equal(day)) {
			t.Errorf("%q: %v, %q, %v", tc.in, got, path, err)
		}
	}
}

func TestParseChanges(t *testing.T) {
	for in, want := range map[string]error{
		"Modify=20200102030405; f":                nil,
		"UNIX.mode=0640; a b":                     nil,
		"modify=20200102030405;unix.MODE=640; f;": nil,
		"Modify=20200102030405 f":                 ErrParamSyntax,
		"; f":                                     ErrParamSyntax,
		"Modify; f":                               ErrParamSyntax,
		"Modify=x; f":                             ErrTime,
		"UNIX.mode=888; f":                        ErrParamSyntax,
		"UNIX.mode=7777; f":                       ErrParamSyntax,
		"Create=20200102030405; f":                ErrParam,
		"Modify=20200102030405;":                  ErrMissingArg,
	} {
		c, path, err := ParseChanges(in)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, not %v", in, err, want)
		}
		if err == nil && (path == "" || c.ModTime.IsZero() && !c.HasMode || !strings.HasPrefix(in, c.Text+" ")) {
			t.Errorf("%q: %+v, %q", in, c, path)
		}
	}
}

func TestParsePermissions(t *testing.T) {
	for in, want := range map[string]fs.FileMode{"640": 0o640, "0640": 0o640, "0": 0, "777": 0o777} {
		if got, err := ParsePermissions(in); got != want || err != nil {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "8", "1000", "4755", "+644", "-1", "0x1", "6_4", "rw"} {
		if got, err := ParsePermissions(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestParseHost(t *testing.T) {
	for in, want := range map[string]string{
		"FTP.Example.": "ftp.example", "127.0.0.1": "127.0.0.1", "[::1]": "[::1]", "[FE80::1]": "[fe80::1]", "a_b-c": "a_b-c",
	} {
		if got, err := ParseHost(in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ".", "[::1", "::1", "[]", "[1]", "a b", "a/b", "é", "..", ".a", "a..b", "a..", "\u212aey", "[fe80::1%lo]", "[::1].", "[::x]", "a\x00", strings.Repeat("a", 254)} {
		if got, err := ParseHost(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestParseRange(t *testing.T) {
	for in, want := range map[string][2]int64{"0 0": {0, 1}, "10 19": {10, 10}, "1 0": {0, 0}, "5 5": {5, 1}} {
		if start, n, err := ParseRange(in); err != nil || [2]int64{start, n} != want {
			t.Errorf("%q: %d, %d, %v", in, start, n, err)
		}
	}
	for _, in := range []string{"", "1", "2 1", "a 1", "1 a", "-1 2", "1 2 3", "0 9223372036854775807", "9223372036854775808 1"} {
		if start, n, err := ParseRange(in); err == nil {
			t.Errorf("%q: %d, %d", in, start, n)
		}
	}
}

func TestParseDeflateLevel(t *testing.T) {
	for in, want := range map[string]int{"Z LEVEL 1": 1, "z level 9": 9} {
		if got, ok := ParseDeflateLevel(in); got != want || !ok {
			t.Errorf("%q: %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "Z", "Z LEVEL", "Z LEVEL 0", "Z LEVEL 10", "S LEVEL 1", "Z LEVEL x"} {
		if got, ok := ParseDeflateLevel(in); ok {
			t.Errorf("%q: %d", in, got)
		}
	}
}

func TestHash(t *testing.T) {
	if got := HashSHA1.Feat(); got != "SHA-256;SHA-512;SHA-1*;MD5;CRC32" {
		t.Error(got)
	}
	for _, name := range []string{"SHA-256", "sha-512", "SHA-1", "md5", "CRC32"} {
		h, err := ParseHash(name)
		if err != nil || !strings.EqualFold(h.String(), name) || h.New().Size() == 0 {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	if _, err := ParseHash("SHA"); err != ErrParam {
		t.Error(err)
	}
}

// TestSiteTable: rows are sound, and found in any case.
func TestSiteTable(t *testing.T) {
	seen := make(map[string]bool)
	for c := range SiteCommands() {
		if got, ok := LookupSite(strings.ToLower(c.Verb)); !ok || got != c || seen[c.Verb] {
			t.Errorf("%s is not found, or twice", c.Verb)
		}
		seen[c.Verb] = true
		if (c.Syntax == "") != (c.Arg == ArgNone) || (c.Arg == ArgOptional) != strings.HasPrefix(c.Syntax, "[") {
			t.Errorf("%s: argument kind and syntax %q disagree", c.Verb, c.Syntax)
		}
	}
	if _, ok := LookupSite("EXEC"); ok {
		t.Error("SITE EXEC")
	}
}

// What a parser takes is what it says, and none panics.
func FuzzChanges(f *testing.F) {
	for _, seed := range []string{"20200102030405 f", "Modify=20200102030405;UNIX.mode=640; f", "[::1]", "..", "10 19", "Z LEVEL 6", "SHA-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if _, path, err := ParseTimed(in); err == nil && !strings.HasSuffix(in, " "+path) {
			t.Errorf("path %q of %q", path, in)
		}
		if c, path, err := ParseChanges(in); err == nil && c.Text+" "+path != in {
			t.Errorf("%q, %q of %q", c.Text, path, in)
		}
		if host, err := ParseHost(in); err == nil {
			if again, err := ParseHost(host); again != host || err != nil {
				t.Errorf("%q of %q is %q, %v", host, in, again, err)
			}
		}
		if start, n, err := ParseRange(in); err == nil && (start < 0 || n < 0 || start+n < 0) {
			t.Errorf("range %d, %d of %q", start, n, in)
		}
		if mode, err := ParsePermissions(in); err == nil && mode&^0o777 != 0 {
			t.Errorf("%v of %q", mode, in)
		}
	})
}
