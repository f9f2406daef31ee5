package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Sentinels, for errors.Is. See the package documentation for the others an error may answer to.
var (
	ErrNotDir      = errors.New("not a directory")
	ErrIsDir       = errors.New("is a directory")
	ErrNotEmpty    = errors.New("directory not empty")
	ErrNotRegular  = errors.New("not a regular file")
	ErrEscapes     = errors.New("path leaves the root")
	ErrInvalidName = errors.New("invalid name")
	ErrOffset      = errors.New("offset is beyond the end of the file")
	ErrNoSpace     = errors.New("no space left")
	ErrQuota       = errors.New("quota exceeded") // see Usage

	// ErrReadOnly is also fs.ErrPermission.
	ErrReadOnly = fmt.Errorf("read-only: %w", fs.ErrPermission)
)

// errnoKind is the one table from errno to sentinel. An errno not listed stays as it is: EACCES,
// EPERM, EEXIST and ENOENT answer for fs's sentinels by themselves, EMFILE and the rest are for
// errors.Is with the errno.
//
// ENOTEMPTY must be here: syscall.ENOTEMPTY claims to be fs.ErrExist, ErrNotEmpty does not.
var errnoKind = map[syscall.Errno]error{
	syscall.ENOTDIR:      ErrNotDir,
	syscall.EISDIR:       ErrIsDir,
	syscall.ENOTEMPTY:    ErrNotEmpty,
	syscall.ENAMETOOLONG: ErrInvalidName,
	syscall.ENOSPC:       ErrNoSpace,
	syscall.EDQUOT:       ErrNoSpace,
	syscall.EFBIG:        ErrNoSpace,
	syscall.EROFS:        ErrReadOnly,
	syscall.EINVAL:       fs.ErrInvalid,
	syscall.ENXIO:        ErrNotRegular, // open of a FIFO without a reader, or of a socket
	syscall.ENODEV:       ErrNotRegular,
}

// Translate returns err as this package would report it for op on the virtual path: server paths
// are stripped and an errno becomes its sentinel. It is for errors of the [os.File] behind an
// [OSFiler]. nil and io.EOF are returned as they are.
func Translate(op, path string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return pathError(op, path, cause(err))
}

// cause strips what the os package wraps around an error, names of server files with it, and
// replaces an errno by its sentinel.
func cause(err error) error {
	for {
		switch e := err.(type) {
		case *fs.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		case syscall.Errno:
			if kind, ok := errnoKind[e]; ok {
				return kind
			}
			return e
		default:
			return err
		}
	}
}

func pathError(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}

func linkError(from, to string, err error) error {
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}
