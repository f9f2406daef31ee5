package storagetest

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
)

var treeTests = []test{
	{"Root", testRoot},
	{"Mkdir", testMkdir},
	{"Rmdir", testRmdir},
	{"Remove", testRemove},
	{"Rename", testRename},
	{"RenameRefused", testRenameRefused},
	{"Chtimes", testChtimes},
	{"Chmod", testChmod},
	{"Truncate", testTruncate},
	{"Unique", testUnique},
	{"Sub", testSub},
	{"Close", testClose},
}

func testRoot(t *testing.T, fsys storage.FS) {
	for _, stat := range []func(string) (storage.Entry, error){fsys.Stat, fsys.Lstat} {
		e, err := stat("/")
		ok(t, "stat /", err)
		if e.Name != "/" || !e.IsDir() || e.IsRegular() || e.IsLink() {
			t.Fatalf("the root is %+v", e)
		}
	}
	if got := names(t, fsys, "/"); got != "" {
		t.Fatalf("a fresh store lists %q", got)
	}
	want(t, "Rmdir", fsys.Rmdir("/"), fs.ErrPermission)
	want(t, "Remove", fsys.Remove("/"), storage.ErrIsDir)
	want(t, "Mkdir", fsys.Mkdir("/"), fs.ErrExist)
	want(t, "Rename from", fsys.Rename("/", "/a"), fs.ErrPermission)
	mkdir(t, fsys, "/d")
	want(t, "Rename to", fsys.Rename("/d", "/"), fs.ErrPermission)
	want(t, "Chmod", fsys.Chmod("/", 0o700), fs.ErrPermission)
	want(t, "Truncate", fsys.Truncate("/", 0), storage.ErrIsDir)
	_, err := fsys.Open("/")
	want(t, "Open", err, storage.ErrIsDir)
}

func testMkdir(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/a", "/a/b")
	e, err := fsys.Stat("/a/b")
	ok(t, "Stat", err)
	if !e.IsDir() || e.Name != "b" {
		t.Fatalf("Stat: %+v", e)
	}
	put(t, fsys, "/f", "x")
	want(t, "existing directory", fsys.Mkdir("/a"), fs.ErrExist)
	want(t, "existing file", fsys.Mkdir("/f"), fs.ErrExist)
	want(t, "missing parent", fsys.Mkdir("/no/b"), fs.ErrNotExist)
	want(t, "file as parent", fsys.Mkdir("/f/b"), storage.ErrNotDir)
	if err := fsys.Mkdir("/a"); errors.Is(err, storage.ErrNotEmpty) {
		t.Fatalf("%v claims to be ErrNotEmpty", err)
	}
}

func testRmdir(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/a", "/a/b")
	put(t, fsys, "/f", "x")
	err := fsys.Rmdir("/a")
	want(t, "with content", err, storage.ErrNotEmpty)
	if errors.Is(err, fs.ErrExist) {
		t.Fatalf("%v claims to be fs.ErrExist", err)
	}
	want(t, "file", fsys.Rmdir("/f"), storage.ErrNotDir)
	want(t, "missing", fsys.Rmdir("/no"), fs.ErrNotExist)
	want(t, "below a file", fsys.Rmdir("/f/x"), storage.ErrNotDir)
	ok(t, "Rmdir", fsys.Rmdir("/a/b"))
	ok(t, "Rmdir", fsys.Rmdir("/a"))
	wantMissing(t, fsys, "/a", "/a/b")
}

func testRemove(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "x")
	want(t, "directory", fsys.Remove("/d"), storage.ErrIsDir)
	want(t, "missing", fsys.Remove("/d/no"), fs.ErrNotExist)
	want(t, "missing parent", fsys.Remove("/no/f"), fs.ErrNotExist)
	want(t, "below a file", fsys.Remove("/d/f/x"), storage.ErrNotDir)
	ok(t, "Remove", fsys.Remove("/d/f"))
	wantMissing(t, fsys, "/d/f")
	want(t, "again", fsys.Remove("/d/f"), fs.ErrNotExist)
	mkdir(t, fsys, "/empty")
	want(t, "empty directory", fsys.Remove("/empty"), storage.ErrIsDir)
}

