package storage

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// FuzzCheck checks that what check lets through is clean, rooted and short, by the standard library's
// opinion of clean.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"/", "/a/b", "/..", "/a/../b", "//", "/a/", "/a\x00", "/\xff", "/...", "/" + TempPrefix} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		err := check(p)
		if err != nil {
			if !errors.Is(err, ErrEscapes) && !errors.Is(err, ErrInvalidName) && !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("check(%q): %v", p, err)
			}
			return
		}
		if path.Clean(p) != p || p[0] != '/' || len(p) > maxPath || strings.Contains(p, "\x00") {
			t.Fatalf("check(%q) allows it", p)
		}
		if checkNew(p) != nil {
			t.Fatalf("checkNew(%q) differs", p)
		}
		dir, name := split(p)
		if p != "/" && join(dir, name) != p {
			t.Fatalf("join(split(%q)) = %q", p, join(dir, name))
		}
		if check(dir) != nil || reserved(name) {
			t.Fatalf("split(%q) = %q, %q", p, dir, name)
		}
	})
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		path, dir string
		want      bool
	}{
		{"/a/b", "/a", true},
		{"/a", "/", true},
		{"/a", "/a", false},
		{"/ab", "/a", false},
		{"/", "/", false},
		{"/a", "/a/b", false},
	} {
		if got := within(tt.path, tt.dir); got != tt.want {
			t.Errorf("within(%q, %q) = %v", tt.path, tt.dir, got)
		}
	}
}
