package storagetest

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var linkTests = []test{
	{"LinkInside", testLinkInside},
	{"LinkEscapes", testLinkEscapes},
	{"LinkMissing", testLinkMissing},
	{"LinkLoop", testLinkLoop},
	{"LinkItself", testLinkItself},
	{"LinkTarget", testLinkTarget},
	{"LinkRefused", testLinkRefused},
	{"RenameThroughLink", testRenameThroughLink},
}

// links returns a function that makes links, or skips the test.
func links(t *testing.T, fsys storage.FS) func(target, path string) {
	l, can := fsys.(Symlinker)
	if !can {
		t.Skip("the store has no links")
	}
	return func(target, path string) {
		t.Helper()
		ok(t, "Symlink "+path, l.Symlink(target, path))
	}
}

func testLinkInside(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/a", "/a/b", "/c")
	put(t, fsys, "/a/b/f", "data")
	link("a/b/f", "/file")
	link("a/b", "/dir")
	link("../a/./b/../b//f", "/c/up")
	link("../dir", "/c/chain")
	link("..", "/a/b/back")
	for _, path := range []string{"/file", "/dir/f", "/c/up", "/c/chain/f", "/a/b/back/b/f", "/dir/back/b/f"} {
		wantFile(t, fsys, path, "data")
	}
	e, err := fsys.Stat("/file")
	ok(t, "Stat", err)
	if e.Name != "file" || e.IsLink() || e.LinkTarget != "" {
		t.Fatalf("Stat of a link gives %+v", e)
	}
	if got := names(t, fsys, "/c/chain"); got != "back f" {
		t.Fatalf("through a link %q is listed", got)
	}
	put(t, fsys, "/dir/new", "n")
	wantFile(t, fsys, "/a/b/new", "n")
	upload(t, fsys, "/file", storage.WriteAppend, 0, "+")
	wantFile(t, fsys, "/a/b/f", "data+")
	upload(t, fsys, "/file", storage.WriteAt, 4, "-")
	wantFile(t, fsys, "/a/b/f", "data-")
	put(t, fsys, "/file", "replaced")
	wantFile(t, fsys, "/a/b/f", "replaced")
	ok(t, "Truncate", fsys.Truncate("/file", 3))
	wantFile(t, fsys, "/a/b/f", "rep")
	ok(t, "Chmod", fsys.Chmod("/file", 0o640))
	e, err = fsys.Stat("/a/b/f")
	ok(t, "Stat", err)
	if e.Mode.Perm() != 0o640 {
		t.Fatalf("Chmod through a link: %v", e.Mode)
	}
}

// testLinkEscapes checks FIELD B21: no link, wherever it stands in a path, leads out of the root.
func testLinkEscapes(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/d", "/d/e")
	put(t, fsys, "/f", "x")
	link("/", "/d/root")
	link("/etc", "/d/etc")
	link("/f", "/d/abs") // absolute, although there is such a path inside
	link("..", "/up")
	link("../..", "/d/upup")
	link("../../../../../../../../etc", "/d/etc2")
	link("e/../../../etc", "/d/mixed")
	link("upup", "/d/chain")
	outside := []string{"/d/root", "/d/etc", "/d/abs", "/up", "/d/upup", "/d/etc2", "/d/mixed", "/d/chain"}
	for _, path := range outside {
		ok(t, "Lstat", lstat(fsys, path)) // the link itself may be looked at
		outside = append(outside, path+"/x")
	}
	for _, path := range outside {
		eachReading(fsys, path, func(op string, err error) {
			t.Helper()
			if op == "Lstat" && !strings.HasSuffix(path, "/x") {
				return
			}
			want(t, op+" "+path, err, storage.ErrEscapes)
		})
		for _, mode := range []storage.WriteMode{storage.WriteReplace, storage.WriteAppend, storage.WriteAt} {
			_, err := fsys.Create(path, mode, 0)
			want(t, mode.String()+" "+path, err, storage.ErrEscapes)
		}
		want(t, "Chmod "+path, fsys.Chmod(path, 0o600), storage.ErrEscapes)
		want(t, "Truncate "+path, fsys.Truncate(path, 0), storage.ErrEscapes)
		_, err := storage.Sub(fsys, path)
		want(t, "Sub "+path, err, storage.ErrEscapes)
	}
	for _, path := range []string{"/d/etc/x", "/up/x", "/d/upup/x", "/d/chain/x"} {
		want(t, "Lstat "+path, lstat(fsys, path), storage.ErrEscapes)
		want(t, "Mkdir "+path, fsys.Mkdir(path), storage.ErrEscapes)
		want(t, "Remove "+path, fsys.Remove(path), storage.ErrEscapes)
		want(t, "Rmdir "+path, fsys.Rmdir(path), storage.ErrEscapes)
		want(t, "Rename to "+path, fsys.Rename("/f", path), storage.ErrEscapes)
		want(t, "Rename from "+path, fsys.Rename(path, "/g"), storage.ErrEscapes)
		_, err := fsys.Create(path, storage.WriteExclusive, 0)
		want(t, "exclusive "+path, err, storage.ErrEscapes)
	}
}

