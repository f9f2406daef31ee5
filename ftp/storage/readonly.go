package storage

import (
	"io/fs"
	"time"
)

// ReadOnly returns a view of fsys that refuses every write with [ErrReadOnly], whatever the path.
// Reading passes through unchanged. Closing it closes fsys.
func ReadOnly(fsys FS) FS { return readOnly{fsys} }

// IsReadOnly reports whether fsys refuses every write by itself, as what [ReadOnly] returns does.
func IsReadOnly(fsys FS) bool {
	switch fsys := fsys.(type) {
	case readOnly:
		return true
	case *limited:
		return IsReadOnly(fsys.inner)
	}
	return false
}

// readOnly names each method instead of embedding FS, so that a write operation added to the
// interface cannot pass through unnoticed.
type readOnly struct{ inner FS }

func (r readOnly) Stat(path string) (Entry, error)  { return r.inner.Stat(path) }
func (r readOnly) Lstat(path string) (Entry, error) { return r.inner.Lstat(path) }
func (r readOnly) OpenDir(path string) (Dir, error) { return r.inner.OpenDir(path) }
func (r readOnly) Open(path string) (File, error)   { return r.inner.Open(path) }
func (r readOnly) Close() error                     { return r.inner.Close() }

// Free implements [Spacer].
func (readOnly) Free(string) (int64, error) { return 0, nil }

// Sub narrows the view; the result is read-only too.
func (r readOnly) Sub(dir string) (FS, error) {
	sub, err := Sub(r.inner, dir)
	if err != nil {
		return nil, err
	}
	return readOnly{sub}, nil
}

func (readOnly) Create(path string, _ WriteMode, _ int64) (Upload, error) {
	return nil, pathError("create", path, ErrReadOnly)
}

func (readOnly) Mkdir(path string) error  { return pathError("mkdir", path, ErrReadOnly) }
func (readOnly) Remove(path string) error { return pathError("remove", path, ErrReadOnly) }
func (readOnly) Rmdir(path string) error  { return pathError("rmdir", path, ErrReadOnly) }

func (readOnly) Rename(from, to string) error { return linkError(from, to, ErrReadOnly) }

func (readOnly) Chtimes(path string, _ time.Time) error {
	return pathError("chtimes", path, ErrReadOnly)
}

func (readOnly) Chmod(path string, _ fs.FileMode) error {
	return pathError("chmod", path, ErrReadOnly)
}

func (readOnly) Truncate(path string, _ int64) error {
	return pathError("truncate", path, ErrReadOnly)
}
