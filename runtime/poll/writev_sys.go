//go:build linux && !race

package poll

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iovecs are lists for sysWritev, for reuse.
var iovecs = sync.Pool{New: func() any { return new([]unix.Iovec) }}

// sysWritev is to writev what sysWrite is to write.
func sysWritev(fd int, parts [][]byte) (int, unix.Errno) {
	list := iovecs.Get().(*[]unix.Iovec)
	for _, p := range parts {
		v := unix.Iovec{Base: unsafe.SliceData(p)}
		v.SetLen(len(p))
		*list = append(*list, v)
	}
	n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(*list))), uintptr(len(*list)))
	clear(*list) // the parts are to be collected
	*list = (*list)[:0]
	iovecs.Put(list)
	return int(n), errno
}
