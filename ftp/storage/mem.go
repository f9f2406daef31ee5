package storage

import (
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Mem is an [FS] in memory, for tests. It has symbolic links and can be full, keeps permission bits
// without enforcing them, and replaces files atomically. A file holds at most 1 GiB. Make one with
// [NewMem].
type Mem struct {
	tree   *memTree
	root   *memNode
	closed atomic.Bool
}

var (
	_ FS     = (*Mem)(nil)
	_ Subber = (*Mem)(nil)
)

// memTree is what the views of one store share.
type memTree struct {
	mu       sync.RWMutex // guards: everything in the tree, nodes too
	capacity int64        // -1 for no bound
	used     int64        // bytes in files, unfinished uploads included
	inodes   uint64
}

// memNode is one file, directory or link. tree.mu guards all but ino.
type memNode struct {
	ino   uint64
	mode  fs.FileMode
	mtime time.Time

	data     []byte              // of a file
	target   string              // of a link
	children map[string]*memNode // of a directory
	uploads  int                 // of a directory: uploads that will put a name here
	unlinked bool                // no name leads here; its bytes no longer count
}

// NewMem returns an empty store.
func NewMem() *Mem {
	tree := &memTree{capacity: -1}
	return &Mem{tree: tree, root: tree.node(fs.ModeDir | 0o755)}
}

// SetCapacity bounds the bytes all files together may hold; beyond it writes give [ErrNoSpace].
// Negative, the default, means no bound. Views made by Sub share it.
func (m *Mem) SetCapacity(bytes int64) {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	m.tree.capacity = max(bytes, -1)
}

// maxMemFile keeps a client's word (truncate to 8 EiB) from taking the machine's memory.
const maxMemFile = 1 << 30

// node makes a node. mu is held, or the tree is not shared yet.
func (t *memTree) node(mode fs.FileMode) *memNode {
	t.inodes++
	n := &memNode{ino: t.inodes, mode: mode, mtime: time.Now()}
	if mode.IsDir() {
		n.children = make(map[string]*memNode)
	}
	return n
}

// resize sets the length of a file. mu is held.
func (t *memTree) resize(n *memNode, size int64) error {
	delta := size - int64(len(n.data))
	if size > maxMemFile {
		return ErrNoSpace
	}
	if !n.unlinked {
		if t.capacity >= 0 && delta > 0 && t.used+delta > t.capacity {
			return ErrNoSpace
		}
		t.used += delta
	}
	if delta <= 0 {
		clear(n.data[size:]) // what grows back later must be zero
		n.data = n.data[:size]
	} else {
		n.data = append(n.data, make([]byte, delta)...)
	}
	n.mtime = time.Now()
	return nil
}

// write puts p at offset, which is not beyond the end. mu is held.
func (t *memTree) write(n *memNode, p []byte, offset int64) error {
	if end := offset + int64(len(p)); end > int64(len(n.data)) {
		if err := t.resize(n, end); err != nil {
			return err
		}
	}
	copy(n.data[offset:], p)
	n.mtime = time.Now()
	return nil
}

// link gives child the name in dir, in the place of what had it. mu is held.
func (t *memTree) link(dir *memNode, name string, child *memNode) {
	if old := dir.children[name]; old != nil && old != child {
		t.drop(old)
	}
	dir.children[name] = child
	dir.mtime = time.Now()
}

// unlink takes the name out of dir. mu is held.
func (t *memTree) unlink(dir *memNode, name string) {
	delete(dir.children, name)
	dir.mtime = time.Now()
}

// drop marks a node that no name leads to any more. mu is held.
func (t *memTree) drop(n *memNode) {
	n.unlinked = true
	t.used -= int64(len(n.data))
}

// place is where a path leads: node is what is there, nil if the last element is missing. dir and name
// are its directory and name there; dir is nil if the path ends in the root, "." or "..".
type place struct {
	dir  *memNode
	name string
	node *memNode
}

// walk finds a checked path, the way os.Root does. follow says whether a link in the last element is
// followed. mu is held.
func (m *Mem) walk(path string, follow bool) (place, error) {
	names := strings.Split(path, "/")
	dirs := []*memNode{m.root}
	links := 0
	for i := 0; i < len(names); i++ {
		dir, name, last := dirs[len(dirs)-1], names[i], i == len(names)-1
		switch name {
		case "", ".":
			continue
		case "..":
			if len(dirs) == 1 {
				return place{}, ErrEscapes
			}
			dirs = dirs[:len(dirs)-1]
			continue
		}
		node := dir.children[name]
		switch {
		case node == nil && !last:
			return place{}, fs.ErrNotExist
		case node == nil:
			return place{dir, name, nil}, nil
		case node.mode&fs.ModeSymlink != 0 && (follow || !last):
			if links++; links > maxLinks {
				return place{}, syscall.ELOOP
			}
			if strings.HasPrefix(node.target, "/") {
				return place{}, ErrEscapes
			}
			names = append(strings.Split(node.target, "/"), names[i+1:]...)
			i = -1
			continue
		case last:
			return place{dir, name, node}, nil
		case !node.mode.IsDir():
			return place{}, ErrNotDir
		}
		dirs = append(dirs, node)
	}
	return place{node: dirs[len(dirs)-1]}, nil
}

// find is walk for a path that must exist.
func (m *Mem) find(path string, follow bool) (place, error) {
	at, err := m.walk(path, follow)
	if err == nil && at.node == nil {
		err = fs.ErrNotExist
	}
	return at, err
}

// use runs f with the tree locked for writing, for an operation on a path that passed its checks.
func (m *Mem) use(checked error, f func() error) error {
	switch {
	case checked != nil:
		return checked
	case m.closed.Load():
		return fs.ErrClosed
	}
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	return f()
}

func memFail(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return pathError(op, path, err)
}

// entry describes a node. mu is held.
func (n *memNode) entry(name string) Entry {
	e := Entry{
		Name: name, Size: int64(len(n.data)), Mode: n.mode, ModTime: n.mtime,
		Nlink: 1, Dev: 1, Ino: n.ino,
	}
	if n.unlinked {
		e.Nlink = 0
	}
	return e
}

// lentry is entry with the target of a link in directory dir.
func (n *memNode) lentry(dir, name string) Entry {
	e := n.entry(name)
	if e.IsLink() {
		e.LinkTarget = shownTarget(dir, n.target)
	}
	return e
}

// Close implements [FS].
func (m *Mem) Close() error {
	m.closed.Store(true)
	return nil
}

// Sub implements [Subber].
func (m *Mem) Sub(dir string) (FS, error) {
	var sub *Mem
	err := m.use(check(dir), func() error {
		at, err := m.find(dir, true)
		if err != nil {
			return err
		}
		if !at.node.mode.IsDir() {
			return ErrNotDir
		}
		sub = &Mem{tree: m.tree, root: at.node}
		return nil
	})
	if err != nil {
		return nil, pathError("sub", dir, err)
	}
	return sub, nil
}
