package storage

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Options say how an [OSRoot] behaves. The zero value is the safe choice.
type Options struct {
	// InPlace writes WriteReplace uploads straight into the file, which keeps its inode, owner, hard
	// links and attributes. A reader then sees them grow, and an aborted one leaves what arrived. The
	// default is atomic: the bytes go to a hidden file in the same directory that takes the name at
	// Commit.
	InPlace bool

	// Sync makes Commit wait until the file, and its name, are on the disk. If only the last step
	// of that fails, Commit reports an error for a file that is complete and in place.
	Sync bool

	// OwnerNames fills Entry.Owner and Entry.Group. Names are cached for the life of the process.
	OwnerNames bool

	// FilePerm and DirPerm are the permissions of new files and directories, before the umask; 0
	// means 0666 and 0777. A replaced file keeps the permissions it had.
	FilePerm, DirPerm fs.FileMode
}

// OSRoot is a directory of the machine as an [FS]. All access goes through an [os.Root], so that no
// path and no link, however it is swapped, leads outside. The limits of os.Root apply: mount points
// are crossed, and every directory on the way must be readable, not only searchable. The zero value is
// not usable.
type OSRoot struct {
	root    *os.Root
	opts    Options
	escapes error // what root reports for a path that leaves it
}

var (
	_ FS     = (*OSRoot)(nil)
	_ Subber = (*OSRoot)(nil)
)

