//go:build race

package poll

import (
	goruntime "runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Under the race detector package unix marks the buffers as read and written,
// and a write as happening before the read that gets its bytes.

func sysRead(fd int, p []byte) (int, unix.Errno) {
	n, err := unix.Read(fd, p)
	return n, errnoOf(err)
}

func sysWrite(fd int, p []byte) (int, unix.Errno) {
	n, err := unix.Write(fd, p)
	return n, errnoOf(err)
}

func errnoOf(err error) unix.Errno {
	if err == nil {
		return 0
	}
	return err.(unix.Errno)
}

// messages stands for all messages underway: to send one happens before to receive
// any later one.
var messages int

// raceRead notes that the kernel has written p, with a message if received.
func raceRead(p []byte, received bool) {
	if !received {
		return
	}
	if len(p) > 0 {
		goruntime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
	}
	goruntime.RaceAcquire(unsafe.Pointer(&messages))
}

// raceWrite notes that the kernel will read p.
func raceWrite(p []byte) {
	if len(p) > 0 {
		goruntime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
	}
	goruntime.RaceReleaseMerge(unsafe.Pointer(&messages))
}

func raceReadBatch(ms []Message) {
	for _, m := range ms {
		for _, v := range unsafe.Slice(m.Header.Iov, m.Header.Iovlen) {
			raceRead(unsafe.Slice(v.Base, v.Len), true)
		}
	}
}

func raceWriteBatch(ms []Message) {
	for _, m := range ms {
		for _, v := range unsafe.Slice(m.Header.Iov, m.Header.Iovlen) {
			raceWrite(unsafe.Slice(v.Base, v.Len))
		}
	}
}
