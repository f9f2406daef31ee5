//go:build unix

package storage_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
)

// TestOSRootSpecialFiles checks that FIFOs and devices are refused and never waited for.
func TestOSRootSpecialFiles(t *testing.T) {
	r := openRoot(t, storage.Options{})
	if err := syscall.Mkfifo(r.dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("fifo", r.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, path := range []string{"/fifo", "/link"} {
			refuse(t, "Open", second(r.Open(path)), storage.ErrNotRegular)
			for _, mode := range []storage.WriteMode{storage.WriteReplace, storage.WriteAppend, storage.WriteAt} {
				refuse(t, mode.String(), second(r.Create(path, mode, 0)), storage.ErrNotRegular)
			}
			refuse(t, "exclusive", second(r.Create(path, storage.WriteExclusive, 0)), fs.ErrExist)
			refuse(t, "Truncate", r.Truncate(path, 0), storage.ErrNotRegular)
			refuse(t, "OpenDir", second(r.OpenDir(path)), storage.ErrNotDir)
			refuse(t, "Sub", second(r.Sub(path)), storage.ErrNotDir)
			refuse(t, "Rmdir", r.Rmdir(path), storage.ErrNotDir)
			refuse(t, "Stat below", second(r.Stat(path+"/x")), storage.ErrNotDir)
		}
		refuse(t, "OpenOSRoot", second(storage.OpenOSRoot(r.dir+"/fifo", storage.Options{})), storage.ErrNotDir)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("an operation waits on a FIFO")
	}
	if e, err := r.Stat("/fifo"); err != nil || e.Mode.Type() != fs.ModeNamedPipe {
		t.Fatalf("Stat: %+v, %v", e, err)
	}
	if err := r.Remove("/fifo"); err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func refuse(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// TestOSRootSpecialFileSwapped swaps a file for a FIFO while it is opened: no open may hang.
func TestOSRootSpecialFileSwapped(t *testing.T) {
	r := openRoot(t, storage.Options{})
	if err := syscall.Mkfifo(r.dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(r.dir+"/dir", 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, r, "/file", storage.WriteReplace, "x")
	stop, swapper, worker := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swapper)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, name := range []string{"file", "fifo", "dir"} {
				_ = os.Rename(r.dir+"/"+name, r.dir+"/x")
				_ = os.Rename(r.dir+"/x", r.dir+"/"+name)
			}
		}
	}()
	go func() {
		defer close(worker)
		for range 500 {
			if f, err := r.Open("/x"); err == nil {
				_, _ = io.ReadAll(f)
				_ = f.Close()
			}
			if u, err := r.Create("/x", storage.WriteAppend, 0); err == nil {
				_, _ = io.WriteString(u, "y")
				_ = u.Commit()
			}
			if d, err := r.OpenDir("/x"); err == nil {
				_ = d.Close()
			}
		}
	}()
	select {
	case <-worker:
	case <-time.After(60 * time.Second):
		t.Error("an operation waits on a FIFO")
	}
	close(stop)
	<-swapper
}

// TestOSRootCreateIsRefusedEarly checks that rights are asked for before the first byte (C059).
func TestOSRootCreateIsRefusedEarly(t *testing.T) {
	if os.Getuid() == 0 {
		rerunAsNobody(t)
		return
	}
	r := openRoot(t, storage.Options{})
	if err := r.Mkdir("/d"); err != nil {
		t.Fatal(err)
	}
	put(t, r, "/d/file", storage.WriteReplace, "x")
	put(t, r, "/secret", storage.WriteReplace, "x")
	if err := errors.Join(r.Chmod("/d/file", 0o444), r.Chmod("/secret", 0)); err != nil {
		t.Fatal(err)
	}
	// The directory would allow a rename over the file, but the file says no.
	for _, mode := range []storage.WriteMode{storage.WriteReplace, storage.WriteAppend, storage.WriteAt} {
		refuse(t, mode.String(), second(r.Create("/d/file", mode, 0)), fs.ErrPermission)
	}
	refuse(t, "Open", second(r.Open("/secret")), fs.ErrPermission)
	if err := r.Chmod("/d", 0o555); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []storage.WriteMode{
		storage.WriteReplace, storage.WriteAppend, storage.WriteAt, storage.WriteExclusive,
	} {
		refuse(t, mode.String()+" in a read-only directory", second(r.Create("/d/new", mode, 0)), fs.ErrPermission)
	}
	refuse(t, "Mkdir", r.Mkdir("/d/new"), fs.ErrPermission)
	refuse(t, "Remove", r.Remove("/d/file"), fs.ErrPermission)
	refuse(t, "Rename", r.Rename("/d/file", "/x"), fs.ErrPermission)

	// A directory that can be read but not searched: its names are all there is to know.
	if err := r.Chmod("/d", 0o444); err != nil {
		t.Fatal(err)
	}
	d, err := r.OpenDir("/d")
	if errors.Is(err, fs.ErrPermission) {
		t.Log("os.Root does not open such a directory")
	} else if err == nil {
		entries, err := d.Next(10)
		if err != nil || len(entries) != 1 || entries[0].Name != "file" || entries[0].Mode != fs.ModeIrregular {
			t.Errorf("Next: %+v, %v", entries, err)
		}
		_ = d.Close()
	} else {
		t.Error(err)
	}
	if err := r.Chmod("/d", 0o755); err != nil {
		t.Fatal(err)
	}
}

// rerunAsNobody runs the calling test again without root's rights.
func rerunAsNobody(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "weft") // TempDir's parents are closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary := dir + "/storage.test"
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("no way to run this test without root's rights: ", err)
	}
	if err := errors.Join(os.WriteFile(binary, self, 0o755), os.Chmod(dir, 0o777), os.Chmod(binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestOSRootKeepsOwner checks that an upload does not take a file from its owner.
func TestOSRootKeepsOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may give files away")
	}
	r := openRoot(t, storage.Options{})
	put(t, r, "/f", storage.WriteReplace, "old")
	if err := errors.Join(os.Chown(r.dir+"/f", 1234, 5678), r.Chmod("/f", 0o640)); err != nil {
		t.Fatal(err)
	}
	put(t, r, "/f", storage.WriteReplace, "new")
	e, err := r.Stat("/f")
	if err != nil || e.UID != 1234 || e.GID != 5678 || e.Mode.Perm() != 0o640 {
		t.Fatalf("got %+v, %v", e, err)
	}
}

