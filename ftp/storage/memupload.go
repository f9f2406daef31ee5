package storage

import "io/fs"

// memUpload is a file of a Mem being written. An atomic one writes to a node without a name, whose
// bytes count against the capacity all the same.
type memUpload struct {
	tree  *memTree
	path  string
	mode  WriteMode
	dir   *memNode
	name  string
	made  bool // Create made the name
	fresh bool // there was no file

	// tree.mu guards:
	node  *memNode // nil once committed or aborted
	cut   int64    // as in osUpload
	pos   int64    // place of the next byte, unless appending
	wrote bool
}

// Create implements [FS].
func (m *Mem) Create(path string, mode WriteMode, offset int64) (Upload, error) {
	u := &memUpload{tree: m.tree, path: path, mode: mode, cut: -1, pos: offset}
	err := m.use(checkCreate(path, mode, offset), func() error { return m.create(u) })
	if err != nil {
		return nil, pathError("create", path, err)
	}
	return u, nil
}

func (m *Mem) create(u *memUpload) error {
	at, err := m.walk(u.path, u.mode != WriteExclusive)
	if err != nil {
		return err
	}
	if at.node != nil {
		if u.mode == WriteExclusive {
			return fs.ErrExist
		}
		if err := regular(at.node.mode); err != nil {
			return err
		}
	} else if at.dir.unlinked {
		return fs.ErrNotExist
	}
	u.dir, u.name, u.node, u.fresh = at.dir, at.name, at.node, at.node == nil
	switch {
	case u.mode == WriteReplace:
		perm := fs.FileMode(0o644)
		if at.node != nil {
			perm = at.node.mode
		}
		u.node = m.tree.node(perm)
		u.dir.uploads++
	case at.node == nil && u.pos > 0:
		return ErrOffset
	case at.node == nil:
		u.node, u.made = m.tree.node(0o644), true
		m.tree.link(u.dir, u.name, u.node)
	case u.mode == WriteAt:
		size := int64(len(u.node.data))
		if u.pos > size {
			return ErrOffset
		}
		if u.pos < size {
			u.cut = u.pos
		}
	}
	return nil
}

// start does what waits for the first write. mu is held.
func (u *memUpload) start() error {
	if u.cut < 0 {
		return nil
	}
	cut := u.cut
	u.cut = -1
	if cut >= int64(len(u.node.data)) {
		return nil
	}
	return u.tree.resize(u.node, cut)
}

func (u *memUpload) Write(p []byte) (int, error) {
	u.tree.mu.Lock()
	defer u.tree.mu.Unlock()
	if u.node == nil {
		return 0, pathError("write", u.path, fs.ErrClosed)
	}
	if err := u.start(); err != nil {
		return 0, pathError("write", u.path, err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	size := int64(len(u.node.data))
	if u.mode == WriteAppend {
		u.pos = size
	}
	var err error
	if u.pos > size { // cut short by someone else meanwhile: a hole, as on a disk
		err = u.tree.resize(u.node, u.pos)
	}
	if err == nil {
		err = u.tree.write(u.node, p, u.pos)
	}
	if err != nil {
		return 0, pathError("write", u.path, err)
	}
	u.pos += int64(len(p))
	u.wrote = true
	return len(p), nil
}

func (u *memUpload) Commit() error {
	u.tree.mu.Lock()
	defer u.tree.mu.Unlock()
	if u.node == nil {
		return pathError("commit", u.path, fs.ErrClosed)
	}
	if err := u.start(); err != nil {
		u.discard()
		return pathError("commit", u.path, err)
	}
	if u.mode == WriteReplace {
		if old := u.dir.children[u.name]; old != nil && old.mode.IsDir() {
			u.discard()
			return pathError("commit", u.path, fs.ErrExist)
		}
		u.dir.uploads--
		u.tree.link(u.dir, u.name, u.node)
	}
	u.node = nil
	return nil
}

func (u *memUpload) Abort() error {
	u.tree.mu.Lock()
	defer u.tree.mu.Unlock()
	if u.node != nil {
		u.discard()
	}
	return nil
}

// discard removes what osUpload.discard does. mu is held.
func (u *memUpload) discard() {
	switch {
	case u.mode == WriteReplace:
		u.dir.uploads--
		u.tree.drop(u.node)
	case u.made && (u.mode == WriteExclusive || !u.wrote) && u.dir.children[u.name] == u.node:
		u.tree.unlink(u.dir, u.name)
		u.tree.drop(u.node)
	}
	u.node = nil
}
