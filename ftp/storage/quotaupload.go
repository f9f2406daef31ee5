package storage

import (
	"errors"
	"io/fs"
	"sync"
)

// InPlacer is implemented by an [Upload] that may write to the very file that is there, or was made
// by Create. One that does not implement it is taken to do so for all modes but WriteReplace.
type InPlacer interface {
	// InPlace reports whether it does.
	InPlace() bool
}

var (
	_ InPlacer = (*osUpload)(nil)
	_ InPlacer = (*memUpload)(nil)
)

// InPlace implements [InPlacer].
func (u *osUpload) InPlace() bool { return u.temp == "" }

// InPlace implements [InPlacer].
func (u *memUpload) InPlace() bool { return u.mode != WriteReplace }

// limitedUpload is an upload to a limited view. Bytes that are in the tree at once count as used,
// others as pending until Commit, but for as many as the file has that is to be replaced: a full tree
// may be kept up to date.
type limitedUpload struct {
	view   *limited
	path   string
	mode   WriteMode
	offset int64

	// immutable after create
	inner   Upload
	inPlace bool
	made    bool      // there was no file
	file    Entry     // the one that is written to, if inPlace
	lock    *fileLock // likewise
	credit  int64     // the size of what will be replaced, unless inPlace

	mu      sync.Mutex // held while one writes or ends it
	written int64      // mu guards this and the rest: unless inPlace
	pos     int64      // place of the next byte, unless appending
	wrote   bool
	over    bool
}

// Create implements [FS]. An upload that writes to a file in place fails when that is removed,
// renamed or replaced meanwhile.
func (l *limited) Create(path string, mode WriteMode, offset int64) (Upload, error) {
	u := &limitedUpload{view: l, path: path, mode: mode, offset: offset, pos: offset}
	if err := l.change(u.create); err != nil {
		return nil, err
	}
	return u, nil
}

// create begins the upload, in a change.
func (u *limitedUpload) create() error {
	l, usage := u.view, u.view.usage
	old, err := l.inner.Stat(u.path)
	u.made = errors.Is(err, fs.ErrNotExist)
	if err := usage.charge(&usage.used, l.max, 0, u.slots()); err != nil {
		return pathError("create", u.path, err)
	}
	u.inner, err = l.inner.Create(u.path, u.mode, u.offset)
	if err != nil {
		usage.add(&usage.used, 0, -u.slots())
		return err
	}
	u.inPlace = u.mode != WriteReplace
	if p, ok := u.inner.(InPlacer); ok {
		u.inPlace = p.InPlace()
	}
	if !u.inPlace {
		usage.add(&usage.used, 0, -u.slots())
		usage.add(&usage.pending, 0, u.slots())
		u.credit = weight(old)
		return nil
	}
	if u.file, err = l.inner.Stat(u.path); err != nil {
		usage.doubt()
		_ = u.inner.Abort() // the first error says more
		return err
	}
	u.lock = usage.fileLock(u.file)
	return nil
}

// slots is how many entries the upload makes.
func (u *limitedUpload) slots() int64 {
	if u.made {
		return 1
	}
	return 0
}

func (u *limitedUpload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return u.inner.Write(p) // which says that
	}
	switch err := u.view.begin(); {
	case errors.Is(err, fs.ErrClosed): // the upload outlives the view
		return u.inner.Write(p)
	case err != nil:
		return 0, err
	}
	defer u.view.end()
	if u.inPlace {
		return u.writeInPlace(p)
	}
	usage, before := u.view.usage, u.pending()
	u.written += int64(len(p))
	charged := u.pending()
	if err := usage.charge(&usage.pending, u.view.max, charged-before, 0); err != nil {
		u.written -= int64(len(p))
		return 0, pathError("write", u.path, err)
	}
	n, err := u.inner.Write(p)
	u.written += int64(n - len(p))
	usage.add(&usage.pending, u.pending()-charged, 0)
	return n, err
}

// pending is how many bytes are charged. mu is held.
func (u *limitedUpload) pending() int64 { return max(u.written-u.credit, 0) }

// writeInPlace charges what the file will grow by. mu is held, and the file's lock is taken, so
// that others who write to it are waited for.
func (u *limitedUpload) writeInPlace(p []byte) (int, error) {
	usage := u.view.usage
	u.lock.Lock()
	defer u.lock.Unlock()
	size, err := u.size()
	if err != nil {
		usage.doubt()
		if errors.Is(err, fs.ErrClosed) {
			return u.inner.Write(p) // the upload outlives the view
		}
		return 0, pathError("write", u.path, err)
	}
	next := size + int64(len(p))
	if u.mode != WriteAppend {
		next = max(size, u.pos+int64(len(p)))
	}
	if err := usage.charge(&usage.used, u.view.max, next-size, 0); err != nil {
		return 0, pathError("write", u.path, err)
	}
	n, err := u.inner.Write(p)
	u.pos += int64(n)
	if first := !u.wrote; first || err != nil { // the first one may have cut off what followed
		u.wrote = true
		if size, sizeErr := u.size(); sizeErr == nil {
			usage.add(&usage.used, size-next, 0)
		} else {
			usage.doubt()
		}
	}
	return n, err
}

