//go:build !race

package poll

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysRead and sysWrite make the system calls without telling the Go scheduler:
// on a non-blocking descriptor they do not block.

func sysRead(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func sysWrite(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// The race detector's view of messages.

func raceRead([]byte, bool)    {}
func raceWrite([]byte)         {}
func raceReadBatch([]Message)  {}
func raceWriteBatch([]Message) {}
