package storagetest

import (
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var uploadTests = []test{
	{"Replace", testReplace},
	{"Append", testAppend},
	{"At", testAt},
	{"AtBeyondEnd", testAtBeyondEnd},
	{"AtUnused", testAtUnused},
	{"Exclusive", testExclusive},
	{"CreateRefused", testCreateRefused},
	{"UploadEnds", testUploadEnds},
	{"AbortOfNothing", testAbortOfNothing},
	{"AbortKeepsPartial", testAbortKeepsPartial},
	{"ReplacedWhileUploading", testReplacedWhileUploading},
	{"UploadHidden", testUploadHidden},
}

// atomicTests are the promises of FIELD A20 to A22.
var atomicTests = []test{
	{"InvisibleUntilCommit", testInvisibleUntilCommit},
	{"AbortKeepsOld", testAbortKeepsOld},
	{"ReaderKeepsOld", testReaderKeepsOld},
	{"NewInode", testNewInode},
	{"KeepsPermissions", testKeepsPermissions},
	{"CommitOntoDir", testCommitOntoDir},
	{"ThroughLink", testAtomicThroughLink},
	{"DirRenamed", testDirRenamed},
	{"RmdirWhileUploading", testRmdirWhileUploading},
	{"LongName", testAtomicLongName},
}

func testReplace(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "first, longer")
	wantFile(t, fsys, "/f", "first, longer")
	put(t, fsys, "/f", "second")
	wantFile(t, fsys, "/f", "second")
	put(t, fsys, "/f", "")
	wantFile(t, fsys, "/f", "")
	u := create(t, fsys, "/empty", storage.WriteReplace, 0)
	ok(t, "Commit of no bytes", u.Commit())
	wantFile(t, fsys, "/empty", "")
	u = create(t, fsys, "/parts", storage.WriteReplace, 0)
	for range 100 {
		write(t, u, strings.Repeat("0123456789", 100))
	}
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/parts", strings.Repeat("0123456789", 10000))
}

func testAppend(t *testing.T, fsys storage.FS) {
	upload(t, fsys, "/f", storage.WriteAppend, 0, "new ")
	upload(t, fsys, "/f", storage.WriteAppend, 0, "more")
	wantFile(t, fsys, "/f", "new more")

	// Two at once interleave and lose nothing.
	a := create(t, fsys, "/f", storage.WriteAppend, 0)
	b := create(t, fsys, "/f", storage.WriteAppend, 0)
	write(t, a, "1")
	write(t, b, "2")
	write(t, a, "3")
	ok(t, "Commit", b.Commit())
	ok(t, "Commit", a.Commit())
	wantFile(t, fsys, "/f", "new more123")
}

func testAt(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "0123456789")
	upload(t, fsys, "/f", storage.WriteAt, 4, "AB")
	wantFile(t, fsys, "/f", "0123AB") // what followed belonged to the old file
	upload(t, fsys, "/f", storage.WriteAt, 6, "CD")
	wantFile(t, fsys, "/f", "0123ABCD") // at the end
	upload(t, fsys, "/f", storage.WriteAt, 0, "xyz")
	wantFile(t, fsys, "/f", "xyz")
	upload(t, fsys, "/g", storage.WriteAt, 0, "new")
	wantFile(t, fsys, "/g", "new")
	u := create(t, fsys, "/f", storage.WriteAt, 1)
	ok(t, "Commit of no bytes", u.Commit())
	wantFile(t, fsys, "/f", "x")

	// A file that another upload cut shorter is not grown again.
	put(t, fsys, "/f", "0123456789")
	a := create(t, fsys, "/f", storage.WriteAt, 1)
	b := create(t, fsys, "/f", storage.WriteAt, 5)
	ok(t, "Commit", a.Commit())
	ok(t, "Commit", b.Commit())
	wantFile(t, fsys, "/f", "0")
}

func testAtBeyondEnd(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "0123")
	for _, offset := range []int64{5, 1 << 40, 1<<63 - 1} {
		_, err := fsys.Create("/f", storage.WriteAt, offset)
		want(t, "beyond the end", err, storage.ErrOffset)
		_, err = fsys.Create("/no", storage.WriteAt, offset)
		want(t, "of nothing", err, storage.ErrOffset)
	}
	wantFile(t, fsys, "/f", "0123")
	wantMissing(t, fsys, "/no")
}

// testAtUnused checks that an upload that got no byte leaves the tail alone.
func testAtUnused(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "0123")
	u := create(t, fsys, "/f", storage.WriteAt, 1)
	wantFile(t, fsys, "/f", "0123")
	ok(t, "Abort", u.Abort())
	wantFile(t, fsys, "/f", "0123")
}

