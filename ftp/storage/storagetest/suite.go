// Package storagetest checks that an implementation of storage.FS keeps its promises.
//
// A store passes [Run]; one that replaces files atomically also [RunAtomic], and one that refuses
// writes [RunReadOnly] in their place. Each subtest gets a fresh, empty store. The tests block and use
// goroutines.
package storagetest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

// Symlinker is implemented by a store under test that can have symbolic links. Where that is not
// [storage.Symlinker]'s own method, a test wraps its store to add one. Without it the tests of links are
// skipped.
type Symlinker interface {
	Symlink(target, path string) error
}

// Filler is implemented by a store under test that has a quicker way than uploads to put n files of
// any name and content into its root.
type Filler interface {
	Fill(n int) error
}

// Run tests the store that open returns. open is called for each subtest and must give an empty,
// writable store each time; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) storage.FS) {
	run(t, open, slices.Concat(treeTests, uploadTests, readTests, listTests, nameTests, linkTests, concurrentTests, maskTests))
}

// RunAtomic tests that WriteReplace is atomic: new content is seen at Commit and not before, and the
// old is intact until then.
func RunAtomic(t *testing.T, open func(t *testing.T) storage.FS) {
	run(t, open, atomicTests)
}

type test struct {
	name string
	run  func(t *testing.T, fsys storage.FS)
}

func run(t *testing.T, open func(t *testing.T) storage.FS, tests []test) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := open(t)
			defer func() {
				if err := fsys.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			tt.run(t, fsys)
		})
	}
}

// want fails the test unless err answers to target, and checks that its paths are virtual.
func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%s: got %v, want %v", what, err, target)
	}
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &le):
		return // the callers of Rename check the names
	case !errors.As(err, &pe):
		t.Fatalf("%s: error %T is no *fs.PathError", what, err)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func create(t *testing.T, fsys storage.FS, path string, mode storage.WriteMode, offset int64) storage.Upload {
	t.Helper()
	u, err := fsys.Create(path, mode, offset)
	ok(t, "Create "+path, err)
	return u
}

func write(t *testing.T, u storage.Upload, data string) {
	t.Helper()
	n, err := io.WriteString(u, data)
	ok(t, "Write", err)
	if n != len(data) {
		t.Fatalf("Write: %d bytes of %d and no error", n, len(data))
	}
}

// upload stores data in one go.
func upload(t *testing.T, fsys storage.FS, path string, mode storage.WriteMode, offset int64, data string) {
	t.Helper()
	u := create(t, fsys, path, mode, offset)
	write(t, u, data)
	ok(t, "Commit "+path, u.Commit())
}

func put(t *testing.T, fsys storage.FS, path, data string) {
	t.Helper()
	upload(t, fsys, path, storage.WriteReplace, 0, data)
}

func mkdir(t *testing.T, fsys storage.FS, paths ...string) {
	t.Helper()
	for _, path := range paths {
		ok(t, "Mkdir "+path, fsys.Mkdir(path))
	}
}

func get(t *testing.T, fsys storage.FS, path string) string {
	t.Helper()
	f, err := fsys.Open(path)
	ok(t, "Open "+path, err)
	data, err := io.ReadAll(f)
	ok(t, "Read "+path, err)
	ok(t, "Close "+path, f.Close())
	return string(data)
}

func wantFile(t *testing.T, fsys storage.FS, path, data string) {
	t.Helper()
	if got := get(t, fsys, path); got != data {
		t.Fatalf("%s holds %s, want %s", path, shorten(got), shorten(data))
	}
	e, err := fsys.Stat(path)
	ok(t, "Stat "+path, err)
	if e.Size != int64(len(data)) || !e.IsRegular() {
		t.Fatalf("Stat %s: size %d, mode %v, want a file of %d", path, e.Size, e.Mode, len(data))
	}
}

func shorten(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return string(bytes.ToValidUTF8([]byte("\""+s+"\""), []byte("?")))
}

func wantMissing(t *testing.T, fsys storage.FS, paths ...string) {
	t.Helper()
	for _, path := range paths {
		_, err := fsys.Lstat(path)
		want(t, "Lstat "+path, err, fs.ErrNotExist)
	}
}

// list returns all entries of a directory by name.
func list(t *testing.T, fsys storage.FS, path string, batch int) map[string]storage.Entry {
	t.Helper()
	d, err := fsys.OpenDir(path)
	ok(t, "OpenDir "+path, err)
	all := make(map[string]storage.Entry)
	for {
		entries, err := d.Next(batch)
		if err == io.EOF {
			if len(entries) > 0 {
				t.Fatalf("Next: %d entries with io.EOF", len(entries))
			}
			break
		}
		ok(t, "Next", err)
		if len(entries) < 1 || len(entries) > batch {
			t.Fatalf("Next(%d) returned %d entries", batch, len(entries))
		}
		for _, e := range entries {
			if _, twice := all[e.Name]; twice {
				t.Fatalf("%q is listed twice", e.Name)
			}
			all[e.Name] = e
		}
	}
	if _, err := d.Next(1); err != io.EOF {
		t.Fatalf("Next after the end: %v, want io.EOF", err)
	}
	ok(t, "Close "+path, d.Close())
	return all
}

// names returns the sorted names of a directory, joined by spaces.
func names(t *testing.T, fsys storage.FS, path string) string {
	t.Helper()
	var all []string
	for name := range list(t, fsys, path, 7) {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
