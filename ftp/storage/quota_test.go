package storage_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/ftp/storage/storagetest"
)

// plenty is a limit that no test reaches.
var plenty = storage.Limits{Bytes: math.MaxInt64, Files: math.MaxInt64}

func limit(fsys storage.FS, max storage.Limits) storage.FS {
	return new(storage.Usage).Limit(fsys, max)
}

// counted returns what the tree of a limited view is known to hold.
func counted(t *testing.T, fsys storage.FS) storage.Limits {
	t.Helper()
	sum, known := storage.Counted(fsys)
	if !known {
		t.Fatal("the tree would have to be walked")
	}
	return sum
}

// walked returns what a tree holds, by a fresh look at it.
func walked(t testing.TB, fsys storage.FS) storage.Limits {
	used, _, err := storage.UsageOf(limit(fsys, plenty))
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// TestLimited: a view with a limit keeps the promises of a store.
func TestLimited(t *testing.T) {
	for name, open := range map[string]func(*testing.T) storage.FS{
		"Mem":     func(*testing.T) storage.FS { return storage.NewMem() },
		"OSRoot":  opener(storage.Options{}),
		"InPlace": opener(storage.Options{InPlace: true}),
	} {
		t.Run(name, func(t *testing.T) {
			view := func(t *testing.T) storage.FS {
				inner := open(t)
				if f, can := inner.(storagetest.Filler); can {
					return filled{limit(inner, plenty), f}
				}
				return limit(inner, plenty)
			}
			storagetest.Run(t, view)
			if name != "InPlace" {
				storagetest.RunAtomic(t, view)
			}
		})
	}
	storagetest.RunReadOnly(t, func(t *testing.T) (_, _ storage.FS) {
		m := storage.NewMem()
		view, err := m.Sub("/")
		if err != nil {
			t.Fatal(err)
		}
		return m, limit(storage.ReadOnly(view), plenty)
	})
}

// filled is a limited view whose store has a quicker way to get many files.
type filled struct {
	storage.FS
	inner storagetest.Filler
}

func (f filled) Fill(n int) error                   { return f.inner.Fill(n) }
func (f filled) Sub(dir string) (storage.FS, error) { return storage.Sub(f.FS, dir) }
func (f filled) Symlink(target, path string) error  { return storage.Symlink(f.FS, target, path) }

// TestUsageIsTrue does random operations, and compares what was counted with what is there. What a
// view knows without a walk must be right.
func TestUsageIsTrue(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		root, err := storage.OpenOSRoot(dir, storage.Options{InPlace: rapid.Bool().Draw(t, "in place")})
		if err != nil {
			t.Fatal(err)
		}
		view := limit(root, plenty)
		s := &side{fsys: view, symlink: func(target, path string) error { return storage.Symlink(view, target, path) }}
		defer s.close()
		ended := 0 // uploads
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			what, do := drawStep(t)
			t.Logf("%d: %s: %s", i, what, do(s))
			if rapid.IntRange(0, 3).Draw(t, "end") > 0 {
				for ; ended < len(s.uploads); ended++ {
					if err := s.uploads[ended].Commit(); err != nil {
						t.Logf("commit: %v", err)
					}
				}
				if used, known := storage.Counted(view); known && used != walk(t, root) {
					t.Fatalf("counted %v, there is %v", used, walk(t, root))
				}
			}
		}
	})
}