func testRename(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/a", "/b")
	put(t, fsys, "/a/f", "one")
	put(t, fsys, "/b/g", "two")
	ok(t, "across directories", fsys.Rename("/a/f", "/b/f"))
	wantMissing(t, fsys, "/a/f")
	wantFile(t, fsys, "/b/f", "one")
	ok(t, "over a file", fsys.Rename("/b/f", "/b/g"))
	wantMissing(t, fsys, "/b/f")
	wantFile(t, fsys, "/b/g", "one")
	ok(t, "onto itself", fsys.Rename("/b/g", "/b/g"))
	wantFile(t, fsys, "/b/g", "one")
	ok(t, "directory", fsys.Rename("/b", "/a/b"))
	wantFile(t, fsys, "/a/b/g", "one")
	ok(t, "to a name that begins the same", fsys.Rename("/a", "/ab"))
	wantFile(t, fsys, "/ab/b/g", "one")
}

func testRenameRefused(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d", "/d/sub", "/e")
	put(t, fsys, "/f", "x")
	for _, tt := range []struct {
		from, to string
		want     error
	}{
		{"/no", "/x", fs.ErrNotExist},
		{"/no", "/no", fs.ErrNotExist},
		{"/f", "/no/x", fs.ErrNotExist},
		{"/f", "/d", fs.ErrExist},
		{"/e", "/d", fs.ErrExist},
		{"/d", "/e", fs.ErrExist},
		{"/d", "/f", storage.ErrNotDir},
		{"/f", "/f/x", storage.ErrNotDir},
		{"/d", "/d/x", fs.ErrInvalid},
		{"/d", "/d/sub/x", fs.ErrInvalid},
		{"/d/sub", "/d", fs.ErrExist},
	} {
		err := fsys.Rename(tt.from, tt.to)
		want(t, tt.from+" to "+tt.to, err, tt.want)
		var le *os.LinkError
		if !errors.As(err, &le) || le.Old != tt.from || le.New != tt.to {
			t.Fatalf("%#v is no *os.LinkError with both virtual paths", err)
		}
	}
	wantFile(t, fsys, "/f", "x")
	if got := names(t, fsys, "/") + " " + names(t, fsys, "/d"); got != "d e f sub" {
		t.Fatalf("refused renames left %q", got)
	}
}

func testChtimes(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "x")
	mkdir(t, fsys, "/d")
	when := time.Date(2020, 2, 29, 12, 34, 56, 0, time.UTC)
	for _, path := range []string{"/f", "/d"} {
		ok(t, "Chtimes", fsys.Chtimes(path, when))
		e, err := fsys.Stat(path)
		ok(t, "Stat", err)
		if !e.ModTime.Equal(when) {
			t.Fatalf("time is %v, want %v", e.ModTime, when)
		}
	}
	want(t, "missing", fsys.Chtimes("/no", when), fs.ErrNotExist)
}

func testChmod(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "x")
	mkdir(t, fsys, "/d")
	for _, path := range []string{"/f", "/d"} {
		ok(t, "Chmod", fsys.Chmod(path, 0o741))
		e, err := fsys.Stat(path)
		ok(t, "Stat", err)
		if e.Mode.Perm() != 0o741 {
			t.Fatalf("mode is %v", e.Mode)
		}
	}
	for _, bad := range []fs.FileMode{fs.ModeSetuid | 0o755, fs.ModeSetgid, fs.ModeSticky, fs.ModeDir} {
		want(t, bad.String(), fsys.Chmod("/f", bad), fs.ErrInvalid)
	}
	want(t, "missing", fsys.Chmod("/no", 0o600), fs.ErrNotExist)
}

func testTruncate(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "0123456789")
	mkdir(t, fsys, "/d")
	ok(t, "shrink", fsys.Truncate("/f", 4))
	wantFile(t, fsys, "/f", "0123")
	ok(t, "grow", fsys.Truncate("/f", 6))
	wantFile(t, fsys, "/f", "0123\x00\x00")
	want(t, "negative", fsys.Truncate("/f", -1), fs.ErrInvalid)
	want(t, "directory", fsys.Truncate("/d", 0), storage.ErrIsDir)
	want(t, "missing", fsys.Truncate("/no", 0), fs.ErrNotExist)
	wantMissing(t, fsys, "/no")
	// Some file systems make such a file of holes.
	if err := fsys.Truncate("/f", 1<<63-1); err != nil {
		want(t, "8 EiB", err, storage.ErrNoSpace)
		wantFile(t, fsys, "/f", "0123\x00\x00")
	}
}