func lstat(fsys storage.FS, path string) error {
	_, err := fsys.Lstat(path)
	return err
}

func testLinkMissing(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/d")
	link("d/target", "/l")
	link("no/target", "/deep")
	_, err := fsys.Stat("/l")
	want(t, "Stat", err, fs.ErrNotExist)
	_, err = fsys.Open("/l")
	want(t, "Open", err, fs.ErrNotExist)
	_, err = fsys.Create("/l", storage.WriteExclusive, 0)
	want(t, "exclusive", err, fs.ErrExist)
	want(t, "Mkdir", fsys.Mkdir("/l"), fs.ErrExist)
	_, err = fsys.Create("/deep", storage.WriteReplace, 0)
	want(t, "replace", err, fs.ErrNotExist)
	put(t, fsys, "/l", "made")
	wantFile(t, fsys, "/d/target", "made")
}

func testLinkLoop(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	link("b", "/a")
	link("a", "/b")
	link("self/x", "/self")
	for _, path := range []string{"/a", "/b", "/self"} {
		_, err := fsys.Stat(path)
		want(t, "Stat "+path, err, syscall.ELOOP)
		_, err = fsys.Open(path)
		want(t, "Open "+path, err, syscall.ELOOP)
		_, err = fsys.Create(path, storage.WriteReplace, 0)
		want(t, "Create "+path, err, syscall.ELOOP)
	}
}

// testLinkItself checks the operations that are about the link and not what it leads to.
func testLinkItself(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "data")
	link("d", "/dir")
	link("d/f", "/file")
	link("/outside", "/bad")
	want(t, "Rmdir", fsys.Rmdir("/dir"), storage.ErrNotDir)
	ok(t, "Rename", fsys.Rename("/dir", "/moved"))
	wantFile(t, fsys, "/moved/f", "data")
	for _, path := range []string{"/moved", "/file", "/bad"} {
		e, err := fsys.Lstat(path)
		ok(t, "Lstat", err)
		if !e.IsLink() {
			t.Fatalf("Lstat %s: %+v", path, e)
		}
		ok(t, "Remove "+path, fsys.Remove(path))
		wantMissing(t, fsys, path)
	}
	wantFile(t, fsys, "/d/f", "data")

	// A file renamed onto a link takes its place.
	link("d/f", "/l")
	put(t, fsys, "/new", "new")
	ok(t, "Rename", fsys.Rename("/new", "/l"))
	wantFile(t, fsys, "/l", "new")
	wantFile(t, fsys, "/d/f", "data")
}

func testLinkTarget(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/d")
	for _, tt := range []struct{ path, target, want string }{
		{"/d/a", "b/c", "b/c"},
		{"/d/up", "../x y", "../x y"},
		{"/d/bytes", "\xff\n", "\xff\n"},
		{"/d/abs", "/srv/secret", ""},
		{"/d/out", "../../srv/secret", ""},
		{"/d/out2", "x/../../../srv/d", ""},
	} {
		link(tt.target, tt.path)
		e, err := fsys.Lstat(tt.path)
		ok(t, "Lstat", err)
		if e.LinkTarget != tt.want {
			t.Fatalf("Lstat %s shows %q, want %q", tt.path, e.LinkTarget, tt.want)
		}
		if e := list(t, fsys, "/d", 10)[e.Name]; e.LinkTarget != tt.want || !e.IsLink() {
			t.Fatalf("the listing shows %+v, want %q", e, tt.want)
		}
	}
}

func testRenameThroughLink(t *testing.T, fsys storage.FS) {
	link := links(t, fsys)
	mkdir(t, fsys, "/d", "/d/sub")
	link("d/sub", "/l")
	want(t, "into itself by a link", fsys.Rename("/d", "/l/x"), fs.ErrInvalid)
	put(t, fsys, "/f", "x")
	ok(t, "Rename", fsys.Rename("/f", "/l/f"))
	wantFile(t, fsys, "/d/sub/f", "x")
	ok(t, "same file by two ways", fsys.Rename("/l/f", "/d/sub/f"))
	wantFile(t, fsys, "/d/sub/f", "x")
}

// testLinkRefused is about stores that make links themselves: where one can't be, none is made.
func testLinkRefused(t *testing.T, fsys storage.FS) {
	l, can := fsys.(storage.Symlinker)
	if !can {
		t.Skip("the store makes no links")
	}
	mkdir(t, fsys, "/d")
	put(t, fsys, "/f", "data")
	for path, want := range map[string]error{"/f": fs.ErrExist, "/d": fs.ErrExist, "/none/l": fs.ErrNotExist} {
		if err := l.Symlink("f", path); !errors.Is(err, want) {
			t.Errorf("Symlink %s: %v, not %v", path, err, want)
		}
	}
	for _, path := range []string{"/", "relative", "/d/../l"} {
		if l.Symlink("f", path) == nil {
			t.Errorf("Symlink %s is made", path)
		}
	}
	if got := names(t, fsys, "/"); got != "d f" {
		t.Errorf("there are %q", got)
	}
	wantFile(t, fsys, "/f", "data")
}
