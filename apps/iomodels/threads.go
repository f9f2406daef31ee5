package main

import (
	"os"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// serveThreads has a thread for each connection, which blocks in read and write. A goroutine that is
// locked to its thread is the nearest that Go has; the descriptors are the blocking kind, so that its
// network poller has no part in it.
func serveThreads(announce func(string)) error {
	listener, address, err := listen(0)
	if err != nil {
		return err
	}
	announce(address)
	for {
		fd, err := accept(listener, 0)
		if err != nil {
			return os.NewSyscallError("accept4", err)
		}
		go func() {
			goruntime.LockOSThread() // never unlocked: the thread ends with the goroutine
			defer unix.Close(fd)
			var buf [bufferSize]byte
			for {
				n, err := retry(unix.Read, fd, buf[:])
				if err != nil || n == 0 {
					return
				}
				upper(buf[:n])
				for out := buf[:n]; len(out) > 0; {
					n, err := retry(unix.Write, fd, out)
					if err != nil {
						return
					}
					out = out[n:]
				}
			}
		}()
	}
}
