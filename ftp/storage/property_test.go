package storage_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/ftp/storage"
)

// kinds are all the answers an operation may give. Two stores agree when they give the same set.
var kinds = []error{
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, io.EOF, syscall.ELOOP,
	storage.ErrNotDir, storage.ErrIsDir, storage.ErrNotEmpty, storage.ErrNotRegular, storage.ErrEscapes,
	storage.ErrInvalidName, storage.ErrOffset, storage.ErrNoSpace, storage.ErrReadOnly,
}

func kind(err error) string {
	if err == nil {
		return "ok"
	}
	var all []string
	for _, k := range kinds {
		if errors.Is(err, k) {
			all = append(all, k.Error())
		}
	}
	if all == nil {
		return "unknown: " + err.Error()
	}
	return strings.Join(all, ", ")
}

// side is one of the stores compared, with what is open on it.
type side struct {
	fsys    storage.FS
	symlink func(target, path string) error
	uploads []storage.Upload
	files   []storage.File
}

// step is one operation with its arguments; its result is text to be compared.
type step func(*side) string

// TestSameAsMem does random operations on a disk and in memory and expects the same of both. It makes
// each a witness for the other: Mem is what the kernel does, and OSRoot adds nothing of its own.
func TestSameAsMem(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) { compare(t, base) })
}

func compare(t *rapid.T, base string) {
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	root, err := storage.OpenOSRoot(dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mem := storage.NewMem()
	sides := []*side{
		{fsys: root, symlink: func(target, path string) error { return linkOnDisk(root, dir, target, path) }},
		{fsys: mem, symlink: mem.Symlink},
	}
	defer func() {
		for _, s := range sides {
			s.close()
		}
	}()
	for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
		what, do := drawStep(t)
		t.Logf("%d: %s", i, what)
		disk, memory := do(sides[0]), do(sides[1])
		if disk != memory {
			t.Fatalf("%s:\n disk:   %s\n memory: %s", what, disk, memory)
		}
		if disk, memory := tree(root, "/"), tree(mem, "/"); disk != memory {
			t.Fatalf("after %s:\n disk:\n%s\n memory:\n%s", what, disk, memory)
		}
	}
}

// linkOnDisk makes a link the way an FS would: FS has no such operation.
func linkOnDisk(root *storage.OSRoot, dir, target, path string) error {
	i := strings.LastIndexByte(path, '/')
	if _, err := root.Lstat(path); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sub, err := root.Sub(path[:max(i, 1)])
	if err != nil {
		return err
	}
	_ = sub.Close()
	return os.Symlink(target, dir+path)
}

func (s *side) close() {
	for _, u := range s.uploads {
		_ = u.Abort()
	}
	for _, f := range s.files {
		_ = f.Close()
	}
	_ = s.fsys.Close()
}

func drawPath(t *rapid.T, label string) string {
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, label)
	return "/" + strings.Join(names, "/")
}

