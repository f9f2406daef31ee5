package storage

import (
	"io/fs"
	"time"
)

// Stat implements [FS].
func (m *Mem) Stat(path string) (Entry, error) {
	var e Entry
	err := m.use(check(path), func() error {
		at, err := m.find(path, true)
		if err != nil {
			return err
		}
		_, name := split(path)
		e = at.node.entry(name)
		return nil
	})
	return e, memFail("stat", path, err)
}

// Lstat implements [FS].
func (m *Mem) Lstat(path string) (Entry, error) {
	var e Entry
	err := m.use(check(path), func() error {
		at, err := m.find(path, false)
		if err != nil {
			return err
		}
		dir, name := split(path)
		e = at.node.lentry(dir, name)
		return nil
	})
	return e, memFail("lstat", path, err)
}

// make adds a node at path, where there must be nothing, not even a link.
func (m *Mem) make(op, path string, fill func() *memNode) error {
	return memFail(op, path, m.use(checkNew(path), func() error {
		at, err := m.walk(path, false)
		if err != nil {
			return err
		}
		if at.node != nil {
			return fs.ErrExist
		}
		if at.dir.unlinked {
			return fs.ErrNotExist
		}
		m.tree.link(at.dir, at.name, fill())
		return nil
	}))
}

// Mkdir implements [FS].
func (m *Mem) Mkdir(path string) error {
	return m.make("mkdir", path, func() *memNode {
		return m.tree.node(fs.ModeDir | 0o755)
	})
}

// Symlink makes path a symbolic link that holds target. It does not check the target.
func (m *Mem) Symlink(target, path string) error {
	return m.make("symlink", path, func() *memNode {
		n := m.tree.node(fs.ModeSymlink | 0o777)
		n.target = target
		return n
	})
}

// Remove implements [FS].
func (m *Mem) Remove(path string) error {
	return memFail("remove", path, m.use(check(path), func() error {
		at, err := m.find(path, false)
		if err != nil {
			return err
		}
		if at.node.mode.IsDir() {
			return ErrIsDir
		}
		m.tree.unlink(at.dir, at.name)
		m.tree.drop(at.node)
		return nil
	}))
}

// Rmdir implements [FS].
func (m *Mem) Rmdir(path string) error {
	if path == "/" {
		return pathError("rmdir", path, fs.ErrPermission)
	}
	return memFail("rmdir", path, m.use(check(path), func() error {
		at, err := m.find(path, false)
		switch {
		case err != nil:
			return err
		case !at.node.mode.IsDir():
			return ErrNotDir
		case len(at.node.children) > 0 || at.node.uploads > 0:
			return ErrNotEmpty
		}
		m.tree.unlink(at.dir, at.name)
		m.tree.drop(at.node)
		return nil
	}))
}

// Rename implements [FS].
func (m *Mem) Rename(from, to string) error {
	err := m.use(checkRename(from, to), func() error {
		src, err := m.find(from, false)
		if err != nil {
			return err
		}
		isDir := src.node.mode.IsDir()
		if from == to {
			return nil
		}
		if isDir && within(to, from) {
			return fs.ErrInvalid
		}
		dst, err := m.walk(to, false)
		switch {
		case err != nil:
			return err
		case dst.dir.unlinked:
			return fs.ErrNotExist
		case dst.node != nil && dst.node.mode.IsDir(): // even itself, by way of a link, as on a disk
			return fs.ErrExist
		case dst.node == src.node:
			return nil
		case isDir && src.node.contains(dst.dir): // by way of a link
			return fs.ErrInvalid
		case isDir && dst.node != nil:
			return ErrNotDir
		}
		m.tree.unlink(src.dir, src.name)
		m.tree.link(dst.dir, dst.name, src.node)
		return nil
	})
	if err != nil {
		return linkError(from, to, err)
	}
	return nil
}

// contains reports whether dir is n or below it.
func (n *memNode) contains(dir *memNode) bool {
	if n == dir {
		return true
	}
	for _, child := range n.children {
		if child.contains(dir) {
			return true
		}
	}
	return false
}

// change runs f on what path leads to.
func (m *Mem) change(op, path string, checked error, f func(*memNode) error) error {
	return memFail(op, path, m.use(checked, func() error {
		at, err := m.find(path, true)
		if err != nil {
			return err
		}
		return f(at.node)
	}))
}

// Chtimes implements [FS].
func (m *Mem) Chtimes(path string, mtime time.Time) error {
	return m.change("chtimes", path, check(path), func(n *memNode) error {
		n.mtime = mtime
		return nil
	})
}

// Chmod implements [FS].
func (m *Mem) Chmod(path string, perm fs.FileMode) error {
	return m.change("chmod", path, checkChmod(path, perm), func(n *memNode) error {
		n.mode = n.mode.Type() | perm
		return nil
	})
}

// Truncate implements [FS].
func (m *Mem) Truncate(path string, size int64) error {
	checked := check(path)
	if checked == nil && size < 0 {
		checked = fs.ErrInvalid
	}
	return m.change("truncate", path, checked, func(n *memNode) error {
		if err := regular(n.mode); err != nil {
			return err
		}
		return m.tree.resize(n, size)
	})
}
