package storagetest

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

// RunReadOnly tests a store that refuses writes. open is called for each subtest and returns an empty
// store that can be written and the view of it to be tested; the suite closes both.
func RunReadOnly(t *testing.T, open func(t *testing.T) (writable, view storage.FS)) {
	with := func(name string, f func(t *testing.T, writable, view storage.FS)) {
		t.Run(name, func(t *testing.T) {
			writable, view := open(t)
			defer func() { ok(t, "Close", errors.Join(view.Close(), writable.Close())) }()
			f(t, writable, view)
		})
	}
	with("Reads", testReadOnlyReads)
	with("Refuses", testReadOnlyRefuses)
	with("Sub", testReadOnlySub)
	// What only reads is tested on a view whose writes go elsewhere.
	for _, tt := range append(readTests[:5:5], listTests...) {
		with(tt.name, func(t *testing.T, writable, view storage.FS) {
			tt.run(t, split{view, writable})
		})
	}
}

// split reads from one store and writes to another.
type split struct {
	storage.FS
	writable storage.FS
}

func (s split) Mkdir(path string) error  { return s.writable.Mkdir(path) }
func (s split) Rmdir(path string) error  { return s.writable.Rmdir(path) }
func (s split) Remove(path string) error { return s.writable.Remove(path) }

func (s split) Rename(from, to string) error { return s.writable.Rename(from, to) }

func (s split) Fill(n int) error { return fill(s.writable, n) }

func (s split) Create(path string, mode storage.WriteMode, offset int64) (storage.Upload, error) {
	return s.writable.Create(path, mode, offset)
}

func testReadOnlyReads(t *testing.T, writable, view storage.FS) {
	mkdir(t, writable, "/d")
	put(t, writable, "/d/f", "data")
	wantFile(t, view, "/d/f", "data")
	if got := names(t, view, "/d"); got != "f" {
		t.Fatalf("%q is listed", got)
	}
	f, err := view.Open("/d/f")
	ok(t, "Open", err)
	if o, isOS := f.(storage.OSFiler); isOS && o.OSFile() != nil {
		if _, err := o.OSFile().WriteString("x"); err == nil {
			t.Fatal("the descriptor can be written")
		}
	}
	ok(t, "Close", f.Close())
	wantMissing(t, view, "/no")
}

func testReadOnlyRefuses(t *testing.T, writable, view storage.FS) {
	mkdir(t, writable, "/d")
	put(t, writable, "/f", "data")
	for _, path := range []string{"/", "/f", "/d", "/new", "/no/x"} {
		each(view, path, func(op string, err error) {
			t.Helper()
			switch op {
			case "Stat", "Lstat", "Open", "OpenDir":
				return
			}
			want(t, op+" "+path, err, storage.ErrReadOnly)
			want(t, op+" "+path, err, fs.ErrPermission)
			var pe *fs.PathError
			var le *os.LinkError
			if errors.As(err, &pe) && pe.Path != path || errors.As(err, &le) && le.Old != path && le.New != path {
				t.Fatalf("%s: %v does not name %s", op, err, path)
			}
		})
	}
	if !storage.IsReadOnly(view) || storage.IsReadOnly(writable) {
		t.Fatal("IsReadOnly is wrong")
	}
	wantFile(t, writable, "/f", "data")
	if got := names(t, writable, "/"); got != "d f" {
		t.Fatalf("refused writes left %q", got)
	}
}

func testReadOnlySub(t *testing.T, writable, view storage.FS) {
	mkdir(t, writable, "/d")
	put(t, writable, "/d/f", "data")
	sub, err := storage.Sub(view, "/d")
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store has no views")
	}
	ok(t, "Sub", err)
	wantFile(t, sub, "/f", "data")
	want(t, "Mkdir", sub.Mkdir("/x"), storage.ErrReadOnly)
	ok(t, "Close", sub.Close())
}
