//go:build unix

package storage

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep an open from waiting on a FIFO and from taking a terminal.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

// system fills in what io/fs does not tell. The conversions are for systems where the fields are
// narrower.
func (e *Entry) system(info fs.FileInfo) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	e.UID, e.GID = st.Uid, st.Gid
	e.Nlink = uint64(st.Nlink)
	e.Dev, e.Ino = uint64(st.Dev), uint64(st.Ino)
}

// keepOwner gives f the owner of old where they differ. Most processes may not, and then the file
// belongs to the one who wrote it.
func keepOwner(f *os.File, old fs.FileInfo) {
	info, err := f.Stat()
	if err != nil {
		return
	}
	now, ok := info.Sys().(*syscall.Stat_t)
	was, ok1 := old.Sys().(*syscall.Stat_t)
	if ok && ok1 && (now.Uid != was.Uid || now.Gid != was.Gid) {
		_ = f.Chown(int(was.Uid), int(was.Gid))
	}
}
