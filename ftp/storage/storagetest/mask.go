package storagetest

import (
	"io/fs"
	"testing"

	"github.com/weft-go/weft/ftp/storage"
)

var maskTests = []test{{"Mask", testMask}}

// testMask checks that a new file loses bits and an old one does not.
func testMask(t *testing.T, fsys storage.FS) {
	put(t, fsys, "/old", "x")
	for _, mode := range []storage.WriteMode{storage.WriteReplace, storage.WriteAppend, storage.WriteExclusive} {
		path := "/" + mode.String()
		u := create(t, fsys, path, mode, 0)
		m, can := u.(storage.Masker)
		if !can {
			_ = u.Abort()
			t.Skip("the store has no permission bits")
		}
		ok(t, "Mask", m.Mask(0o077))
		write(t, u, "x")
		ok(t, "Commit", u.Commit())
		e, err := fsys.Stat(path)
		ok(t, "Stat", err)
		if e.Mode.Perm() != 0o600 {
			t.Fatalf("%s: %v, want 0600", path, e.Mode)
		}
		want(t, "Mask after Commit", m.Mask(0o077), fs.ErrClosed)
	}
	before, err := fsys.Stat("/old")
	ok(t, "Stat", err)
	u := create(t, fsys, "/old", storage.WriteReplace, 0)
	ok(t, "Mask", u.(storage.Masker).Mask(0o777))
	ok(t, "Commit", u.Commit())
	after, err := fsys.Stat("/old")
	ok(t, "Stat", err)
	if after.Mode != before.Mode {
		t.Fatalf("a file that was there: %v, was %v", after.Mode, before.Mode)
	}
}
