package storage

import (
	"errors"
	"io/fs"
	"os"
)

// Symlinker is implemented by a store that can make symbolic links.
type Symlinker interface {
	// Symlink makes path a symbolic link that holds target, a relative path. It does
	// not look at the target: a link that leads outside the root can't be followed.
	Symlink(target, path string) error
}

// Symlink makes a symbolic link in fsys. For a store without them the error is
// errors.ErrUnsupported.
func Symlink(fsys FS, target, path string) error {
	s, ok := fsys.(Symlinker)
	if !ok {
		return pathError("symlink", path, errors.ErrUnsupported)
	}
	return s.Symlink(target, path)
}

// Masker is implemented by an [Upload] to a store with permission bits.
type Masker interface {
	// Mask takes permission bits away from the file, if the upload makes a new one: a file that was
	// there before keeps what it has. It must be called before the first Write.
	Mask(bits fs.FileMode) error
}

var (
	_ Masker = (*osUpload)(nil)
	_ Masker = (*memUpload)(nil)
)

// Mask implements [Masker].
func (u *osUpload) Mask(bits fs.FileMode) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.f == nil:
		return pathError("chmod", u.path, fs.ErrClosed)
	case !u.fresh:
		return nil
	}
	return Translate("chmod", u.path, takeBits(u.f, bits))
}

func takeBits(f *os.File, bits fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return f.Chmod(info.Mode().Perm() &^ bits)
}

// Mask implements [Masker].
func (u *memUpload) Mask(bits fs.FileMode) error {
	u.tree.mu.Lock()
	defer u.tree.mu.Unlock()
	switch {
	case u.node == nil:
		return pathError("chmod", u.path, fs.ErrClosed)
	case u.fresh:
		u.node.mode &^= bits & fs.ModePerm
	}
	return nil
}

// Spacer is implemented by a store that knows how much it can take.
type Spacer interface {
	// Free returns how many bytes can be stored below the directory dir.
	Free(dir string) (int64, error)
}

// Free returns how many bytes can be stored below the directory dir of fsys. For a
// store that does not know the error is errors.ErrUnsupported.
func Free(fsys FS, dir string) (int64, error) {
	s, ok := fsys.(Spacer)
	if !ok {
		return 0, pathError("free", dir, errors.ErrUnsupported)
	}
	return s.Free(dir)
}

// Symlink implements [Symlinker].
func (r *OSRoot) Symlink(target, path string) error {
	if err := checkNew(path); err != nil {
		return pathError("symlink", path, err)
	}
	return r.fail("symlink", path, r.root.Symlink(target, rel(path)))
}
