//go:build linux && race

package poll

import "golang.org/x/sys/unix"

// sysWritev is to writev what sysWrite is to write.
func sysWritev(fd int, parts [][]byte) (int, unix.Errno) {
	n, err := unix.Writev(fd, parts)
	return n, errnoOf(err)
}
