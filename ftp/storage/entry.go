package storage

import (
	"io/fs"
	"time"
)

// Entry describes one file, directory or link. It is a plain value.
type Entry struct {
	// Name is the last element of the path, "/" for the root.
	Name string
	// Size is in bytes. It means something for regular files only.
	Size    int64
	Mode    fs.FileMode
	ModTime time.Time

	// UID and GID own the file. Owner and Group are their names where the store knows them and was
	// asked to look them up, else "".
	UID, GID     uint32
	Owner, Group string

	// Nlink counts the hard links, 0 if unknown.
	Nlink uint64
	// Dev and Ino together are the same for the same file and different for different ones, as the
	// MLSx fact "unique" wants. Both are 0 if unknown.
	Dev, Ino uint64

	// LinkTarget is what a symbolic link holds, from Lstat and Dir.Next. It is "" for a target that is
	// absolute or climbs above the root, as such text tells of the server and is of no use to a client.
	LinkTarget string
}

// IsDir reports whether the entry is a directory.
func (e Entry) IsDir() bool { return e.Mode.IsDir() }

// IsRegular reports whether the entry is a regular file.
func (e Entry) IsRegular() bool { return e.Mode.IsRegular() }

// IsLink reports whether the entry is a symbolic link.
func (e Entry) IsLink() bool { return e.Mode&fs.ModeSymlink != 0 }

// entry describes info under the given name.
func (r *OSRoot) entry(name string, info fs.FileInfo) Entry {
	e := Entry{Name: name, Size: info.Size(), Mode: info.Mode(), ModTime: info.ModTime()}
	e.system(info)
	if r.opts.OwnerNames {
		e.Owner, e.Group = userNames.name(e.UID), groupNames.name(e.GID)
	}
	return e
}
