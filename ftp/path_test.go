package ftp

import (
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	long := strings.Repeat("x", MaxPath)
	for _, tc := range []struct {
		cwd, arg, want string
		err            error
	}{
		{"/", "", "/", nil},
		{"/a", "", "/a", nil},
		{"/a", "b", "/a/b", nil},
		{"/a", "/b", "/b", nil},
		{"/a/", "b/", "/a/b", nil},
		{"/a", ".", "/a", nil},
		{"/a/b", "..", "/a", nil},
		{"/", "..", "/", nil}, // C015
		{"/", "../../..", "/", nil},
		{"/a", "../../../etc/passwd", "/etc/passwd", nil}, // C282: of the virtual tree
		{"/a", "/../..//b/./c/..", "/b", nil},
		{"/", "...", "/...", nil},
		{"/", "..a", "/..a", nil},
		{"/a", "..\\b", "/a/..\\b", nil},
		{"/a", "%2e%2e/b", "/a/%2e%2e/b", nil},
		{"/a", "~", "/a/~", nil},
		{"/a", " b ", "/a/ b ", nil},
		{"/a", "\xff\xc0\xae", "/a/\xff\xc0\xae", nil},
		{"/a", "-la", "/a/-la", nil},
		{"", "a", "/a", nil},
		{"x", "../../a", "/a", nil},
		{"/", "a\x00b", "", ErrPathByte},
		{"/\x00", "b", "", ErrPathByte},
		{"/", long[1:], "/" + long[1:], nil},
		{"/", long, "", ErrPathTooLong},
		{"/", long + "x", "", ErrPathTooLong},
		{"/", strings.Repeat("../", MaxPath/3), "/", nil},
	} {
		got, err := Resolve(tc.cwd, tc.arg)
		if got != tc.want || err != tc.err {
			t.Errorf("%.40q in %q: %.40q, %v", tc.arg, tc.cwd, got, err)
		}
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/":       `"/"`,
		`/a"b`:    `"/a""b"`, // C100
		`/""`:     `"/"""""`,
		"/\xff\\": "\"/\xff\\\"",
	} {
		if got := Quote(path); got != want {
			t.Errorf("Quote(%q) = %q", path, got)
		}
		if back, err := Unquote(want + ` is the "current" directory`); back != path || err != nil {
			t.Errorf("Unquote(%q) = %q, %v", want, back, err)
		}
	}
	for text, want := range map[string]string{
		`created "/x".`: "/x",
		`""`:            "",
	} {
		if got, err := Unquote(text); got != want || err != nil {
			t.Errorf("Unquote(%q) = %q, %v", text, got, err)
		}
	}
	// CVE-2017-1000254 was a quote without its end.
	for _, text := range []string{"", "/", `"/a`, `"/a""`, `"`} {
		if got, err := Unquote(text); err != ErrNoPath {
			t.Errorf("Unquote(%q) = %q, %v", text, got, err)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"..", "/../a", "a//b/./c", "...", "..\\", "a\x00", "\xff/", "-la", `a"b`} {
		f.Add("/", s)
		f.Add("/x/y", s)
	}
	f.Fuzz(func(t *testing.T, cwd, arg string) {
		p, err := Resolve(cwd, arg)
		if err != nil {
			return
		}
		if p == "" || p[0] != '/' || len(p) > MaxPath || strings.IndexByte(p, 0) >= 0 {
			t.Fatalf("%q in %q: %q", arg, cwd, p)
		}
		if p != "/" {
			for name := range strings.SplitSeq(p[1:], "/") {
				if name == "" || name == "." || name == ".." {
					t.Fatalf("%q in %q: %q", arg, cwd, p)
				}
			}
		}
		if again, err := Resolve("/elsewhere", p); again != p || err != nil {
			t.Fatalf("%q resolves to %q, %v", p, again, err)
		}
		if again, err := Resolve(p, "."); again != p || err != nil {
			t.Fatalf("%q resolves to %q, %v", p, again, err)
		}
		if back, err := Unquote(Quote(p)); back != p || err != nil {
			t.Fatalf("%q unquotes to %q, %v", p, back, err)
		}
		// It may not panic, whatever comes.
		_, _ = Unquote(arg)
	})
}