// OpenOSRoot opens the directory dir, a path of the server. It fails with fs.ErrNotExist or ErrNotDir
// if there is no such directory. Unlike all later errors this one names dir, as it is for the
// operator. The caller closes the OSRoot.
func OpenOSRoot(dir string, opts Options) (*OSRoot, error) {
	fail := func(err error) (*OSRoot, error) {
		return nil, pathError("open root", dir, err)
	}
	if opts.FilePerm == 0 {
		opts.FilePerm = 0o666
	}
	if opts.DirPerm == 0 {
		opts.DirPerm = 0o777
	}
	if (opts.FilePerm|opts.DirPerm)&^fs.ModePerm != 0 {
		return fail(fmt.Errorf("permissions of new files: %w", fs.ErrInvalid))
	}
	// os.OpenRoot waits for a writer if dir is a FIFO.
	info, err := os.Stat(dir)
	if err != nil {
		return fail(cause(err))
	}
	if !info.IsDir() {
		return fail(ErrNotDir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fail(cause(err))
	}
	return newOSRoot(root, opts), nil
}

func newOSRoot(root *os.Root, opts Options) *OSRoot {
	// os does not export its error for a path that leaves the root. Asking for ".." yields it, which
	// is better than knowing its text.
	_, err := root.Lstat("..")
	return &OSRoot{root: root, opts: opts, escapes: cause(err)}
}

// rel turns a checked path into what os.Root wants.
func rel(path string) string {
	if path == "/" {
		return "."
	}
	return path[1:]
}

func (r *OSRoot) cause(err error) error {
	err = cause(err)
	if err == r.escapes {
		return ErrEscapes
	}
	return err
}

func (r *OSRoot) fail(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return pathError(op, path, r.cause(err))
}

// openDir opens the directory at loc, a path relative to the root. The "/." makes the last step an
// open of a directory's own ".", which unlike an open by name cannot wait on a FIFO.
func (r *OSRoot) openDir(loc string) (*os.Root, error) {
	return r.root.OpenRoot(loc + "/.")
}

// Sub returns a view whose root is the directory path, with the same options. Links inside it that
// lead to other parts of r leave the new root and fail.
func (r *OSRoot) Sub(path string) (FS, error) {
	if err := check(path); err != nil {
		return nil, pathError("sub", path, err)
	}
	root, err := r.openDir(rel(path))
	if err != nil {
		return nil, r.fail("sub", path, err)
	}
	return newOSRoot(root, r.opts), nil
}

// Close implements [FS].
func (r *OSRoot) Close() error { return r.root.Close() }

// Stat implements [FS].
func (r *OSRoot) Stat(path string) (Entry, error) {
	if err := check(path); err != nil {
		return Entry{}, pathError("stat", path, err)
	}
	info, err := r.root.Stat(rel(path))
	if err != nil {
		return Entry{}, r.fail("stat", path, err)
	}
	_, name := split(path)
	return r.entry(name, info), nil
}

// Lstat implements [FS].
func (r *OSRoot) Lstat(path string) (Entry, error) {
	if err := check(path); err != nil {
		return Entry{}, pathError("lstat", path, err)
	}
	info, err := r.root.Lstat(rel(path))
	if err != nil {
		return Entry{}, r.fail("lstat", path, err)
	}
	dir, name := split(path)
	e := r.entry(name, info)
	if e.IsLink() {
		// A link that went away in between is described without its target.
		if target, err := r.root.Readlink(rel(path)); err == nil {
			e.LinkTarget = shownTarget(dir, target)
		}
	}
	return e, nil
}

// Mkdir implements [FS].
func (r *OSRoot) Mkdir(path string) error {
	if err := checkNew(path); err != nil {
		return pathError("mkdir", path, err)
	}
	return r.fail("mkdir", path, r.root.Mkdir(rel(path), r.opts.DirPerm))
}

// Remove implements [FS]. If the file is swapped for an empty directory during the call, that may be
// removed in its place.
func (r *OSRoot) Remove(path string) error {
	return r.remove("remove", path, func(mode fs.FileMode) error {
		if mode.IsDir() {
			return ErrIsDir
		}
		return nil
	})
}

// Rmdir implements [FS]. If the directory is swapped for a file during the call, that may be removed
// in its place.
func (r *OSRoot) Rmdir(path string) error {
	if path == "/" {
		return pathError("rmdir", path, fs.ErrPermission)
	}
	return r.remove("rmdir", path, func(mode fs.FileMode) error {
		if !mode.IsDir() {
			return ErrNotDir
		}
		return nil
	})
}

// remove removes path if allow has nothing against its type. os.Root has one call for files and
// empty directories, hence the look beforehand. That leaves a gap in which another user's rename can
// change the type; it can cost no more than what that user could remove or what is empty.
func (r *OSRoot) remove(op, path string, allow func(fs.FileMode) error) error {
	if err := check(path); err != nil {
		return pathError(op, path, err)
	}
	info, err := r.root.Lstat(rel(path))
	if err != nil {
		return r.fail(op, path, err)
	}
	if err := allow(info.Mode()); err != nil {
		return pathError(op, path, err)
	}
	return r.fail(op, path, r.root.Remove(rel(path)))
}

// Rename implements [FS].
func (r *OSRoot) Rename(from, to string) error {
	if err := checkRename(from, to); err != nil {
		return linkError(from, to, err)
	}
	info, err := r.root.Lstat(rel(from))
	if err != nil {
		return linkError(from, to, r.cause(err))
	}
	if from == to {
		return nil
	}
	if info.IsDir() && within(to, from) {
		return linkError(from, to, fs.ErrInvalid)
	}
	if err := r.root.Rename(rel(from), rel(to)); err != nil {
		return linkError(from, to, r.cause(err))
	}
	return nil
}

// Chtimes implements [FS].
func (r *OSRoot) Chtimes(path string, mtime time.Time) error {
	if err := check(path); err != nil {
		return pathError("chtimes", path, err)
	}
	return r.fail("chtimes", path, r.root.Chtimes(rel(path), time.Time{}, mtime))
}

// Chmod implements [FS].
func (r *OSRoot) Chmod(path string, perm fs.FileMode) error {
	if err := checkChmod(path, perm); err != nil {
		return pathError("chmod", path, err)
	}
	return r.fail("chmod", path, r.root.Chmod(rel(path), perm))
}

// Truncate implements [FS].
func (r *OSRoot) Truncate(path string, size int64) error {
	if err := check(path); err != nil {
		return pathError("truncate", path, err)
	}
	if size < 0 {
		return pathError("truncate", path, fs.ErrInvalid)
	}
	f, err := openRegular(r.root, rel(path), os.O_WRONLY)
	if err != nil {
		return r.fail("truncate", path, err)
	}
	err = f.Truncate(size)
	if err1 := f.Close(); err == nil {
		err = err1
	}
	return r.fail("truncate", path, err)
}

// openRegular opens an existing regular file. The look beforehand keeps the open from disturbing a
// FIFO or device: the peer of a FIFO would see us come and go.
func openRegular(root *os.Root, loc string, flag int) (*os.File, error) {
	info, err := root.Stat(loc)
	if err != nil {
		return nil, err
	}
	if err := regular(info.Mode()); err != nil {
		return nil, err
	}
	return openLooking(root, loc, flag)
}

// openLooking opens a file and looks at what it got, as what was there a moment ago does not count.
// O_NONBLOCK keeps it from waiting should that be a FIFO.
func openLooking(root *os.Root, loc string, flag int) (*os.File, error) {
	f, err := root.OpenFile(loc, flag|openFlags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(info.Mode())
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func regular(mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return ErrIsDir
	case !mode.IsRegular():
		return ErrNotRegular
	}
	return nil
}
