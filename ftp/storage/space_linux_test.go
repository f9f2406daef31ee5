package storage_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

// TestFree: a disk has room, as much below one directory as below another; a store that
// can't be written has none, and one in memory does not know.
func TestFree(t *testing.T) {
	root, err := storage.OpenOSRoot(t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.Mkdir("/d"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/", "/d"} {
		if n, err := storage.Free(root, dir); err != nil || n <= 0 {
			t.Errorf("%s: %d, %v", dir, n, err)
		}
	}
	for _, dir := range []string{"/missing", "/../d"} {
		if _, err := storage.Free(root, dir); err == nil {
			t.Errorf("%s has room", dir)
		}
	}
	if _, err := storage.Free(root, "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if n, err := storage.Free(storage.ReadOnly(root), "/"); n != 0 || err != nil {
		t.Errorf("read-only: %d, %v", n, err)
	}
	if _, err := storage.Free(storage.NewMem(), "/"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("in memory: %v", err)
	}
}
