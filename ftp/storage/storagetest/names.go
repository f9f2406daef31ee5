package storagetest

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
)

var nameTests = []test{
	{"Names", testNames},
	{"PathRefused", testPathRefused},
	{"Reserved", testReserved},
	{"Deep", testDeep},
}

func testNames(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	for _, name := range []string{
		" ", "a b", " leading", "trailing ", "two  spaces", "line\nfeed", "c\rr", "\t", "\x1b[31m",
		"\xff\xfe", "caf\xe9", "café", "cafe\u0301", "\xed\xa0\x80", "日本",
		strings.Repeat("x", 255), strings.Repeat("é", 127) + "x", strings.Repeat("\xff", 255),
		"...", "..a", "a..", ".hidden", "-rf", "*", "?", "[a]", "{a,b}", `a"b`, `a\b`, `..\..`, "a;b", "$HOME",
		"%2e%2e", "~", "#", ":", "con", "\x7f",
	} {
		path := "/d/" + name
		put(t, fsys, path, name)
		wantFile(t, fsys, path, name)
		e, err := fsys.Lstat(path)
		ok(t, "Lstat", err)
		if e.Name != name {
			t.Fatalf("Lstat gives %q for %q", e.Name, name)
		}
		all := list(t, fsys, "/d", 10)
		if _, listed := all[name]; len(all) != 1 || !listed {
			t.Fatalf("%q is listed as %v", name, all)
		}
		ok(t, "Rename", fsys.Rename(path, "/d/plain"))
		ok(t, "Rename", fsys.Rename("/d/plain", path))
		ok(t, "Remove", fsys.Remove(path))
		mkdir(t, fsys, path)
		put(t, fsys, path+"/f", "x")
		wantFile(t, fsys, path+"/f", "x")
		ok(t, "Remove", fsys.Remove(path+"/f"))
		ok(t, "Rmdir", fsys.Rmdir(path))
	}
}

// each calls f with the error of every operation on path.
func each(fsys storage.FS, path string, f func(op string, err error)) {
	eachReading(fsys, path, f)
	eachMaking(fsys, path, f)
	f("Remove", fsys.Remove(path))
	f("Rmdir", fsys.Rmdir(path))
	f("Rename from", fsys.Rename(path, "/to"))
	f("Chtimes", fsys.Chtimes(path, time.Now()))
	f("Chmod", fsys.Chmod(path, 0o600))
	f("Truncate", fsys.Truncate(path, 0))
}

func eachReading(fsys storage.FS, path string, f func(op string, err error)) {
	_, err := fsys.Stat(path)
	f("Stat", err)
	_, err = fsys.Lstat(path)
	f("Lstat", err)
	_, err = fsys.Open(path)
	f("Open", err)
	_, err = fsys.OpenDir(path)
	f("OpenDir", err)
}

func eachMaking(fsys storage.FS, path string, f func(op string, err error)) {
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		u, err := fsys.Create(path, mode, 0)
		if err == nil {
			_ = u.Abort() // f will fail the test
		}
		f("Create "+mode.String(), err)
	}
	f("Mkdir", fsys.Mkdir(path))
	f("Rename to", fsys.Rename("/f", path))
}

// testPathRefused checks that a store cleans nothing: two opinions on what a path means are how
// servers are broken into.
func testPathRefused(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/f", "x")
	for _, tt := range []struct {
		path string
		want error
	}{
		{"", storage.ErrInvalidName},
		{"f", storage.ErrInvalidName},
		{".", storage.ErrInvalidName},
		{"./f", storage.ErrInvalidName},
		{"//f", storage.ErrInvalidName},
		{"/f/", storage.ErrInvalidName},
		{"/d/", storage.ErrInvalidName},
		{"/d//f", storage.ErrInvalidName},
		{"/.", storage.ErrInvalidName},
		{"/./f", storage.ErrInvalidName},
		{"/d/.", storage.ErrInvalidName},
		{"/f\x00", storage.ErrInvalidName},
		{"/\x00", storage.ErrInvalidName},
		{"/" + strings.Repeat("x", 256), storage.ErrInvalidName},
		{"/" + strings.Repeat("x", 256) + "/f", storage.ErrInvalidName},
		{strings.Repeat("/d", 2049), storage.ErrInvalidName},
		{"/..", storage.ErrEscapes},
		{"/../f", storage.ErrEscapes},
		{"/d/..", storage.ErrEscapes},
		{"/d/../f", storage.ErrEscapes},
		{"/d/../../f", storage.ErrEscapes},
	} {
		each(fsys, tt.path, func(op string, err error) {
			t.Helper()
			want(t, op+" "+shorten(tt.path), err, tt.want)
		})
	}
	wantFile(t, fsys, "/f", "x")
	if got := names(t, fsys, "/"); got != "d f" {
		t.Fatalf("refused paths left %q", got)
	}
}

// testReserved checks that clients can neither reach nor make names of the store's own (FIELD B48).
func testReserved(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "x")
	mkdir(t, fsys, "/d")
	for _, name := range []string{
		storage.TempPrefix, storage.TempPrefix + "x", strings.ToUpper(storage.TempPrefix) + "x",
	} {
		for _, path := range []string{"/" + name, "/d/" + name, "/" + name + "/f"} {
			eachReading(fsys, path, func(op string, err error) {
				t.Helper()
				want(t, op+" "+path, err, fs.ErrNotExist)
			})
			eachMaking(fsys, path, func(op string, err error) {
				t.Helper()
				want(t, op+" "+path, err, storage.ErrInvalidName)
			})
			want(t, "Remove", fsys.Remove(path), fs.ErrNotExist)
			want(t, "Rename", fsys.Rename(path, "/to"), fs.ErrNotExist)
		}
	}
	if got := names(t, fsys, "/") + names(t, fsys, "/d"); got != "d f" {
		t.Fatalf("%q is listed", got)
	}
}

// testDeep builds the longest path there may be.
func testDeep(t *testing.T, fsys storage.FS) {
	path, name := "", "/"+strings.Repeat("d", 62)
	for range 4096/len(name) - 1 {
		path += name
		mkdir(t, fsys, path)
	}
	path += name[:len(name)-len("/f")]
	mkdir(t, fsys, path)
	put(t, fsys, path+"/f", "deep")
	wantFile(t, fsys, path+"/f", "deep")
	if got := names(t, fsys, path); got != "f" {
		t.Fatalf("%q is listed", got)
	}
}