// TestOSRootOutOfDescriptors checks that running out of descriptors is told from everything else.
func TestOSRootOutOfDescriptors(t *testing.T) {
	r := openRoot(t, storage.Options{})
	put(t, r, "/f", storage.WriteReplace, "x")
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	low := old
	low.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}()
	var held []*os.File
	defer func() {
		for _, f := range held {
			_ = f.Close()
		}
	}()
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		held = append(held, f)
	}
	// With none, one and two to spare, every operation succeeds or says EMFILE, and leaks nothing.
	for spare := range 4 {
		for i := range spare {
			_ = held[len(held)-1-i].Close()
		}
		for range 3 {
			for what, try := range map[string]func() error{
				"Open": func() error {
					f, err := r.Open("/f")
					if err == nil {
						err = f.Close()
					}
					return err
				},
				"OpenDir": func() error {
					d, err := r.OpenDir("/")
					if err == nil {
						err = d.Close()
					}
					return err
				},
				"Create": func() error {
					u, err := r.Create("/f", storage.WriteReplace, 0)
					if err == nil {
						err = u.Commit()
					}
					return err
				},
				"Append": func() error {
					u, err := r.Create("/g", storage.WriteAppend, 0)
					if err == nil {
						err = u.Commit()
					}
					return err
				},
			} {
				err := try()
				if err != nil && !errors.Is(err, syscall.EMFILE) || err == nil && spare == 0 || err != nil && spare == 3 {
					t.Errorf("%s with %d descriptors to spare: %v", what, spare, err)
				}
			}
		}
		held = held[:len(held)-spare]
		for range spare {
			f, err := os.Open("/dev/null")
			if err != nil {
				t.Fatalf("a descriptor was lost: %v", err)
			}
			held = append(held, f)
		}
	}
}

// TestOSRootDiskFull uses a file system without space, where there is one.
func TestOSRootDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may mount")
	}
	dir := t.TempDir()
	if err := mountTiny(dir); err != nil {
		t.Skip("no small file system: ", err)
	}
	defer func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	}()
	r, err := storage.OpenOSRoot(dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(t, r, "/f", storage.WriteReplace, "old")
	u, err := r.Create("/f", storage.WriteReplace, 0)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = u.Write(block)
	}
	refuse(t, "Write", err, storage.ErrNoSpace)
	if err := u.Abort(); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(f); string(data) != "old" || err != nil {
		t.Fatalf("the old file is %q, %v", data, err)
	}
	_ = f.Close()
	put(t, r, "/g", storage.WriteReplace, strings.Repeat("x", 100<<10)) // the space is back
}