func drawStep(t *rapid.T) (string, step) {
	ops := []string{
		"create", "create", "create", "write", "write", "commit", "commit", "abort",
		"mkdir", "mkdir", "remove", "rmdir", "rename", "rename", "symlink", "truncate", "chmod", "chtimes",
		"open", "read", "close", "stat",
	}
	op := rapid.SampledFrom(ops).Draw(t, "op")
	path := drawPath(t, "path")
	n := rapid.IntRange(0, 12).Draw(t, "n")
	switch op {
	case "create":
		mode := storage.WriteMode(rapid.IntRange(0, 3).Draw(t, "mode"))
		offset := int64(0)
		if mode == storage.WriteAt {
			offset = int64(n)
		}
		return fmt.Sprint(op, " ", path, " ", mode, " ", offset), func(s *side) string {
			u, err := s.fsys.Create(path, mode, offset)
			if err == nil {
				s.uploads = append(s.uploads, u)
			}
			return kind(err)
		}
	case "write":
		data := rapid.StringMatching("[a-z]{0,8}").Draw(t, "data")
		return fmt.Sprint(op, " ", n, " ", data), func(s *side) string {
			if len(s.uploads) == 0 {
				return ""
			}
			k, err := io.WriteString(s.uploads[n%len(s.uploads)], data)
			return fmt.Sprint(k, kind(err))
		}
	case "commit", "abort":
		return fmt.Sprint(op, " ", n), func(s *side) string {
			if len(s.uploads) == 0 {
				return ""
			}
			u := s.uploads[n%len(s.uploads)]
			if op == "abort" {
				return kind(u.Abort())
			}
			return kind(u.Commit())
		}
	case "open":
		return op + " " + path, func(s *side) string {
			f, err := s.fsys.Open(path)
			if err == nil {
				s.files = append(s.files, f)
			}
			return kind(err)
		}
	case "read":
		return fmt.Sprint(op, " ", n), func(s *side) string {
			if len(s.files) == 0 {
				return ""
			}
			f := s.files[n%len(s.files)]
			buf := make([]byte, n+1) // an empty read is not defined on a closed file
			k, err := f.Read(buf)
			at, atErr := f.ReadAt(buf[:1], 2)
			return fmt.Sprintf("%d %q %s %d %s", k, buf, kind(err), at, kind(atErr))
		}
	case "close":
		return fmt.Sprint(op, " ", n), func(s *side) string {
			if len(s.files) == 0 {
				return ""
			}
			return kind(s.files[n%len(s.files)].Close())
		}
	case "rename":
		to := drawPath(t, "to")
		return op + " " + path + " " + to, func(s *side) string { return kind(s.fsys.Rename(path, to)) }
	case "symlink":
		target := rapid.SampledFrom([]string{
			"a", "b", "c", "a/b", "../a", "../b/c", "..", ".", "../..", "a/..", "/a", "./b", "../../c",
		}).Draw(t, "target")
		return op + " " + target + " " + path, func(s *side) string { return kind(s.symlink(target, path)) }
	case "truncate":
		return fmt.Sprint(op, " ", path, " ", n), func(s *side) string { return kind(s.fsys.Truncate(path, int64(n))) }
	case "chmod":
		perm := fs.FileMode(rapid.SampledFrom([]int{0o755, 0o700, 0o711}).Draw(t, "perm"))
		return fmt.Sprint(op, " ", path, " ", perm), func(s *side) string { return kind(s.fsys.Chmod(path, perm)) }
	case "chtimes":
		when := time.Unix(int64(n), 0)
		return fmt.Sprint(op, " ", path, " ", n), func(s *side) string {
			err := s.fsys.Chtimes(path, when)
			if err != nil {
				return kind(err)
			}
			e, err := s.fsys.Stat(path)
			return fmt.Sprint(e.ModTime.Unix(), kind(err))
		}
	case "stat":
		return op + " " + path, func(s *side) string {
			e, err := s.fsys.Stat(path)
			l, lerr := s.fsys.Lstat(path)
			return fmt.Sprint(show(e), kind(err), show(l), kind(lerr))
		}
	case "mkdir":
		return op + " " + path, func(s *side) string { return kind(s.fsys.Mkdir(path)) }
	case "rmdir":
		return op + " " + path, func(s *side) string { return kind(s.fsys.Rmdir(path)) }
	default:
		return op + " " + path, func(s *side) string { return kind(s.fsys.Remove(path)) }
	}
}

// show prints what both stores must agree on. Of the permissions that is the owner's, as the umask has
// a say in the rest.
func show(e storage.Entry) string {
	size := e.Size
	if !e.IsRegular() {
		size = 0
	}
	return fmt.Sprintf("%q %v %d %q ", e.Name, e.Mode.Type()|e.Mode&0o700, size, e.LinkTarget)
}

// tree prints a whole store, contents included.
func tree(fsys storage.FS, path string) string {
	d, err := fsys.OpenDir(path)
	if err != nil {
		return path + ": " + kind(err) + "\n"
	}
	defer d.Close()
	var lines []string
	for {
		entries, err := d.Next(2)
		if err != nil {
			if err != io.EOF {
				lines = append(lines, kind(err))
			}
			break
		}
		for _, e := range entries {
			child := strings.TrimSuffix(path, "/") + "/" + e.Name
			line := child + " " + show(e) + "\n"
			switch {
			case e.IsDir():
				line += tree(fsys, child)
			case e.IsRegular():
				line += content(fsys, child)
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func content(fsys storage.FS, path string) string {
	f, err := fsys.Open(path)
	if err != nil {
		return kind(err) + "\n"
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	return fmt.Sprintf("%q %s\n", data, kind(err))
}