func testExclusive(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "old")
	mkdir(t, fsys, "/d")
	_, err := fsys.Create("/f", storage.WriteExclusive, 0)
	want(t, "existing file", err, fs.ErrExist)
	_, err = fsys.Create("/d", storage.WriteExclusive, 0)
	want(t, "existing directory", err, fs.ErrExist)
	wantFile(t, fsys, "/f", "old")

	u := create(t, fsys, "/new", storage.WriteExclusive, 0)
	_, err = fsys.Create("/new", storage.WriteExclusive, 0)
	want(t, "name taken at once", err, fs.ErrExist)
	write(t, u, "data")
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/new", "data")

	u = create(t, fsys, "/gone", storage.WriteExclusive, 0)
	write(t, u, "data")
	ok(t, "Abort", u.Abort())
	wantMissing(t, fsys, "/gone")

	// Abort must not remove what is not its own.
	u = create(t, fsys, "/x", storage.WriteExclusive, 0)
	ok(t, "Rename", fsys.Rename("/f", "/x"))
	ok(t, "Abort", u.Abort())
	wantFile(t, fsys, "/x", "old")
}

func testCreateRefused(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/f", "x")
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		for _, tt := range []struct {
			path string
			want error
		}{
			{"/d", storage.ErrIsDir},
			{"/", storage.ErrIsDir},
			{"/no/f", fs.ErrNotExist},
			{"/f/g", storage.ErrNotDir},
		} {
			target := tt.want
			if mode == storage.WriteExclusive && tt.path == "/d" {
				target = fs.ErrExist
			}
			_, err := fsys.Create(tt.path, mode, 0)
			want(t, mode.String()+" "+tt.path, err, target)
		}
		_, err := fsys.Create("/f", mode, -1)
		want(t, mode.String()+" at -1", err, fs.ErrInvalid)
		if mode != storage.WriteAt {
			_, err := fsys.Create("/f", mode, 1)
			want(t, mode.String()+" at 1", err, fs.ErrInvalid)
		}
	}
	_, err := fsys.Create("/f", storage.WriteMode(99), 0)
	want(t, "unknown mode", err, fs.ErrInvalid)
	wantFile(t, fsys, "/f", "x")
	if got := names(t, fsys, "/"); got != "d f" {
		t.Fatalf("refused uploads left %q", got)
	}
}

func testUploadEnds(t *testing.T, fsys storage.FS) {
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		path := "/commit-" + mode.String()
		u := create(t, fsys, path, mode, 0)
		write(t, u, "data")
		ok(t, "Commit", u.Commit())
		ok(t, "Abort after Commit", u.Abort())
		want(t, "second Commit", u.Commit(), fs.ErrClosed)
		_, err := io.WriteString(u, "late")
		want(t, "Write after Commit", err, fs.ErrClosed)
		wantFile(t, fsys, path, "data")

		u = create(t, fsys, "/abort-"+mode.String(), mode, 0)
		write(t, u, "data")
		ok(t, "Abort", u.Abort())
		ok(t, "second Abort", u.Abort())
		want(t, "Commit after Abort", u.Commit(), fs.ErrClosed)
		_, err = io.WriteString(u, "late")
		want(t, "Write after Abort", err, fs.ErrClosed)
		if f, isOS := u.(storage.OSFiler); isOS && f.OSFile() != nil {
			t.Fatal("OSFile after Abort")
		}
	}
}

// testAbortOfNothing checks that an upload whose data connection never opened leaves no empty file.
func testAbortOfNothing(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/old", "data")
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		u := create(t, fsys, "/f", mode, 0)
		ok(t, "Abort", u.Abort())
		wantMissing(t, fsys, "/f")
		if mode != storage.WriteExclusive {
			u = create(t, fsys, "/old", mode, 0)
			ok(t, "Abort", u.Abort())
			wantFile(t, fsys, "/old", "data")
		}
	}
}

// testAbortKeepsPartial checks what a resume needs.
func testAbortKeepsPartial(t *testing.T, fsys storage.FS) {
	for _, mode := range []storage.WriteMode{storage.WriteAppend, storage.WriteAt} {
		path := "/" + mode.String()
		u := create(t, fsys, path, mode, 0)
		write(t, u, "part")
		ok(t, "Abort", u.Abort())
		wantFile(t, fsys, path, "part")
	}
	put(t, fsys, "/f", "0123456789")
	u := create(t, fsys, "/f", storage.WriteAt, 4)
	write(t, u, "ab")
	ok(t, "Abort", u.Abort())
	wantFile(t, fsys, "/f", "0123ab") // its size tells where to go on
}

func testReplacedWhileUploading(t *testing.T, fsys storage.FS) {
	a := create(t, fsys, "/f", storage.WriteReplace, 0)
	write(t, a, "from a")
	ok(t, "Commit", a.Commit())
	b := create(t, fsys, "/f", storage.WriteReplace, 0)
	write(t, b, "from b")
	ok(t, "Rename", fsys.Rename("/f", "/moved"))
	ok(t, "Commit", b.Commit())
	// In place b wrote into the file that was moved, atomically it made a new one. Either way its
	// bytes are in exactly one file and whole.
	path := "/f"
	if _, err := fsys.Stat(path); err != nil {
		path = "/moved"
	}
	wantFile(t, fsys, path, "from b")
}

