package storagetest

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var readTests = []test{
	{"Read", testRead},
	{"OpenRefused", testOpenRefused},
	{"FileStat", testFileStat},
	{"FileClosed", testFileClosed},
	{"RemovedWhileReading", testRemovedWhileReading},
	{"OSFile", testOSFile},
}

func testRead(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "0123456789")
	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	defer f.Close()
	buf := make([]byte, 4)
	for _, tt := range []struct {
		offset int64
		want   string
		err    error
	}{{0, "0123", nil}, {3, "3456", nil}, {8, "89", io.EOF}, {10, "", io.EOF}, {99, "", io.EOF}} {
		n, err := f.ReadAt(buf, tt.offset)
		if string(buf[:n]) != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Fatalf("ReadAt %d: %q, %v, want %q, %v", tt.offset, buf[:n], err, tt.want, tt.err)
		}
	}
	if _, err := f.ReadAt(buf, -1); err == nil || err == io.EOF {
		t.Fatalf("ReadAt -1: %v", err)
	}
	for _, tt := range []struct {
		offset int64
		whence int
		want   int64
		rest   string
	}{
		{4, io.SeekStart, 4, "456789"}, {-2, io.SeekEnd, 8, "89"}, {-5, io.SeekCurrent, 5, "56789"},
		{20, io.SeekStart, 20, ""},
	} {
		pos, err := f.Seek(tt.offset, tt.whence)
		ok(t, "Seek", err)
		if pos != tt.want {
			t.Fatalf("Seek %d, %d: %d, want %d", tt.offset, tt.whence, pos, tt.want)
		}
		rest, err := io.ReadAll(f)
		ok(t, "ReadAll", err)
		if string(rest) != tt.rest {
			t.Fatalf("after Seek to %d: %q, want %q", pos, rest, tt.rest)
		}
	}
	_, err = f.Seek(-1, io.SeekStart)
	want(t, "Seek before the start", err, fs.ErrInvalid)
}

func testOpenRefused(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/f", "x")
	for _, tt := range []struct {
		path string
		want error
	}{{"/no", fs.ErrNotExist}, {"/no/f", fs.ErrNotExist}, {"/d", storage.ErrIsDir}, {"/f/x", storage.ErrNotDir}} {
		_, err := fsys.Open(tt.path)
		want(t, "Open "+tt.path, err, tt.want)
		var pe *fs.PathError
		if !errors.As(err, &pe) || pe.Path != tt.path {
			t.Fatalf("%v does not name %s", err, tt.path)
		}
	}
}

func testFileStat(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "12345")
	f, err := fsys.Open("/d/f")
	ok(t, "Open", err)
	defer f.Close()
	e, err := f.Stat()
	ok(t, "Stat", err)
	if e.Name != "f" || e.Size != 5 || !e.IsRegular() {
		t.Fatalf("Stat: %+v", e)
	}
}

func testFileClosed(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "12345")
	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	ok(t, "Close", f.Close())
	_, err = f.Read(make([]byte, 1))
	want(t, "Read", err, fs.ErrClosed)
	_, err = f.ReadAt(make([]byte, 1), 0)
	want(t, "ReadAt", err, fs.ErrClosed)
	_, err = f.Seek(0, io.SeekStart)
	want(t, "Seek", err, fs.ErrClosed)
	_, err = f.Stat()
	want(t, "Stat", err, fs.ErrClosed)
	want(t, "Close", f.Close(), fs.ErrClosed)
}

func testRemovedWhileReading(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "12345")
	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	ok(t, "Remove", fsys.Remove("/f"))
	data, err := io.ReadAll(f)
	ok(t, "ReadAll", err)
	if string(data) != "12345" {
		t.Fatalf("got %q", data)
	}
	ok(t, "Close", f.Close())
}

// testOSFile checks the way of sendfile and splice: bytes that go past the handle.
func testOSFile(t *testing.T, fsys storage.FS) {
	u := create(t, fsys, "/f", storage.WriteReplace, 0)
	o, isOS := u.(storage.OSFiler)
	if !isOS || o.OSFile() == nil {
		ok(t, "Abort", u.Abort())
		t.Skip("the store has no descriptors")
	}
	_, err := o.OSFile().WriteString("straight")
	ok(t, "WriteString", err)
	write(t, u, " and not")
	ok(t, "Commit", u.Commit())
	wantFile(t, fsys, "/f", "straight and not")

	u = create(t, fsys, "/f", storage.WriteAt, 4)
	_, err = u.(storage.OSFiler).OSFile().WriteString("X")
	ok(t, "WriteString", err)
	wantFile(t, fsys, "/f", "straX") // OSFile is the first write
	ok(t, "Abort", u.Abort())

	u = create(t, fsys, "/f", storage.WriteAppend, 0)
	if u.(storage.OSFiler).OSFile() != nil {
		t.Fatal("an appending upload gives its descriptor away")
	}
	ok(t, "Abort", u.Abort())

	f, err := fsys.Open("/f")
	ok(t, "Open", err)
	_, err = f.Seek(2, io.SeekStart)
	ok(t, "Seek", err)
	rest, err := io.ReadAll(f.(storage.OSFiler).OSFile())
	ok(t, "ReadAll", err)
	if string(rest) != "raX" {
		t.Fatalf("the descriptor reads %q", rest)
	}
	ok(t, "Close", f.Close())
}
