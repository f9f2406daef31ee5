package storage

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
)

// osUpload is a file of an OSRoot being written.
//
// It holds its directory open, so that the temporary file and the final name stay in one directory
// even when that is renamed or swapped for a link meanwhile; inside it only single names are used.
type osUpload struct {
	// immutable
	path  string // virtual, for errors
	mode  WriteMode
	sync  bool
	dir   *os.Root
	name  string // final name in dir
	temp  string // name of the temporary file in dir, "" when writing in place
	made  bool   // name did not exist before: Create made it
	fresh bool   // there was no file: its permissions are those of a new one

	mu sync.Mutex // guards:
	f  *os.File   // nil once committed or aborted
	// cut is where the first write cuts the file off, -1 for nowhere. It is late so that an upload
	// that never gets its data connection leaves the file as it was.
	cut   int64
	wrote bool
}

var _ OSFiler = (*osUpload)(nil)

// Create implements [FS]. The Upload is an [OSFiler]. An atomic upload holds two descriptors and
// gives the new file the permissions of the old one, and its owner if the process may; other
// attributes and hard links are lost with the old inode.
func (r *OSRoot) Create(path string, mode WriteMode, offset int64) (Upload, error) {
	if err := checkCreate(path, mode, offset); err != nil {
		return nil, pathError("create", path, err)
	}
	u, err := r.create(path, mode, offset)
	if err != nil {
		return nil, r.fail("create", path, err)
	}
	return u, nil
}

func (r *OSRoot) create(path string, mode WriteMode, offset int64) (*osUpload, error) {
	loc, exists, err := r.target(rel(path), mode)
	if err != nil {
		return nil, err
	}
	parent, name := ".", loc
	if i := strings.LastIndexByte(loc, '/'); i >= 0 {
		parent, name = loc[:i], loc[i+1:]
	}
	dir, err := r.openDir(parent)
	if err != nil {
		return nil, err
	}
	u := &osUpload{path: path, mode: mode, sync: r.opts.Sync, dir: dir, name: name, fresh: !exists, cut: -1}
	if mode == WriteReplace && !r.opts.InPlace {
		err = u.openTemp(exists, r.opts.FilePerm)
	} else {
		err = u.openInPlace(exists, r.opts.FilePerm, offset)
	}
	if err != nil {
		_ = dir.Close() // the open's error says more
		return nil, err
	}
	return u, nil
}

// target follows links in the last element of loc and refuses what cannot be written. os.Root would
// follow them in an open too, but an atomic upload must know the real directory and name.
func (r *OSRoot) target(loc string, mode WriteMode) (string, bool, error) {
	for range maxLinks + 1 {
		info, err := r.root.Lstat(loc)
		if errors.Is(err, fs.ErrNotExist) {
			return loc, false, nil // or no parent, which opening it will tell
		}
		if err != nil {
			return "", false, err
		}
		if mode == WriteExclusive {
			return "", false, fs.ErrExist
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return loc, true, regular(info.Mode())
		}
		link, err := r.root.Readlink(loc)
		if err != nil {
			return "", false, err
		}
		if strings.HasPrefix(link, "/") {
			return "", false, ErrEscapes
		}
		loc = loc[:strings.LastIndexByte(loc, '/')+1] + link
	}
	return "", false, syscall.ELOOP
}

// openTemp opens the temporary file of an atomic upload.
func (u *osUpload) openTemp(exists bool, perm fs.FileMode) error {
	var old fs.FileInfo
	if exists {
		// Replacing a file needs rights on its directory only. Ask for the file's too, so that
		// atomic uploads allow no more than writing in place does.
		f, err := openRegular(u.dir, u.name, os.O_WRONLY)
		if err != nil {
			return err
		}
		old, err = f.Stat()
		if err1 := f.Close(); err == nil {
			err = err1
		}
		if err != nil {
			return err
		}
	}
	temp := TempPrefix + rand.Text()
	f, err := u.dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|openFlags, perm)
	if err != nil {
		return err
	}
	u.f, u.temp = f, temp
	if old != nil {
		keepOwner(f, old) // first: a change of owner may clear permission bits
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			_, _ = f.Close(), u.dir.Remove(temp) // the first error says more
			return err
		}
	}
	return nil
}