func walk(t *rapid.T, fsys storage.FS) storage.Limits {
	used, _, err := storage.UsageOf(limit(fsys, plenty))
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// onLimited runs fn with a view of each kind of store.
func onLimited(t *testing.T, max storage.Limits, fn func(t *testing.T, inner, view storage.FS)) {
	t.Run("Mem", func(t *testing.T) {
		m := storage.NewMem()
		fn(t, m, limit(m, max))
	})
	for _, inPlace := range []bool{false, true} {
		t.Run(fmt.Sprintf("OSRoot, in place %v", inPlace), func(t *testing.T) {
			r := openRoot(t, storage.Options{InPlace: inPlace})
			fn(t, r, limit(r, max))
		})
	}
}

// TestQuotaPaths tries every way to bring bytes into a tree that has room for ten: by a new file, a
// longer one, its end, its middle, an exclusive one, a truncation; by two at once; and what is given
// up, cut, replaced, renamed and removed gives room back. No step needs a walk.
func TestQuotaPaths(t *testing.T) {
	onLimited(t, storage.Limits{Bytes: 10}, func(t *testing.T, inner, view storage.FS) {
		holds := func(bytes, files int64) {
			t.Helper()
			if used := counted(t, view); used != (storage.Limits{Bytes: bytes, Files: files}) || used != walked(t, inner) {
				t.Fatalf("counted %v, there is %v, want %d bytes in %d files", used, walked(t, inner), bytes, files)
			}
		}
		put := func(path string, mode storage.WriteMode, offset int64, parts ...string) error {
			t.Helper()
			u, err := view.Create(path, mode, offset)
			if err != nil {
				return err
			}
			for _, part := range parts {
				if _, err := io.WriteString(u, part); err != nil {
					_ = u.Abort()
					return err
				}
			}
			return u.Commit()
		}
		fits := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		refused := func(err error) {
			t.Helper()
			if !errors.Is(err, storage.ErrQuota) {
				t.Fatalf("error %v, want ErrQuota", err)
			}
		}
		fits(put("/a", storage.WriteReplace, 0, "1234"))
		holds(4, 1)
		refused(put("/b", storage.WriteReplace, 0, "1234567"))
		holds(4, 1)
		refused(put("/b", storage.WriteExclusive, 0, "1234", "567"))
		holds(4, 1)
		fits(put("/a", storage.WriteAppend, 0, "56", "78"))
		holds(8, 1)
		refused(put("/a", storage.WriteAppend, 0, "9", "01", "2"))
		fits(view.Truncate("/a", 8))
		holds(8, 1)
		fits(put("/a", storage.WriteAt, 4, "abcdef"))
		holds(10, 1)
		refused(put("/a", storage.WriteAt, 9, "xyz"))
		fits(put("/a", storage.WriteAt, 4)) // cuts it
		holds(4, 1)
		fits(put("/a", storage.WriteReplace, 0, "12"))
		holds(2, 1)
		fits(put("/a", storage.WriteReplace, 0, "1234567890"))
		fits(put("/a", storage.WriteReplace, 0, "12", "34", "567890"))
		refused(put("/a", storage.WriteReplace, 0, "12", "34", "5678901"))
		fits(put("/a", storage.WriteReplace, 0, "12"))
		holds(2, 1)
		refused(view.Truncate("/a", 11))
		fits(view.Truncate("/a", 10))
		refused(put("/b", storage.WriteReplace, 0, "1"))
		fits(put("/b", storage.WriteReplace, 0))
		holds(10, 2)
		fits(view.Rename("/a", "/b"))
		holds(10, 1)
		fits(view.Rename("/b", "/b"))
		holds(10, 1)
		fits(view.Mkdir("/d"))
		fits(view.Rename("/b", "/d/b"))
		holds(10, 2)
		fits(view.Remove("/d/b"))
		fits(view.Rmdir("/d"))
		holds(0, 0)

		// Two at once have no more than one.
		one, err := view.Create("/one", storage.WriteReplace, 0)
		fits(err)
		two, err := view.Create("/two", storage.WriteExclusive, 0)
		fits(err)
		_, err = io.WriteString(one, "123456")
		fits(err)
		_, err = io.WriteString(two, "12345")
		refused(err)
		fits(one.Abort())
		_, err = io.WriteString(two, "12345")
		if walked(t, inner).Bytes == 6 { // what was written in place stays
			refused(err)
		} else {
			fits(err)
		}
		fits(two.Commit())
		used := walked(t, inner)
		if used.Bytes > 10 || counted(t, view) != used {
			t.Fatalf("counted %v, there is %v", counted(t, view), used)
		}
	})
}

// TestQuotaReplacedGone: an upload that was to replace a file, and has none to replace at its end,
// has no more room than others.
func TestQuotaReplacedGone(t *testing.T) {
	m := storage.NewMem()
	view := limit(m, storage.Limits{Bytes: 10})
	put(t, view, "/f", storage.WriteReplace, "0123456789")
	u, err := view.Create("/f", storage.WriteReplace, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "abcdefghij"); err != nil {
		t.Fatal(err)
	}
	if err := view.Remove("/f"); err != nil {
		t.Fatal(err)
	}
	put(t, view, "/g", storage.WriteReplace, "0123456789")
	if err := u.Commit(); !errors.Is(err, storage.ErrQuota) {
		t.Errorf("Commit: %v, want ErrQuota", err)
	}
	if got := counted(t, view); got != (storage.Limits{Bytes: 10, Files: 1}) || got != walked(t, m) {
		t.Errorf("counted %v, there is %v", got, walked(t, m))
	}
}

// TestQuotaFiles bounds entries of all kinds.
func TestQuotaFiles(t *testing.T) {
	onLimited(t, storage.Limits{Files: 3}, func(t *testing.T, inner, view storage.FS) {
		if err := view.Mkdir("/d"); err != nil {
			t.Fatal(err)
		}
		if err := storage.Symlink(view, "d", "/l"); err != nil {
			t.Fatal(err)
		}
		u, err := view.Create("/d/f", storage.WriteReplace, 0) // takes the last place at once
		if err != nil {
			t.Fatal(err)
		}
		another := func() []error {
			_, replace := view.Create("/x", storage.WriteReplace, 0)
			_, exclusive := view.Create("/x", storage.WriteExclusive, 0)
			_, appending := view.Create("/x", storage.WriteAppend, 0)
			return []error{replace, exclusive, appending, view.Mkdir("/x"), storage.Symlink(view, "d", "/x")}
		}
		for i, err := range another() {
			if !errors.Is(err, storage.ErrQuota) {
				t.Errorf("%d: %v, want ErrQuota", i, err)
			}
		}
		if err := u.Abort(); err != nil {
			t.Fatal(err)
		}
		if err := view.Mkdir("/x"); err != nil {
			t.Fatal(err)
		}
		if got := counted(t, view); got != walked(t, inner) || got.Files != 3 {
			t.Errorf("counted %v, there is %v", got, walked(t, inner))
		}
	})
}

// TestQuotaOverfull: what is there already counts, can be read and removed, and not added to.
func TestQuotaOverfull(t *testing.T) {
	onLimited(t, storage.Limits{Bytes: 10, Files: 5}, func(t *testing.T, inner, view storage.FS) {
		for _, path := range []string{"/d", "/d/e"} {
			if err := inner.Mkdir(path); err != nil {
				t.Fatal(err)
			}
		}
		put(t, inner, "/d/e/f", storage.WriteReplace, "123456789012")
		if left, err := storage.Free(view, "/"); left != 0 || err != nil {
			t.Errorf("free: %d, %v", left, err)
		}
		sub, err := storage.Sub(view, "/d")
		if err != nil {
			t.Fatal(err)
		}
		if err := sub.Truncate("/e/f", 13); !errors.Is(err, storage.ErrQuota) {
			t.Errorf("truncate: %v", err)
		}
		if err := sub.Truncate("/e/f", 11); err != nil {
			t.Error(err)
		}
		u, err := sub.Create("/g", storage.WriteReplace, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, "x"); !errors.Is(err, storage.ErrQuota) {
			t.Errorf("write: %v", err)
		}
		_ = u.Abort()
		if err := sub.Remove("/e/f"); err != nil {
			t.Error(err)
		}
		_ = sub.Close()
		if left, err := storage.Free(view, "/"); left != 10 || err != nil {
			t.Errorf("free: %d, %v", left, err)
		}
		if used, max, err := storage.UsageOf(view); used != (storage.Limits{Files: 2}) || max.Bytes != 10 || err != nil {
			t.Errorf("usage %v of %v, %v", used, max, err)
		}
	})
	if _, _, err := storage.UsageOf(storage.NewMem()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a store without a limit: %v", err)
	}
}

// TestQuotaDoubt: after a file was removed or replaced under an upload the tree is walked again.
func TestQuotaDoubt(t *testing.T) {
	dir := t.TempDir()
	root, err := storage.OpenOSRoot(dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	view := limit(root, plenty)
	defer view.Close()
	for name, meddle := range map[string]func(path string) error{
		"removed":         view.Remove,
		"renamed":         func(path string) error { return view.Rename(path, "/elsewhere") },
		"removed outside": func(path string) error { return os.Remove(filepath.Join(dir, path)) },
	} {
		u, err := view.Create("/f", storage.WriteAppend, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(u, "123")
		if err := meddle("/f"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(u, "456")
		_ = u.Commit()
		if used, _, err := storage.UsageOf(view); used != walked(t, root) || err != nil {
			t.Errorf("%s: counted %v, there is %v, %v", name, used, walked(t, root), err)
		}
	}
}

// TestQuotaParallel: many at once never bring in more than the limit.
func TestQuotaParallel(t *testing.T) {
	onLimited(t, storage.Limits{Bytes: 1000, Files: 20}, func(t *testing.T, inner, view storage.FS) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 40 {
					path := fmt.Sprintf("/f%d", (i+j)%9)
					u, err := view.Create(path, storage.WriteMode(j%3), 0)
					if err == nil {
						_, err = u.Write(make([]byte, 17*j))
						if err != nil || j%5 == 0 {
							_ = u.Abort()
						} else {
							_ = u.Commit()
						}
					}
					if j%7 == 0 {
						_ = view.Remove(path)
					}
					if j%11 == 0 {
						_ = view.Rename(path, fmt.Sprintf("/f%d", i))
					}
				}
			})
		}
		all.Wait()
		there := walked(t, inner)
		if used, _, err := storage.UsageOf(view); used != there || err != nil {
			t.Errorf("counted %v, there is %v, %v", used, there, err)
		}
		if there.Bytes > 1000 || there.Files > 20 {
			t.Errorf("there is %v", there)
		}
	})
}
