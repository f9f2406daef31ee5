// Package storage is the file side of the FTP server: one user's rooted view of a file tree.
//
// # Model
//
// An [FS] is one tree. Paths are virtual: absolute, slash separated and clean ("/a/b", "/" is the
// root), and they are byte strings, so a name in any encoding survives a round trip. Turning what a
// client typed into such a path is the work of package ftp; an FS refuses anything else with
// [ErrInvalidName] or [ErrEscapes] instead of cleaning it, so that the protocol and the store can
// never disagree about what a path means.
//
// There are two stores, [OSRoot] (a directory of the machine, confined by [os.Root]) and [Mem]
// (memory, for tests), and one wrapper, [ReadOnly]. Package storagetest holds the conformance suite
// that each passes.
//
// # Blocking
//
// Every call blocks the calling thread for as long as the disk takes. Nothing here knows the task
// runtime; callers that run on its workers must move these calls to the offload pool.
//
// # Errors
//
// Errors are *[fs.PathError] (Rename: *[os.LinkError]) whose paths are virtual ones, never paths of
// the server. They answer errors.Is for fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid
// and fs.ErrClosed, for the sentinels of this package, and for the errno where none of these fits
// (syscall.EMFILE when descriptors run out).
//
// # Limits
//
// Names beginning with [TempPrefix] belong to the store: they are not listed and cannot be reached.
// An element is at most 255 bytes long and a path at most 4096.
package storage