// openInPlace opens the file itself, making it if need be.
func (u *osUpload) openInPlace(exists bool, perm fs.FileMode, offset int64) error {
	flag := os.O_WRONLY
	if u.mode == WriteAppend {
		flag |= os.O_APPEND
	}
	if !exists {
		if offset > 0 {
			return ErrOffset
		}
		f, err := u.dir.OpenFile(u.name, flag|os.O_CREATE|os.O_EXCL|openFlags, perm)
		if err == nil {
			u.f, u.made = f, true
			return nil
		}
		if u.mode == WriteExclusive || !errors.Is(err, fs.ErrExist) {
			return err
		}
		// Somebody was faster: it is there now.
		u.fresh = false
	}
	f, err := openRegular(u.dir, u.name, flag)
	if err != nil {
		return err
	}
	switch u.mode {
	case WriteReplace:
		u.cut = 0
	case WriteAt:
		if err := u.seek(f, offset); err != nil {
			_ = f.Close() // nothing was written
			return err
		}
	}
	u.f = f
	return nil
}

func (u *osUpload) seek(f *os.File, offset int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if offset > info.Size() {
		return ErrOffset
	}
	if offset < info.Size() {
		u.cut = offset
	}
	_, err = f.Seek(offset, io.SeekStart)
	return err
}

// start does what waits for the first write. mu is held.
func (u *osUpload) start() error {
	if u.cut < 0 {
		return nil
	}
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > u.cut { // another may have cut it shorter: do not grow it
		if err := u.f.Truncate(u.cut); err != nil {
			return err
		}
	}
	u.cut = -1
	return nil
}

func (u *osUpload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.f == nil {
		return 0, pathError("write", u.path, fs.ErrClosed)
	}
	if err := u.start(); err != nil {
		return 0, Translate("write", u.path, err)
	}
	n, err := u.f.Write(p)
	u.wrote = u.wrote || n > 0
	return n, Translate("write", u.path, err)
}

// OSFile returns nil for an appending upload too: splice refuses a descriptor opened with O_APPEND,
// and without that flag two of them could overwrite each other.
func (u *osUpload) OSFile() *os.File {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.f == nil || u.mode == WriteAppend || u.start() != nil {
		return nil // a failure to start will come back from Write or Commit
	}
	u.wrote = true
	return u.f
}

func (u *osUpload) Commit() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.f == nil {
		return pathError("commit", u.path, fs.ErrClosed)
	}
	if err := u.finish(); err != nil {
		_ = u.discard() // the first error says more
		return Translate("commit", u.path, err)
	}
	u.f = nil
	err := u.publish()
	if err1 := u.dir.Close(); err == nil {
		err = err1
	}
	return Translate("commit", u.path, err)
}

// finish makes the content final. The file is closed before it gets its name, as a network file
// system may report a full disk only then.
func (u *osUpload) finish() error {
	if err := u.start(); err != nil {
		return err
	}
	if u.sync {
		if err := u.f.Sync(); err != nil {
			return err
		}
	}
	return u.f.Close()
}

// publish makes the name final.
func (u *osUpload) publish() error {
	if u.temp != "" {
		if err := u.dir.Rename(u.temp, u.name); err != nil {
			_ = u.dir.Remove(u.temp) // the rename's error says more
			return err
		}
	}
	if !u.sync || u.temp == "" && !u.made {
		return nil
	}
	d, err := u.dir.Open(".")
	if err != nil {
		return err
	}
	err = d.Sync()
	if err1 := d.Close(); err == nil {
		err = err1
	}
	return err
}

func (u *osUpload) Abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.f == nil {
		return nil
	}
	return Translate("abort", u.path, u.discard())
}

// discard removes what this upload made and nobody should see: a temporary file, a name that was only
// reserved, or an empty file that got no byte. mu is held.
func (u *osUpload) discard() error {
	info, statErr := u.f.Stat()
	err := u.f.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil // closed by finish
	}
	u.f = nil
	gone := u.temp
	if gone == "" && u.made && (u.mode == WriteExclusive || !u.wrote) && statErr == nil {
		// Only if the name is still ours: it may have been renamed or replaced.
		if now, err := u.dir.Lstat(u.name); err == nil && os.SameFile(now, info) {
			gone = u.name
		}
	}
	if gone != "" {
		if err1 := u.dir.Remove(gone); err1 != nil && !errors.Is(err1, fs.ErrNotExist) {
			err = err1
		}
	}
	if err1 := u.dir.Close(); err == nil {
		err = err1
	}
	return err
}
