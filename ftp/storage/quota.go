package storage

import (
	"errors"
	"io"
	"sync"
)

// Limits are what a tree may hold. 0 means no limit.
type Limits struct {
	Bytes int64 // content of regular files
	Files int64 // entries of any kind, without the root
}

// Usage counts what a tree holds, for [Usage.Limit]. The zero value is ready for use; it must not be
// copied after that. All views of one tree share one Usage.
//
// The tree is walked before the first write, and after that each write is counted: content when it
// is written, before it can be seen. Where it can't be known what a write has done, since a file was
// removed or replaced while it was written, the tree is walked again before the next one. What others
// do beside the views is not noticed until then. A file with several names counts once for each.
type Usage struct {
	// walking is held to write by who walks the tree, and to read by who changes it.
	walking sync.RWMutex
	// names is held by who changes what a name stands for, or looks at it to see what a change does.
	names sync.Mutex

	mu      sync.Mutex // held for a few instructions
	known   bool       // mu guards this and the rest: used is what the tree holds
	used    Limits
	pending Limits // of atomic uploads: not in the tree yet
	files   map[fileID]*fileLock
}

// Limit returns a view of fsys that refuses with [ErrQuota] what would make the tree hold more than
// max. A tree that holds more already, since max was less once, can be read and emptied. Closing the
// view closes fsys.
func (u *Usage) Limit(fsys FS, max Limits) FS {
	return &limited{inner: fsys, root: fsys, usage: u, max: max}
}

// UsageOf returns what the tree of a view that [Usage.Limit] has returned holds, uploads under way
// included, and the limits of the view. It may walk the tree. For any other store the error is
// errors.ErrUnsupported.
func UsageOf(fsys FS) (used, max Limits, err error) {
	l, ok := fsys.(*limited)
	if !ok {
		return Limits{}, Limits{}, pathError("usage", "/", errors.ErrUnsupported)
	}
	if err := l.begin(); err != nil {
		return Limits{}, Limits{}, err
	}
	defer l.end()
	used, _ = l.usage.sum()
	return used, l.max, nil
}

// sum is what is used and pending.
func (u *Usage) sum() (sum Limits, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Limits{u.used.Bytes + u.pending.Bytes, u.used.Files + u.pending.Files}, u.known
}

// doubt has the tree walked before the next write.
func (u *Usage) doubt() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.known = false
}

// add counts what a write has brought, or taken if it is negative.
func (u *Usage) add(to *Limits, bytes, files int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	to.Bytes += bytes
	to.Files += files
}

// charge counts what a write will bring, if that is allowed.
func (u *Usage) charge(to *Limits, max Limits, bytes, files int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.chargeLocked(to, max, bytes, files)
}

// settle makes what is pending used, if it is within the limits as such.
func (u *Usage) settle(pendingBytes, pendingFiles int64, max Limits, bytes, files int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.pending.Bytes -= pendingBytes
	u.pending.Files -= pendingFiles
	return u.chargeLocked(&u.used, max, bytes, files)
}

func (u *Usage) chargeLocked(to *Limits, max Limits, bytes, files int64) error {
	over := func(limit, used, pending, more int64) bool {
		return limit > 0 && more > 0 && more > limit-used-pending
	}
	if over(max.Bytes, u.used.Bytes, u.pending.Bytes, bytes) || over(max.Files, u.used.Files, u.pending.Files, files) {
		return ErrQuota
	}
	to.Bytes += bytes
	to.Files += files
	return nil
}

// walk counts a tree, without following links. What can't be read holds nothing.
func walk(fsys FS) (sum Limits, err error) {
	for todo := []string{"/"}; len(todo) > 0; {
		path := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d, err := fsys.OpenDir(path)
		if err != nil {
			if path == "/" {
				return Limits{}, err
			}
			continue
		}
		for {
			entries, err := d.Next(256)
			for i := range entries {
				sum.Files++
				sum.Bytes += weight(entries[i])
				if entries[i].Mode.IsDir() {
					todo = append(todo, join(path, entries[i].Name))
				}
			}
			if err != nil {
				_ = d.Close()
				if err != io.EOF && path == "/" {
					return Limits{}, err
				}
				break
			}
		}
	}
	return sum, nil
}

// weight is what an entry counts.
func weight(e Entry) int64 {
	if e.IsRegular() {
		return e.Size
	}
	return 0
}

// same reports whether two entries are of one file, as far as the store has numbers for that.
func same(a, b Entry) bool { return a.Ino == b.Ino && a.Dev == b.Dev }
