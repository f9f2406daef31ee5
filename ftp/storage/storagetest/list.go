package storagetest

import (
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var listTests = []test{
	{"List", testList},
	{"ListRefused", testListRefused},
	{"ListClosed", testListClosed},
	{"ListWhileChanging", testListWhileChanging},
	{"ListDirRenamed", testListDirRenamed},
	{"ListMany", testListMany},
}

func testList(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d", "/d/sub", "/empty")
	put(t, fsys, "/d/f", "12345")
	put(t, fsys, "/d/.dot", "")
	for _, batch := range []int{1, 2, 3, 100} {
		all := list(t, fsys, "/d", batch)
		if len(all) != 3 {
			t.Fatalf("%d entries, want 3", len(all))
		}
		for name, e := range all {
			same, err := fsys.Lstat("/d/" + name)
			ok(t, "Lstat", err)
			if e != same {
				t.Fatalf("listed %+v, Lstat %+v", e, same)
			}
		}
		if !all["sub"].IsDir() || all["f"].Size != 5 || !all[".dot"].IsRegular() {
			t.Fatalf("listed %+v", all)
		}
	}
	if got := names(t, fsys, "/empty"); got != "" {
		t.Fatalf("an empty directory lists %q", got)
	}
	if got := names(t, fsys, "/"); got != "d empty" {
		t.Fatalf("the root lists %q", got)
	}
}

func testListRefused(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "x")
	_, err := fsys.OpenDir("/f")
	want(t, "file", err, storage.ErrNotDir)
	_, err = fsys.OpenDir("/no")
	want(t, "missing", err, fs.ErrNotExist)
	_, err = fsys.OpenDir("/f/x")
	want(t, "below a file", err, storage.ErrNotDir)

	d, err := fsys.OpenDir("/")
	ok(t, "OpenDir", err)
	defer d.Close()
	defer func() {
		if recover() == nil {
			t.Fatal("Next(0) did not panic")
		}
	}()
	_, _ = d.Next(0)
}

func testListClosed(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/f", "x")
	d, err := fsys.OpenDir("/")
	ok(t, "OpenDir", err)
	ok(t, "Close", d.Close())
	_, err = d.Next(1)
	want(t, "Next", err, fs.ErrClosed)
	want(t, "Close", d.Close(), fs.ErrClosed)
}

// testListWhileChanging checks that what stays is listed once, whatever comes and goes.
func testListWhileChanging(t *testing.T, fsys storage.FS) {
	const n = 300
	for i := range n {
		mkdir(t, fsys, fmt.Sprintf("/stays%d", i), fmt.Sprintf("/goes%d", i))
	}
	d, err := fsys.OpenDir("/")
	ok(t, "OpenDir", err)
	seen := make(map[string]int)
	for i := 0; ; i++ {
		entries, err := d.Next(5)
		if err == io.EOF {
			break
		}
		ok(t, "Next", err)
		for _, e := range entries {
			seen[e.Name]++
		}
		if i < n {
			ok(t, "Rmdir", fsys.Rmdir(fmt.Sprintf("/goes%d", n-1-i)))
			mkdir(t, fsys, fmt.Sprintf("/comes%d", i))
		}
	}
	ok(t, "Close", d.Close())
	for i := range n {
		if name := fmt.Sprintf("stays%d", i); seen[name] != 1 {
			t.Fatalf("%s was listed %d times", name, seen[name])
		}
	}
}

// testListDirRenamed checks that a listing stays with its directory, wherever that is now.
func testListDirRenamed(t *testing.T, fsys storage.FS) {
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "data")
	d, err := fsys.OpenDir("/d")
	ok(t, "OpenDir", err)
	ok(t, "Rename", fsys.Rename("/d", "/e"))
	mkdir(t, fsys, "/d")
	put(t, fsys, "/d/f", "longer data")
	entries, err := d.Next(10)
	if err != nil || len(entries) != 1 || entries[0].Name != "f" || entries[0].Size != 4 {
		t.Fatalf("Next: %+v, %v", entries, err)
	}
	ok(t, "Close", d.Close())
}

// testListMany streams 100,000 entries, 10,000 in short mode (FIELD A30).
func testListMany(t *testing.T, fsys storage.FS) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	ok(t, "Fill", fill(fsys, n))
	if got := len(list(t, fsys, "/", 256)); got != n {
		t.Fatalf("listed %d of %d", got, n)
	}
}

// fill puts n files into the root.
func fill(fsys storage.FS, n int) error {
	if f, can := fsys.(Filler); can {
		return f.Fill(n)
	}
	for i := range n {
		u, err := fsys.Create(fmt.Sprintf("/file-%06d", i), storage.WriteExclusive, 0)
		if err != nil {
			return err
		}
		if err := u.Commit(); err != nil {
			return err
		}
	}
	return nil
}