// testUnique checks Dev and Ino (RFC 3659 section 7.5.2).
func testUnique(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/a", "x")
	put(t, fsys, "/b", "x")
	a, err := fsys.Stat("/a")
	ok(t, "Stat", err)
	b, err := fsys.Stat("/b")
	ok(t, "Stat", err)
	if a.Dev == 0 && a.Ino == 0 {
		t.Skip("the store has no file numbers")
	}
	if a.Dev == b.Dev && a.Ino == b.Ino {
		t.Fatal("two files have the same number")
	}
	listed := list(t, fsys, "/", 10)["a"]
	ok(t, "Rename", fsys.Rename("/a", "/c"))
	c, err := fsys.Stat("/c")
	ok(t, "Stat", err)
	if c.Dev != a.Dev || c.Ino != a.Ino || listed.Dev != a.Dev || listed.Ino != a.Ino {
		t.Fatal("one file has different numbers")
	}
}

func testSub(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/home", "/home/u")
	put(t, fsys, "/secret", "s")
	put(t, fsys, "/home/u/f", "mine")
	_, err := storage.Sub(fsys, "/no")
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store has no views")
	}
	want(t, "missing", err, fs.ErrNotExist)
	_, err = storage.Sub(fsys, "/secret")
	want(t, "file", err, storage.ErrNotDir)
	_, err = storage.Sub(fsys, "/home/../home")
	want(t, "unclean", err, storage.ErrEscapes)

	sub, err := storage.Sub(fsys, "/home/u")
	ok(t, "Sub", err)
	wantFile(t, sub, "/f", "mine")
	wantMissing(t, sub, "/secret", "/home")
	_, err = sub.Stat("/../../secret")
	want(t, "..", err, storage.ErrEscapes)
	put(t, sub, "/g", "new")
	wantFile(t, fsys, "/home/u/g", "new")
	want(t, "Rmdir of the root", sub.Rmdir("/"), fs.ErrPermission)
	if l, can := fsys.(Symlinker); can {
		ok(t, "Symlink", l.Symlink("../../secret", "/home/u/l"))
		wantFile(t, fsys, "/home/u/l", "s")
		_, err = sub.Open("/l")
		want(t, "link out of the view", err, storage.ErrEscapes)
	}
	ok(t, "Close", sub.Close())
	wantFile(t, fsys, "/home/u/f", "mine")
}

func testClose(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "abc")
	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	d, err := fsys.OpenDir("/")
	ok(t, "OpenDir", err)
	u := create(t, fsys, "/g", storage.WriteReplace, 0)
	ok(t, "Close", fsys.Close())
	ok(t, "Close again", fsys.Close())

	_, err = fsys.Stat("/")
	want(t, "Stat", err, fs.ErrClosed)
	_, err = fsys.Lstat("/f")
	want(t, "Lstat", err, fs.ErrClosed)
	_, err = fsys.Open("/f")
	want(t, "Open", err, fs.ErrClosed)
	_, err = fsys.OpenDir("/")
	want(t, "OpenDir", err, fs.ErrClosed)
	_, err = fsys.Create("/h", storage.WriteReplace, 0)
	want(t, "Create", err, fs.ErrClosed)
	want(t, "Mkdir", fsys.Mkdir("/d"), fs.ErrClosed)
	want(t, "Remove", fsys.Remove("/f"), fs.ErrClosed)
	want(t, "Rmdir", fsys.Rmdir("/d"), fs.ErrClosed)
	want(t, "Rename", fsys.Rename("/f", "/h"), fs.ErrClosed)
	want(t, "Chtimes", fsys.Chtimes("/f", time.Now()), fs.ErrClosed)
	want(t, "Chmod", fsys.Chmod("/f", 0o600), fs.ErrClosed)
	want(t, "Truncate", fsys.Truncate("/f", 0), fs.ErrClosed)

	// Open handles live on.
	var buf [3]byte
	if n, err := f.ReadAt(buf[:], 0); n != 3 || err != nil || string(buf[:]) != "abc" {
		t.Fatalf("ReadAt after Close: %d, %v", n, err)
	}
	ok(t, "Close file", f.Close())
	if entries, err := d.Next(10); err != nil || len(entries) < 1 || entries[0].Mode == fs.ModeIrregular {
		t.Fatalf("Next after Close: %v, %v", entries, err)
	}
	ok(t, "Close dir", d.Close())
	write(t, u, "late")
	ok(t, "Commit", u.Commit())
}
