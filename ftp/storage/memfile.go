package storage

import (
	"io"
	"io/fs"
	"slices"
)

// memFile is a file of a Mem open for reading.
type memFile struct {
	tree *memTree
	node *memNode
	path string

	// tree.mu guards:
	closed bool
	// only its user:
	pos int64
}

// Open implements [FS].
func (m *Mem) Open(path string) (File, error) {
	var f *memFile
	err := m.use(check(path), func() error {
		at, err := m.find(path, true)
		if err != nil {
			return err
		}
		if err := regular(at.node.mode); err != nil {
			return err
		}
		f = &memFile{tree: m.tree, node: at.node, path: path}
		return nil
	})
	if err != nil {
		return nil, pathError("open", path, err)
	}
	return f, nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	switch {
	case f.closed:
		return 0, pathError("read", f.path, fs.ErrClosed)
	case off < 0:
		return 0, pathError("read", f.path, fs.ErrInvalid)
	case off >= int64(len(f.node.data)):
		return 0, eofUnlessEmpty(p)
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// eofUnlessEmpty is io.EOF, but a read of nothing succeeds everywhere, as with os.File.
func eofUnlessEmpty(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	return io.EOF
}

func (f *memFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memFile) Seek(offset int64, whence int) (int64, error) {
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	if f.closed {
		return 0, pathError("seek", f.path, fs.ErrClosed)
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += int64(len(f.node.data))
	case io.SeekStart:
	default:
		offset = -1
	}
	if offset < 0 {
		return 0, pathError("seek", f.path, fs.ErrInvalid)
	}
	f.pos = offset
	return offset, nil
}

func (f *memFile) Stat() (Entry, error) {
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	if f.closed {
		return Entry{}, pathError("stat", f.path, fs.ErrClosed)
	}
	_, name := split(f.path)
	return f.node.entry(name), nil
}

func (f *memFile) Close() error {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if f.closed {
		return pathError("close", f.path, fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// memDir is a listing of a Mem. It keeps the names, unlike that of a disk.
type memDir struct {
	tree   *memTree
	node   *memNode
	path   string
	names  []string
	closed bool
}

// OpenDir implements [FS].
func (m *Mem) OpenDir(path string) (Dir, error) {
	var d *memDir
	err := m.use(check(path), func() error {
		at, err := m.find(path, true)
		if err != nil {
			return err
		}
		if !at.node.mode.IsDir() {
			return ErrNotDir
		}
		d = &memDir{tree: m.tree, node: at.node, path: path}
		for name := range at.node.children {
			d.names = append(d.names, name)
		}
		slices.Sort(d.names) // so that tests see one order
		return nil
	})
	if err != nil {
		return nil, pathError("opendir", path, err)
	}
	return d, nil
}

func (d *memDir) Next(n int) ([]Entry, error) {
	if n < 1 {
		panic("storage: Dir.Next with n below 1")
	}
	if d.closed {
		return nil, pathError("readdir", d.path, fs.ErrClosed)
	}
	d.tree.mu.RLock()
	defer d.tree.mu.RUnlock()
	var entries []Entry
	for len(d.names) > 0 && len(entries) < n {
		name := d.names[0]
		d.names = d.names[1:]
		if node := d.node.children[name]; node != nil {
			entries = append(entries, node.lentry(d.path, name))
		}
	}
	if len(entries) == 0 {
		return nil, io.EOF
	}
	return entries, nil
}

func (d *memDir) Close() error {
	if d.closed {
		return pathError("close", d.path, fs.ErrClosed)
	}
	d.closed = true
	return nil
}
