package storage_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/ftp/storage/storagetest"
)

// linked is an OSRoot whose directory the test knows.
type linked struct {
	*storage.OSRoot
	dir string
}

// Fill implements storagetest.Filler by hard links, which are quicker to make than files.
func (l linked) Fill(n int) error {
	const linksPerFile = 10_000 // file systems have limits: 65,000 on ext4
	var file string
	for i := range n {
		name := fmt.Sprintf("%s/a-name-of-some-length-%07d", l.dir, i)
		if i%linksPerFile == 0 {
			file = name
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				return err
			}
		} else if err := os.Link(file, name); err != nil {
			return err
		}
	}
	return nil
}

func openRoot(t *testing.T, opts storage.Options) linked {
	t.Helper()
	dir := t.TempDir()
	r, err := storage.OpenOSRoot(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return linked{r, dir}
}

func opener(opts storage.Options) func(*testing.T) storage.FS {
	return func(t *testing.T) storage.FS { return openRoot(t, opts) }
}

func TestOSRoot(t *testing.T) {
	storagetest.Run(t, opener(storage.Options{}))
	storagetest.RunAtomic(t, opener(storage.Options{}))
}

func TestOSRootInPlace(t *testing.T) {
	storagetest.Run(t, opener(storage.Options{InPlace: true}))
}

func TestOSRootReadOnly(t *testing.T) {
	storagetest.RunReadOnly(t, func(t *testing.T) (_, _ storage.FS) {
		r := openRoot(t, storage.Options{})
		view, err := storage.Sub(r.OSRoot, "/")
		if err != nil {
			t.Fatal(err)
		}
		return r, storage.ReadOnly(view)
	})
}

// TestOSRootSync covers the option; that the disk has the bytes cannot be seen from here.
func TestOSRootSync(t *testing.T) {
	for _, opts := range []storage.Options{{Sync: true}, {Sync: true, InPlace: true}} {
		r := openRoot(t, opts)
		for _, mode := range []storage.WriteMode{storage.WriteReplace, storage.WriteReplace, storage.WriteAppend} {
			put(t, r, "/f", mode, "data")
		}
		if got := onDisk(t, r, "/f"); got != "datadata" {
			t.Fatalf("got %q", got)
		}
	}
}

func put(t *testing.T, fsys storage.FS, path string, mode storage.WriteMode, data string) {
	t.Helper()
	u, err := fsys.Create(path, mode, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(u, data)
	if err := errors.Join(err, u.Commit()); err != nil {
		t.Fatal(err)
	}
}

func onDisk(t *testing.T, r linked, path string) string {
	t.Helper()
	data, err := os.ReadFile(r.dir + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOpenOSRootRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for _, tt := range []struct {
		dir  string
		opts storage.Options
		want error
	}{
		{missing, storage.Options{}, fs.ErrNotExist},
		{file, storage.Options{}, storage.ErrNotDir},
		{"", storage.Options{}, fs.ErrNotExist},
		{dir, storage.Options{FilePerm: fs.ModeSetuid | 0o755}, fs.ErrInvalid},
		{dir, storage.Options{DirPerm: fs.ModeSticky | 0o777}, fs.ErrInvalid},
	} {
		_, err := storage.OpenOSRoot(tt.dir, tt.opts)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.dir) {
			t.Errorf("OpenOSRoot(%q): %v, want %v", tt.dir, err, tt.want)
		}
	}
}

func TestOSRootPerms(t *testing.T) {
	r := openRoot(t, storage.Options{FilePerm: 0o640, DirPerm: 0o710})
	put(t, r, "/f", storage.WriteReplace, "x")
	put(t, r, "/g", storage.WriteAppend, "x")
	if err := r.Mkdir("/d"); err != nil {
		t.Fatal(err)
	}
	for path, perm := range map[string]fs.FileMode{"/f": 0o640, "/g": 0o640, "/d": 0o710} {
		// The umask may take bits away and never adds any.
		if e, err := r.Stat(path); err != nil || e.Mode.Perm()&^perm != 0 || e.Mode.Perm()&0o700 != perm&0o700 {
			t.Errorf("%s: %v, %v, want %v", path, e.Mode, err, perm)
		}
	}
}

// TestOSRootNoServerPaths has everything fail that can and looks for the server's path in the errors.
func TestOSRootNoServerPaths(t *testing.T) {
	r := openRoot(t, storage.Options{})
	put(t, r, "/f", storage.WriteReplace, "x")
	var errs []error
	keep := func(_ any, err error) { errs = append(errs, err) }
	for _, path := range []string{"/no", "/no/x", "/f/x", "/d", "/a\x00"} {
		_, err := r.Stat(path)
		keep(nil, err)
		_, err = r.Lstat(path)
		keep(nil, err)
		keep(r.Open(path))
		keep(r.OpenDir(path))
		keep(r.Sub(path))
		keep(r.Create(path+"/x", storage.WriteReplace, 0))
		keep(nil, r.Mkdir(path+"/x"))
		keep(nil, r.Remove(path))
		keep(nil, r.Rmdir(path))
		keep(nil, r.Rename(path, "/x"))
		keep(nil, r.Rename("/f", path+"/x"))
		keep(nil, r.Chtimes(path, time.Now()))
		keep(nil, r.Chmod(path, 0o600))
		keep(nil, r.Truncate(path, 1))
	}
	f, err := r.Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	osf := f.(storage.OSFiler).OSFile()
	_, err = osf.Write([]byte("x")) // open for reading only
	keep(nil, storage.Translate("write", "/f", err))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	keep(f.Read(make([]byte, 1)))
	keep(f.Seek(0, 0))
	keep(f.Stat())
	keep(nil, f.Close())
	d, err := r.OpenDir("/")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	keep(d.Next(1))
	keep(nil, d.Close())
	u, err := r.Create("/g", storage.WriteReplace, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.(storage.OSFiler).OSFile().Close(); err != nil {
		t.Fatal(err)
	}
	keep(io.WriteString(u, "x"))
	keep(nil, u.Commit())
	if err := r.Mkdir("/h"); err != nil {
		t.Fatal(err)
	}
	for _, err := range errs {
		if err == nil {
			t.Error("an operation did not fail")
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), r.dir) {
				t.Errorf("%v tells the server's path", err)
			}
		}
	}
	if left, err := os.ReadDir(r.dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestOSRootSwapRace is FIELD B21: a local user swaps directories and files for links that lead
// outside while the server works on them. Whatever happens, nothing outside is read or changed.
func TestOSRootSwapRace(t *testing.T) {
	r := openRoot(t, storage.Options{})
	outside := t.TempDir()
	secret := filepath.Join(outside, "f")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(secret)
	if err != nil {
		t.Fatal(err)
	}
	// /d and /l are each sometimes a directory inside and sometimes a link to outside.
	for _, name := range []string{"/d", "/real"} {
		if err := r.Mkdir(name); err != nil {
			t.Fatal(err)
		}
		put(t, r, name+"/f", storage.WriteReplace, "inside")
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		rel, err := filepath.Rel(r.dir, outside)
		if err != nil {
			t.Error(err)
			return
		}
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			target := outside // absolute
			if i%2 == 0 {
				target = rel
			}
			_ = os.Rename(r.dir+"/d", r.dir+"/saved")
			_ = os.Symlink(target, r.dir+"/d")
			_ = os.Remove(r.dir + "/d")
			_ = os.Rename(r.dir+"/saved", r.dir+"/d")
			// And the file itself.
			_ = os.Symlink(secret, r.dir+"/real/link")
			_ = os.Rename(r.dir+"/real/link", r.dir+"/real/f")
		}
	})
	n := 2000
	if testing.Short() {
		n = 300
	}
	for i := range n {
		for _, path := range []string{"/d/f", "/real/f"} {
			if f, err := r.Open(path); err == nil {
				data, _ := io.ReadAll(f)
				_ = f.Close()
				if string(data) == "secret" {
					t.Fatal("read outside the root")
				}
			}
			mode := storage.WriteMode(i % 4)
			if u, err := r.Create(path, mode, 0); err == nil {
				_, _ = io.WriteString(u, "inside")
				_ = u.Commit()
			}
		}
		_ = r.Chmod("/d/f", 0o777)
		_ = r.Truncate("/d/f", 3)
		_ = r.Chtimes("/d/f", time.Unix(0, 0))
		_ = r.Remove("/d/f")
		_ = r.Mkdir("/d/made")
		_ = r.Rename("/d/made", "/d/moved")
		_ = r.Rmdir("/d/moved")
		if d, err := r.OpenDir("/d"); err == nil {
			for err == nil {
				_, err = d.Next(10)
			}
			_ = d.Close()
		}
	}
	close(stop)
	wg.Wait()
	after, err := os.Stat(secret)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(secret)
	if err != nil || string(data) != "secret" || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
		t.Fatalf("the file outside was changed: %q, %v, %v", data, after.Mode(), err)
	}
	if all, err := os.ReadDir(outside); err != nil || len(all) != 1 {
		t.Fatalf("outside there is now %v, %v", all, err)
	}
}