// size returns the size of the file that is written to, or fs.ErrNotExist if another one is there.
func (u *limitedUpload) size() (int64, error) {
	e, err := u.view.inner.Stat(u.path)
	if err == nil && !same(e, u.file) {
		err = fs.ErrNotExist
	}
	return e.Size, err
}

// Commit implements [Upload]. It fails with ErrQuota if what was to be replaced has gone, and there is
// no room without that.
func (u *limitedUpload) Commit() error { return u.finish(u.inner.Commit, u.commit) }

// Abort implements [Upload].
func (u *limitedUpload) Abort() error { return u.finish(u.inner.Abort, u.abort) }

// finish ends the upload by fn if it writes in place, else by other, and settles its account. The tree
// need not be walked for that: what was charged is pending, or will be found by the walk.
func (u *limitedUpload) finish(fn, other func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return fn()
	}
	u.over = true
	usage := u.view.usage
	usage.walking.RLock()
	defer usage.walking.RUnlock()
	usage.names.Lock()
	defer usage.names.Unlock()
	if u.inPlace {
		return u.finishInPlace(fn)
	}
	return other()
}

func (u *limitedUpload) abort() error {
	usage := u.view.usage
	usage.add(&usage.pending, -u.pending(), -u.slots())
	return u.inner.Abort()
}

func (u *limitedUpload) commit() error {
	usage := u.view.usage
	entry, err := u.view.inner.Lstat(u.path)
	old := entry
	if err == nil && entry.Mode&fs.ModeSymlink != 0 {
		defer usage.doubt() // it will be replaced, or followed
		old, err = u.view.inner.Stat(u.path)
	}
	files := int64(0)
	if errors.Is(err, fs.ErrNotExist) {
		files = 1
	} else if err != nil {
		defer usage.doubt()
	}
	bytes := u.written - weight(old)
	if err := usage.settle(u.pending(), u.slots(), u.view.max, bytes, files); err != nil {
		_ = u.inner.Abort() // the first error says more
		return pathError("commit", u.path, err)
	}
	if err := u.inner.Commit(); err != nil {
		usage.add(&usage.used, -bytes, -files)
		return err
	}
	return nil
}

// finishInPlace is finish for what is in the tree already.
func (u *limitedUpload) finishInPlace(fn func() error) error {
	usage := u.view.usage
	u.lock.Lock()
	defer u.lock.unlock()
	before, sizeErr := u.size()
	err := fn()
	after, statErr := u.view.inner.Stat(u.path)
	switch {
	case sizeErr != nil:
		usage.doubt()
	case statErr == nil && same(after, u.file):
		usage.add(&usage.used, after.Size-before, 0)
	case errors.Is(statErr, fs.ErrNotExist) && u.made:
		usage.add(&usage.used, -before, -1) // given up without a trace
	default:
		usage.doubt()
	}
	return err
}

// Mask implements [Masker]. A store without permission bits has nothing to take away.
func (u *limitedUpload) Mask(bits fs.FileMode) error {
	if m, ok := u.inner.(Masker); ok {
		return m.Mask(bits)
	}
	return nil
}

// A fileLock is held by who changes the content of a file in place.
type fileLock struct {
	sync.Mutex
	usage *Usage
	id    fileID
	users int // usage.mu guards
}

type fileID struct{ dev, ino uint64 }

// fileLock returns the lock of a file, which must be locked and unlocked once.
func (u *Usage) fileLock(e Entry) *fileLock {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := fileID{e.Dev, e.Ino}
	l := u.files[id]
	if l == nil {
		if u.files == nil {
			u.files = make(map[fileID]*fileLock)
		}
		l = &fileLock{usage: u, id: id}
		u.files[id] = l
	}
	l.users++
	return l
}

// lockFile locks the lock of a file.
func (u *Usage) lockFile(e Entry) *fileLock {
	l := u.fileLock(e)
	l.Lock()
	return l
}

// unlock unlocks a lock that this user needs no more.
func (l *fileLock) unlock() {
	l.Unlock()
	l.usage.mu.Lock()
	defer l.usage.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(l.usage.files, l.id)
	}
}
