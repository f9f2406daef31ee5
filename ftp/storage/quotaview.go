package storage

import (
	"errors"
	"io/fs"
	"time"
)

// limited is a view with a limit. It names each method, as readOnly does.
type limited struct {
	inner FS
	root  FS // what is walked
	usage *Usage
	max   Limits
}

func (l *limited) Stat(path string) (Entry, error)  { return l.inner.Stat(path) }
func (l *limited) Lstat(path string) (Entry, error) { return l.inner.Lstat(path) }
func (l *limited) OpenDir(path string) (Dir, error) { return l.inner.OpenDir(path) }
func (l *limited) Open(path string) (File, error)   { return l.inner.Open(path) }
func (l *limited) Close() error                     { return l.inner.Close() }

func (l *limited) Chtimes(path string, mtime time.Time) error { return l.inner.Chtimes(path, mtime) }
func (l *limited) Chmod(path string, perm fs.FileMode) error  { return l.inner.Chmod(path, perm) }

// Sub narrows the view; what is in it counts as before.
func (l *limited) Sub(dir string) (FS, error) {
	sub, err := Sub(l.inner, dir)
	if err != nil {
		return nil, err
	}
	return &limited{inner: sub, root: l.root, usage: l.usage, max: l.max}, nil
}

// Free implements [Spacer].
func (l *limited) Free(dir string) (int64, error) {
	free, err := Free(l.inner, dir)
	if l.max.Bytes == 0 {
		return free, err
	}
	if err := l.begin(); err != nil {
		return 0, err
	}
	defer l.end()
	used, _ := l.usage.sum()
	left := max(l.max.Bytes-used.Bytes, 0)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return left, nil
	case err != nil:
		return 0, err
	}
	return min(free, left), nil
}

// begin begins a change: it sees to it that it is known what the tree holds, until end.
func (l *limited) begin() error {
	u := l.usage
	for {
		u.walking.RLock()
		if _, known := u.sum(); known {
			return nil
		}
		u.walking.RUnlock()
		if err := l.count(); err != nil {
			return err
		}
	}
}

func (l *limited) end() { l.usage.walking.RUnlock() }

func (l *limited) count() error {
	u := l.usage
	u.walking.Lock()
	defer u.walking.Unlock()
	if _, known := u.sum(); known {
		return nil // another was faster
	}
	used, err := walk(l.root)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used, u.known = used, true
	return nil
}

// change makes a change of names, with begin before and end after it.
func (l *limited) change(fn func() error) error {
	if err := l.begin(); err != nil {
		return err
	}
	defer l.end()
	l.usage.names.Lock()
	defer l.usage.names.Unlock()
	return fn()
}

// make makes one more entry.
func (l *limited) make(op, path string, fn func() error) error {
	return l.change(func() error {
		if err := l.usage.charge(&l.usage.used, l.max, 0, 1); err != nil {
			return pathError(op, path, err)
		}
		err := fn()
		if err != nil {
			l.usage.add(&l.usage.used, 0, -1)
		}
		return err
	})
}

func (l *limited) Mkdir(path string) error {
	return l.make("mkdir", path, func() error { return l.inner.Mkdir(path) })
}

// Symlink implements [Symlinker].
func (l *limited) Symlink(target, path string) error {
	return l.make("symlink", path, func() error { return Symlink(l.inner, target, path) })
}

func (l *limited) Remove(path string) error {
	return l.change(func() error {
		e, statErr := l.inner.Lstat(path)
		err := l.inner.Remove(path)
		switch {
		case err != nil:
		case statErr != nil:
			l.usage.doubt()
		default:
			l.usage.add(&l.usage.used, -weight(e), -1)
		}
		return err
	})
}

func (l *limited) Rmdir(path string) error {
	return l.change(func() error {
		err := l.inner.Rmdir(path)
		if err == nil {
			l.usage.add(&l.usage.used, 0, -1)
		}
		return err
	})
}

func (l *limited) Rename(from, to string) error {
	return l.change(func() error {
		e, fromErr := l.inner.Lstat(from)
		old, toErr := l.inner.Lstat(to)
		err := l.inner.Rename(from, to)
		switch {
		case err != nil:
		case fromErr != nil || toErr != nil && !errors.Is(toErr, fs.ErrNotExist):
			l.usage.doubt()
		case toErr != nil, from == to, e.Ino != 0 && same(e, old): // nothing was there, or is replaced
		default:
			l.usage.add(&l.usage.used, -weight(old), -1)
		}
		return err
	})
}

func (l *limited) Truncate(path string, size int64) error {
	return l.change(func() error {
		old, err := l.inner.Stat(path)
		if err != nil {
			return l.inner.Truncate(path, size) // which says what is wrong
		}
		defer l.usage.lockFile(old).unlock()
		if old, err = l.inner.Stat(path); err != nil {
			return err
		}
		more := size - old.Size
		if err := l.usage.charge(&l.usage.used, l.max, more, 0); err != nil {
			return pathError("truncate", path, err)
		}
		if err := l.inner.Truncate(path, size); err != nil {
			l.usage.add(&l.usage.used, -more, 0)
			return err
		}
		return nil
	})
}