// TestOSRootListMemory checks that a listing needs the memory of a batch, not of the directory.
func TestOSRootListMemory(t *testing.T) {
	r := openRoot(t, storage.Options{})
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	if err := r.Fill(n); err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	d, err := r.OpenDir("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	start, seen := heap(), 0
	for {
		entries, err := d.Next(256)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(entries); seen/256%50 == 0 {
			if now := heap(); now > start+1<<20 {
				t.Fatalf("after %d entries the heap has grown by %d bytes", seen, now-start)
			}
		}
	}
	if seen != n {
		t.Fatalf("listed %d of %d", seen, n)
	}
}

// TestOwnerNames checks that names are given when asked for, and only then.
func TestOwnerNames(t *testing.T) {
	r := openRoot(t, storage.Options{})
	put(t, r, "/f", storage.WriteReplace, "x")
	e, err := r.Stat("/f")
	if err != nil {
		t.Fatal(err)
	}
	if int(e.UID) != os.Getuid() || e.Owner != "" || e.Group != "" || e.Nlink != 1 {
		t.Fatalf("got %+v", e)
	}
	named, err := storage.OpenOSRoot(r.dir, storage.Options{OwnerNames: true})
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	e, err = named.Stat("/f")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 && e.Owner != "root" {
		t.Fatalf("got %+v", e)
	}
}

// BenchmarkOSRootList lists 10,000 files in batches of 256.
func BenchmarkOSRootList(b *testing.B) {
	dir := b.TempDir()
	r, err := storage.OpenOSRoot(dir, storage.Options{OwnerNames: true})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := (linked{r, dir}).Fill(10_000); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := r.OpenDir("/")
		for err == nil {
			_, err = d.Next(256)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		_ = d.Close()
	}
}