// testUploadHidden checks that nothing but the name asked for shows, during and after (FIELD B48).
func testUploadHidden(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		u := create(t, fsys, "/d/f", mode, 0)
		write(t, u, "x")
		if got := names(t, fsys, "/d"); got != "" && got != "f" {
			t.Fatalf("%v: during the upload %q is listed", mode, got)
		}
		ok(t, "Commit", u.Commit())
		if got := names(t, fsys, "/d"); got != "f" {
			t.Fatalf("%v: after the upload %q is listed", mode, got)
		}
		ok(t, "Remove", fsys.Remove("/d/f"))
		ok(t, "Abort", u.Abort())
	}
	ok(t, "Rmdir", fsys.Rmdir("/d")) // nothing hidden stayed behind
}

func testInvisibleUntilCommit(t *testing.T, fsys storage.FS) {
	u := create(t, fsys, "/f", storage.WriteReplace, 0)
	write(t, u, "new")
	wantMissing(t, fsys, "/f")
	if got := names(t, fsys, "/"); got != "" {
		t.Fatalf("%q is listed", got)
	}
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/f", "new")

	u = create(t, fsys, "/f", storage.WriteReplace, 0)
	write(t, u, "newer")
	wantFile(t, fsys, "/f", "new")
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/f", "newer")
}

func testAbortKeepsOld(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "old")
	u := create(t, fsys, "/f", storage.WriteReplace, 0)
	write(t, u, "partial")
	ok(t, "Abort", u.Abort())
	wantFile(t, fsys, "/f", "old")
	if got := names(t, fsys, "/"); got != "f" {
		t.Fatalf("%q is listed", got)
	}
}

func testReaderKeepsOld(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "old content")
	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	put(t, fsys, "/f", "new")
	data, err := io.ReadAll(f)
	ok(t, "ReadAll", err)
	if string(data) != "old content" {
		t.Fatalf("a reader that was there before sees %q", data)
	}
	ok(t, "Close", f.Close())
}

func testNewInode(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "old")
	before, err := fsys.Stat("/f")
	ok(t, "Stat", err)
	put(t, fsys, "/f", "new")
	after, err := fsys.Stat("/f")
	ok(t, "Stat", err)
	if before.Ino == after.Ino && before.Ino != 0 {
		t.Fatal("the file kept its inode")
	}
}

func testKeepsPermissions(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "old")
	ok(t, "Chmod", fsys.Chmod("/f", 0o751))
	put(t, fsys, "/f", "new")
	e, err := fsys.Stat("/f")
	ok(t, "Stat", err)
	if e.Mode.Perm() != 0o751 {
		t.Fatalf("mode is %v after an upload", e.Mode)
	}
}

func testCommitOntoDir(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	u := create(t, fsys, "/d/f", storage.WriteReplace, 0)
	write(t, u, "data")
	mkdir(t, fsys, "/d/f")
	want(t, "Commit", u.Commit(), fs.ErrExist)
	ok(t, "Abort", u.Abort())
	ok(t, "Rmdir", fsys.Rmdir("/d/f"))
	ok(t, "Rmdir", fsys.Rmdir("/d")) // nothing hidden stayed behind
}

func testAtomicThroughLink(t *testing.T, fsys storage.FS) {
	l, can := fsys.(Symlinker)
	if !can {
		t.Skip("the store has no links")
	}
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "old")
	ok(t, "Symlink", l.Symlink("d/f", "/l"))
	u := create(t, fsys, "/l", storage.WriteReplace, 0)
	write(t, u, "new")
	wantFile(t, fsys, "/l", "old")
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/d/f", "new")
	e, err := fsys.Lstat("/l")
	ok(t, "Lstat", err)
	if !e.IsLink() {
		t.Fatal("the upload replaced the link and not its target")
	}
}

// testDirRenamed checks that an upload ends up in the directory it was begun in, wherever that is now.
func testDirRenamed(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	u := create(t, fsys, "/d/f", storage.WriteReplace, 0)
	write(t, u, "data")
	ok(t, "Rename", fsys.Rename("/d", "/e"))
	mkdir(t, fsys, "/d")
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/e/f", "data")
	if got := names(t, fsys, "/d"); got != "" {
		t.Fatalf("%q is listed", got)
	}
}

func testRmdirWhileUploading(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	u := create(t, fsys, "/d/f", storage.WriteReplace, 0)
	want(t, "Rmdir", fsys.Rmdir("/d"), storage.ErrNotEmpty)
	ok(t, "Abort", u.Abort())
	ok(t, "Rmdir", fsys.Rmdir("/d"))
}

func testAtomicLongName(t *testing.T, fsys storage.FS) {
	path := "/" + strings.Repeat("n", 255)
	put(t, fsys, path, "1")
	put(t, fsys, path, "2")
	wantFile(t, fsys, path, "2")
}
