package storage

import (
	"errors"
	"io/fs"
	"os"
)

// osDir is a listing of an OSRoot. It holds two descriptors: a root, so that describing an entry and
// reading a link stay in this very directory whatever is renamed, and the stream of names.
//
// os.File.Readdir would do with one, but it gives up on the first entry it cannot describe, and one
// dead mount point must not hide the rest of a directory.
type osDir struct {
	root   *OSRoot
	dir    *os.Root
	f      *os.File
	path   string
	closed bool
}

// OpenDir implements [FS].
func (r *OSRoot) OpenDir(path string) (Dir, error) {
	if err := check(path); err != nil {
		return nil, pathError("opendir", path, err)
	}
	d, err := r.stream(path)
	if err != nil {
		return nil, r.fail("opendir", path, err)
	}
	return d, nil
}

func (r *OSRoot) stream(path string) (*osDir, error) {
	dir, err := r.openDir(rel(path))
	if err != nil {
		return nil, err
	}
	f, err := dir.Open(".")
	if err != nil {
		_ = dir.Close() // the open's error says more
		return nil, err
	}
	return &osDir{root: r, dir: dir, f: f, path: path}, nil
}

func (d *osDir) Next(n int) ([]Entry, error) {
	if n < 1 {
		panic("storage: Dir.Next with n below 1")
	}
	if d.closed { // os reports an error of its own for this
		return nil, pathError("readdir", d.path, fs.ErrClosed)
	}
	for {
		names, err := d.f.Readdirnames(n)
		if err != nil {
			return nil, Translate("readdir", d.path, err)
		}
		entries := make([]Entry, 0, len(names))
		for _, name := range names {
			if reserved(name) {
				continue
			}
			if e, ok := d.describe(name); ok {
				entries = append(entries, e)
			}
		}
		if len(entries) > 0 {
			return entries, nil
		}
	}
}

func (d *osDir) describe(name string) (Entry, bool) {
	info, err := d.dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Entry{}, false
	case err != nil:
		return Entry{Name: name, Mode: fs.ModeIrregular}, true
	}
	e := d.root.entry(name, info)
	if e.IsLink() {
		// As in Lstat: a link that went away has no target.
		if target, err := d.dir.Readlink(name); err == nil {
			e.LinkTarget = shownTarget(d.path, target)
		}
	}
	return e, true
}

func (d *osDir) Close() error {
	d.closed = true
	err := d.f.Close()
	if err1 := d.dir.Close(); err == nil {
		err = err1
	}
	return Translate("close", d.path, err)
}
