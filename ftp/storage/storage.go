package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// FS is one user's view of a file tree. Its methods block, and are safe for concurrent use by many
// goroutines. After Close every method returns an error that is fs.ErrClosed; handles that are
// already open stay usable.
//
// Unless a method says otherwise it follows symbolic links that stay inside the root; a link whose
// target is absolute or leads outside fails with [ErrEscapes].
type FS interface {
	// Stat describes what path names, following a symbolic link. The entry carries the last element
	// of path as its name ("/" for the root).
	Stat(path string) (Entry, error)

	// Lstat is Stat for the symbolic link itself. It fills Entry.LinkTarget.
	Lstat(path string) (Entry, error)

	// OpenDir starts a listing. It fails with ErrNotDir if path is not a directory.
	OpenDir(path string) (Dir, error)

	// Open opens a regular file for reading. It fails with ErrIsDir for a directory and with
	// ErrNotRegular for a FIFO, socket or device, and never waits for the other side of a FIFO.
	Open(path string) (File, error)

	// Create begins an upload in the way mode says. Everything that can be refused is refused here,
	// before the first byte: a missing or unwritable parent, a directory or device in the way.
	// offset is the place of the first byte for WriteAt and must be 0 otherwise.
	Create(path string, mode WriteMode, offset int64) (Upload, error)

	// Mkdir makes one directory. An existing name of any kind gives fs.ErrExist.
	Mkdir(path string) error

	// Remove removes a file or a symbolic link (not its target). A directory gives ErrIsDir.
	Remove(path string) error

	// Rmdir removes an empty directory: ErrNotEmpty otherwise, ErrNotDir for anything else
	// (a link to a directory too), fs.ErrPermission for the root.
	Rmdir(path string) error

	// Rename moves a file, link or directory, replacing a file at the new name atomically. An
	// existing directory at the new name gives fs.ErrExist, a directory moved onto a file ErrNotDir,
	// the root as either name fs.ErrPermission, and a directory moved into itself fs.ErrInvalid.
	// Moving a name onto itself does nothing.
	Rename(from, to string) error

	// Chtimes sets the modification time.
	Chtimes(path string, mtime time.Time) error

	// Chmod sets the nine permission bits. Other bits give fs.ErrInvalid, the root fs.ErrPermission.
	Chmod(path string, perm fs.FileMode) error

	// Truncate sets the size of a regular file, which may grow it.
	Truncate(path string, size int64) error

	// Close releases the view. Closing twice is allowed.
	Close() error
}

// WriteMode says how [FS.Create] treats a file that is already there.
type WriteMode uint8

const (
	// WriteReplace puts a new file in the place of the old one, or where there was none (STOR).
	// In a store with atomic uploads the new content becomes visible at Commit and not before, and
	// after Abort or a crash the old file is intact.
	WriteReplace WriteMode = iota

	// WriteAppend adds to the end, creating the file if there is none (APPE). It is never atomic:
	// what was written before an Abort stays, which is what lets a client resume. Two appending
	// uploads interleave but never overwrite each other.
	WriteAppend

	// WriteAt continues at an offset (REST n, STOR). It is never atomic. Bytes before the offset are
	// kept; the first Write (or OSFile, or Commit) cuts off what followed, so that an interrupted
	// resume leaves a file whose size tells the truth. An offset beyond the end of the file, or above
	// 0 with no file, gives ErrOffset: sparse files are not made on a client's word.
	WriteAt

	// WriteExclusive makes a new file and fails with fs.ErrExist if the name, or a link, is there
	// (STOU). The name is taken at once, because FTP announces it before the data; Abort removes it.
	WriteExclusive
)

// String returns "replace", "append", "at" or "exclusive".
func (m WriteMode) String() string {
	switch m {
	case WriteReplace:
		return "replace"
	case WriteAppend:
		return "append"
	case WriteAt:
		return "at"
	case WriteExclusive:
		return "exclusive"
	}
	return "invalid"
}

// File is a regular file open for reading. It blocks. ReadAt and Stat are safe for concurrent use;
// Read and Seek share one position and are not. Errors never carry a server path.
type File interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
	// Stat describes the open file, under the name it was opened by.
	Stat() (Entry, error)
}

// OSFiler is implemented by a [File] or [Upload] that may be backed by a descriptor, for sendfile
// and splice.
type OSFiler interface {
	// OSFile returns the file, or nil when the bytes must go through Read or Write. The handle keeps
	// ownership: callers use the file's current position, do not close it, and do not touch it
	// after Close, Commit or Abort. On an Upload it counts as the first Write.
	//
	// The file's name, and errors of its own methods, hold the server's path: pass such an error
	// through [Translate] before it can reach a client.
	OSFile() *os.File
}

// Dir is an open listing. It blocks and is not safe for concurrent use. A listing needs the memory
// of one batch, whatever the size of the directory.
type Dir interface {
	// Next returns the next entries, between 1 and n of them, in no particular order, and io.EOF
	// with none when there are no more. Entries are as Lstat gives them. "." and "..", and names of
	// the store's own, are left out. An entry that vanishes during the listing is skipped; one that
	// cannot be described is returned with its name and the mode fs.ModeIrregular. n below 1 panics.
	Next(n int) ([]Entry, error)
	io.Closer
}

// Upload is a file being written. It blocks. Write, Commit and Abort may be called from different
// goroutines and take turns: Commit and Abort wait for a Write that is under way. Exactly one of
// Commit and Abort takes effect; after it Write gives fs.ErrClosed.
type Upload interface {
	io.Writer
	// Commit makes the upload final and releases it. When it fails the upload has been aborted.
	// A second Commit gives fs.ErrClosed.
	Commit() error
	// Abort gives the upload up and releases it; what remains is said by the WriteMode. After Commit
	// or Abort it does nothing, so it can be deferred.
	Abort() error
}

// Subber is implemented by a store that can give a narrower view of itself.
type Subber interface {
	// Sub returns a view whose root is the directory dir. Closing either leaves the other usable.
	Sub(dir string) (FS, error)
}

// Sub returns a view of fsys whose root is the directory dir, as for a user's home inside the served
// root. The caller closes it. A missing dir gives fs.ErrNotExist, a store without views
// errors.ErrUnsupported.
func Sub(fsys FS, dir string) (FS, error) {
	s, ok := fsys.(Subber)
	if !ok {
		return nil, pathError("sub", dir, errors.ErrUnsupported)
	}
	return s.Sub(dir)
}
