package storage_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
)

func TestRemoveStale(t *testing.T) {
	r := openRoot(t, storage.Options{})
	for _, dir := range []string{"/d", "/d/e"} {
		if err := r.Mkdir(dir); err != nil {
			t.Fatal(err)
		}
	}
	outside := t.TempDir()
	if err := os.Symlink(outside, r.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour)
	stale := []string{r.dir, r.dir + "/d", r.dir + "/d/e"}
	for _, dir := range append(stale, outside) {
		path := dir + "/" + storage.TempPrefix + "crashed"
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	// What must stay: an upload under way, and old files of clients.
	put(t, r, "/keep", storage.WriteReplace, "x")
	if err := r.Chtimes("/keep", old); err != nil {
		t.Fatal(err)
	}
	u, err := r.Create("/d/new", storage.WriteReplace, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RemoveStale(24 * time.Hour); n != len(stale) || err != nil {
		t.Fatalf("removed %d, %v, want %d", n, err, len(stale))
	}
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outside + "/" + storage.TempPrefix + "crashed"); err != nil {
		t.Fatalf("a link was followed: %v", err)
	}
	for _, path := range []string{"/keep", "/d/new"} {
		if _, err := r.Stat(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Remove("/d/new"), r.Rmdir("/d/e"), r.Rmdir("/d")); err != nil {
		t.Fatal(err)
	}
}
