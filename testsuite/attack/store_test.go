package attack_test

import (
	"io"
	"io/fs"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/storage"
)

// treeOf returns a RootFor that gives one user a tree and the others a memory of
// their own.
func treeOf(user string, tree storage.FS) func(*auth.Identity) (storage.FS, error) {
	return func(id *auth.Identity) (storage.FS, error) {
		if id.Name == user {
			return kept{tree}, nil
		}
		return storage.NewMem(), nil
	}
}

// kept is a tree that several sessions have.
type kept struct{ storage.FS }

func (kept) Close() error { return nil }

// counting counts the directories that are opened.
type counting struct {
	storage.FS
	opened atomic.Int64
}

func (c *counting) OpenDir(path string) (storage.Dir, error) {
	c.opened.Add(1)
	return c.FS.OpenDir(path)
}

// endless is a tree with a directory /endless that nobody comes to the end
// of.
type endless struct {
	storage.FS
	entries atomic.Int64 // that were asked for
}

func (e *endless) OpenDir(path string) (storage.Dir, error) {
	if path == "/endless" {
		return &endlessDir{tree: e}, nil
	}
	return e.FS.OpenDir(path)
}

type endlessDir struct {
	tree *endless
	n    int
}

func (d *endlessDir) Next(n int) ([]storage.Entry, error) {
	d.tree.entries.Add(int64(n))
	entries := make([]storage.Entry, n)
	for i := range entries {
		d.n++
		if d.n > 100_000_000 {
			return nil, io.EOF
		}
		entries[i] = storage.Entry{Name: "file" + strconv.Itoa(d.n), Mode: fs.FileMode(0o644), ModTime: time.Unix(1e9, 0)}
	}
	return entries, nil
}

func (*endlessDir) Close() error { return nil }
